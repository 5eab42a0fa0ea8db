#!/bin/sh
# unicorn 6.0.0-2+b4 with ruby-rack 2.2.22-0+deb12u2, ruby3.1 3.1.7+really3.1.2-0+deb12u1 (Debian 12).
# Guess: an app that fails while its body is streamed has its connection ended: with chunks the last one is missing, and without them nothing more comes.
# Seen: a second status line is written behind what has been sent, as if nothing had been: it is the end of the body. Without chunks (RACK_ENV=none) the answer
# is whole for all that a client can see, 200, and its text ends in "HTTP/1.1 500 Internal Server Error"; with them it is a size of a chunk that is no number.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download unicorn=6.0.0-2+b4 ruby-rack=2.2.22-0+deb12u2 ruby3.1=3.1.7+really3.1.2-0+deb12u1 libruby3.1=3.1.7+really3.1.2-0+deb12u1 \
  ruby-kgio ruby-raindrops libyaml-0-2 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >config.ru <<'END'
class Pieces
  def each
    yield "data: 1\n\n"
    raise "the handler failed"
  end
end
run ->(env) { [200, { "Content-Type" => "text/event-stream" }, Pieces.new] }
END
cat >program.py <<'END'
import socket, sys, time
path, name = sys.argv[1:]
for attempt in range(200):
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(path)
        break
    except OSError:
        time.sleep(0.1)
connection.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
got = b""
while piece := connection.recv(65536):
    got += piece
head, body = got.split(b"\r\n\r\n", 1)
print(name, head.split(b"\r\n")[0], b"chunked" in head, body)
END
library=$(echo "$folder"/root/usr/lib/*-linux-gnu)
gems=$(echo "$folder"/root/usr/share/rubygems-integration/all/gems/*/lib "$library"/rubygems-integration/3.1.0/gems/*/lib "$library"/rubygems-integration/3.1.0/extensions/*/*/* | tr ' ' ':')
export RUBYLIB="$gems:$folder/root/usr/lib/ruby/3.1.0:$library/ruby/3.1.0:$folder/root/usr/lib/ruby/vendor_ruby:$library/ruby/vendor_ruby/3.1.0"
for environment in none deployment; do
  LD_LIBRARY_PATH=$library timeout 60 root/usr/bin/ruby3.1 --disable=gems root/usr/bin/unicorn -l "$folder/$environment" -E $environment config.ru 2>log &
  timeout 30 /usr/bin/python3 program.py "$folder/$environment" $environment
  kill $!
  wait $! || true
done | tee seen
cat >expected <<'END'
none b'HTTP/1.1 200 OK' False b'data: 1\n\nHTTP/1.1 500 Internal Server Error\r\n\r\n'
deployment b'HTTP/1.1 200 OK' True b'9\r\ndata: 1\n\n\r\nHTTP/1.1 500 Internal Server Error\r\n\r\n'
END
cmp expected seen
