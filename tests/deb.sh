#!/bin/sh
# make deb: builds the packages of debian/ from build/dist, checks them with lintian, unpacks them into a folder and runs there what docs/install.md has.
set -eu
cd "$(dirname "$0")/.."
rm -rf build/deb
mkdir -p build/deb
tar -C build/deb -xzf build/dist/lua-beam-*.tar.gz
source=$(echo build/deb/lua-beam-*)
echo "DEB    $source"
(cd "$source" && dpkg-buildpackage -us -uc -b) >build/deb/log 2>&1 || { tail -n 40 build/deb/log >&2; exit 1; }
rm -rf "$source"
echo "LINT   build/deb/*.changes"
lintian --allow-root --fail-on error,warning --no-tag-display-limit build/deb/*.changes

root=$PWD/build/deb/root
for package in build/deb/*.deb; do
  case $package in *-dbgsym_*) ;; *) dpkg-deb -x "$package" "$root" ;; esac
done

. tests/hosts/local_beam.sh
. tests/hosts/install_docs.sh
HOME=$folder/home
mkdir "$HOME"
programs
export HOME BEAM_TOKEN=deb
libraries=$root/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)
: >"$folder/out"
local_beam --token deb --quiet
export BEAM_GATEWAY_URL="$url"
cd "$HOME"
for lua in 5.1 jit 5.3 5.4; do
  case $lua in jit) version=5.1 program=luajit ;; *) version=$lua program=lua$lua ;; esac
  check "$program" sh -c "LUA_PATH='$root/usr/share/lua/$version/?.lua;$root/usr/share/lua/$version/?/init.lua;;' \
    LUA_CPATH='$libraries/lua/$version/?.so;;' $program hello.lua | diff expected -"
done
check beamlua sh -c "LUA_CPATH='$libraries/lua/5.4/?.so;;' '$root/usr/bin/beamlua' hello.lua | diff expected -"
check "libbeam-dev" sh -c "cc hello.c -o hello -I'$root/usr/include' -L'$libraries' -lbeam && LD_LIBRARY_PATH='$libraries' ./hello"
exit $failed
