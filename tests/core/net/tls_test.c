/* Certificates: where they are looked for, which files are refused, and what a refusal by OpenSSL says to its reader.
 * The certificates are made here, by OpenSSL, and checked by it, so that the codes are the real ones. */
#include "test.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/tls/files.h"
#include "net/tls/refusal.h"

static char folder[64];

static const char *path(const char *name) {
  static char paths[4][128];
  static int turn;
  char *to = paths[turn = (turn + 1) % 4];
  snprintf(to, sizeof paths[0], "%s/%s", folder, name);
  return to;
}

/* ---- Making certificates ---- */

typedef struct recipe {
  const char *name, *host; /* of the subject; of the alternative name, or NULL */
  int days_from, days_to, authority;
} recipe;

static void add_extension(X509 *certificate, int which, const char *value) {
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, which, value);
  if (!extension || !X509_add_ext(certificate, extension, -1))
    abort();
  X509_EXTENSION_free(extension);
}

/* `issuer` NULL: self-signed. */
static X509 *make(const recipe *what, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key) {
  static long serial;
  X509 *certificate = X509_new();
  X509_NAME *name = X509_get_subject_name(certificate);
  char alternative[128];
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)what->name, -1, -1, 0);
  X509_set_issuer_name(certificate, issuer ? X509_get_subject_name(issuer) : name);
  X509_gmtime_adj(X509_getm_notBefore(certificate), what->days_from * 86400L);
  X509_gmtime_adj(X509_getm_notAfter(certificate), what->days_to * 86400L);
  X509_set_pubkey(certificate, key);
  if (what->authority)
    add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
  snprintf(alternative, sizeof alternative, "DNS:%s", what->host ? what->host : "");
  if (what->host)
    add_extension(certificate, NID_subject_alt_name, alternative);
  if (!X509_sign(certificate, issuer_key ? issuer_key : key, EVP_sha256()))
    abort();
  return certificate;
}

static X509 *root, *other_root;
static EVP_PKEY *root_key, *key;

static void write_certificate(const char *name, X509 *certificate) {
  FILE *file = fopen(path(name), "w");
  if (!file || !PEM_write_X509(file, certificate))
    abort();
  fclose(file);
}

static void write_key(const char *name, EVP_PKEY *which, const char *passphrase) {
  FILE *file = fopen(path(name), "w");
  if (!file || !PEM_write_PrivateKey(file, which, passphrase ? EVP_aes_128_cbc() : NULL, NULL, 0, NULL,
                                     passphrase ? (char *)(uintptr_t)passphrase : NULL))
    abort();
  fclose(file);
}

static void write_text(const char *name, const char *text) {
  FILE *file = fopen(path(name), "w");
  if (!file || fputs(text, file) < 0)
    abort();
  fclose(file);
}

static void set_up(void) {
  static const recipe authority = {"Test Root", NULL, -1, 2, 1}, other = {"Other Root", NULL, -1, 2, 1};
  strcpy(folder, "/tmp/beam-tls-test-XXXXXX");
  if (!mkdtemp(folder))
    abort();
  root_key = EVP_EC_gen("P-256");
  key = EVP_EC_gen("P-256");
  root = make(&authority, root_key, NULL, NULL);
  other_root = make(&other, root_key, NULL, NULL);
  write_certificate("root.pem", root);
  write_key("root.key", root_key, NULL);
  write_key("locked.key", root_key, "hunter2");
  write_text("empty.pem", "");
  write_text("text.pem", "this is no certificate\n");
}

static void tear_down(void) {
  static const char *const files[] = {"root.pem", "root.key", "locked.key", "empty.pem", "text.pem"};
  size_t i;
  for (i = 0; i < sizeof files / sizeof *files; i++)
    unlink(path(files[i]));
  rmdir(folder);
  X509_free(root);
  X509_free(other_root);
  EVP_PKEY_free(root_key);
  EVP_PKEY_free(key);
}

