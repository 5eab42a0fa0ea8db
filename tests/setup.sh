#!/bin/sh
# Installs what is missing to build (and, unless told otherwise, to test, lint and measure): by apt where it can be done,
# else it names the packages for this system.   usage: setup.sh [build|test|lint|fuzz|bench|docs|package]…
set -u

build="gcc libc6-dev make pkg-config libuv1-dev libwebsockets-dev libwebsockets-evlib-uv libcurl4-openssl-dev libssl-dev zlib1g-dev
  liblua5.4-dev lua5.4 lua-cjson lua-cjson-dev libedit-dev ca-certificates"
test="lua5.1 liblua5.1-0-dev luajit2 libluajit2-5.1-dev lua5.3 liblua5.3-dev lua-busted lua-filesystem lua-luv lua-cqueues lua-copas lua-socket love xvfb xauth
  python3 python3-fastapi python3-uvicorn python3-websockets nginx-light libnginx-mod-http-lua lua-nginx-websocket chromium openssl curl procps
  luarocks zip unzip g++ binutils zsh fish mandoc"
# For the official JavaScript SDK. A node from elsewhere brings its own npm, with which Debian's would quarrel.
command -v node >/dev/null && command -v npm >/dev/null || test="$test nodejs npm"
lint="clang-format cppcheck lua-check"
bench="python3-httpx python3-requests wrk"
fuzz="clang-14 libclang-rt-14-dev"
docs="lua5.1 lua5.4 lua-ldoc lua-discount"
package="debhelper dpkg-dev fakeroot lintian"

wanted=
for set in "${@:-build}"; do
  case $set in
    build) wanted="$wanted $build" ;;
    test) wanted="$wanted $build $test $docs" ;;
    lint) wanted="$wanted $build $test $lint" ;;
    fuzz) wanted="$wanted $build $fuzz" ;;
    bench) wanted="$wanted $build $test $bench" ;;
    package) wanted="$wanted $build $test $package" ;;
    docs) wanted="$wanted $docs" ;;
    *) echo "setup.sh: unknown set '$set' (build, test, lint, fuzz, bench, docs, package)" >&2; exit 2 ;;
  esac
done

name_packages() {
  cat >&2 <<END
Please install the packages to build with, then run the same command again:
  Debian, Ubuntu  apt install $(echo $build)
  Fedora          dnf install gcc make pkgconf libuv-devel libwebsockets-devel libcurl-devel openssl-devel zlib-devel lua lua-devel lua-cjson
  Arch            pacman -S gcc make pkgconf libuv libwebsockets curl openssl zlib lua lua-cjson
  Alpine          apk add build-base pkgconf libuv-dev libwebsockets-dev libwebsockets-evlib_uv curl-dev openssl-dev zlib-dev lua5.4-dev lua5.4 lua5.4-cjson
  Homebrew        brew install pkg-config libuv libwebsockets curl openssl lua luarocks && luarocks install lua-cjson
To test, lint or fuzz as well:
  Debian, Ubuntu  apt install $(echo $test $docs $lint $fuzz)
END
}

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  # Not a Debian: what counts is whether it can be built.
  pkg-config --exists libuv libwebsockets libcurl openssl zlib 2>/dev/null && command -v lua5.4 >/dev/null && exit 0
  name_packages
  exit 1
fi

missing=
for package in $wanted; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then sudo=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo="sudo -n"
else
  echo "setup: missing packages:$missing" >&2
  name_packages
  exit 1
fi

echo "setup: installing$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { $sudo apt-get update && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } \
  >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "setup: apt could not install$missing" >&2
  name_packages
  exit 1
fi
