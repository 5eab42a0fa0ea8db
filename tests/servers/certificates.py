"""Certificates for the tests, made by openssl in a folder of the test's: a CA and, signed by it or not, servers good and bad.
They say what their keys are for: since 3.13 Python takes no others (VERIFY_X509_STRICT)."""
import subprocess


def openssl(*arguments, **options):
    subprocess.run(("openssl",) + arguments, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)


def authority(folder, name):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
            "-subj", f"/CN=Beam test {name}", "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem")


def certificate(folder, name, names, ca="ca", expired=False):
    """`names` as in subjectAltName. An expired one was valid for a day, a year ago."""
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN=Beam test {name}",
            "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.csr")
    with open(f"{folder}/{name}.ext", "w") as extensions:
        extensions.write(f"subjectAltName={names}\nbasicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\n"
                         "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
    if not expired:
        openssl("x509", "-req", "-in", f"{folder}/{name}.csr", "-CA", f"{folder}/{ca}.pem", "-CAkey", f"{folder}/{ca}.key",
                "-CAcreateserial", "-days", "20", "-extfile", f"{folder}/{name}.ext", "-out", f"{folder}/{name}.pem")
        return
    with open(f"{folder}/{name}.cnf", "w") as config:
        config.write(f"[ca]\ndefault_ca=c\n[c]\nnew_certs_dir={folder}\ndatabase={folder}/{name}.db\nserial={folder}/{name}.srl\n"
                     "default_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n")
    open(f"{folder}/{name}.db", "w").close()
    with open(f"{folder}/{name}.srl", "w") as serial:
        serial.write("1000\n")
    openssl("ca", "-batch", "-notext", "-config", f"{folder}/{name}.cnf", "-cert", f"{folder}/{ca}.pem", "-keyfile",
            f"{folder}/{ca}.key", "-startdate", "20240101000000Z", "-enddate", "20240102000000Z", "-extfile",
            f"{folder}/{name}.ext", "-in", f"{folder}/{name}.csr", "-out", f"{folder}/{name}.pem")


def make_all(folder):
    local = "DNS:localhost,IP:127.0.0.1,IP:::1"
    authority(folder, "ca")
    authority(folder, "stranger")
    with open(f"{folder}/both.pem", "w") as both:
        both.write("".join(open(f"{folder}/{name}.pem").read() for name in ("ca", "stranger")))
    certificate(folder, "good", local)
    certificate(folder, "client", "DNS:client")
    certificate(folder, "successor", "DNS:successor")
    certificate(folder, "expired", local, expired=True)
    certificate(folder, "elsewhere", "DNS:elsewhere.example")
    certificate(folder, "unknown", local, ca="stranger")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=localhost",
            "-addext", f"subjectAltName={local}", "-keyout", f"{folder}/selfsigned.key", "-out", f"{folder}/selfsigned.pem")
