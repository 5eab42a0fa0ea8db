// A collector for spans: takes POST /v1/traces as OpenTelemetry's own definition (protobuf) has it, strictly: what that does not know, or has
// of another type, is lost on the way through it, and then differs. Prints a line of JSON for each request; the first line is its port.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { isDeepStrictEqual } from "node:util";

const require = createRequire(import.meta.url);
const root = require("./node_modules/@opentelemetry/otlp-transformer/build/src/generated/root.js");
const Request = root.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;

// An empty list and none are the same to protobuf.
const withoutEmptyLists = (value) => {
  if (Array.isArray(value)) return value.map(withoutEmptyLists);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).filter(([, item]) => !(Array.isArray(item) && item.length === 0))
    .map(([name, item]) => [name, withoutEmptyLists(item)]));
};

const hex = (text, length) => new RegExp(`^[0-9a-f]{${length}}$`).test(text);

const check = (body) => {
  const given = JSON.parse(body);
  const problem = Request.verify(Request.fromObject(given));
  if (problem) return { problem };
  const read = Request.toObject(Request.decode(Request.encode(Request.fromObject(given)).finish()), { longs: String, bytes: String });
  if (!isDeepStrictEqual(read, withoutEmptyLists(given))) return { problem: "it is not the same after it was read", given, read };
  const spans = given.resourceSpans.flatMap((resource) => resource.scopeSpans.flatMap((scope) => scope.spans));
  for (const span of spans)
    if (!hex(span.traceId, 32) || !hex(span.spanId, 16) || (span.parentSpanId && !hex(span.parentSpanId, 16)) ||
        BigInt(span.endTimeUnixNano) < BigInt(span.startTimeUnixNano))
      return { problem: "an id or a time", span };
  return { spans: spans.map(({ name, kind, status, traceId, spanId, parentSpanId }) => ({ name, kind, status, traceId, spanId, parentSpanId })),
    service: given.resourceSpans[0].resource.attributes.find(({ key }) => key === "service.name").value.stringValue };
};

const server = createServer((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    let told;
    try {
      told = request.url === "/v1/traces" ? check(Buffer.concat(pieces).toString()) : { problem: request.url };
    } catch (error) {
      told = { problem: String(error) };
    }
    console.log(JSON.stringify(told));
    response.writeHead(told.problem ? 400 : 200, { "content-type": "application/json" }).end("{}");
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
