#!/bin/sh
# ruby3.1 3.1.7+really3.1.2-0+deb12u1 (net/http 0.2.0), ruby-httpclient 2.8.3+git20211122.4658227-1 (Debian 12).
# Guess: a server that ends an idle connection may say so first, by a 408 that nobody asked for (load balancers do): what stands unread on a
# kept connection before a request is sent is no answer to it, and the request goes over a new connection.
# Seen: both look only whether the connection has ended; it has not as long as something is unread. The next request is sent, and the 408 that was there
# before it is its answer. The server never reads that request.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download ruby3.1=3.1.7+really3.1.2-0+deb12u1 libruby3.1=3.1.7+really3.1.2-0+deb12u1 ruby-httpclient=2.8.3+git20211122.4658227-1 \
  ruby-http-cookie ruby-domain-name ruby-unf ruby-unf-ext libyaml-0-2 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >program.rb <<'END'
require "httpclient"
require "net/http"
require "socket"
$stdout.sync = true
server = TCPServer.new("127.0.0.1", 0)
requests = 0
left, kept_open = Queue.new, []
Thread.new do
  loop do
    Thread.new(server.accept) do |connection|
      kept_open << connection
      while connection.gets
        nil until connection.gets == "\r\n"
        requests += 1
        connection.write "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        next unless requests == 1
        sleep 0.5 # the answer has been read by then
        connection.write "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        connection.close_write
        left << true
        break
      end
    end
  end
end
url = "http://127.0.0.1:#{server.addr[1]}/"
kept = Net::HTTP.start("127.0.0.1", server.addr[1])
kept.keep_alive_timeout = 60 # 2 s unless it is told, whatever the server keeps
client = HTTPClient.new
{ "net/http" => -> { kept.get("/").code }, "httpclient" => -> { client.get(url).status } }.each do |name, ask|
  requests = 0
  first = ask.call
  left.pop
  puts "#{name}: #{first}, then #{ask.call}; requests read: #{requests}"
end
exit!
END
library=$(echo "$folder"/root/usr/lib/*-linux-gnu)
gems=$(echo "$folder"/root/usr/share/rubygems-integration/all/gems/*/lib | tr ' ' ':')
export LD_LIBRARY_PATH=$library RUBYLIB=$gems:$folder/root/usr/lib/ruby/3.1.0:$library/ruby/3.1.0:$folder/root/usr/lib/ruby/vendor_ruby:$library/ruby/vendor_ruby/3.1.0
timeout 30 root/usr/bin/ruby3.1 --disable=gems program.rb | tee seen
printf '%s: 200, then 408; requests read: 1\n' net/http httpclient | cmp - seen
