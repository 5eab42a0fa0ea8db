#!/bin/sh
# fp-units-fcl 3.2.2+dfsg-20 (fphttpclient of Free Pascal), php8.2-cli 8.2.36-1~deb12u1 (the http:// stream), mono 6.8.0.105+dfsg-3.3+deb12u1 (WebRequest), Debian 12.
# Guess: any number of interim answers (1xx) may come before the answer, and who does not know them passes over them (RFC 9110, 15.2): servers and proxies send 103 with what a page
# will need, and 100 unasked.
# Seen: Free Pascal passes over none, Mono over 100 alone, PHP over one of any kind. The next one is the answer: its status is the status, and the body is the real answer as
# it came, its status line first. For Mono that is a success, for PHP an answer like others (with ignore_errors; else a failure); Free Pascal's Get raises, as for a 404.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download mono-mcs=6.8.0.105+dfsg-3.3+deb12u1 mono-runtime-sgen mono-runtime-common libmono-corlib4.5-dll libmono-system4.0-cil libmono-system-core4.0-cil \
  libmono-security4.0-cil libmono-system-configuration4.0-cil libmono-system-xml4.0-cil libmono-system-numerics4.0-cil libmono-system-security4.0-cil \
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
using System; using System.IO; using System.Net;
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
    }
  }
}
END
cat >server.py <<'END'
import socket
NAMES = {"100": b"100 Continue", "103": b"103 Early Hints"}
def answer(names):
    interim = b"".join(b"HTTP/1.1 " + NAMES[name] + b"\r\n\r\n" for name in names.split("+"))
    return interim + b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody"
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    for _ in range(9):
        connection, _ = server.accept()
        head = list(iter(connection.makefile("rb").readline, b"\r\n"))
        connection.sendall(answer(head[0].split()[1][1:].decode()))
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()
END
export MONO_PATH="$folder/root/usr/lib/mono/4.5" MONO_CFG_DIR="$folder/root/etc" HOME="$folder"
LD_LIBRARY_PATH="$folder/root/usr/lib:$(echo "$folder"/root/usr/lib/*-linux-gnu)"
export LD_LIBRARY_PATH
root/usr/bin/mono-sgen "$MONO_PATH/mcs.exe" -out:program.exe program.cs -r:System.dll >log 2>&1 || { cat log; exit 1; }
root/usr/bin/ppcx64-3.2.2 -n -Fu"$(echo "$folder"/root/usr/lib/*-linux-gnu/fpc/3.2.2/units/*)/*" program.pas >log 2>&1 || { cat log; exit 1; }
timeout 120 python3 server.py >port &
until [ -s port ]; do sleep 0.1; done
url=http://127.0.0.1:$(cat port)/
for client in ./program 'root/usr/bin/php8.2 -n program.php' 'root/usr/bin/mono-sgen program.exe'; do timeout 80 $client "$url" 100 103 100+103; done | tee seen
wait $!
cmp - seen <<'END'
TFPHTTPClient, 100: an error, status 100
TFPHTTPClient, 103: an error, status 103
TFPHTTPClient, 100+103: an error, status 100
file_get_contents, 100: 200 "body"
file_get_contents, 103: 200 "body"
file_get_contents, 100+103: 103 "HTTP/1.1 200 OK"
HttpWebRequest, 100: 200 "body"
HttpWebRequest, 103: 103 "HTTP/1.1 200 OK"
HttpWebRequest, 100+103: 103 "HTTP/1.1 200 OK"
END
