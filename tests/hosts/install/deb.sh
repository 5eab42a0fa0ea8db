#!/bin/sh
# make deb: builds the packages of debian/ from build/dist, checks them with lintian, and tries them: installed in a copy of this system (an overlay that is
# gone afterwards; takes root), with the programs of docs/install.md.
set -eu
cd "$(dirname "$0")/../../.."
rm -rf build/deb
mkdir -p build/deb
tar -C build/deb -xzf build/dist/lua-beam-*.tar.gz
source=$(echo build/deb/lua-beam-*)
echo "DEB    $source"
(cd "$source" && dpkg-buildpackage -us -uc -b) >build/deb/log 2>&1 || { tail -n 40 build/deb/log >&2; exit 1; }
rm -rf "$source"
echo "LINT   build/deb/*.changes"
lintian --allow-root --fail-on error,warning --tag-display-limit 0 build/deb/*.changes

# Built as Debian wants programs built: the commands, then the files. Marks for branches need a libc whose own objects have them; make hardening asks ours.
echo "CHECK  blhc, hardening-check"
blhc --all --line-numbers build/deb/log
mkdir build/deb/unpacked
for package in build/deb/*.deb; do dpkg-deb -x "$package" build/deb/unpacked; done
find build/deb/unpacked/usr -type f \( -name '*.so' -o -name '*.so.*' -o -path '*/bin/*' \) ! -path '*/debug/*' | grep . | while read -r file; do
  hardening-check --nocfprotection "$file" >build/deb/report || { cat build/deb/report; exit 1; }
done
rm -rf build/deb/unpacked

set +e # from here on each check counts
. tests/hosts/local_beam.sh
. tests/hosts/install/install_docs.sh
HOME=$folder/home
mkdir "$HOME" "$folder/upper" "$folder/work" "$folder/system"
programs
local_beam --token deb --quiet
export HOME BEAM_TOKEN=deb BEAM_GATEWAY_URL="$url"

# What is done in the copy, where nothing but the packages leads to us.
cat >"$HOME/try" <<'END'
cd "$HOME" || exit 1
. ./checks
ours() { find /usr /etc -name "*beam*" | sort; }
ours >before
packages=$(cd "$debs" && ls | sed -n '/dbgsym/d; s/_.*\.deb$//p')
says_hello() { "$@" >printed 2>&1 && diff expected printed; }
check "dpkg -i" sh -c "dpkg -i \$(ls $debs/*.deb | grep -v dbgsym)"
for program in lua5.1 luajit lua5.3 lua5.4 beamlua; do check "$program" says_hello $program hello.lua; done
check "libbeam-dev: shared" sh -c 'cc hello.c -o hello $(pkg-config --cflags --libs beam) && ./hello | grep -x "200 {\"result\":24}"'
check "libbeam-dev: archive" sh -c 'cc hello.c -o hello $(pkg-config --cflags beam) $(pkg-config --variable=archive_libs beam) && ./hello | grep -x "200 {\"result\":24}"'
check "the manual" man -w beamlua
check "dpkg --purge" dpkg --purge $packages
ours >after
check "nothing of ours is left" diff before after
echo "1..$tests"
exit $failed
END
sed -n '/^# check NAME/,/^}/p' tests/hosts/install/install_docs.sh >"$HOME/checks"
unshare -m sh -ec "
  mount -t overlay overlay -o lowerdir=/,upperdir=$folder/upper,workdir=$folder/work $folder/system
  for folder in proc dev tmp; do mount --rbind /\$folder $folder/system/\$folder; done
  debs='$PWD/build/deb' chroot $folder/system sh $HOME/try"