/* ---- The system's store ---- */

static void finds_the_bundle(void) {
  struct stat found;
  const char *bundle;
  unsetenv("SSL_CERT_FILE");
  bundle = beam_ca_bundle();
  REQUIRE(bundle != NULL); /* ca-certificates is among what `make setup` installs */
  CHECK(stat(bundle, &found) == 0 && S_ISREG(found.st_mode) && found.st_size > 1000);
}

static void prefers_ssl_cert_file(void) {
  const char *usual;
  unsetenv("SSL_CERT_FILE");
  usual = beam_ca_bundle();
  setenv("SSL_CERT_FILE", path("root.pem"), 1);
  CHECK_STR(beam_ca_bundle(), path("root.pem"));
  setenv("SSL_CERT_FILE", path("missing.pem"), 1);
  CHECK(beam_ca_bundle() == usual);
  setenv("SSL_CERT_FILE", "", 1);
  CHECK(beam_ca_bundle() == usual);
  unsetenv("SSL_CERT_FILE");
}

/* ---- Files that the caller names ---- */

static void check_tls(beam_tls tls, const char *why) {
  beam_error error;
  beam_ctx *ctx;
  CHECK_INT(beam_new(&ctx, NULL), 0);
  CHECK_INT(beam__tls_check(ctx, &tls, &error), why ? BEAM_EINVALID : 0);
  CHECK_INT(beam__tls_check(ctx, &tls, NULL), why ? BEAM_EINVALID : 0);
  CHECK_INT(ERR_peek_error(), 0);
  beam_close(ctx);
  if (why)
    CHECK_CONTAINS(error.message, why);
}

static void check_files(const char *ca, const char *certificate, const char *private_key, const char *why) {
  check_tls((beam_tls){.ca_file = ca, .cert_file = certificate, .key_file = private_key}, why);
}

static void accepts_good_files(void) {
  check_files(NULL, NULL, NULL, NULL);
  check_files("", "", "", NULL);
  check_files(path("root.pem"), NULL, NULL, NULL);
  check_files(path("root.pem"), path("root.pem"), path("root.key"), NULL);
}

static void refuses_files_that_cannot_be_read(void) {
  check_files(path("missing.pem"), NULL, NULL, "missing.pem: no such file or directory");
  check_files(path("missing.pem"), NULL, NULL, "tls.ca_file");
  check_files(folder, NULL, NULL, "no certificate in PEM form");
  check_files(NULL, path("missing.pem"), path("root.key"), "tls.cert_file");
  check_files(NULL, path("root.pem"), path("missing.key"), "tls.key_file");
}

static void refuses_files_that_hold_something_else(void) {
  check_files(path("empty.pem"), NULL, NULL, "no certificate in PEM form");
  check_files(path("text.pem"), NULL, NULL, "no certificate in PEM form");
  check_files(path("root.key"), NULL, NULL, "no certificate in PEM form");
  check_files(NULL, path("text.pem"), path("root.key"), "no certificate in PEM form");
  check_files(NULL, path("root.pem"), path("root.pem"), "no private key in PEM form");
  check_files(NULL, path("root.pem"), path("text.pem"), "no private key in PEM form");
}

static void refuses_half_a_client_certificate(void) {
  check_files(NULL, path("root.pem"), NULL, "tls.key_file is missing");
  check_files(NULL, NULL, path("root.key"), "tls.cert_file is missing");
  check_files(NULL, path("root.pem"), "", "tls.key_file is missing");
}

static void refuses_a_key_of_another_certificate(void) {
  write_key("other.key", key, NULL);
  check_files(NULL, path("root.pem"), path("other.key"), "does not belong");
  unlink(path("other.key"));
}

/* OpenSSL would ask for the passphrase on the terminal. */
static void refuses_an_encrypted_key_without_asking(void) {
  check_files(NULL, path("root.pem"), path("locked.key"), "is encrypted: set tls.key_passphrase");
}

