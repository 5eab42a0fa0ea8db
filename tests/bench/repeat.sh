#!/bin/sh
# usage: repeat.sh COUNT PROGRAM [ARGUMENT…]   the program's output, COUNT times: what is rare, or the machine's, shows as that
set -eu
count=$1
shift
while [ "$count" -gt 0 ]; do
  "$@"
  count=$((count - 1))
done
