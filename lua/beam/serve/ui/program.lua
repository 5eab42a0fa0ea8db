-- The page's program, first part: elements, the token, requests, the feed.
return [==[
"use strict";
const $ = (id) => document.getElementById(id);

// An element; text is only ever text.
function el(name, properties = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key in node && key !== "list") node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

// Replaces what is in a node if it has changed; who had the focus keeps it.
function render(node, value, build) {
  const text = JSON.stringify(value);
  if (node.shown === text) return;
  node.shown = text;
  const key = node.contains(document.activeElement) && document.activeElement.dataset.key;
  node.replaceChildren(...build());
  if (key) node.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
}

// ---- The token: from the link that beamlua serve shows, kept for this tab ----

let token = new URLSearchParams(location.hash.slice(1)).get("token") || sessionStorage.getItem("token") || "";
if (location.hash.startsWith("#token=")) {
  sessionStorage.setItem("token", token);
  history.replaceState(null, "", location.pathname);
}

const credentials = () => (token ? { Authorization: "Bearer " + token } : {});

$("login").addEventListener("submit", (event) => {
  event.preventDefault();
  token = $("token").value.trim();
  sessionStorage.setItem("token", token);
  watch();
});

function askForToken() {
  $("login").hidden = false;
  setStatus("lost", "token wanted");
  $("token").focus();
}

// ---- Requests ----

async function ask(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: { ...credentials(), ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const value = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(value.message || value.error || "answered with " + response.status);
  return value;
}

// ---- The feed: server-sent events, read by fetch, which can carry the token in a header ----

function setStatus(kind, text) {
  const status = $("status");
  status.className = "status " + kind;
  if (status.textContent !== text) status.textContent = text;
}

function takeEvent(block) {
  let name = "", data = "";
  for (const line of block.split("\n")) {
    if (line.startsWith("event: ")) name = line.slice(7);
    else if (line.startsWith("data: ")) data += line.slice(6);
  }
  if (name === "state") show(JSON.parse(data));
  else if (name === "log") addLine(JSON.parse(data));
}

async function readFeed(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ; ) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    blocks.forEach(takeEvent);
  }
}

let watching = 0;

// Whoever watched before is deaf from now on.
async function watch() {
  const mine = ++watching;
  while (mine === watching) {
    try {
      const response = await fetch("/local/events", { headers: credentials() });
      if (response.status === 401) return askForToken();
      if (!response.ok) throw new Error(String(response.status));
      $("login").hidden = true;
      $("log").replaceChildren();
      setStatus("live", "live");
      await readFeed(response);
    } catch {
      // the server has gone, or is not there yet
    }
    if (mine !== watching) return;
    setStatus("lost", "not reached");
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}
]==]