static void decrypts_a_key(void) {
  char longer_than_any[2000];
  beam_tls tls = {.cert_file = path("root.pem"), .key_file = path("locked.key"), .key_passphrase = "hunter2"};
  check_tls(tls, NULL);
  tls.key_passphrase = "hunter3";
  check_tls(tls, "locked.key: tls.key_passphrase does not decrypt it");
  memset(longer_than_any, 'x', sizeof longer_than_any);
  longer_than_any[sizeof longer_than_any - 1] = '\0';
  tls.key_passphrase = longer_than_any;
  check_tls(tls, "tls.key_passphrase does not decrypt it");
  tls.key_passphrase = "";
  check_tls(tls, "is encrypted");
  tls.key_file = path("root.key"); /* it is not asked for */
  tls.key_passphrase = "hunter2";
  check_tls(tls, NULL);
}

/* ---- What a refusal says ---- */

/* Has OpenSSL check `certificate` for `host` against `trusted` and returns its code. */
static int verify(X509 *certificate, X509 *trusted, STACK_OF(X509) * chain, const char *host) {
  X509_STORE *store = X509_STORE_new();
  X509_STORE_CTX *context = X509_STORE_CTX_new();
  int code;
  if (trusted)
    X509_STORE_add_cert(store, trusted);
  X509_STORE_CTX_init(context, store, certificate, chain);
  X509_VERIFY_PARAM_set1_host(X509_STORE_CTX_get0_param(context), host, 0);
  X509_verify_cert(context);
  code = X509_STORE_CTX_get_error(context);
  X509_STORE_CTX_free(context);
  X509_STORE_free(store);
  ERR_clear_error();
  return code;
}

/* They were there when they were checked. */
static void takes_files_that_have_gone_for_nobody_else(void) {
  unsigned char gone[BEAM__IDENTITY_SIZE], nobody[BEAM__IDENTITY_SIZE];
  CHECK_INT(beam__tls_identify(&(beam_tls){.cert_file = path("gone.pem"), .key_file = path("gone.key")}, NULL, gone),
            0);
  CHECK_INT(beam__tls_identify(&(beam_tls){0}, NULL, nobody), 0);
  CHECK(memcmp(gone, nobody, sizeof gone));
}

static void check_text(int code, int expected_code, const char *reason, const char *advice) {
  beam_error error;
  CHECK_INT(code, expected_code);
  CHECK_INT(beam__tls_verify_error(&error, "beam.test:443", code, "CN=beam.test", "CN=Test Root"), BEAM_ETLS);
  CHECK_INT(error.code, BEAM_ETLS);
  CHECK_INT(error.phase, BEAM_PHASE_TLS);
  CHECK_STR(error.host, "beam.test:443");
  CHECK_CONTAINS(error.message, "the certificate of beam.test:443 was refused: ");
  CHECK_CONTAINS(error.message, reason);
  CHECK_CONTAINS(error.message, advice);
  CHECK_CONTAINS(error.message, "(subject CN=beam.test, issuer CN=Test Root)");
}

static void names_self_signed(void) {
  static const recipe what = {"beam.test", "beam.test", -1, 1, 0};
  X509 *certificate = make(&what, key, NULL, NULL);
  check_text(verify(certificate, root, NULL, "beam.test"), X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "it is self-signed",
             "tls.ca_file");
  X509_free(certificate);
}

static void names_an_unknown_issuer(void) {
  static const recipe what = {"beam.test", "beam.test", -1, 1, 0};
  X509 *certificate = make(&what, key, root, root_key);
  STACK_OF(X509) *chain = sk_X509_new_null();
  check_text(verify(certificate, other_root, NULL, "beam.test"), X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
             "its issuer is unknown", "tls.ca_file");
  sk_X509_push(chain, root);
  check_text(verify(certificate, NULL, chain, "beam.test"), X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
             "its issuer is unknown", "tls.ca_file");
  sk_X509_free(chain);
  X509_free(certificate);
}

