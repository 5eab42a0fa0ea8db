-- The page's HTML. {style} and {program} stand for the other parts, NONCE for what lets them run.
return [==[
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>local Beam</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32'
 rx='8' fill='%234f46e5'/%3E%3Cpath d='M6 21 26 9M6 26 26 14' stroke='white' stroke-width='3' stroke-linecap='round'/%3E%3C/svg%3E">
<style nonce="NONCE">
{style}
</style>
</head>
<body>
<a class="skip" href="#try">Skip to the call form</a>
<header>
  <svg class="mark" viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8"/><path d="M6 21 26 9M6 26 26 14"/></svg>
  <h1>local Beam</h1>
  <code id="address"></code>
  <span class="counts" id="counts"></span>
  <span class="status" id="status" role="status">connecting</span>
</header>
<form id="login" class="card" hidden>
  <h2>Token</h2>
  <p>This local Beam demands a token. <code>beamlua serve</code> showed it, and a link with it, when it started.</p>
  <div class="row">
    <label class="grow">Token <input id="token" type="password" autocomplete="off" spellcheck="false" required></label>
    <button class="primary">Use it</button>
  </div>
</form>
<main>
  <section class="card" id="deployed" aria-labelledby="deployed-title">
    <h2 id="deployed-title">Deployments</h2>
    <ul id="deployments" class="list"></ul>
  </section>
  <section class="card" id="try" aria-labelledby="try-title" tabindex="-1">
    <h2 id="try-title">Try it</h2>
    <form id="call" hidden>
      <label for="input">Input, a JSON object</label>
      <textarea id="input" rows="5" spellcheck="false" aria-describedby="input-hint">{}</textarea>
      <div class="row">
        <p class="hint grow" id="input-hint"><kbd>Ctrl</kbd> <kbd>Enter</kbd> sends it</p>
        <button class="primary" id="send">Call</button>
      </div>
      <p class="meta" id="outcome" role="status"></p>
      <pre id="answer" tabindex="0" aria-label="Answer" hidden></pre>
    </form>
    <form id="talk" hidden>
      <div class="row">
        <p class="meta grow" id="talk-state" role="status">not connected</p>
        <label class="check"><input type="checkbox" id="pings"> app pings</label>
        <button type="button" id="connect">Connect</button>
      </div>
      <ol id="messages" class="messages" role="log" aria-label="Messages" tabindex="0"></ol>
      <div class="row">
        <label class="grow">Message <input id="message" autocomplete="off" spellcheck="false" value='{"hello": "Beam"}'></label>
        <button class="primary" id="say" disabled>Send</button>
      </div>
    </form>
  </section>
  <section class="card faults" aria-labelledby="faults-title">
    <h2 id="faults-title">Faults</h2>
    <div id="switches" class="switches"></div>
    <form id="faults">
      <label for="fault-text">As <code>--fault</code> has them</label>
      <div class="row">
        <input class="grow" id="fault-text" autocomplete="off" spellcheck="false" placeholder="none" aria-describedby="fault-problem">
        <button>Apply</button>
      </div>
      <p class="problem" id="fault-problem" role="alert"></p>
    </form>
  </section>
  <section class="card connections" aria-labelledby="connections-title">
    <h2 id="connections-title">Connections</h2>
    <div class="scroll" tabindex="0" role="region" aria-labelledby="connections-title">
    <table>
      <thead><tr><th scope="col">No.</th><th scope="col">App</th><th scope="col">Since</th><th scope="col" class="number">In</th>
      <th scope="col" class="number">Out</th><th scope="col">State</th>
      <th scope="col"><span class="unseen">What may happen to it</span></th></tr></thead>
      <tbody id="connections"></tbody>
    </table>
    </div>
  </section>
  <section class="card wide" aria-labelledby="tasks-title">
    <h2 id="tasks-title">Tasks</h2>
    <div class="scroll" tabindex="0" role="region" aria-labelledby="tasks-title">
    <table>
      <thead><tr><th scope="col">State</th><th scope="col">Of</th><th scope="col">Made</th><th scope="col" class="number">Took</th>
      <th scope="col">What came of it</th><th scope="col"><span class="unseen">What may be done with it</span></th></tr></thead>
      <tbody id="tasks"></tbody>
    </table>
    </div>
  </section>
  <section class="card wide" aria-labelledby="log-title">
    <h2 id="log-title">Log</h2>
    <ol id="log" class="log" role="log" tabindex="0" aria-labelledby="log-title"></ol>
  </section>
</main>
<script nonce="NONCE">
{program}
</script>
</body>
</html>
]==]
