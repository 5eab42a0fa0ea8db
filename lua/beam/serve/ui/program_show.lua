-- The page's program, last part: what is deployed, connected and done; faults; the log.
return [==[
let state = null;

const many = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
const clock = (time) => new Date(time).toLocaleTimeString([], { hour12: false });
const empty = (columns, text) => el("tr", {}, el("td", { colSpan: columns, className: "empty" }, text));
const tag = (kind, text) => el("span", { className: "tag " + kind }, text);

function took(task) {
  if (!task.started) return "";
  const seconds = ((task.ended ? new Date(task.ended) : new Date()) - new Date(task.started)) / 1000;
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  return seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`;
}

// ---- Deployments ----

function countsOf(deployment) {
  if (!deployment.active) return "stopped";
  if (deployment.kind === "asgi" || deployment.kind === "bot") return deployment.live === 1 ? "1 open" : `${deployment.live} open`;
  return deployment.in_flight ? `${deployment.running} of ${deployment.in_flight} running` : "";
}

function deploymentItem(deployment) {
  const counts = countsOf(deployment);
  return el("li", {}, el("button", {
    type: "button", "data-key": deployment.id, "aria-pressed": String(chosen?.id === deployment.id),
    onclick: () => (choose(deployment), show(state)),
  }, deployment.name, counts && tag(deployment.active ? "good" : "bad", counts), el("small", {}, addressOf(deployment))));
}

// ---- Connections ----

async function inflict(fault, connection) {
  await ask("POST", "/local/inflict", { fault, connection }).catch((error) => setStatus("lost", error.message));
}

function stateOf(connection) {
  if (connection.blocked) return tag("wait", "blocked");
  if (connection.zombie) return tag("bad", "zombie");
  return connection.silent ? tag("bad", "silent") : tag("good", "open");
}

const harms = [
  ["drop", "drop_after_101"], ["reset", "reset"], ["close 1012", "close=1012"], ["zombie", "zombie"], ["silence", "silence"],
  ["block 5 s", "block=5s"],
];

function connectionRow(connection) {
  const buttons = harms.map(([label, fault]) => el("button", {
    type: "button", className: "small", "data-key": `${connection.number} ${fault}`,
    "aria-label": `${label}: connection ${connection.number}`,
    onclick: () => inflict(fault, connection.number),
  }, label));
  return el("tr", {}, el("td", {}, String(connection.number)), el("td", {}, connection.name), el("td", {}, clock(connection.opened)),
    el("td", { className: "number" }, String(connection.received)), el("td", { className: "number" }, String(connection.sent)),
    el("td", {}, stateOf(connection)), el("td", { className: "actions" }, ...buttons));
}

// ---- Tasks ----

const colors = { COMPLETE: "good", ERROR: "bad", TIMEOUT: "bad", EXPIRED: "bad", RUNNING: "wait", PENDING: "wait", RETRY: "wait" };
const results = new Map();

async function fetchResult(task) {
  const path = `/api/v1/task/${state.workspace}/${task.id}`;
  const whole = await ask("GET", path).catch((error) => ({ result: error.message }));
  results.set(task.id, JSON.stringify(whole.result ?? null));
  $("tasks").shown = "";
  show(state);
}

const cancel = (task) => ask("DELETE", `/api/v1/task/${state.workspace}?task_ids=${task.id}`).catch(() => {});

function outcome(task) {
  const link = ({ name, url }) => el("a", { href: url, download: name, "data-key": url }, name);
  const links = task.outputs.flatMap((output) => [link(output), " "]);
  if (task.reason) links.push(el("span", { className: "reason " + task.status.toLowerCase() }, task.reason));
  if (results.has(task.id)) links.push(el("code", {}, results.get(task.id)));
  return links;
}

function taskButton(task) {
  const ended = Boolean(task.ended);
  if (ended && (task.kind === "endpoint" || task.status !== "COMPLETE" || results.has(task.id))) return null;
  return el("button", {
    type: "button", className: "small", "data-key": "task " + task.id,
    "aria-label": `${ended ? "Result" : "Cancel"}: task ${task.id.slice(0, 8)}`,
    onclick: () => (ended ? fetchResult(task) : cancel(task)),
  }, ended ? "Result" : "Cancel");
}

function taskRow(task) {
  return el("tr", {}, el("td", {}, tag(colors[task.status] || "", task.status)),
    el("td", {}, `${task.name} `, el("code", {}, task.id.slice(0, 8))), el("td", {}, clock(task.created)),
    el("td", { className: "number" }, took(task)), el("td", {}, ...outcome(task)),
    el("td", { className: "actions" }, taskButton(task)));
}

// ---- Faults ----

const faults = [
  ["cold=3s", "a container takes 3 s to start"], ["slots=1", "one connection at a time, as on Beam"],
  ["latency=200ms", "every answer comes later"],
  ["status=503", "no compute capacity"], ["status=429", "the queue is full"], ["hang_up", "closed instead of an answer"],
  ["lost=502", "it runs, its answer is lost"], ["drop_after=5", "connections end without a close frame"],
  ["block=5s", "a handler holds the app's thread"],
  ["zombie", "the app died behind a live socket"], ["no_ping", "no app pings"],
  ["runner=unavailable", "the runner does not start a task"],
];

const listOf = (text) => text.split(/[,\s]+/).filter(Boolean);

async function applyFaults(text) {
  const field = $("fault-text");
  try {
    await ask("POST", "/local/faults", { faults: text });
    $("fault-problem").textContent = "";
    field.setAttribute("aria-invalid", "false");
  } catch (error) {
    $("fault-problem").textContent = error.message;
    field.setAttribute("aria-invalid", "true");
  }
}

function toggle(fault, on) {
  const rest = listOf(state.faults).filter((one) => one !== fault && !one.startsWith(fault + ":") && !one.startsWith(fault + "@"));
  applyFaults([...rest, ...(on ? [fault] : [])].join(","));
}

function faultSwitch([fault, says]) {
  const on = listOf(state.faults).some((one) => one === fault || one.startsWith(fault + ":") || one.startsWith(fault + "@"));
  const box = el("input", { type: "checkbox", checked: on, "data-key": fault, onchange: (event) => toggle(fault, event.target.checked) });
  return el("label", {}, box, el("span", {}, el("code", {}, fault), el("small", {}, says)));
}

$("faults").addEventListener("submit", (event) => {
  event.preventDefault();
  applyFaults($("fault-text").value);
});

// ---- The log ----

function addLine({ at, level, line }) {
  const log = $("log");
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 30;
  log.append(el("li", { className: level }, el("time", {}, clock(at * 1000)), (level === "info" ? "" : level + ": ") + line));
  while (log.children.length > 500) log.firstChild.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

// ---- All of it ----

function show(next) {
  const changed = !state || state.faults !== next.faults;
  state = next;
  $("address").textContent = next.url;
  const running = next.tasks.filter((task) => !task.ended).length;
  $("counts").textContent = [
    many(next.deployments.length, "deployment"), many(next.connections.length, "connection"), many(running, "task") + " in flight",
  ].join(" · ");
  if (!chosen && next.deployments.length) choose(next.deployments.find((one) => one.kind === "endpoint") || next.deployments[0]);
  render($("deployments"), [next.deployments, chosen?.id], () => next.deployments.map(deploymentItem));
  render($("connections"), next.connections, () =>
    next.connections.length ? next.connections.map(connectionRow) : [empty(7, "Nobody is connected.")]);
  render($("tasks"), [next.tasks, results.size], () =>
    next.tasks.length ? next.tasks.map(taskRow) : [empty(6, "There are no tasks yet.")]);
  render($("switches"), next.faults, () => faults.map(faultSwitch));
  if (changed && document.activeElement !== $("fault-text")) $("fault-text").value = next.faults;
}

setInterval(() => {
  if (state && state.tasks.some((task) => task.started && !task.ended)) ($("tasks").shown = ""), show(state);
}, 1000);

watch();
]==]
