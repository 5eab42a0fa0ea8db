// The same calls through Node's fetch.   usage: node map_fetch.mjs URL COUNT CONCURRENCY   prints calls a second
const [url, count, concurrency] = [process.argv[2], +process.argv[3], +process.argv[4]];

async function call(x) {
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify({ x }) });
  const answer = await response.json();
  if (response.status !== 200 || answer.result === undefined) throw new Error(`input ${x}: ${response.status}`);
}

async function measure(calls) {
  const started = performance.now();
  let x = 0;
  const work = async () => {
    while (x < calls) await call(++x);
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return calls / ((performance.now() - started) / 1000);
}

await measure(4 * concurrency);
console.log((await measure(count)).toFixed(0));
