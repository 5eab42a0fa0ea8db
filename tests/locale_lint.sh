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

is_excepted() {
  echo "$exceptions" | while read -r path _; do
    [ -n "$path" ] && case $1 in "$path" | "$path"/*) echo yes ;; esac
  done | grep -q yes
}

# Comments are no code: they are blanked, lines stay lines.
without_comments() {
  case $1 in
  *.lua) sed 's/^ *--.*//' "$1" ;;
  *) sed -e 's|/\*.*\*/||' -e 's|^ \*.*||' "$1" ;;
  esac
}

look() {
  pattern=$1
  shift
  for file in "$@"; do
    is_excepted "$file" || without_comments "$file" | grep -nE -- "$pattern" | sed "s|^|$file:|"
  done
}

{
  c_files=$(git ls-files 'core/*.c' 'core/*.h' 'lua/*.c' 'lua/*.h')
  look '\<(tolower|toupper|strn?casecmp|strcoll|strxfrm|is(alpha|alnum|blank|cntrl|digit|graph|lower|print|punct|space|upper|xdigit)|strto[dflu]+d?|atof|strftime)(_l)? *\(' $c_files |
    grep -vE '\<strto(ul|l|ull|ll) *\('
  look '"[^"]*%[-+ #0]*[0-9*]*(\.[0-9*]*)?[aefgAEFG][^"]*"' $c_files
  lua_files=$(git ls-files 'lua/*.lua')
  look ':(lower|upper)\(|string\.(lower|upper)\>' $lua_files
  look "(\"[^\"]*%[alucwpALUCWP][^\"]*\"|'[^']*%[alucwpALUCWP][^']*')" $lua_files
} | {
  found=$(cat)
  [ -z "$found" ] && exit 0
  echo "$found"
  exit 1
}
