#!/bin/sh
# `make docs`: every function, method and table of the reference is in the HTML, no link in it is dead, and LDoc has nothing to warn of.
set -u
if output=$(make docs 2>&1) && [ "$(printf '%s\n' "$output" | grep -c -i 'warning\|error\|???')" -eq 0 ]; then
  echo "ok 1 - make docs"
else
  printf '%s\n' "$output"
  echo "not ok 1 - make docs"
  exit 1
fi
exec lua5.4 docs/reference/check.lua build/docs/html
