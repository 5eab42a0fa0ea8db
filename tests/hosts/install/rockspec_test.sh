#!/bin/sh
# The rockspec names every file that is there.
if lua5.4 tests/rockspec.lua | diff - lua-beam-scm-1.rockspec; then
  echo "ok 1 - the rockspec is that of this tree"
else
  echo "not ok 1 - the rockspec is that of this tree: run make rockspec"
  exit 1
fi
