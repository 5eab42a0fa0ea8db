# Sourced by tests: starts the local Beam that build/beamlua serves, in the background, and ends it with the test.
#   local_beam [argument]…   sets $url (http://127.0.0.1:PORT) and $folder (temporary, with `out` and `log`)
folder=$(mktemp -d)
server=
trap 'if [ -n "$server" ]; then kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || :; fi; rm -rf "$folder"' EXIT

local_beam() {
  : >"$folder/out"
  build/beamlua serve --port 0 "$@" >"$folder/out" 2>"$folder/log" &
  server=$!
  tries=200
  until url=$(sed -n 's|^local Beam at \(http://[^ ]*\) .*|\1|p' "$folder/out") && [ -n "$url" ]; do
    tries=$((tries - 1))
    if [ "$tries" -eq 0 ] || ! kill -0 "$server" 2>/dev/null; then
      sed 's/^/# /' "$folder/log"
      echo "not ok 1 - the local Beam starts"
      exit 1
    fi
    sleep 0.05
  done
}
