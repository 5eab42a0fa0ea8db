-- The CSS of a session's page.
return [==[
:root { --ground: #f6f7fb; --card: #fff; --ink: #1a1d2b; --soft: #5b6079; --line: #e3e6f0; --out: #4f46e5; --in: #0f7b4f; --bad: #b3261e;
  --wait: #d8dbe8; --dns: #f0b44c; --tcp: #e58a3c; --tls: #c75b9b; --up: #7d83ff; --open: #9fd8bf; --end: #b8bdd4; }
@media (prefers-color-scheme: dark) { :root { --ground: #0f111a; --card: #171a26; --ink: #e8eaf6; --soft: #9ea4c1; --line: #2a2e42;
  --out: #8f8bff; --in: #5fd3a2; --bad: #ff8f87; --wait: #33384f; --open: #24604a; --end: #596080; } }
body { margin: 0 auto; padding: 20px 24px; max-width: 1320px; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
h1 { font-size: 19px; }
h2 { font-size: 12px; text-transform: uppercase; letter-spacing: .08em; color: var(--soft); margin: 0 0 10px; }
code { font: 13px ui-monospace, "DejaVu Sans Mono", Menlo, monospace; overflow-wrap: anywhere; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 18px; margin-bottom: 18px; }
.scroll { overflow-x: auto; }
.chart { width: 100%; min-width: 760px; display: block; }
:focus-visible { outline: 2px solid var(--out); outline-offset: 2px; }
.name { font-size: 13px; font-weight: 650; fill: var(--ink); }
.label { font-size: 11px; fill: var(--soft); }
.tick { font-size: 11px; fill: var(--soft); }
.grid { stroke: var(--line); }
.waiting { fill: var(--wait); background: var(--wait); }
.dns { fill: var(--dns); background: var(--dns); } .tcp { fill: var(--tcp); background: var(--tcp); }
.tls, .proxy { fill: var(--tls); background: var(--tls); } .upgrade { fill: var(--up); background: var(--up); }
.phase.open, .answer, i.open { fill: var(--open); background: var(--open); } .closing, .closed { fill: var(--end); background: var(--end); }
path.out { fill: var(--out); } path.in { fill: var(--in); } path.unknown { fill: var(--bad); }
.failed { stroke: var(--bad); stroke-width: 3; stroke-linecap: round; }
.legend { font-size: 13px; color: var(--soft); margin: 12px 0 0; }
.legend i { display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin: 0 5px 0 12px; vertical-align: -1px; }
.legend b { margin-left: 12px; }
details { border-top: 1px solid var(--line); padding: 8px 0; }
summary { cursor: pointer; }
table { border-collapse: collapse; margin: 8px 0 4px 18px; font-size: 13px; }
th { text-align: left; font-weight: 500; color: var(--soft); }
td, th { padding: 2px 14px 2px 0; vertical-align: top; font-variant-numeric: tabular-nums; }
tr.out td:nth-child(2) { color: var(--out); } tr.in td:nth-child(2) { color: var(--in); }
.good { color: var(--in); } .bad, tr.unknown { color: var(--bad); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
]==]
