#!/bin/sh
# fp-units-fcl 3.2.2+dfsg-20 (fphttpclient of Free Pascal), php8.2-cli 8.2.36-1~deb12u1 (the http:// stream), mono 6.8.0.105+dfsg-3.3+deb12u1 (WebRequest and HttpClient), Debian 12.
# Guess: an answer of which less came than its Content-Length says, or whose last chunk is missing, is not complete (RFC 9112, 8): whoever reads it to its end is told of the loss.
# Seen: Free Pascal's and PHP's end well in both cases, with status 200 and no warning: the half is the whole. Mono's HttpWebRequest does with a length, and tells of chunks;
# Mono's HttpClient tells of both.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download mono-mcs=6.8.0.105+dfsg-3.3+deb12u1 mono-runtime-sgen mono-runtime-common libmono-corlib4.5-dll libmono-system4.0-cil libmono-system-core4.0-cil \
  libmono-security4.0-cil libmono-system-configuration4.0-cil libmono-system-xml4.0-cil libmono-system-numerics4.0-cil libmono-system-security4.0-cil libmono-system-net-http4.0-cil \
  php8.2-cli=8.2.36-1~deb12u1 php8.2-common libsodium23 libargon2-1 libxml2 libicu72 libedit2 libmagic1 libbsd0 libmd0 \
  fp-compiler-3.2.2=3.2.2+dfsg-20 fp-units-rtl-3.2.2 fp-units-base-3.2.2 fp-units-fcl-3.2.2 fp-units-net-3.2.2 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >program.pas <<'END'
{$mode objfpc}{$H+}
uses sysutils, fphttpclient;
var
  at: integer;
  body: string;
begin
  for at := 2 to ParamCount do
    with TFPHTTPClient.Create(nil) do begin
      try
        body := Get(ParamStr(1) + ParamStr(at));
        if pos(#13, body) > 0 then setlength(body, pos(#13, body) - 1);
        writeln('TFPHTTPClient, ', ParamStr(at), ': ', ResponseStatusCode, ' "', body, '"');
      except
        on Exception do writeln('TFPHTTPClient, ', ParamStr(at), ': an error, status ', ResponseStatusCode);
      end;
      Free;
    end;
end.
END
cat >program.php <<'END'
<?php
set_error_handler(function ($kind, $text) { throw new Exception($text); });
foreach (array_slice($argv, 2) as $name) {
  try {
    $body = strtok(file_get_contents($argv[1] . $name, false, stream_context_create(['http' => ['protocol_version' => 1.1, 'ignore_errors' => true]])), "\r");
    echo "file_get_contents, $name: ", substr($http_response_header[0], 9, 3), " \"$body\"\n";
  } catch (Exception $error) {
    echo "file_get_contents, $name: an error\n";
  }
}
END
cat >program.cs <<'END'
using System; using System.IO; using System.Net; using System.Net.Http;
class Program {
  static void Try(string name, Func<string> read) {
    string seen;
    try { seen = read(); } catch (Exception) { seen = "an error"; }
    Console.WriteLine(name + ": " + seen);
  }
  static string Request(string url) {
    using (var answer = (HttpWebResponse) WebRequest.Create(url).GetResponse())
      return (int) answer.StatusCode + " \"" + new StreamReader(answer.GetResponseStream()).ReadToEnd().Split('\r')[0] + "\"";
  }
  static void Main(string[] arguments) {
    for (var at = 1; at < arguments.Length; at++) {
      var url = arguments[0] + arguments[at];
      Try("HttpWebRequest, " + arguments[at], () => Request(url));
      Try("HttpClient, " + arguments[at], () => new HttpClient().GetStringAsync(url).Result);
    }
  }
}
END
cat >server.py <<'END'
import socket
HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
ANSWERS = {"length": HEAD + b"Content-Length: 100\r\n\r\n12 items, of which", "chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\n12\r\n12 items, of which\r\n"}
answer = ANSWERS.get
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    for _ in range(8):
        connection, _ = server.accept()
        head = list(iter(connection.makefile("rb").readline, b"\r\n"))
        connection.sendall(answer(head[0].split()[1][1:].decode()))
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()
END
export MONO_PATH="$folder/root/usr/lib/mono/4.5" MONO_CFG_DIR="$folder/root/etc" HOME="$folder"
LD_LIBRARY_PATH="$folder/root/usr/lib:$(echo "$folder"/root/usr/lib/*-linux-gnu)"
export LD_LIBRARY_PATH
root/usr/bin/mono-sgen "$MONO_PATH/mcs.exe" -out:program.exe program.cs -r:System.dll -r:System.Net.Http.dll >log 2>&1 || { cat log; exit 1; }
root/usr/bin/ppcx64-3.2.2 -n -Fu"$(echo "$folder"/root/usr/lib/*-linux-gnu/fpc/3.2.2/units/*)/*" program.pas >log 2>&1 || { cat log; exit 1; }
timeout 120 python3 server.py >port &
until [ -s port ]; do sleep 0.1; done
url=http://127.0.0.1:$(cat port)/
for client in ./program 'root/usr/bin/php8.2 -n program.php' 'root/usr/bin/mono-sgen program.exe'; do timeout 80 $client "$url" length chunks; done | tee seen
wait $!
cmp - seen <<'END'
TFPHTTPClient, length: 200 "12 items, of which"
TFPHTTPClient, chunks: 200 "12 items, of which"
file_get_contents, length: 200 "12 items, of which"
file_get_contents, chunks: 200 "12 items, of which"
HttpWebRequest, length: 200 "12 items, of which"
HttpClient, length: an error
HttpWebRequest, chunks: an error
HttpClient, chunks: an error
END
