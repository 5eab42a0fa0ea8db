#!/bin/sh
# @beamcloud/beam-js 1.0.17 (npm), Node 20.
# Guess: Deployments.list() gives what the gateway's list has, as it documents it without pagination: a bare array.
# Seen: it reads the field `data` of the answer, which a bare array has not: the list is empty and no error is told, so that get({ name }) says
# "Deployment not found." of a deployment that the same answer holds.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts --omit=peer @beamcloud/beam-js@1.0.17 >log 2>&1 || { cat log; exit 1; }
cat >program.mjs <<'END'
import http from "node:http";
import * as sdk from "@beamcloud/beam-js";
const record = { id: "10ca1bea-0000-4000-8000-000000000002", name: "multiply", version: 1, stub_type: "endpoint/deployment", active: true };
const asked = [];
const server = http.createServer((request, response) => {
  asked.push(request.url.replace(/\?.*/, ""));
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify([record]));
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const { beamOpts, Deployments } = sdk;
Object.assign(beamOpts, { gatewayUrl: `http://127.0.0.1:${server.address().port}`, token: "token", workspaceId: "10ca1bea-0000-4000-8000-000000000001" });
const list = await Deployments.list({ name: "multiply" });
const found = await Deployments.get({ name: "multiply", stubType: "endpoint" }).catch((error) => error.message);
console.log(`asked ${asked.length} times, listed ${list.length}, get: ${found}`);
process.exit(0);
END
timeout 30 node program.mjs | tee seen
echo 'asked 2 times, listed 0, get: Deployment not found.' | cmp - seen
