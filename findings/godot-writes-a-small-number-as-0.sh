#!/bin/sh
# godot3-server 3.2.3-stable-1+b3 (Debian 12): JSON.print and JSON.parse of GDScript.
# Guess: a number that is written and read again is the same number, or is refused; what is no number in JSON is refused.
# Seen: six digits after the point are written, whatever stands before it: 0.00000025 is "0", a weight of 0.0000042 "0.000004". A large one is cut off after 255 characters, its
# point and last digits with it: 1e300 is read as 1e254. INF and NAN are written as they are, control characters raw, and neither is JSON. What
# is read is exact: the text "2.5e-7" is 0.00000025.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download godot3-server=3.2.3-stable-1+b3 libenet7 libsquish0 libvpx7 libtheora0 libvorbis0a libopus0 libogg0 libwebp7 libpcre2-32-0 libfreetype6 libpng16-16 \
  libbrotli1 libgomp1 libcairo2 libpixman-1-0 libfontconfig1 libexpat1 libxcb-shm0 libxcb-render0 libxcb1 libxrender1 libx11-6 libxext6 libxau6 libxdmcp6 libbsd0 \
  libmd0 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >program.gd <<'END_OF_PROGRAM'
extends SceneTree
func written(name, value):
	var text = JSON.print(value)
	print("seen: ", name, " is written in ", text.length(), " characters, ", text.substr(0, 10), ", and is then the same: ", JSON.parse(text).result == value)
func _init():
	written("a quarter", 0.25)
	written("0.00000025", 0.00000025)
	written("0.0000042", 0.0000042)
	written("a third", 1.0 / 3.0)
	written("1e300", 1e300)
	print("seen: 2.5e-7 is read well: ", JSON.parse("2.5e-7").result == 0.00000025)
	print("seen: 1e300 is read again as 1e254 or so: ", abs(JSON.parse(JSON.print(1e300)).result / 1e254 - 1) < 0.01)
	print("seen: INF ", JSON.print(INF), ", NAN ", JSON.print(NAN), ", U+0001 ", JSON.print(char(1)).length() == 3)
	quit()
END_OF_PROGRAM
library=$(echo "$folder"/root/usr/lib/*-linux-gnu)
HOME=$folder XDG_DATA_HOME=$folder LC_ALL=C.UTF-8 LD_LIBRARY_PATH=$library timeout 60 root/usr/bin/godot3-server -s program.gd 2>log | sed -n 's/^seen: //p' | tee seen
cmp - seen <<'END_OF_SEEN'
a quarter is written in 4 characters, 0.25, and is then the same: True
0.00000025 is written in 1 characters, 0, and is then the same: False
0.0000042 is written in 8 characters, 0.000004, and is then the same: False
a third is written in 8 characters, 0.333333, and is then the same: False
1e300 is written in 255 characters, 1000000000, and is then the same: False
2.5e-7 is read well: True
1e300 is read again as 1e254 or so: True
INF inf, NAN nan, U+0001 True
END_OF_SEEN
