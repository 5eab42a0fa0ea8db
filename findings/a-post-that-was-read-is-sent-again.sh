#!/bin/sh
# libfurl-perl 3.14-2, ruby-httpclient 2.8.3+git20211122.4658227-1, python3-httplib2 0.20.4-3+deb12u1, beside HTTP::Tiny of perl 5.36 and net/http of
# ruby3.1 3.1.7+really3.1.2-0+deb12u1 (Debian 12).
# Guess: a kept connection that ends after a POST was written to it is an error: the server may have run it (RFC 9110, 9.2.2, says not to repeat it unless it
# is known to do no harm twice, or not to have been applied).
# Seen: the first three take it for a connection that had been idle for too long and send the POST over a new one: two runs, one 200, and nothing tells the
# caller. The other two fail.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download libfurl-perl=3.14-2 ruby-httpclient=2.8.3+git20211122.4658227-1 python3-httplib2=0.20.4-3+deb12u1 ruby3.1=3.1.7+really3.1.2-0+deb12u1 \
  libruby3.1=3.1.7+really3.1.2-0+deb12u1 ruby-http-cookie ruby-domain-name ruby-unf ruby-unf-ext libyaml-0-2 libclass-accessor-lite-perl \
  libhttp-parser-xs-perl python3-pyparsing >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >server.py <<'END'
import socketserver, sys
class Handler(socketserver.StreamRequestHandler):  # answers the first request of a connection, reads the second and ends
    def handle(self):
        for number in 1, 2:
            length, line = 0, self.rfile.readline()
            while line not in (b"\r\n", b""):
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
                line = self.rfile.readline()
            if not self.rfile.read(length):
                return
            print("read", file=sys.stderr, flush=True)
            if number == 1:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
socketserver.ThreadingTCPServer.daemon_threads = True
with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
END
cat >furl <<'END'
use Furl; my $client = Furl->new(timeout => 9); print $client->post($ARGV[0], [], "input")->code, " " for 1, 2;
END
cat >tiny <<'END'
use HTTP::Tiny; my $client = HTTP::Tiny->new(timeout => 9); print $client->post($ARGV[0], { content => "input" })->{status}, " " for 1, 2;
END
cat >httpclient <<'END'
require "httpclient"; client = HTTPClient.new; 2.times { print client.post(ARGV[0], "input").status, " " }
END
cat >nethttp <<'END'
require "net/http"; Net::HTTP.start("127.0.0.1", URI(ARGV[0]).port) { |kept| 2.times { print (kept.post("/", "input").code rescue $!.class), " " } }
END
cat >httplib2 <<'END'
import httplib2, sys; client = httplib2.Http(); [print(client.request(sys.argv[1], "POST", body="input")[0].status, end=" ") for _ in range(2)]
END
library=$(echo "$folder"/root/usr/lib/*-linux-gnu)
gems=$(echo "$folder"/root/usr/share/rubygems-integration/all/gems/*/lib | tr ' ' ':')
export PERL5LIB="$folder/root/usr/share/perl5:$library/perl5/5.36" PYTHONPATH="$folder/root/usr/lib/python3/dist-packages"
export RUBYLIB="$gems:$folder/root/usr/lib/ruby/3.1.0:$library/ruby/3.1.0:$folder/root/usr/lib/ruby/vendor_ruby:$library/ruby/vendor_ruby/3.1.0"
ruby() { LD_LIBRARY_PATH=$library timeout 20 root/usr/bin/ruby3.1 --disable=gems "$@"; }
timeout 100 /usr/bin/python3 server.py >port 2>read &
until [ -s port ]; do sleep 0.1; done
for client in "perl furl" "ruby httpclient" "/usr/bin/python3 httplib2" "perl tiny" "ruby nethttp"; do
  : >read
  echo "${client##* }: $($client "http://127.0.0.1:$(cat port)/")read: $(grep -c read read)"
done | tee seen
kill $!
printf '%s\n' 'furl: 200 200 read: 3' 'httpclient: 200 200 read: 3' 'httplib2: 200 200 read: 3' 'tiny: 200 599 read: 2' 'nethttp: 200 EOFError read: 2' | cmp - seen
