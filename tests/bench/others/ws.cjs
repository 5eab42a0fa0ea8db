// npm's ws, as its pages have one use it: what Node's users have.
//   echo URL ROUNDS            prints the median of round trips of a 64-byte JSON message, in microseconds
//   receive URL SIZE COUNT     COUNT messages from URL/SIZE/COUNT
//   json URL SIZE COUNT        the same, each read by JSON.parse
//   send URL COUNT             COUNT messages of 64 bytes to URL/COUNT, waiting while a MiB waits
//   idle URL COUNT             prints the bytes of an idle connection
// receive, json and send print how many, the seconds that took and those of the processor.
const WebSocket = require("ws");

const [work, base, ...numbers] = process.argv.slice(2);
const [first, second] = numbers.map(Number);
const options = { perMessageDeflate: false, rejectUnauthorized: false };

function startWatch() {
  const started = process.hrtime.bigint(), used = process.cpuUsage();
  return (count) => {
    const seconds = Number(process.hrtime.bigint() - started) / 1e9, cpu = process.cpuUsage(used);
    console.log(`${count} ${seconds.toFixed(6)} ${((cpu.user + cpu.system) / 1e6).toFixed(6)}`);
    process.exit();
  };
}

function echo(url, rounds) {
  const socket = new WebSocket(url, options), message = { pad: "x".repeat(54) }, times = [];
  let started;
  const next = () => {
    started = process.hrtime.bigint();
    socket.send(JSON.stringify(message));
  };
  socket.on("open", next);
  socket.on("message", (data) => {
    JSON.parse(data);
    times.push(Number(process.hrtime.bigint() - started) / 1e3);
    if (times.length < rounds) return next();
    times.sort((a, b) => a - b);
    console.log(times[Math.floor(rounds / 2)].toFixed(3));
    process.exit();
  });
}

function receive(url, count, take) {
  const socket = new WebSocket(url, options);
  let left = count, stop;
  socket.on("open", () => { stop = startWatch(); });
  socket.on("message", (data) => {
    take(data);
    if (--left === 0) stop(count);
  });
}

function send(url, count) {
  const PENDING_MAX = 1024 * 1024, socket = new WebSocket(url, options), message = "x".repeat(64);
  let left = count, stop;
  const fill = () => {
    while (left > 0) {
      left--;
      if (socket.bufferedAmount > PENDING_MAX) return socket.send(message, fill);
      socket.send(message);
    }
  };
  socket.on("open", () => { stop = startWatch(); fill(); });
  socket.on("message", () => stop(count));
}

async function idle(url, count) {
  const open = () => new Promise((opened) => {
    const socket = new WebSocket(url, options);
    socket.on("open", () => opened(socket));
  });
  const sockets = [await open()];
  global.gc();
  const before = process.memoryUsage().rss;
  for (let i = 0; i < count; i++) sockets.push(await open());
  global.gc();
  console.log(((process.memoryUsage().rss - before) / count).toFixed(0));
  process.exit();
}

if (work === "echo") echo(base, first);
else if (work === "receive") receive(`${base}/${first}/${second}`, second, () => {});
else if (work === "json") receive(`${base}/${first}/${second}`, second, (data) => JSON.parse(data));
else if (work === "send") send(`${base}/${first}`, first);
else idle(base, first);
