#!/bin/sh
# The flags that make a program harder to break into, as distributions want them: those that this compiler, this linker and this libc know.
#   sh tests/release/flags.sh compile "CC" "FLAGS"             for each object; FLAGS are those it is compiled with besides
#   sh tests/release/flags.sh link "CC" "FLAGS"                for each shared object and program
#   sh tests/release/flags.sh program "CC" "FLAGS" "LIBRARY"   for a program: at no fixed address, if LIBRARY, an archive, can be linked so
set -u
case $2\ $3 in *-fsanitize*) exit ;; esac # sanitizers have checks of their own, at the same places
kind=$1 cc=$2 flags=$3 library=${4:-}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
echo 'int main(void) { return 0; }' >"$folder/plain.c"
# A libc that has less to offer for the third level says so in its macro; one that is not glibc has no macro.
cat >"$folder/libc.c" <<'END_C'
#include <stdio.h>
#if defined __GLIBC__ && __USE_FORTIFY_LEVEL < _FORTIFY_SOURCE
#error not known here
#endif
int main(void) { return 0; }
END_C

compiles() { $cc $flags -Werror "$@" -c -o "$folder/object" 2>/dev/null; }
links() { $cc $flags -Werror -fPIC "$@" -o "$folder/program" 2>/dev/null; }

# each TEST FLAG…: those that pass; all at once if they do, for it costs time in every `make`.
each() {
  try=$1
  shift
  "$try" "$@" "$folder/plain.c" && { printf '%s ' "$@"; return; }
  for flag in "$@"; do "$try" "$flag" "$folder/plain.c" && printf '%s ' "$flag"; done
}

# Checks inside the libc's functions need an optimiser. What the flags say of it already stays: a distribution has chosen.
fortified() {
  case $flags in *_FORTIFY_SOURCE*) return ;; esac
  for level in 3 2; do
    compiles -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$level "$folder/libc.c" && { printf '%s ' -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$level; return; }
  done
}

case $kind in
  compile)
    case $($cc -dumpmachine 2>/dev/null) in
      x86_64* | i?86* | amd64*) branches=-fcf-protection ;;
      aarch64* | arm64*) branches=-mbranch-protection=standard ;;
      *) branches= ;;
    esac
    each compiles -fstack-protector-strong -fstack-clash-protection $branches
    fortified
    ;;
  link) each links -Wl,-z,relro -Wl,-z,now ;;
  program)
    echo 'extern int luaL_openlibs(void *); int main(void) { return luaL_openlibs(0); }' >"$folder/lua.c"
    links -pie "$folder/lua.c" "$library" -lm -ldl && printf -- '-fPIE -pie '
    ;;
esac
