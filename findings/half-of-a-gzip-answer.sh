#!/bin/sh
# python3-aiohttp 3.8.4-1+deb12u2, python3-tornado 6.2.0-3+deb12u4, libwww-perl 6.68-1 (Debian 12), deno 2.9.6 (npm), beside Node 20's fetch.
# Guess: a body of the coding gzip may have several members (RFC 1952, 2.2), as a server has it that compresses each piece of a stream, or puts
# compressed files one behind the other: all of them are the body.
# Seen: four of five hand on the first member and drop the rest, with status 200 and no error, as if the answer had been shorter. Node reads all.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts deno@2.9.6 >log 2>&1 || { cat log; exit 1; }
cp node_modules/@deno/*/deno deno && chmod +x deno
apt-get download python3-aiohttp=3.8.4-1+deb12u2 python3-tornado=6.2.0-3+deb12u4 python3-aiosignal python3-async-timeout python3-attr \
  python3-charset-normalizer python3-frozenlist python3-idna python3-multidict python3-yarl libwww-perl=6.68-1 libhttp-message-perl libhttp-date-perl \
  libtimedate-perl liburi-perl libnet-http-perl liblwp-mediatypes-perl libencode-locale-perl libtry-tiny-perl libhtml-parser-perl \
  libhtml-tagset-perl libio-html-perl libclone-perl libhttp-cookies-perl libhttp-negotiate-perl libwww-robotrules-perl libfile-listing-perl >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >client.mjs <<'END'
const [url, name] = globalThis.Deno ? [Deno.args[0], "deno"] : [process.argv[2], "node"];
console.log(`${name}: ${await (await fetch(url)).text()}`);
END
cat >client.pl <<'END'
use LWP::UserAgent;
my $answer = LWP::UserAgent->new->get($ARGV[0], 'Accept-Encoding' => 'gzip');
print 'lwp: ', $answer->is_success ? $answer->decoded_content : $answer->status_line, "\n";
END
cat >program.py <<'END'
import asyncio, gzip, aiohttp, tornado.httpclient

BODY = gzip.compress(b"first ") + gzip.compress(b"second ") + gzip.compress(b"third")

async def serve(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(BODY) + BODY)
    await writer.drain()
    writer.close()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        print("aiohttp:", await answer.text())
    print("tornado:", (await tornado.httpclient.AsyncHTTPClient().fetch(url)).body.decode(), flush=True)
    for command in ["perl", "client.pl"], ["./deno", "run", "--no-config", "--allow-net=127.0.0.1", "client.mjs"], ["node", "client.mjs"]:
        await (await asyncio.create_subprocess_exec(*command, url)).wait()

asyncio.run(main())
END
PERL5LIB=$folder/root/usr/share/perl5:$(echo "$folder"/root/usr/lib/*-linux-gnu/perl5/*) DENO_DIR=$folder/cache DENO_NO_UPDATE_CHECK=1 \
  PYTHONPATH=$folder/root/usr/lib/python3/dist-packages timeout 60 python3 -S program.py | sed 's/ *$//' | tee seen
printf '%s\n' 'aiohttp: first' 'tornado: first' 'lwp: first' 'deno: first' 'node: first second third' | cmp - seen
