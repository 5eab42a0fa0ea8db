-- The CSS of a report's page.
return [==[
:root { --ground: #f6f7fb; --card: #fff; --ink: #1a1d2b; --soft: #565b73; --line: #e3e6f0; --bar: #8f97f5;
  --p50: #0f7b4f; --p90: #4f46e5; --p99: #b45309; --max: #b3261e; --bad: #d64a41;
  --one: #b8bdd4; --two: #f0b44c; --three: #e58a3c; --four: #c75b9b; --five: #7d83ff; --six: #5bb98c; }
@media (prefers-color-scheme: dark) { :root { --ground: #0f111a; --card: #171a26; --ink: #e8eaf6; --soft: #a5abc6; --line: #2a2e42;
  --bar: #5a62c9; --p50: #5fd3a2; --p90: #a5a2ff; --p99: #f0b44c; --max: #ff8f87; --bad: #e0645c; --one: #596080; } }
body { margin: 0 auto; padding: 20px 24px; max-width: 1240px; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
h1 { font-size: 19px; overflow-wrap: anywhere; }
h2 { font-size: 12px; text-transform: uppercase; letter-spacing: .08em; color: var(--soft); margin: 0 0 10px; }
p { margin: 6px 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 18px; margin-bottom: 18px; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(125px, 1fr)); gap: 12px; margin: 0 0 18px; }
.figures div { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 12px 16px; }
.figures dt { font-size: 12px; color: var(--soft); } .figures dd { margin: 0; font-size: 21px; font-weight: 650; }
.figures .failed dd { color: var(--max); }
.scroll { overflow-x: auto; }
.chart { width: 100%; min-width: 720px; display: block; }
:focus-visible { outline: 2px solid var(--p90); outline-offset: 2px; }
.grid { stroke: var(--line); } .tick { font-size: 12px; fill: var(--soft); } .head { font-size: 12px; font-weight: 650; fill: var(--soft); }
.label { font-size: 13px; font-weight: 650; fill: var(--ink); } .name { font-size: 12px; font-weight: 650; }
.rate { fill: var(--bar); } rect.bad { fill: var(--bad); }
.planned { stroke: var(--soft); stroke-dasharray: 3 4; } text.planned { fill: var(--soft); stroke: none; }
.line { fill: none; stroke-width: 2; } .line.p90 { stroke-dasharray: 7 3; }
.line.p99 { stroke-dasharray: 2 3; } .line.max { stroke-width: 1; }
.p50 { stroke: var(--p50); } .p90 { stroke: var(--p90); } .p99 { stroke: var(--p99); } .max { stroke: var(--max); }
text.p50 { fill: var(--p50); stroke: none; } text.p90 { fill: var(--p90); stroke: none; } text.p99 { fill: var(--p99); stroke: none; }
text.max { fill: var(--max); stroke: none; }
.mark { stroke-width: 1.5; stroke-dasharray: 4 3; }
.hint { fill: transparent; } .hint:hover { fill: var(--soft); fill-opacity: .12; }
.phase { fill: var(--five); } .queued { fill: var(--one); } .dns { fill: var(--two); } .tcp { fill: var(--three); }
.tls, .proxy { fill: var(--four); }
.body, .upgrade { fill: var(--six); }
details { margin-top: 10px; } summary { cursor: pointer; color: var(--soft); }
table { border-collapse: collapse; margin: 8px 0 4px; font-size: 13px; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 500; color: var(--soft); } thead th:not(:first-child), td { text-align: right; }
td, th { padding: 3px 18px 3px 0; vertical-align: top; white-space: nowrap; } tbody tr { border-top: 1px solid var(--line); }
table.said thead th:last-child, table.said td:last-child { text-align: left; }
table.said td:last-child { white-space: normal; overflow-wrap: anywhere; min-width: 260px; }
.remarks { color: var(--soft); font-size: 14px; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
]==]
