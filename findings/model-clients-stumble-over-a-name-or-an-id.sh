#!/bin/sh
# openai 6.49.0, groq-sdk 1.6.0, together-ai 0.52.0, @google/genai 2.32.0, beside @ai-sdk/openai-compatible 2.0.92 (npm), Node 20.
# Guess: fields of an event that a client has no use for change nothing: an id before the data, the name "message", which is what an event without a name is
# called, and a block without data, which is no event at all ("event: ping", to keep the stream alive).
# Seen: openai and groq-sdk parse the data that the ping has not, and the answer fails with a SyntaxError; together-ai passes over data that has a name, and
# @google/genai over a block that does not begin with "data:": an empty answer, with no error. The AI SDK reads all three.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts openai@6.49.0 groq-sdk@1.6.0 together-ai@0.52.0 @google/genai@2.32.0 @ai-sdk/openai-compatible@2.0.92 \
  >log 2>&1 || { cat log; exit 1; }
cat >program.mjs <<'END'
import http from "node:http";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { GoogleGenAI } from "@google/genai";
import Groq from "groq-sdk";
import OpenAI from "openai";
import Together from "together-ai";
console.error = () => {}; // openai's log
let before, google;
const chunk = (content, finish_reason = null) => google
  ? { candidates: [{ index: 0, content: { role: "model", parts: [{ text: content }] } }] }
  : { id: "1", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta: { content }, finish_reason }] };
const server = http.createServer((request, response) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const one of [chunk("Hel"), chunk("lo", "stop")]) response.write(`${before}data: ${JSON.stringify(one)}\n\n`);
  response.end(google ? "" : "data: [DONE]\n\n");
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${server.address().port}`;
const messages = [{ role: "user", content: "Hi" }];
const like = (Client) => async () => {
  const client = new Client({ apiKey: "none", baseURL: url, maxRetries: 0, logLevel: "off" });
  let text = "";
  for await (const one of await client.chat.completions.create({ model: "m", messages, stream: true })) text += one.choices[0].delta.content;
  return text;
};
const clients = {
  openai: like(OpenAI), "groq-sdk": like(Groq), "together-ai": like(Together),
  "@google/genai": async () => {
    const client = new GoogleGenAI({ apiKey: "none", httpOptions: { baseUrl: url } });
    let text = "";
    for await (const one of await client.models.generateContentStream({ model: "m", contents: "Hi" })) text += one.text;
    return text;
  },
  "@ai-sdk/openai-compatible": async () => {
    const prompt = [{ role: "user", content: [{ type: "text", text: "Hi" }] }];
    const { stream } = await createOpenAICompatible({ name: "here", baseURL: url })("m").doStream({ prompt });
    let text = "";
    for await (const part of stream) if (part.type === "text-delta") text += part.delta;
    return text;
  },
};
const fields = { nothing: "", "an id": "id: 1\n", "the name": "event: message\n", "a ping": "event: ping\n\n" };
for (const [name, ask] of Object.entries(clients)) {
  google = name.startsWith("@google");
  for (const [what, field] of Object.entries(fields)) {
    before = field;
    console.log(`${name}, ${what} before the data: ${await ask().then((text) => `"${text}"`, (error) => error.name)}`);
  }
}
process.exit(0);
END
timeout 60 node program.mjs | tee seen
line() { name=$1; for what in nothing 'an id' 'the name' 'a ping'; do shift; echo "$name, $what before the data: $1"; done; }
for name in openai groq-sdk; do line $name '"Hello"' '"Hello"' '"Hello"' SyntaxError; done >expected
line together-ai '"Hello"' '"Hello"' '""' '"Hello"' >>expected
line @google/genai '"Hello"' '""' '""' '"Hello"' >>expected
line @ai-sdk/openai-compatible '"Hello"' '"Hello"' '"Hello"' '"Hello"' >>expected
cmp expected seen
