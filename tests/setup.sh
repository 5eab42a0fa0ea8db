#!/bin/sh
# Installs what is missing to build (and, unless told otherwise, to test, lint and measure): by apt where it can be done,
# else it names the packages for this system.   usage: setup.sh [build|test|lint|fuzz|bench|docs|package|release]…
#                                               setup.sh left-out   a line for each part that cannot be tested here: what tests/run.sh leaves out
set -u

# Packages with more than one name, the newer releases' after it: one of them is enough. With a question mark: where the system has it.
# What nothing builds or tests without.
build="gcc libc6-dev make pkg-config/pkgconf libuv1-dev libwebsockets-dev libwebsockets-evlib-uv libcurl4-openssl-dev libssl-dev zlib1g-dev
  liblua${LUA:-5.4}-dev lua${LUA:-5.4} lua-cjson? lua-cjson-dev? libedit-dev? ca-certificates"
test="liblua5.4-dev lua5.4 lua-busted lua-filesystem python3 python3-fastapi python3-uvicorn python3-websockets
  nginx-light libnginx-mod-http-lua openssl curl procps"
lint="clang-format cppcheck lua-check"
bench="python3-httpx python3-requests wrk valgrind strace"
docs="lua5.1 lua5.4 lua-ldoc discount python3 python3-pyte"
monitoring="prometheus"
package="debhelper dpkg-dev fakeroot lintian devscripts blhc"
release="devscripts blhc binutils luarocks clang-tidy python3-jsonschema"

# Parts of the tests, each with its packages and the tests that are left out without them (tests/run.sh). Lua 5.5 and lua-cjson are no
# part that is missing where the system has none.
parts="
Lua_5.1     *(lua5.1)|memory_test.sh|everywhere_test.sh|rock*_test.sh   lua5.1 liblua5.1-0-dev
LuaJIT      *(luajit)|memory_test.sh|everywhere_test.sh|docs_test.sh    luajit2/luajit libluajit2-5.1-dev/libluajit-5.1-dev
Lua_5.3     *(lua5.3)|memory_test.sh|everywhere_test.sh                 lua5.3 liblua5.3-dev
Lua_5.5     *(lua5.5)                        lua5.5? liblua5.5-dev?
other_loops loop_spec*                       lua-luv lua-cqueues lua-copas lua-binaryheap? lua-socket
LÖVE        love_test.sh                     love xvfb xauth
a_browser   nginx_browser_test.py            chromium lua-nginx-websocket
LuaRocks    rock*_test.sh                    luarocks zip unzip g++ binutils git
a_folder    portable_test.sh                 xz-utils binutils
the_prompt  beamlua_prompt_test.py           libedit-dev
other_shells beamlua_shells_test.py          zsh fish mandoc
reference   reference_test.sh                lua-ldoc discount
a_locale    locale_test|locale_spec*         locales
"
# For the official JavaScript SDK. A node from elsewhere brings its own npm, with which Debian's would quarrel.
command -v node >/dev/null && command -v npm >/dev/null || parts="$parts
JavaScript  sdk_test.sh                      nodejs npm
"

# What is compiled with -fsanitize=fuzzer: the runtime has the number of the clang that the system has now.
fuzz_packages() {
  number=$(apt-cache depends clang 2>/dev/null | sed -n 's/^ *Depends: clang-\([0-9]*\)$/\1/p')
  echo "clang libclang-rt-${number:-14}-dev"
}

is_debian() { command -v dpkg-query >/dev/null && command -v apt-get >/dev/null; }
is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
is_known() { LC_ALL=C apt-cache policy "$1" 2>/dev/null | grep -q '^ *Candidate: [^(]'; }
alternatives() { echo "${1%\?}" | tr / ' '; }

# Of a package's names: whether one is installed; the one to install, or nothing.
has() {
  for name in $(alternatives "$1"); do is_installed "$name" && return; done
  return 1
}
choice() {
  for name in $(alternatives "$1"); do is_known "$name" && echo "$name" && return; done
}

# Calls $1 with each part: name, tests, packages.
each_part() {
  printf '%s\n' "$parts" | grep . | while read -r name tests packages; do $1 "$name" "$tests" "$packages"; done
}
missing_of() {
  for package in $1; do
    case $package in *\?) ;; *) has "$package" || echo "$package" ;; esac
  done
}
tell_left_out() {
  without=$(missing_of "$3" | tr '\n' ' ')
  [ -z "$without" ] || printf '%s\t%s\t%s\n' "$(echo "$1" | tr _ ' ')" "$2" "${without% }"
}
packages_of_part() { echo "$3"; }

