// The official SDK against the local Beam: what works is shown to work; what the SDK gets wrong is pinned down, so that a release that mends
// it is noticed. usage: node drive.mjs URL TOKEN WORKSPACE
import BeamClient, * as sdk from "@beamcloud/beam-js";
import Tasks, { Task } from "@beamcloud/beam-js/lib/resources/task";

const { beamOpts, Deployments, Deployment } = sdk;
const [gatewayUrl, token, workspaceId] = process.argv.slice(2);
Object.assign(beamOpts, { gatewayUrl, token, workspaceId, timeout: 30000 });

let count = 0;
let failed = 0;

async function test(name, body) {
  count += 1;
  try {
    const problem = await body();
    if (problem !== true) throw new Error(`got ${JSON.stringify(problem)}`);
    console.log(`ok ${count} - ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`not ok ${count} - ${name}`);
    console.log(`# ${String(error.stack ?? error).replaceAll("\n", "\n# ")}`);
  }
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// What a promise was rejected with, or what it gave.
const outcome = (promise) => promise.then((value) => value, (error) => error);

async function deployed(name) {
  const list = await Deployments.list({ name, pagination: true });
  const deployment = await Deployments.get({ id: list[0].data.id });
  deployment.data.stubType = deployment.data.stub_type; // see "stubType" below
  return deployment;
}

async function finished(id) {
  for (let tries = 0; tries < 100; tries += 1) {
    const task = await Tasks.get({ id });
    if (!["PENDING", "RUNNING", "RETRY"].includes(task.data.status)) return task;
    await sleep(50);
  }
  throw new Error("the task did not end");
}

// ---- What works ----

await test("the workspace", async () => (await BeamClient._getWorkspace()).external_id === workspaceId);

await test("Deployments.list in pages, Deployments.get by id", async () => {
  const deployment = await deployed("multiply");
  return deployment.data.name === "multiply" && deployment.data.version === 1 && deployment.data.created_at instanceof Date;
});

await test("deployment.call", async () => {
  const answer = await (await deployed("multiply")).call({ x: 21 });
  return answer.data.result === 42 && answer.headers["x-task-id"].length === 36;
});

await test("deployment.call: a status of the handler's own", async () => {
  const error = await outcome((await deployed("multiply")).call({ x: 404 }));
  return error.response.status === 404 && error.response.data.message === "You need more tokens";
});

await test("deployment.realtime", async () => {
  const received = [];
  let tell;
  const answered = new Promise((resolve) => (tell = resolve));
  const socket = await (await deployed("echo")).realtime("", (event) => {
    const message = JSON.parse(event.data);
    if (message.type === "ping") return;
    received.push(message);
    if (received.length === 2) tell();
  });
  socket.send(JSON.stringify({ n: 1 }));
  socket.send(JSON.stringify({ n: 2 }));
  await Promise.race([answered, sleep(30000)]);
  const closed = new Promise((resolve) => (socket.onclose = resolve));
  socket.close(1000);
  await Promise.race([closed, sleep(30000)]);
  return JSON.stringify(received) === '[{"response":{"n":1}},{"response":{"n":2}}]' && socket.readyState === socket.CLOSED;
});

await test("a task: submitted, asked for, its result and its output", async () => {
  const { data } = await (await deployed("train")).call({ steps: 2 });
  const task = await finished(data.task_id);
  const output = await fetch(task.data.outputs[0].url);
  return task.data.status === "COMPLETE" && task.data.result.steps === 2 && (await output.text()) === "weights";
});

await test("task.refresh, Tasks.list with a filter", async () => {
  const [task] = await Tasks.list({ status: "COMPLETE", stubTypes: "taskqueue/deployment", limit: 1 });
  return task instanceof Task && (await task.refresh()).data.status === "COMPLETE";
});

await test("Tasks.get of what is not there: Task not found", async () => {
  const error = await outcome(Tasks.get({ id: "00000000-0000-4000-8000-000000000000" }));
  return error.message === "Task not found" || error.message;
});

// ---- What the SDK gets wrong (tests/hosts/sdk/README.md) ----

await test("SDK: the keys stay in snake_case, so call() without help fails: stubType", async () => {
  const list = await Deployments.list({ name: "multiply", pagination: true });
  const error = await outcome(list[0].call({ x: 1 }));
  return error instanceof TypeError;
});

await test("SDK: list() without pagination: true is empty, so get() by name finds nothing", async () => {
  const error = await outcome(Deployments.get({ name: "multiply", stubType: "endpoint" }));
  return (await Deployments.list({ name: "multiply" })).length === 0 && error.message === "Deployment not found.";
});

await test("SDK: get() by URL asks for version=v1, which is no number: 400", async () => {
  const list = await Deployments.list({ name: "multiply", pagination: true });
  const error = await outcome(Deployments.get({ url: `https://${list[0].data.subdomain}-v1.app.beam.cloud` }));
  return error.response.status === 400;
});

await test("SDK: cancel() sends a body that Beam does not read: the task runs on", async () => {
  const { data } = await (await deployed("full")).call({});
  const task = await Tasks.get({ id: data.task_id });
  const answer = await task.cancel();
  const left = (await task.refresh()).data.status;
  await BeamClient.request({ method: "DELETE", url: `/api/v1/task/${workspaceId}?task_ids=${data.task_id}` });
  return answer.status === 200 && ["PENDING", "RUNNING"].includes(left) && (await task.refresh()).data.status === "CANCELLED";
});

await test("SDK: Tasks is not exported by the package", async () => sdk.Tasks === undefined);

await test("SDK: realtime() puts the token into the URL", async () => {
  return (await deployed("echo")).websocketUrl().endsWith(`?auth_token=${token}`);
});

await test("SDK: a refused realtime() never returns", async () => {
  const echo = await deployed("echo");
  const uncaught = new Promise((resolve) => process.once("uncaughtException", resolve)); // ws has no error handler there
  beamOpts.token = "wrong";
  const result = await Promise.race([outcome(echo.realtime()).then(() => "returned"), sleep(1000).then(() => "polls")]);
  beamOpts.token = token;
  await Promise.race([uncaught, sleep(100)]);
  return result === "polls";
});

await test("SDK: the HTTP client keeps the first token for ever", async () => {
  beamOpts.token = "wrong";
  const answer = await outcome(BeamClient.request({ url: "/api/v1/workspace/current" }));
  beamOpts.token = token;
  return answer.status === 200;
});

await test("SDK: a ValidationError with status 200 is a success", async () => {
  const answer = await (await deployed("multiply")).call({ x: "no number" });
  return answer.status === 200 && answer.data.error === "ValidationError";
});

console.log(`1..${count}`);
process.exit(failed ? 1 : 0); // the refused realtime() still polls
