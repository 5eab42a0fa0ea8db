#!/bin/sh
# nim 1.6.10-2 (Debian 12): json of its standard library.
# Guess: a number that fits no integer of the machine is read as a float, as a fraction is, or refused; what is written of a float is read as the same float.
# Seen: an integer of 2^63 or more is a JString, although it stood without quotes: getInt and getFloat give 0 for it, to(float) raises, and nothing tells. "2e19" is a JFloat. Of a
# float 16 digits are written, where some need 17: 0.1 + 0.2 comes back as 0.3.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download nim=1.6.10-2 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cp root/etc/nim/nim.cfg nim.cfg
cat >program.nim <<'END'
import json
for text in ["9223372036854775807", "9223372036854775808", "20000000000000000000", "2e19"]:
  let value = parseJson(text)
  var converted = "raises"
  try: converted = $value.to(float) except JsonKindError: discard
  echo text, ": ", value.kind, ", getInt ", value.getBiggestInt, ", getFloat ", value.getFloat, ", to(float) ", converted, ", written ", value
for number in [0.5, 0.1, 0.1 + 0.2, 1.0 / 3.0, 1.1 * 1.1]:
  echo "written ", %number, ", the same when read: ", parseJson($ %number).getFloat == number
END
timeout 200 root/usr/bin/nim c --lib:"$folder/root/usr/lib/nim/lib" --nimcache:"$folder/cache" --hints:off --opt:none --passC:-w -o:program program.nim >log 2>&1 || { cat log; exit 1; }
timeout 20 ./program | tee seen
cmp - seen <<'END'
9223372036854775807: JInt, getInt 9223372036854775807, getFloat 9.223372036854776e+18, to(float) 9.223372036854776e+18, written 9223372036854775807
9223372036854775808: JString, getInt 0, getFloat 0.0, to(float) raises, written 9223372036854775808
20000000000000000000: JString, getInt 0, getFloat 0.0, to(float) raises, written 20000000000000000000
2e19: JFloat, getInt 0, getFloat 2e+19, to(float) 2e+19, written 2e+19
written 0.5, the same when read: true
written 0.1, the same when read: true
written 0.3, the same when read: false
written 0.3333333333333333, the same when read: true
written 1.21, the same when read: false
END
