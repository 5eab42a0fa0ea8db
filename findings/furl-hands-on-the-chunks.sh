#!/bin/sh
# libfurl-perl 3.14-2 (Debian 12).
# Guess: the name of a transfer coding is read in any case (RFC 9112, 7): "Chunked" is "chunked".
# Seen: "Chunked" is taken for no coding at all: the body that is handed on has the sizes of the chunks in it, with status 200 and no error.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download libfurl-perl=3.14-2 libhttp-parser-xs-perl libclass-accessor-lite-perl >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >server.py <<'END'
import socket
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    for coding in ("chunked", "Chunked"):
        connection, _ = server.accept()
        while b"\r\n\r\n" not in connection.recv(65536):
            pass
        connection.sendall(f"HTTP/1.1 200 OK\r\nTransfer-Encoding: {coding}\r\nConnection: close\r\n\r\n2\r\nok\r\n0\r\n\r\n".encode())
        connection.close()
END
cat >client.pl <<'END'
use strict; use warnings; use Furl;
my $port = <STDIN>;
chomp $port;
for my $coding ('chunked', 'Chunked') {
  my $answer = Furl->new(timeout => 5)->get("http://127.0.0.1:$port/");
  my $body = $answer->content;
  $body =~ s/\r\n/ /g;
  print "$coding: ", $answer->code, " '$body'\n";
}
END
python3 server.py | PERL5LIB=$folder/root/usr/share/perl5:$(echo "$folder"/root/usr/lib/*-linux-gnu/perl5/*) timeout 20 perl client.pl | tee seen
printf '%s\n' "chunked: 200 'ok'" "Chunked: 200 '2 ok 0  '" | cmp - seen
