# Sourced by tests of docs/install.md: its programs and commands.
#   block NAME      prints the block that begins with ```NAME (```sh rock: block "sh rock")
#   programs        writes hello.lua, hello.c and expected into the folder $HOME
block() {
  awk -v fence="\`\`\`$1" '$0 == fence { inside = 1; found = 1; next } /^```/ { if (inside) exit } inside; END { exit !found }' docs/install.md
}

programs() {
  block lua >"$HOME/hello.lua" && block c >"$HOME/hello.c" && awk '/^```/ { fence++; next } fence == 3' docs/install.md >"$HOME/expected"
}

# check NAME COMMAND…: one test; its output is shown when it fails.
tests=0 failed=0
check() {
  tests=$((tests + 1)) name=$1
  shift
  if "$@" >"$HOME/output" 2>&1; then
    echo "ok $tests - $name"
  else
    echo "not ok $tests - $name"
    tail -n 20 "$HOME/output" | cut -c 1-300 | sed 's/^/# /'
    failed=1
  fi
}

# The commands of a block, in the source tree or in $HOME, with 5.4 replaced by another Lua: run_block NAME FOLDER [VERSION [PROGRAM]]
run_block() {
  block "sh $1" | sed "s/5\.4/${3:-5.4}/g; s/^lua[0-9.]* hello/${4:-lua5.4} hello/" >"$HOME/commands" && [ -s "$HOME/commands" ] &&
    (cd "$2" && sh -e "$HOME/commands")
}

# As run_block, and the program must print what the page says.
run_hello() {
  run_block "$@" >"$HOME/printed" 2>&1 && diff "$HOME/expected" "$HOME/printed" || { cat "$HOME/printed"; false; }
}