required= optional=
for set in "${@:-build}"; do
  case $set in
    build) required="$required $build" ;;
    test) required="$required $build $test" optional=parts ;;
    lint) required="$required $build $test $lint" optional=parts ;;
    fuzz) required="$required $build $(fuzz_packages)" ;;
    bench) required="$required $build $test $bench" optional=parts ;;
    monitoring) required="$required $build $test $monitoring" optional=parts ;;
    package) required="$required $build $test $package" optional=parts ;;
    release) required="$required $build $release" ;;
    docs) required="$required $docs" ;;
    left-out) if is_debian; then each_part tell_left_out; fi; exit ;;
    *) echo "setup.sh: unknown set '$set' (build, test, lint, fuzz, bench, docs, package, release)" >&2; exit 2 ;;
  esac
done
[ -z "$optional" ] || optional=$(each_part packages_of_part)

# Names as they are told to a person: the first of each.
plain() { for package in "$@"; do alternatives "$package"; done | cut -d ' ' -f 1 | tr '\n' ' '; }

name_packages() {
  cat >&2 <<END
Please install the packages to build with, then run the same command again:
  Debian, Ubuntu  apt install $(plain $build)
  Fedora          dnf install gcc make pkgconf libuv-devel libwebsockets-devel libcurl-devel openssl-devel zlib-devel lua lua-devel
  Arch            pacman -S gcc make pkgconf libuv libwebsockets curl openssl zlib lua
  Alpine          apk add build-base pkgconf libuv-dev libwebsockets-dev libwebsockets-evlib_uv curl-dev openssl-dev zlib-dev lua5.4-dev lua5.4
  Homebrew        brew install pkg-config libuv libwebsockets curl openssl lua luarocks
To test, lint or fuzz as well (one of the names where there are two):
  Debian, Ubuntu  apt install $(echo $test $(each_part packages_of_part) $docs $lint clang | tr -d '?')
END
}

if ! is_debian; then
  # Not a Debian: what counts is whether it can be built.
  pkg-config --exists libuv libwebsockets libcurl openssl zlib 2>/dev/null && command -v "lua${LUA:-5.4}" >/dev/null && exit 0
  name_packages
  exit 1
fi

# Sets `wanted` to what can be installed of the given packages, `unknown` to what this system has under no name.
look_for() {
  wanted= unknown=
  for package in "$@"; do
    has "$package" && continue
    found=$(choice "$package")
    if [ -n "$found" ]; then wanted="$wanted $found"
    else case $package in *\?) ;; *) unknown="$unknown $package" ;; esac; fi
  done
}

lacks_any() { for package in "$@"; do has "$package" || return 0; done; return 1; }
lacks_any $required $optional || exit 0

if [ "$(id -u)" = 0 ]; then sudo=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo="sudo -n"
else
  look_for $required
  [ -n "$wanted$unknown" ] || exit 0 # what the tests leave out, run.sh tells
  echo "setup: missing packages:$wanted$unknown" >&2
  name_packages
  exit 1
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { $sudo env DEBIAN_FRONTEND=noninteractive apt-get "$@" >>"$log" 2>&1; }

# An apt without lists knows of nothing, one with old lists asks for files that are gone.
look_for $required $optional
[ -z "$wanted" ] && [ -n "$(find /var/lib/apt/lists -name '*_Packages*' -mtime -1 2>/dev/null)" ] || apt update

look_for $required
if [ -n "$unknown" ]; then
  echo "setup: this system has no package of the name$unknown" >&2
  name_packages
  exit 1
fi
if [ -n "$wanted" ]; then
  echo "setup: installing$wanted"
  if ! apt install -y --no-install-recommends $wanted; then
    tail -n 20 "$log" >&2
    echo "setup: apt could not install$wanted" >&2
    name_packages
    exit 1
  fi
fi

# What only a part of the tests needs: all at once; where that does not go, each part by itself.
install_part() {
  look_for $3
  [ -z "$wanted" ] || apt install -y --no-install-recommends $wanted
}
look_for $optional
if [ -n "$wanted" ]; then
  echo "setup: installing$wanted"
  apt install -y --no-install-recommends $wanted || each_part install_part
fi
[ -z "$optional" ] || each_part tell_left_out | while IFS="$(printf '\t')" read -r name tests without; do
  echo "setup: not to be had here: $without; left out of the tests: $name ($tests)"
done
exit 0
