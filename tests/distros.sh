#!/bin/sh
# `make demo` and `make test` as a newcomer runs them, in a minimal root of each release of Debian; one line for each release. The roots are kept, and
# refreshed each time; nothing outside of them is changed. Wants root, for chroot.
#   usage: distros.sh [RELEASE…]   bookworm, trixie, testing;   DISTRO_ROOTS: where the roots are (build/roots), DISTRO_MIRROR: where they come from
set -u
cd "$(dirname "$0")/.." || exit 2
roots=${DISTRO_ROOTS:-$PWD/build/roots}
mirror=${DISTRO_MIRROR:-http://deb.debian.org/debian}
source=$PWD
status=0

if [ "$(id -u)" != 0 ] || ! command -v unshare >/dev/null; then
  echo "distros.sh: chroot and mount want root, and unshare (util-linux): sudo make distros" >&2
  exit 2
fi
if command -v mmdebstrap >/dev/null; then bootstrap() { mmdebstrap --variant=minbase --include=make,ca-certificates "$@"; }
elif command -v debootstrap >/dev/null; then bootstrap() { debootstrap --variant=minbase --include=make,ca-certificates "$@"; }
else
  echo "distros.sh: install mmdebstrap or debootstrap" >&2
  exit 2
fi

# What is mounted there goes with the process.
in_root() {
  unshare --mount sh -c '
    for each in proc sys dev; do mkdir -p "$0/$each" && mount --rbind "/$each" "$0/$each" || exit 2; done
    exec chroot "$0" /usr/bin/env -i HOME=/root LANG=C.UTF-8 TERM=dumb PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
      DEBIAN_FRONTEND=noninteractive sh -c "$1"' "$root" "$1"
}

# How this system reaches the mirror (proxies, dates) is how the root does.
settle() {
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  [ -e "$root/etc/hosts" ] || printf '127.0.0.1\tlocalhost\n::1\tlocalhost\n' >"$root/etc/hosts" # as an installer would; bookworm's debootstrap does not
  apt-config dump | grep '^Acquire::' >"$root/etc/apt/apt.conf.d/90host"
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" # no service is started
  chmod +x "$root/usr/sbin/policy-rc.d"
  echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/90host" # what a power cut spoils is made anew
}

make_root() {
  if [ ! -e "$root/.complete" ]; then
    rm -rf --one-file-system "$root"
    bootstrap "$release" "$root" "$mirror" && settle && touch "$root/.complete" || return 1
  fi
  settle
  in_root "apt-get update && apt-get -y dist-upgrade"
}

# A fresh checkout of what git knows of, as it stands here.
copy_source() {
  rm -rf --one-file-system "$root/root/beam"
  mkdir -p "$root/root/beam"
  git -c safe.directory="$source" ls-files -z --cached --others --exclude-standard | tar --create --null --files-from=- --ignore-failed-read 2>/dev/null |
    tar --extract --directory "$root/root/beam"
  (cd "$root/root/beam" && git init -q && git add -A && git -c user.name=t -c user.email=t@example.com commit -qm "a copy")
}

# Runs one of README's commands; its log is kept beside the root.
run() {
  began=$(date +%s)
  in_root "cd /root/beam && make $1" >"$roots/$release.$1.log" 2>&1 </dev/null
  code=$?
  seconds=$(($(date +%s) - began))
  [ "$code" -eq 0 ] || status=1
}

try() {
  root=$roots/$release
  if ! make_root >"$roots/$release.root.log" 2>&1; then
    echo "$release: the root could not be made: $roots/$release.root.log"
    status=1
    return
  fi
  copy_source
  run demo
  line="$release: demo $([ "$code" -eq 0 ] && echo well || echo FAILED) ($seconds s)"
  run test
  counts=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$roots/$release.test.log" | tail -n 1)
  echo "$line, test ${counts:-did not get to its end} ($seconds s)"
  grep '^left out: ' "$roots/$release.test.log" | sed "s/^/$release: /"
  [ "$code" -eq 0 ] || grep -E '^(FAILED|setup:)' "$roots/$release.test.log" | sed "s/^/$release: /"
}

mkdir -p "$roots"
for release in "${@:-bookworm trixie testing}"; do
  for release in $release; do try; done
done
exit "$status"
