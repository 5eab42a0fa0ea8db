#!/bin/sh
# The portable folder in minimal roots of Debian's releases with nothing installed: a local Beam is served from it over TLS, and asked. Wants root
# (chroot) and debootstrap. The roots are kept in DISTRO_ROOTS (build/roots).   usage: portable_roots.sh FOLDER [RELEASE…]
set -u
cd "$(dirname "$0")/../../.." || exit 2
folder=$1
shift
roots=${DISTRO_ROOTS:-$PWD/build/roots}
mirror=${DISTRO_MIRROR:-http://deb.debian.org/debian}
status=0
[ "$(id -u)" = 0 ] && command -v debootstrap >/dev/null || { echo "portable_roots.sh: wants root, and debootstrap" >&2; exit 2; }

try() {
  root=$roots/bare-$release
  [ -e "$root/.complete" ] || { rm -rf --one-file-system "$root" && debootstrap --variant=minbase "$release" "$root" "$mirror" >"$root.log" 2>&1 && touch "$root/.complete"; } ||
    { echo "$release: the root could not be made: $root.log"; status=1; return; }
  rm -rf --one-file-system "$root/opt/beam" && cp -R "$folder" "$root/opt/beam"
  cp tests/hosts/install/portable_try.sh "$root/opt/beam/"
  unshare --mount --net sh -c 'ip link set lo up 2>/dev/null; mount -t proc proc "$0/proc" && mount --bind /dev "$0/dev" &&
    exec chroot "$0" /usr/bin/env -i HOME=/root PATH=/usr/bin:/bin sh /opt/beam/portable_try.sh' "$root" >"$root.log" 2>&1
  code=$?
  echo "$release: $([ $code -eq 0 ] && echo well || echo "FAILED: $root.log") ($(tail -n 1 "$root.log"))"
  [ $code -eq 0 ] || status=1
}

for release in "${@:-bookworm trixie testing}"; do
  for release in $release; do try; done
done
exit $status
