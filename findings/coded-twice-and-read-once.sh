#!/bin/sh
# axios 1.21.1, got 14.6.6, beside undici 7.30.2's fetch (npm), Node 20; python3-aiohttp 3.8.4-1+deb12u2 (Debian 12).
# Guess: Content-Encoding is a list (RFC 9110, 8.4): a body that was coded by the app and once more on the way ("deflate, gzip", or two lines) is read
# through both, or the coding that is not known is an error.
# Seen: only fetch reads both. axios and got hand on all of it as it came, aiohttp too; of two lines aiohttp takes off one, and it is the body's own. Each
# with status 200 and no error: bytes in the place of JSON.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts undici@7.30.2 axios@1.21.1 got@14.6.6 >log 2>&1 || { cat log; exit 1; }
apt-get download python3-aiohttp=3.8.4-1+deb12u2 python3-aiosignal python3-async-timeout python3-attr python3-charset-normalizer python3-frozenlist \
  python3-idna python3-multidict python3-yarl >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >program.mjs <<'END'
import { execFile } from "node:child_process";
import http from "node:http";
import { promisify } from "node:util";
import zlib from "node:zlib";
import axios from "axios";
import got from "got";
import { fetch } from "undici";

const TEXT = "the text itself", DEFLATED = zlib.deflateSync(TEXT), BOTH = zlib.gzipSync(DEFLATED);
const bodies = {
  gzip: [zlib.gzipSync(TEXT), "gzip"],
  list: [BOTH, "deflate, gzip"],
  lines: [BOTH, ["deflate", "gzip"]],
};
const server = http.createServer((request, answer) => {
  const [body, coding] = bodies[request.url.slice(1)];
  answer.writeHead(200, { "Content-Encoding": coding, "Content-Length": body.length });
  answer.end(body);
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));

const AIOHTTP = `
import aiohttp, asyncio, sys
async def main():
    async with aiohttp.ClientSession() as session, session.get(sys.argv[1]) as answer:
        sys.stdout.buffer.write(await answer.read())
asyncio.run(main())`;
const ways = {
  fetch: async (url) => Buffer.from(await (await fetch(url)).arrayBuffer()),
  axios: async (url) => (await axios.get(url, { responseType: "arraybuffer" })).data,
  got: async (url) => got(url).buffer(),
  aiohttp: async (url) => (await promisify(execFile)("/usr/bin/python3", ["-S", "-c", AIOHTTP, url], { encoding: "buffer" })).stdout,
};
const name = (bytes) => {
  bytes = Buffer.from(bytes);
  return bytes.equals(Buffer.from(TEXT)) ? "the text" : bytes.equals(DEFLATED) ? "deflated" : bytes.equals(BOTH) ? "deflated and gzipped" : "something else";
};
for (const kind of Object.keys(bodies)) {
  for (const way of Object.keys(ways)) {
    const told = await ways[way](`http://127.0.0.1:${server.address().port}/${kind}`).then(name, (error) => `an error: ${error.message}`);
    console.log(`${kind}: ${way}: ${told}`);
  }
}
process.exit(0);
END
PYTHONPATH=$folder/root/usr/lib/python3/dist-packages timeout 60 node program.mjs | tee seen
{
  for way in fetch axios got aiohttp; do echo "gzip: $way: the text"; done
  printf '%s\n' 'list: fetch: the text' 'list: axios: deflated and gzipped' 'list: got: deflated and gzipped' 'list: aiohttp: deflated and gzipped' \
    'lines: fetch: the text' 'lines: axios: deflated and gzipped' 'lines: got: deflated and gzipped' 'lines: aiohttp: deflated'
} | cmp - seen
