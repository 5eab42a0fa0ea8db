#!/bin/sh
# got 14.6.6, axios-retry 4.5.0 with axios 1.21.1, @azure/core-rest-pipeline 1.24.0, openai 6.49.0, @anthropic-ai/sdk 1.14.0, groq-sdk 1.6.0,
# @slack/web-api 8.2.0, @discordjs/rest 2.6.3, beside ky 1.14.3 (npm), Node 20.
# Guess: who waits for a minute where a 429 says "Retry-After: 60" waits longer, or gives up, where it says 2592000, a quota of a month.
# Seen: ky does. All others, which wait for the minute, come back at once and as often as they may: Node makes one millisecond of a time of more than
# 2^31 - 1 of them (24.8 days), and none of them bounds it. @discordjs/rest, which has no bound for a 429, asks dozens of times a second.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts got@14.6.6 axios-retry@4.5.0 axios@1.21.1 @azure/core-rest-pipeline@1.24.0 openai@6.49.0 \
  @anthropic-ai/sdk@1.14.0 groq-sdk@1.6.0 @slack/web-api@8.2.0 @discordjs/rest@2.6.3 ky@1.14.3 >log 2>&1 || { cat log; exit 1; }
cat >program.mjs <<'END'
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import got from "got";
import axios from "axios";
import axiosRetry from "axios-retry";
import { createDefaultHttpClient, createPipelineFromOptions, createPipelineRequest } from "@azure/core-rest-pipeline";
import OpenAI from "openai";
import Anthropic from "@anthropic-ai/sdk";
import Groq from "groq-sdk";
import { WebClient } from "@slack/web-api";
import { REST } from "@discordjs/rest";
import ky from "ky";

const clients = {
  got: (url) => got(url),
  "axios-retry": (url) => {
    const client = axios.create();
    axiosRetry(client, { retryDelay: axiosRetry.exponentialDelay, retryCondition: () => true });
    return client.get(url);
  },
  "@azure/core-rest-pipeline": (url) =>
    createPipelineFromOptions({}).sendRequest(createDefaultHttpClient(), createPipelineRequest({ url, allowInsecureConnection: true })),
  openai: (url) => new OpenAI({ apiKey: "none", baseURL: url }).models.list(),
  "@anthropic-ai/sdk": (url) => new Anthropic({ apiKey: "none", baseURL: url }).models.list(),
  "groq-sdk": (url) => new Groq({ apiKey: "none", baseURL: url }).models.list(),
  "@slack/web-api": (url) => new WebClient("none", { slackApiUrl: url + "/", logLevel: "error" }).api.test(),
  "@discordjs/rest": (url) => new REST({ api: url }).setToken("none").get("/channels"),
  ky: (url) => ky(url),
};

let requests = 0;
const server = createServer((request, response) => {
  requests++;
  request.resume();
  response.writeHead(429, { "retry-after": process.argv[3], "content-type": "application/json" }).end('{"message":"later"}');
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
clients[process.argv[2]](`http://127.0.0.1:${server.address().port}`).catch(() => {});
await sleep(6000);
console.log(requests === 1 ? "one request" : requests < 20 ? "comes back" : "comes back dozens of times");
process.exit();
END
for client in got axios-retry @azure/core-rest-pipeline openai @anthropic-ai/sdk groq-sdk @slack/web-api @discordjs/rest ky; do
  for seconds in 60 2592000; do
    node --no-warnings program.mjs "$client" $seconds 2>/dev/null >"$(echo "$client" | tr / _)-$seconds" &
  done
done
wait
for client in got axios-retry @azure/core-rest-pipeline openai @anthropic-ai/sdk groq-sdk @slack/web-api @discordjs/rest ky; do
  file=$(echo "$client" | tr / _)
  echo "$client: a minute: $(cat "$file-60"), a month: $(cat "$file-2592000")"
done >seen
cat >expected <<'END'
got: a minute: one request, a month: comes back
axios-retry: a minute: one request, a month: comes back
@azure/core-rest-pipeline: a minute: one request, a month: comes back
openai: a minute: one request, a month: comes back
@anthropic-ai/sdk: a minute: one request, a month: comes back
groq-sdk: a minute: one request, a month: comes back
@slack/web-api: a minute: one request, a month: comes back
@discordjs/rest: a minute: one request, a month: comes back dozens of times
ky: a minute: one request, a month: one request
END
diff expected seen && cat seen