static void names_validity(void) {
  static const recipe expired = {"beam.test", "beam.test", -9, -1, 0}, early = {"beam.test", "beam.test", 5, 9, 0};
  X509 *certificate = make(&expired, key, root, root_key);
  check_text(verify(certificate, root, NULL, "beam.test"), X509_V_ERR_CERT_HAS_EXPIRED, "it has expired", "renew");
  X509_free(certificate);
  certificate = make(&early, key, root, root_key);
  check_text(verify(certificate, root, NULL, "beam.test"), X509_V_ERR_CERT_NOT_YET_VALID, "it is not valid yet",
             "clock");
  X509_free(certificate);
}

static void names_another_host(void) {
  static const recipe what = {"other.test", "other.test", -1, 1, 0};
  X509 *certificate = make(&what, key, root, root_key);
  check_text(verify(certificate, root, NULL, "beam.test"), X509_V_ERR_HOSTNAME_MISMATCH, "it is for another host name",
             "check the URL");
  X509_free(certificate);
}

static void names_the_rest(void) {
  check_text(X509_V_ERR_CERT_REVOKED, X509_V_ERR_CERT_REVOKED, "revoked", "do not trust");
  check_text(X509_V_ERR_IP_ADDRESS_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH, "not for this address", "host name");
  check_text(X509_V_ERR_PATH_LENGTH_EXCEEDED, X509_V_ERR_PATH_LENGTH_EXCEEDED, "path length constraint exceeded",
             "tls.ca_file");
}

static void leaves_out_what_is_not_known(void) {
  beam_error error;
  beam__tls_verify_error(&error, NULL, X509_V_ERR_CERT_HAS_EXPIRED, "", NULL);
  CHECK_STR(error.message, "the certificate of the server was refused: it has expired; renew it on the server, and "
                           "check this machine's clock");
  beam__tls_verify_error(&error, "h:1", X509_V_ERR_CERT_HAS_EXPIRED, NULL, "CN=a");
  CHECK_CONTAINS(error.message, "it has expired (issuer CN=a); renew");
  beam__tls_verify_error(&error, "h:1", X509_V_ERR_CERT_HAS_EXPIRED, "CN=a", "");
  CHECK_CONTAINS(error.message, "it has expired (subject CN=a); renew");
  CHECK_INT(beam__tls_verify_error(NULL, "h:1", X509_V_ERR_CERT_HAS_EXPIRED, "", ""), BEAM_ETLS);
}

/* Names come from the peer: they must not break a line nor push out what to do. */
static void tames_the_peers_names(void) {
  char name[2000];
  beam_error error;
  memset(name, 'x', sizeof name);
  memcpy(name, "CN=a\r\nb\x1b", 8);
  name[sizeof name - 1] = '\0';
  beam__tls_verify_error(&error, name, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, name, name);
  CHECK_CONTAINS(error.message, "subject CN=a??b?xxx");
  CHECK_CONTAINS(error.message, "let the server send the whole chain");
}

int main(void) {
  set_up();
  RUN(finds_the_bundle);
  RUN(prefers_ssl_cert_file);
  RUN(accepts_good_files);
  RUN(refuses_files_that_cannot_be_read);
  RUN(refuses_files_that_hold_something_else);
  RUN(refuses_half_a_client_certificate);
  RUN(refuses_a_key_of_another_certificate);
  RUN(refuses_an_encrypted_key_without_asking);
  RUN(decrypts_a_key);
  RUN(takes_files_that_have_gone_for_nobody_else);
  RUN(names_self_signed);
  RUN(names_an_unknown_issuer);
  RUN(names_validity);
  RUN(names_another_host);
  RUN(names_the_rest);
  RUN(leaves_out_what_is_not_known);
  RUN(tames_the_peers_names);
  tear_down();
  return test_end();
}
