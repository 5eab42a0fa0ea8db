#!/bin/sh
# The official JavaScript SDK, @beamcloud/beam-js from npm, against the local Beam. Where npm does not provide it, curl alone shows the
# routes that it uses, and the output says so.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/hosts/local_beam.sh

install() {
  mkdir -p build/sdk
  cp tests/hosts/sdk/package.json tests/hosts/sdk/drive.mjs build/sdk/
  if [ -d build/sdk/node_modules ] && cmp -s tests/hosts/sdk/package-lock.json build/sdk/package-lock.json; then
    return 0
  fi
  cp tests/hosts/sdk/package-lock.json build/sdk/
  for _ in 1 2; do
    (cd build/sdk && npm ci --omit=peer --ignore-scripts --no-audit --no-fund) >"$folder/npm" 2>&1 && return 0
  done
  rm -rf build/sdk/node_modules
  sed 's/^/# /' "$folder/npm"
  return 1
}

if ! command -v node >/dev/null || ! command -v npm >/dev/null || ! install; then
  echo "# npm does not provide @beamcloud/beam-js here: its routes are asked with curl alone"
  sh tests/hosts/curl_test.sh
  exit
fi

local_beam tests/hosts/sdk/app.lua --token t0ken --quiet
workspace=$(curl -sS -m 10 -H 'Authorization: Bearer t0ken' "$url/api/v1/workspace/current" | sed -n 's/.*"external_id":"\([^"]*\)".*/\1/p')
cd build/sdk && timeout 240 node drive.mjs "$url" t0ken "$workspace" 2>&1
