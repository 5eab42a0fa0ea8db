-- The page's program, second part: calls, submissions, and the box for a realtime app.
return [==[
let chosen = null; // the deployment that is tried

const isApp = () => chosen && (chosen.kind === "asgi" || chosen.kind === "bot");
const addressOf = (deployment) =>
  `/${deployment.kind}/${deployment.name}/v${deployment.version}` + (deployment.kind === "pod" ? `/${deployment.port}` : "");

function example(deployment) {
  const samples = { number: 21, integer: 3, boolean: true, array: [], object: {}, string: "one two three", any: null };
  const input = {};
  for (const [name, kind] of Object.entries(deployment.inputs || {})) input[name] = samples[kind.replace("?", "")];
  return Object.keys(input).length ? input : deployment.name === "multiply" ? { x: 21 } : {};
}

function choose(deployment) {
  if (chosen && chosen.id === deployment.id) return;
  hangUp();
  chosen = deployment;
  $("try-title").textContent = `Try ${deployment.name}`;
  $("call").hidden = isApp();
  $("talk").hidden = !isApp();
  $("send").textContent = deployment.kind === "endpoint" || deployment.kind === "pod" ? "Call" : "Submit";
  $("input").value = JSON.stringify(example(deployment), null, 2);
  $("outcome").textContent = "";
  $("answer").hidden = true;
  $("messages").replaceChildren();
  $("talk-state").textContent = "not connected";
}

// ---- Calls ----

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

// A streamed answer is shown as it comes.
async function readAnswer(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return text;
    text += value;
    $("answer").hidden = false;
    $("answer").textContent = text.replaceAll("\n\n", "\n");
  }
}

async function call() {
  const begun = performance.now();
  $("send").disabled = true;
  $("outcome").textContent = "waiting";
  $("answer").hidden = true;
  try {
    const response = await fetch(addressOf(chosen), {
      method: "POST",
      headers: { ...credentials(), "Content-Type": "application/json" },
      body: $("input").value,
    });
    const text = await readAnswer(response);
    const task = response.headers.get("X-Task-Id");
    const took = Math.round(performance.now() - begun);
    $("outcome").textContent = `${response.status} ${response.statusText} in ${took} ms` + (task ? `, task ${task.slice(0, 8)}` : "");
    $("answer").textContent = pretty(text).replaceAll("\n\n", "\n") || "(nothing)";
  } catch (error) {
    $("outcome").textContent = "no answer: the connection was lost";
    $("answer").textContent = String(error.message);
  }
  $("answer").hidden = false;
  $("send").disabled = false;
}

$("call").addEventListener("submit", (event) => {
  event.preventDefault();
  call();
});

$("input").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    if (!$("send").disabled) call();
  }
});

// ---- The box for a realtime app ----

let socket = null;

function note(mark, text, kind) {
  const list = $("messages");
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 30;
  list.append(el("li", { className: kind }, `${mark} ${text}`));
  while (list.children.length > 500) list.firstChild.remove();
  if (atEnd) list.scrollTop = list.scrollHeight;
}

function showConnected(text) {
  const open = socket && socket.readyState === WebSocket.OPEN;
  $("talk-state").textContent = text;
  $("connect").textContent = socket ? "Disconnect" : "Connect";
  $("say").disabled = !open;
}

function hangUp() {
  if (!socket) return;
  socket.onclose = null;
  socket.close(1000);
  socket = null;
  note("·", "closed by you", "note");
  showConnected("not connected");
}

function dial() {
  const query = token ? "?auth_token=" + encodeURIComponent(token) : "";
  const mine = new WebSocket(`${location.protocol.replace("http", "ws")}//${location.host}${addressOf(chosen)}${query}`);
  socket = mine;
  mine.onopen = () => (showConnected("open"), note("·", "open", "note"));
  mine.onmessage = ({ data }) => {
    if (data === '{"type":"ping"}' && !$("pings").checked) return;
    note("←", typeof data === "string" ? data : `${data.size} bytes`, "in");
  };
  mine.onclose = ({ code, reason }) => {
    socket = null;
    note("·", `closed with ${code}` + (reason ? `: ${reason}` : ""), "note");
    showConnected(`closed with ${code}`);
  };
  showConnected("waiting in the handshake");
}

$("connect").addEventListener("click", () => (socket ? hangUp() : dial()));

$("talk").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!socket || socket.readyState !== WebSocket.OPEN) return;
  socket.send($("message").value);
  note("→", $("message").value, "out");
  $("message").select();
});
]==]
