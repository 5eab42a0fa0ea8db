-- The page's CSS: light and dark by the system's choice, one column on a narrow screen.
return [==[
:root {
  --ground: #f6f7fb; --card: #ffffff; --ink: #1a1d2b; --soft: #5b6079; --line: #e3e6f0; --accent: #4f46e5; --accent-ink: #ffffff;
  --accent-soft: #eef0ff; --good: #0f7b4f; --good-soft: #e2f6ec; --bad: #b3261e; --bad-soft: #fdeceb; --wait: #8a5a00;
  --wait-soft: #fff3dc;
  --code: #f2f3f9; --shadow: 0 1px 2px rgb(22 26 52 / 6%), 0 6px 24px rgb(22 26 52 / 5%);
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f111a; --card: #171a26; --ink: #e8eaf6; --soft: #9ea4c1; --line: #2a2e42; --accent: #8f8bff; --accent-ink: #11121d;
    --accent-soft: #23244a; --good: #5fd3a2; --good-soft: #143327; --bad: #ff8f87; --bad-soft: #3d1d1c; --wait: #f0be5d;
  --wait-soft: #3a2c10;
    --code: #10131d; --shadow: none;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
code, pre, textarea, input, kbd, .log, .messages { font-family: ui-monospace, "SF Mono", "DejaVu Sans Mono", Menlo, monospace;
  font-size: 13px; }
h1 { font-size: 19px; margin: 0; letter-spacing: -.01em; }
h2 { font-size: 12px; margin: 0 0 12px; text-transform: uppercase; letter-spacing: .08em; color: var(--soft); font-weight: 650; }
p { margin: 0; }
a { color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.skip { position: absolute; left: -999px; top: 8px; background: var(--card); padding: 8px 12px; border-radius: 8px; z-index: 2; }
.skip:focus { left: 12px; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

header { display: flex; align-items: center; gap: 12px; flex-wrap: wrap; padding: 16px 24px; background: var(--card);
  border-bottom: 1px solid var(--line); }
.mark { width: 30px; height: 30px; }
.mark rect { fill: var(--accent); }
.mark path { stroke: var(--accent-ink); stroke-width: 3; stroke-linecap: round; }
#address { color: var(--soft); background: var(--code); padding: 3px 9px; border-radius: 6px; }
.counts { margin-left: auto; color: var(--soft); font-size: 13px; }
.status { display: inline-flex; align-items: center; gap: 7px; font-size: 13px; font-weight: 600; color: var(--wait);
  background: var(--wait-soft);
  padding: 3px 12px; border-radius: 99px; }
.status::before { content: ""; width: 8px; height: 8px; border-radius: 50%; background: currentcolor; }
.status.live { color: var(--good); background: var(--good-soft); }
.status.lost { color: var(--bad); background: var(--bad-soft); }

main { display: grid; grid-template-columns: minmax(220px, 290px) minmax(0, 1fr) minmax(270px, 340px);
  grid-template-rows: 1fr auto; gap: 18px;
  padding: 18px 24px 32px; max-width: 1560px; margin: 0 auto; }
.faults { grid-column: 3; grid-row: 1 / 3; }
.connections { grid-column: 1 / 3; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 18px; box-shadow: var(--shadow);
  min-width: 0; }
.wide { grid-column: 1 / -1; }
#login { max-width: 560px; margin: 18px auto 0; }
#login p { margin-bottom: 12px; }
.row { display: flex; align-items: end; gap: 10px; margin-top: 10px; }
.grow { flex: 1; min-width: 0; }
label { font-size: 13px; color: var(--soft); display: block; }
.check { display: flex; align-items: center; gap: 6px; padding-bottom: 8px; white-space: nowrap; }
input:not([type=checkbox]), textarea { display: block; width: 100%; margin-top: 4px; padding: 9px 11px; color: var(--ink);
  background: var(--code);
  border: 1px solid var(--line); border-radius: 8px; }
textarea { resize: vertical; }
input[aria-invalid=true] { border-color: var(--bad); }
.hint, .meta { font-size: 13px; color: var(--soft); }
kbd { border: 1px solid var(--line); border-bottom-width: 2px; border-radius: 5px; padding: 0 5px; font-size: 11px; }
.problem { color: var(--bad); font-size: 13px; margin-top: 6px; }
.problem:empty { display: none; }
.meta { margin-top: 12px; min-height: 1.5em; }
#talk .meta, .row .hint { margin: 0; padding-bottom: 8px; }

button { font: inherit; font-size: 14px; font-weight: 600; color: var(--ink); background: var(--card);
  border: 1px solid var(--line); border-radius: 8px;
  padding: 7px 14px; cursor: pointer; }
button:hover { border-color: var(--accent); }
button.primary { background: var(--accent); border-color: var(--accent); color: var(--accent-ink); }
button.primary:hover { filter: brightness(1.08); }
button:disabled { opacity: .5; cursor: default; }
button.small { font-size: 12px; padding: 2px 9px; font-weight: 500; color: var(--soft); }

.list { list-style: none; margin: 0 -8px; padding: 0; }
.list button { width: 100%; text-align: left; border-color: transparent; background: none; padding: 8px; display: grid;
  grid-template-columns: 1fr auto; gap: 0 8px; font-weight: 600; }
.list button:hover { background: var(--code); }
.list button[aria-pressed=true] { background: var(--accent-soft); border-color: var(--accent); }
.list small { grid-column: 1 / -1; font-weight: 400; color: var(--soft); font-size: 12px; }
.tag { font-size: 11px; font-weight: 650; padding: 1px 8px; border-radius: 99px; background: var(--code); color: var(--soft);
  align-self: center;
  white-space: nowrap; }
.tag.good { background: var(--good-soft); color: var(--good); }
.tag.bad { background: var(--bad-soft); color: var(--bad); }
.tag.wait { background: var(--wait-soft); color: var(--wait); }

pre { margin: 10px 0 0; padding: 12px; background: var(--code); border: 1px solid var(--line); border-radius: 8px;
  max-height: 320px; overflow: auto;
  white-space: pre-wrap; overflow-wrap: anywhere; }
.messages, .log { list-style: none; margin: 0; padding: 10px 12px; background: var(--code); border: 1px solid var(--line);
  border-radius: 8px;
  overflow: auto; }
.messages { height: 210px; }
.messages li { overflow-wrap: anywhere; padding: 1px 0 1px 22px; text-indent: -22px; }
.messages .out { color: var(--accent); }
.messages .note { color: var(--soft); font-style: italic; }
.log { height: 260px; }
.log li { white-space: pre-wrap; overflow-wrap: anywhere; padding: 1px 0; }
.log time { color: var(--soft); margin-right: 12px; }
.log .warning { color: var(--wait); }
.log .error { color: var(--bad); }

.switches { display: grid; gap: 2px; margin: 0 -8px 14px; }
.switches label { display: grid; grid-template-columns: auto 1fr; gap: 0 10px; padding: 6px 8px; border-radius: 8px;
  cursor: pointer; color: var(--ink);
  align-items: start; }
.switches label:hover { background: var(--code); }
.switches input { margin: 3px 0 0; accent-color: var(--accent); width: 16px; height: 16px; }
.switches small { display: block; color: var(--soft); font-size: 12px; line-height: 1.35; }

.scroll { overflow: auto; position: relative; max-height: 330px; }
th { position: sticky; top: 0; background: var(--card); }
table { width: 100%; border-collapse: collapse; font-size: 13px; }
th { text-align: left; color: var(--soft); font-weight: 500; padding: 4px 12px 8px 0; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
td { padding: 7px 12px 7px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child td { border-bottom: 0; }
th.number, td.number { text-align: right; font-variant-numeric: tabular-nums; padding-right: 26px; }
td.actions { text-align: right; white-space: nowrap; padding-right: 0; }
td.actions button + button { margin-left: 5px; }
td .reason { color: var(--bad); overflow-wrap: anywhere; }
td .reason.cancelled { color: var(--soft); }
.empty { color: var(--soft); }
@media (max-width: 1080px) {
  main { grid-template-columns: minmax(200px, 260px) minmax(0, 1fr); grid-template-rows: none; }
  .faults, .connections { grid-column: 1 / -1; grid-row: auto; }
  .switches { grid-template-columns: 1fr 1fr; }
}
@media (max-width: 720px) {
  main { grid-template-columns: minmax(0, 1fr); padding: 12px; gap: 12px; }
  header { padding: 12px; }
  .counts { margin-left: 0; order: 1; width: 100%; }
  .switches { grid-template-columns: 1fr; }
}
@media (prefers-reduced-motion: no-preference) { button, .list button { transition: background .12s, border-color .12s; } }
]==]
