#!/bin/sh
# What follows the process's locale has no place near a protocol: under a Turkish one, tolower('I') is no 'i', and 0.5 may be written 0,5.
# In C base/ascii.h and base/decimal.h are for that, in Lua beam.ascii and ranges like [A-Za-z]. %d, %x and %s are the same in every
# locale for what is ASCII.   usage: locale_lint.sh   prints what it finds; fails if it finds something
set -u
cd "$(dirname "$0")/.." || exit 1

# A file, or a folder, and why it may.
exceptions="
core/base/decimal.c              enters the C locale before
lua/sandbox/libraries/patterns.c Lua's own patterns: a script expects of %a what Lua says of it
lua/sandbox/libraries/format.c   Lua's own string.format
lua/sandbox/error.c              limits, told to a person
"

but_exceptions() {
  grep -vE -- "$(echo "$exceptions" | sed -n 's/^\([^ ]\{1,\}\).*/^\1(\/|$)/p')"
}

# FILE:LINE:TEXT of each line. Comments are no code: they are blanked.
code() {
  git ls-files "$@" | but_exceptions | xargs awk '{ print FILENAME ":" FNR ":" $0 }' |
    sed -E -e 's|/\*.*\*/||' -e '/^[^:]*\.lua:[0-9]+: *--/d' -e '/^[^:]*\.[ch]:[0-9]+: \*/d'
}

{
  c=$(code 'core/*.c' 'core/*.h' 'lua/*.c' 'lua/*.h')
  printf '%s\n' "$c" | grep -E '\<(tolower|toupper|strn?casecmp|strcoll|strxfrm|is(alpha|alnum|blank|cntrl|digit|graph|lower|print|punct|space|upper|xdigit)|strto[dflu]+d?|atof|strftime)(_l)? *\(' |
    grep -vE '\<strto(ul|l|ull|ll) *\('
  printf '%s\n' "$c" | grep -E '"[^"]*%[-+ #0]*[0-9*]*(\.[0-9*]*)?[aefgAEFG][^"]*"'
  lua=$(code 'lua/*.lua')
  printf '%s\n' "$lua" | grep -E ':(lower|upper)\(|string\.(lower|upper)\>'
  printf '%s\n' "$lua" | grep -E "(\"[^\"]*%[alucwpALUCWP][^\"]*\"|'[^']*%[alucwpALUCWP][^']*')"
} | {
  found=$(cat)
  [ -z "$found" ] && exit 0
  echo "$found"
  exit 1
}
