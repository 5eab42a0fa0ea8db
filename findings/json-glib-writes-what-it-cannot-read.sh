#!/bin/sh
# libjson-glib-1.0-0 1.6.6-1, by its typelib (Debian 12).
# Guess: what was read is written as JSON again, with the same value; an integer that gint64 cannot hold is read as a double, or refused.
# Seen: a whole double of 1e17 and more is written with ".0" behind its exponent, "1e+22.0", which is no JSON: its own reader refuses it. 1e400 becomes "inf.0". And
# integers wrap around: 2^63 is read as -2^63 and 2^64 as -1, with no error.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download libjson-glib-1.0-0=1.6.6-1 gir1.2-json-1.0=1.6.6-1 python3-gi libgirepository-1.0-1 gir1.2-glib-2.0 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >program.py <<'END'
import gi
gi.require_version("Json", "1.0")
from gi.repository import GLib, Json
def again(text):
    parser = Json.Parser()
    try:
        parser.load_from_data(text, -1)
    except GLib.Error:
        return "refused"
    return Json.to_string(parser.get_root(), False)
for text in "[0.5]", "[1e15]", "[1e22]", "[1e400]", "[9223372036854775807]", "[9223372036854775808]", "[18446744073709551616]":
    print(text, again(text), again(again(text)))
END
library=$(echo "$folder"/root/usr/lib/*-linux-gnu)
GI_TYPELIB_PATH=$library/girepository-1.0:/usr/lib/girepository-1.0 LD_LIBRARY_PATH=$library PYTHONPATH=$folder/root/usr/lib/python3/dist-packages timeout 20 /usr/bin/python3 program.py | tee seen
printf '%s %s %s\n' '[0.5]' '[0.5]' '[0.5]' '[1e15]' '[1000000000000000.0]' '[1000000000000000.0]' '[1e22]' '[1e+22.0]' refused '[1e400]' '[inf.0]' refused \
  '[9223372036854775807]' '[9223372036854775807]' '[9223372036854775807]' '[9223372036854775808]' '[-9223372036854775808]' '[-9223372036854775808]' \
  '[18446744073709551616]' '[-1]' '[-1]' | cmp - seen
