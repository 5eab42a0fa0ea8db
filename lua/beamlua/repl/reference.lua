-- What help says at the prompt, and what a tab completes of the module's objects: how it is written, its page, what is said of it. A class
-- has its methods in their order besides.
-- Made by docs/reference/library.lua from the comments in lua/beam: `make library` after one has changed.
local reference = {}

reference.functions = {
  ["beam.call"] = { "beam.call(target, input, options)", "docs/calls.md", [==[
Calls a deployment and waits for its answer. What Beam has not run is tried again, under one deadline (`timeout`).
@param target string|beam.target|beam.call_options
@param input table?
@param options beam.call_options?
@return any result nil on failure; beam.null for an empty answer
@return beam.call_info|beam.error info]==] },
  ["beam.stream"] = { "beam.stream(target, input, given)", "docs/calls.md", [==[
Calls a deployment and gives what it answers item by item. Tried again as beam.call, until an answer has begun.
@param target string|beam.target|beam.stream_options
@param input table?
@param given beam.stream_options?
@return beam.stream? stream to be called by `for`; nil on failure
@return beam.error? err
@return nil
@return beam.stream? closing for Lua 5.4's `for`, which then closes it however the loop ends]==] },
  ["beam.map"] = { "beam.map(target, inputs, options)", "docs/calls.md", [==[
Calls a deployment once for each input. Nothing is taken before the first result is asked for.
@param target string|beam.target|beam.map_options
@param inputs beam.map_inputs?
@param options beam.map_options?
@return beam.map map, nil, nil, beam.map closing as `for` takes them]==] },
  ["beam.chat"] = { "beam.chat(options)", "docs/calls.md", [==[
Asks a model, and gives its answer as it comes.
@param options beam.chat_options the target first, or with name =, url = and so on
@return beam.chat? chat, beam.error? err]==] },
  ["beam.address"] = { "beam.address(target, kind)", "docs/calls.md", [==[
Where a target is: the URL that call (or, for kind "asgi", realtime) would use.
@param target string|beam.target
@param kind "asgi"|"endpoint"|"taskqueue"|"function"|"schedule"|"pod"|"bot"|nil default "endpoint"
@return string]==] },
  ["beam.stream:next"] = { "beam.stream:next(timeout)", "docs/calls.md", [==[
Waits for the next item. A time-out of its own changes nothing; every other error is the end, and stays in stream.err.
@param timeout number? seconds; nil: as long as it takes
@return any item nil at the end and on failure
@return beam.stream_item|beam.error|nil event how it came: data (the text), event, id, retry; on failure the error]==] },
  ["beam.stream:close"] = { "beam.stream:close()", "docs/calls.md", [==[
Ends it: the transfer is cancelled. May be called twice, and at any time.]==] },
  ["beam.chat:next"] = { "beam.chat:next(timeout)", "docs/calls.md", [==[
Waits for the next piece of text.
@param timeout number? seconds
@return string? text nil at the end, and on failure
@return table|beam.error|nil chunk as it came; on failure the error]==] },
  ["beam.chat:whole"] = { "beam.chat:whole()", "docs/calls.md", [==[
Waits for the whole answer.
@return table? message role, content, tool_calls with their arguments as JSON texts
@return beam.error? err]==] },
  ["beam.chat:close"] = { "beam.chat:close()", "docs/calls.md", [==[
Ends it: the model's server is told by the end of the connection. May be called twice.]==] },
  ["beam.map:next"] = { "beam.map:next()", "docs/calls.md", [==[
The next result: waits for it. What `for` calls; a coroutine of Lua 5.1, which cannot wait in there, calls it itself. If inputs ended
with an error of their iterator, or by the deadline, that is the last item, at the position of the input that was not sent.
@return integer? position of the input, from 1; nil: there are no more
@return any result nil on failure
@return beam.error? err
@return beam.call_info|beam.error|nil info how it came, with `input`; on failure the error]==] },
  ["beam.map:cancel"] = { "beam.map:cancel()", "docs/calls.md", [==[
Takes no more inputs and cancels the calls that are in flight: these end with errors of kind "canceled", which are still handed over.]==] },
  ["beam.map:close"] = { "beam.map:close()", "docs/calls.md", [==[
Cancels, and hands nothing over any more. Leaving the loop does that in Lua 5.4; elsewhere a map that was left ends when it is
collected. May be called any number of times; waits for nothing.]==] },
  ["beam.map:stats"] = { "beam.map:stats()", "docs/calls.md", [==[
Counts until now: total (nil: not known), taken, done, succeeded, failed (canceled among them), in_flight, waiting and dropped (results
not handed over, yet or ever), attempts; and elapsed seconds.
@return table<string, number>]==] },
  ["beam.submit"] = { "beam.submit(target, input, options)", "docs/tasks.md", [==[
Submits a task. What Beam refused for now (429) is tried again; what may have arrived is not.
@param target string|beam.target|beam.submit_options kind "taskqueue" where it says nothing else; or "function"
@param input table?
@param options beam.submit_options?
@return beam.task? task
@return beam.error? err executed "unknown": it may have been submitted]==] },
  ["beam.task"] = { "beam.task(id, options)", "docs/tasks.md", [==[
The task with this id. Beam is not asked yet: whether there is one, task:status() says.
@param id string
@param options beam.options? what this task is told otherwise than its client
@return beam.task]==] },
  ["beam.tasks"] = { "beam.tasks(options)", "docs/tasks.md", [==[
The tasks, newest first; in a loop, or by :next() and :all(max). Their records are without outputs: task:outputs() asks.
@param options beam.tasks_options?
@return beam.task_list list list.err says afterwards why it ended early]==] },
  ["beam.logs"] = { "beam.logs(options)", "docs/tasks.md", [==[
The log lines of a deployment, a task or a container, each once and in order, through lost connections: in a loop, or by :next().
@param options beam.logs_options
@return beam.followed lines lines.err says afterwards why they ended early]==] },
  ["beam.events"] = { "beam.events(options)", "docs/tasks.md", [==[
What happens to a deployment, a task or a container: types and records, as beam.logs.
@param options beam.logs_options
@return beam.followed events events.err says afterwards why they ended early]==] },
  ["beam.deployment"] = { "beam.deployment(target, options)", "docs/tasks.md", [==[
The deployment of a target. Beam is not asked.
@param target string|beam.target
@param options beam.options? what this deployment is told otherwise than its client
@return beam.deployment]==] },
  ["beam.deployments"] = { "beam.deployments(options)", "docs/tasks.md", [==[
The deployments, newest first; in a loop, or by :next() and :all(max).
@param options beam.deployments_options?
@return beam.deployment_list list list.err says afterwards why it ended early]==] },
  ["beam.containers"] = { "beam.containers(options)", "docs/tasks.md", [==[
The containers that run, or start.
@param options { deployment: string|beam.target|nil, timeout: number? }? of that deployment
@return beam.container[]? list, beam.error? err]==] },
  ["beam.container"] = { "beam.container(id)", "docs/tasks.md", [==[
The container with this id; Beam is not asked.
@param id string
@return beam.container]==] },
  ["beam.signing_key"] = { "beam.signing_key(options)", "docs/tasks.md", [==[
The key of the workspace's callbacks. Whoever wants it while it is asked for waits for the same answer.
@param options beam.signing_key_options?
@return string? key, beam.error? err]==] },
  ["beam.callbacks.verify"] = { "beam.callbacks.verify(body, headers, key, options)", "docs/tasks.md", [==[
Whether a request is Beam's and of now. Keys that are asked for are kept; a signature that does not fit has them asked for anew, in case
the workspace has another one by now, but not twice within a minute.
@param body string as it came
@param headers table by name, in whatever case; or pairs
@param key string|fun(options: table?): string?, beam.error?|nil a workspace's key; a webhook's secret; default: the default client's
@param options beam.verify_options?
@return beam.callback? callback nil: it is not to be trusted
@return beam.error? err kind "auth"; another one: there is no key]==] },
  ["beam.callbacks.listen"] = { "beam.callbacks.listen(options)", "docs/tasks.md", [==[
Starts to listen for callbacks, in a program that has no web server of its own.
@param options beam.listen_options?
@return beam.callback_receiver? receiver its url is the callback_url; receiver:wait(task, timeout), receiver:close()
@return beam.error? err]==] },
  ["beam.task:status"] = { "beam.task:status(options)", "docs/tasks.md", [==[
Asks for the state.
@param options { timeout: number? }|number|nil
@return string? status "PENDING", "RUNNING", "RETRY"; "COMPLETE", "ERROR", "CANCELLED", "TIMEOUT", "EXPIRED" are final; others may come
@return table|beam.error record Beam's]==] },
  ["beam.task:events"] = { "beam.task:events(options)", "docs/tasks.md", [==[
The changes of the state, each once, the first being the state it is in; ends with a final state. In a loop, or by events:next().
@param options beam.watch_options|number|nil
@return beam.task_events events events.err says afterwards why they ended early]==] },
  ["beam.task:wait"] = { "beam.task:wait(options)", "docs/tasks.md", [==[
Waits until the task has ended, in whatever way.
@param options beam.wait_options|number|nil
@return table? record Beam's, with a final `status`; nil if that is not known
@return beam.error? err kind "timeout": the task goes on
@return string[]? lines the last ones that a task said which did not end as COMPLETE, with options.logs]==] },
  ["beam.task:result"] = { "beam.task:result(options)", "docs/tasks.md", [==[
Waits until the task has ended, and gives what the handler returned.
@param options beam.wait_options|number|nil
@return any result nil on failure; beam.null for none
@return "json"|"pickle"|beam.error form "pickle": result is a string, the bytes of a Python pickle. An error of kind "task": it
ended otherwise than COMPLETE; with options.logs, err.logs are the last lines that it said]==] },
  ["beam.task:outputs"] = { "beam.task:outputs(options)", "docs/tasks.md", [==[
The files the handler saved: Beam is asked anew, as their URLs expire.
@param options { timeout: number? }|number|nil
@return { name: string, url: string, expires_in: number? }[]? outputs
@return beam.error? err]==] },
  ["beam.task:download"] = { "beam.task:download(output, path, options)", "docs/tasks.md", [==[
Streams an output into a file. The file has its name only when it is whole: until then it is `path` with ".part" behind it, and on
failure there is none. What is below /dev (/dev/stdout) is written to as it comes.
@param output string|{ name: string?, url: string } its name, or one of task:outputs()
@param path string
@param options beam.download_options?
@return integer? bytes
@return beam.error? err]==] },
  ["beam.task:logs"] = { "beam.task:logs(options)", "docs/tasks.md", [==[
What the task says, line by line: beam.logs of it.
@param options beam.logs_options? follow: to its end
@return beam.followed lines]==] },
  ["beam.task:cancel"] = { "beam.task:cancel(options)", "docs/tasks.md", [==[
Ends the task, and makes sure that it has ended: Beam answers a cancelling with 200 whatever becomes of it.
@param options { timeout: number? }|number|nil
@return string? status the final one: "CANCELLED", or another, if it was faster
@return table|beam.error record Beam's
@return boolean? ended_before it had ended when we came]==] },
  ["beam.followed:next"] = { "beam.followed:next()", "docs/tasks.md", [==[
Waits for the next one.
@return any item a line of a log; the type of an event; nil: that was the last one, or an error
@return table|beam.error|nil record Beam's, or the error]==] },
  ["beam.followed:close"] = { "beam.followed:close()", "docs/tasks.md", [==[
Ends it; a next() that waits in another coroutine returns nil. May be called twice.]==] },
  ["beam.task_events:next"] = { "beam.task_events:next()", "docs/tasks.md", [==[
Waits for the next change; the first is the state that the task is in now.
@return string? status nil: it has ended, or an error
@return table|beam.error|nil record Beam's, or the error]==] },
  ["beam.task_events:close"] = { "beam.task_events:close()", "docs/tasks.md", [==[
No more; a next() that waits in another coroutine returns nil.]==] },
  ["beam.pages:next"] = { "beam.pages:next()", "docs/tasks.md", [==[
Waits, where the next page has to be fetched first.
@return any item nil: there are no more, or an error
@return beam.error? err]==] },
  ["beam.pages:all"] = { "beam.pages:all(max)", "docs/tasks.md", [==[
All that are left, at most `max`. list.more is true if there may be more.
@param max integer? default 10000
@return table[]? list, beam.error? err]==] },
  ["beam.deployment:fetch"] = { "beam.deployment:fetch(options)", "docs/tasks.md", [==[
Asks Beam about it; the fields are filled in.
@param options { timeout: number? }?
@return beam.deployment? self, beam.error? err]==] },
  ["beam.deployment:call"] = { "beam.deployment:call(input, options)", "docs/tasks.md", [==[
As beam.call.
@param input table?
@param options beam.call_options?
@return any result
@return beam.call_info|beam.error info]==] },
  ["beam.deployment:stream"] = { "beam.deployment:stream(input, options)", "docs/tasks.md", [==[
As beam.stream.
@param input table?
@param options beam.stream_options?
@return beam.stream? stream, beam.error? err]==] },
  ["beam.deployment:submit"] = { "beam.deployment:submit(input, options)", "docs/tasks.md", [==[
As beam.submit.
@param input table?
@param options beam.submit_options?
@return beam.task? task, beam.error? err]==] },
  ["beam.deployment:realtime"] = { "beam.deployment:realtime(options)", "docs/tasks.md", [==[
As beam.realtime.
@param options beam.realtime_options?
@return beam.connection? conn, beam.error? err]==] },
  ["beam.deployment:tasks"] = { "beam.deployment:tasks(options)", "docs/tasks.md", [==[
As beam.tasks, of this deployment.
@param options beam.tasks_options?
@return beam.task_list list]==] },
  ["beam.deployment:logs"] = { "beam.deployment:logs(options)", "docs/tasks.md", [==[
As beam.logs, of this deployment.
@param options beam.logs_options?
@return beam.followed lines]==] },
  ["beam.deployment:url"] = { "beam.deployment:url(options)", "docs/tasks.md", [==[
Its address: what Beam handed out, or computed; only for one that is known by its id Beam is asked, as addresses are not made of that.
@param options { timeout: number? }?
@return string? url, beam.error? err]==] },
  ["beam.deployment:warmup"] = { "beam.deployment:warmup(options)", "docs/tasks.md", [==[
Starts a container, if none is up, and waits for Beam's word that it was asked for. It runs no handler: it is tried again as it needs.
@param options beam.attempt_options|beam.options|nil
@return true? done, beam.error? err kind "invalid": this kind of deployment has no warm-up]==] },
  ["beam.deployment:start"] = { "beam.deployment:start(options)", "docs/tasks.md", [==[
Starts it again after a stop: it takes calls.
@param options { timeout: number? }?
@return true? done, beam.error? err]==] },
  ["beam.deployment:stop"] = { "beam.deployment:stop(options)", "docs/tasks.md", [==[
Stops it: its containers end, and calls are answered with 400 "Deployment is not active".
@param options { timeout: number? }?
@return true? done, beam.error? err]==] },
  ["beam.deployment:delete"] = { "beam.deployment:delete(options)", "docs/tasks.md", [==[
Stops it and deletes it: this version, for good.
@param options { timeout: number? }?
@return true? done, beam.error? err]==] },
  ["beam.deployment:scale"] = { "beam.deployment:scale(containers, options)", "docs/tasks.md", [==[
Sets how many containers it has. Beam does that for pods only.
@param containers integer
@param options { timeout: number? }?
@return true? done, beam.error? err]==] },
  ["beam.callback_receiver:wait"] = { "beam.callback_receiver:wait(task, timeout)", "docs/tasks.md", [==[
Waits until Beam has told that a task has ended.
@param task beam.task|string
@param timeout number? seconds
@return beam.callback? callback, beam.error? err]==] },
  ["beam.callback_receiver:close"] = { "beam.callback_receiver:close()", "docs/tasks.md", [==[
Listens no more; who waits is told. May be called twice.]==] },
  ["beam.container:stop"] = { "beam.container:stop(options)", "docs/tasks.md", [==[
Ends it. What runs in it ends with it.
@param options { force: boolean?, timeout: number? }? force: at once
@return true? done, beam.error? err]==] },
  ["beam.realtime"] = { "beam.realtime(target, options)", "docs/realtime.md", [==[
Opens a realtime connection and waits until it is open, through a cold start and through what may pass, as long as the
retry policy says; with wait = false it waits for nothing. From then on it comes back by itself.
@param target string|beam.target|beam.realtime_options
@param options beam.realtime_options?
@return beam.connection? conn, beam.error? err]==] },
  ["beam.pool"] = { "beam.pool(target, options)", "docs/realtime.md", [==[
Opens a pool; waits until its first connection is open. The others follow: Beam's default is one connection for each
container, and the next ones wait in the handshake until more have started.
@param target string|beam.target|beam.pool_options
@param options beam.pool_options? those of beam.realtime, and size
@return beam.pool? pool, beam.error? err]==] },
  ["beam.connection:send"] = { "beam.connection:send(message, options)", "docs/realtime.md", [==[
Sends a message: a table as JSON, a string as it is. While the connection is not open it waits in the queue.
@param message table|string
@param options beam.send_options?
@return true? accepted
@return beam.error? err]==] },
  ["beam.connection:send_binary"] = { "beam.connection:send_binary(bytes, options)", "docs/realtime.md", [==[
Sends bytes as a binary message.
@param bytes string
@param options beam.send_options?
@return true? accepted
@return beam.error? err]==] },
  ["beam.connection:receive"] = { "beam.connection:receive(timeout)", "docs/realtime.md", [==[
Waits for the next message. JSON comes decoded, other text and bytes as a string. A time-out changes nothing: the
next receive goes on. A lost connection changes nothing either: the wait goes on while it is made again. What came
before the end of the connection is still received after it. Of several readers, each message goes to one: the one that has
waited longest.
@param timeout number? seconds; nil: as long as it takes
@return any message nil on failure
@return beam.error? err kind "timeout"; "transform", in the place of one message; or why the connection is closed
@return "json"|"text"|"binary"|nil kind]==] },
  ["beam.connection:messages"] = { "beam.connection:messages()", "docs/realtime.md", [==[
The messages until the connection is closed; conn.err then says how. Where it did not end by a close that was meant, the loop raises
conn.err. A message that a transform fails on is told to on_error, or logged.
@return fun(): any message, "json"|"text"|"binary"|nil kind]==] },
  ["beam.connection:request"] = { "beam.connection:request(message, options)", "docs/realtime.md", [==[
Sends a message and waits for its answer: the next message that no earlier request waits for. Right only where the
handler answers every message with exactly one (docs/wire.md section 5). With `key` the answer is the message whose field of
that name has the same value as the request's. There is always a deadline; an answer that comes too late is dropped. A
connection that is lost meanwhile ends the request, unless it still waits in the queue.
@param message table|string
@param options { timeout: number?, key: string?, traceparent: string?, tracestate: string? }? timeout: seconds, default 60; the last
  two: whose span its own belongs to
@return any answer nil on failure
@return beam.error? err
@return "json"|"text"|"binary"|nil kind]==] },
  ["beam.connection:flush"] = { "beam.connection:flush(timeout)", "docs/realtime.md", [==[
Waits until every message that was sent has its outcome.
@param timeout number? seconds; nil: as long as it takes
@return true? all were written
@return beam.error? err]==] },
  ["beam.connection:unsent"] = { "beam.connection:unsent()", "docs/realtime.md", [==[
The messages that wait to be sent; once the connection is closed, those that never were.
@return (table|string)[]]==] },
  ["beam.connection:on"] = { "beam.connection:on(name, fn)", "docs/realtime.md", [==[
Calls `fn` when something happens: open(conn), message(message, conn, kind), phase(phase, conn, seconds),
stalled(seconds, conn), outcome(message, conn, outcome), close(err, conn), error(err, conn: what a function of the user's raised).
They run one after the other and may wait. With a message handler the messages go there. reconnect(conn, unknown) runs
in a coroutine of its own while the queue is held: it returns what is to be sent again.
@param name "open"|"message"|"phase"|"stalled"|"outcome"|"reconnect"|"close"|"error"
@param fn function
@return beam.connection self]==] },
  ["beam.connection:stats"] = { "beam.connection:stats()", "docs/realtime.md", [==[
Counts since the connection was made, and what waits now.
@return table<string, integer>]==] },
  ["beam.connection:close"] = { "beam.connection:close(code, reason)", "docs/realtime.md", [==[
Closes the connection for good. If it is open, what waits in the queue is sent first, for up to close_timeout; then the
close frame, and the peer's is awaited. May be called in any state, any number of times. What had come before can
still be received.
@param code integer? default 1000
@param reason string? up to 123 bytes
@return true
@return (table|string)[]? unsent what never was sent, if there is any]==] },
  ["beam.pool:request"] = { "beam.pool:request(message, options)", "docs/realtime.md", [==[
Sends a message on one of the connections and waits for its answer (conn:request); waits for a connection first, if
none is open. What was lost with its connection is an error, and never sent again: its handler may have run.
@param message table|string
@param options { timeout: number?, key: string? }? seconds for all of it, default 60
@return any answer nil on failure
@return beam.error? err
@return "json"|"text"|"binary"|nil kind]==] },
  ["beam.pool:send"] = { "beam.pool:send(message, options)", "docs/realtime.md", [==[
Sends a message on one of the connections, in turn; waits for none. Messages that come go to `on_message`: without it,
a handler that answers fills the inbox, and requests get the answers of what was sent.
@param message table|string
@param options beam.send_options?
@return true? accepted
@return beam.error? err]==] },
  ["beam.pool:send_binary"] = { "beam.pool:send_binary(bytes, options)", "docs/realtime.md", [==[
The same with bytes, as a binary message.
@param bytes string
@param options beam.send_options?
@return true? accepted
@return beam.error? err]==] },
  ["beam.pool:stats"] = { "beam.pool:stats()", "docs/realtime.md", [==[
Counts of its connections, those included that were closed for good: `lost` says how many.
@return table<string, integer>]==] },
  ["beam.pool:close"] = { "beam.pool:close(code, reason)", "docs/realtime.md", [==[
Closes all connections, and waits until they are. May be called any number of times.
@param code integer? default 1000
@param reason string?
@return true]==] },
  ["beam.spawn"] = { "beam.spawn(fn, ...)", "docs/concurrency.md", [==[
Starts a coroutine at once; it runs until its first wait. An error in it is returned by join(). If nobody joins
before the next step is over, it is logged with its traceback, and run() raises it at the end.
@param fn function
@return beam.coroutine]==] },
  ["beam.sleep"] = { "beam.sleep(duration)", "docs/concurrency.md", [==[
Suspends the caller. 0 lets the others run.
@param duration number seconds]==] },
  ["beam.run"] = { "beam.run(fn, ...)", "docs/concurrency.md", [==[
Runs fn(...) as a coroutine, and all others, until nothing is left to wait for. Raises what fn raised, as soon as it
did, or at the end what the first coroutine raised that nobody joined; both as a beam.error of kind "script".
@param fn function?
@return any ... the results of fn]==] },
  ["beam.step"] = { "beam.step(timeout, budget)", "docs/concurrency.md", [==[
Does what is due; waits for up to `timeout` seconds for the first thing to do.
@param timeout number? default 0
@param budget number? seconds that this may take after the wait: what is left then goes on in the next step. One message, or
one coroutine up to its next wait, is never interrupted]==] },
  ["beam.fd"] = { "beam.fd()", "docs/concurrency.md", [==[
One descriptor that is readable when step() has something to do, timers included.
@return integer]==] },
  ["beam.on_signal"] = { "beam.on_signal(name, fn)", "docs/concurrency.md", [==[
Calls fn(name) in a coroutine of its own whenever the signal came: "SIGTERM". The signal then does nothing else; but one that comes
again before the function could start does what it did without. It keeps no script from ending.
@param name "HUP"|"INT"|"QUIT"|"TERM"|"USR1"|"USR2"|"WINCH"|"CONT" with or without SIG
@param fn (fun(name: string))? nil: as before
@return true? done, beam.error? err]==] },
  ["beam.lines"] = { "beam.lines()", "docs/concurrency.md", [==[
for line in beam.lines() do … end: until the end of standard input. Raises what read_line returns as an error.
@return fun(): string? line]==] },
  ["beam.read_line"] = { "beam.read_line(timeout)", "docs/concurrency.md", [==[
The next line of standard input: nil at its end, nil and an error otherwise.
@param timeout number? seconds
@return string? line, beam.error? err]==] },
  ["beam.setup"] = { "beam.setup(options)", "docs/concurrency.md", [==[
Gets a worker ready, in init_worker_by_lua. Without it the first use does, with the defaults.
@param options { watch: "direct"|"waker"|nil, drain: number?, connections: integer? }? watch: how our descriptor is watched,
  default: direct if that is possible; drain: seconds that requests may go on to wait for answers when the worker is told to end,
  default 30; connections: how many are expected
@return boolean false: this process of nginx is no worker, and has no connections]==] },
  ["beam.loop.luv"] = { "beam.loop.luv(uv)", "docs/concurrency.md", [==[
Inside uv.run() of luv. Any coroutine but the main thread is suspended by coroutine.yield and gone on with from the loop.
@param uv table? default: require "luv"
@return beam.loop.inside]==] },
  ["beam.loop.cqueues"] = { "beam.loop.cqueues(controller)", "docs/concurrency.md", [==[
Inside a controller of cqueues.
@param controller table? default: the one that runs the caller
@return beam.loop.inside]==] },
  ["beam.loop.copas"] = { "beam.loop.copas()", "docs/concurrency.md", [==[
Inside copas.loop() or copas.step().
@return beam.loop.inside]==] },
  ["beam.coroutine:join"] = { "beam.coroutine:join(timeout)", "docs/concurrency.md", [==[
Waits for the end of the coroutine.
@param timeout number? seconds; nil: as long as it takes
@return any ... its results, or nil and a beam.error of kind "script" (what it raised) or "timeout"]==] },
  ["beam.client"] = { "beam.client(options)", "docs/errors.md", [==[
A client with a configuration of its own; what the options leave out comes from the environment and from Beam's config file. Raises for
mistakes in the options; what is wrong elsewhere is returned.
@param options beam.options?
@return beam.client? client, beam.error? err]==] },
  ["beam.retry.backoff"] = { "beam.retry.backoff(options)", "docs/errors.md", [==[
Tries again what may be tried again (err.retryable), after random() * min(max, base * 2 ^ (attempt - 1)) seconds. What
the server asks for with Retry-After (15 minutes at most) is added: the clients it told spread out behind it.
@param options beam.backoff_options?
@return fun(attempt: integer, err: beam.error): number?]==] },
  ["beam.upload"] = { "beam.upload(source, options)", "docs/files.md", [==[
Uploads a file, as Beam's Python client does, and gives a URL for the input of a handler, which can download it for an hour.
@param source string|file*|fun(): string?, any
@param options beam.file_options?
@return string? url nil on failure
@return { volume: string, path: string }|beam.error where]==] },
  ["beam.volume"] = { "beam.volume(name, options)", "docs/files.md", [==[
The volume of that name; Beam is not asked, and makes it with the first upload.
@param name string
@param options beam.options? what it is told otherwise than its client
@return beam.volume]==] },
  ["beam.volumes"] = { "beam.volumes(options)", "docs/files.md", [==[
The volumes of the workspace: Beam's records, with `name` and `size`.
@param options { timeout: number? }?
@return table[]? volumes, beam.error? err]==] },
  ["beam.base64.encode"] = { "beam.base64.encode(bytes)", "docs/files.md", [==[
Bytes as text.
@param bytes string
@return string]==] },
  ["beam.base64.decode"] = { "beam.base64.decode(text)", "docs/files.md", [==[
The bytes; nil for what is no base64. Its padding may be missing.
@param text string
@return string?]==] },
  ["beam.volume:list"] = { "beam.volume:list(path, options)", "docs/files.md", [==[
What is in a folder of it; of a file, that.
@param path string? default: all of it
@param options { timeout: number? }?
@return beam.volume_entry[]? entries, beam.error? err]==] },
  ["beam.volume:upload"] = { "beam.volume:upload(source, path, options)", "docs/files.md", [==[
Uploads a file, in flat memory. One that is there is replaced.
@param source string|file*|fun(): string?, any a path; an open file; a function that gives piece after piece
@param path string in the volume
@param options beam.upload_options?
@return true? done, beam.error? err]==] },
  ["beam.volume:download"] = { "beam.volume:download(path, to, options)", "docs/files.md", [==[
Downloads a file, in flat memory; under another name until it is whole.
@param path string in the volume
@param to string a path here; a folder with "/" at its end: there under its own name
@param options beam.download_options?
@return integer? bytes, beam.error? err]==] },
  ["beam.volume:url"] = { "beam.volume:url(path, options)", "docs/files.md", [==[
A URL from which a file can be downloaded without a token, for an hour: for the input of a handler.
@param path string in the volume
@param options { timeout: number? }?
@return string? url, beam.error? err]==] },
  ["beam.volume:move"] = { "beam.volume:move(from, to, options)", "docs/files.md", [==[
Moves a file or a folder within the volume.
@param from string
@param to string
@param options { timeout: number? }?
@return true? done, beam.error? err]==] },
  ["beam.volume:remove"] = { "beam.volume:remove(path, options)", "docs/files.md", [==[
Removes a file, or a folder with all that is in it.
@param path string in the volume
@param options { timeout: number? }?
@return true? done, beam.error? err]==] },
  ["beam.metrics"] = { "beam.metrics(options)", "docs/hosts/monitoring.md", [==[
The figures of this process since the first call of this function, which begins to count: a table, and by tostring the text that
Prometheus reads. Inside nginx { dict = "name" } of a lua_shared_dict makes that text the one of all workers, each with a label.
@param options { dict: string? }?
@return beam.metrics]==] },
  ["beam.otlp"] = { "beam.otlp(options)", "docs/hosts/monitoring.md", [==[
What sends spans to a collector of OpenTelemetry's: beam.client { on_span = beam.otlp() }. What the options leave out comes from the
environment: OTEL_EXPORTER_OTLP_ENDPOINT and the like, OTEL_SERVICE_NAME.
@param options beam.otlp_options?
@return beam.otlp]==] },
  ["beam.otlp:flush"] = { "beam.otlp:flush(timeout)", "docs/hosts/monitoring.md", [==[
Sends what waits now, and waits until nothing is left.
@param timeout number? seconds, default 10
@return true? sent
@return beam.error? err some was lost meanwhile, or the time is over]==] },
  ["beam.otlp:stats"] = { "beam.otlp:stats()", "docs/hosts/monitoring.md", [==[
Counts of spans: sent, dropped, and those that wait.
@return { sent: integer, dropped: integer, waiting: integer }]==] },
  ["beam.inspect"] = { "beam.inspect(value, options)", "docs/beamlua.md", [==[
A value as text, for a person: tables opened, their keys in order, cycles named, credentials hidden, all of it bounded. JSON's null is
beam.null, an empty array beam.array {}.
@param value any
@param options beam.inspect_options?
@return string]==] },
  ["beam.array"] = { "beam.array(t)", "docs/json.md", [==[
Marks `t` (default: a new table) as an array, so that it is written as [] when it is empty.
@generic T: table
@param t T?
@return T]==] },
  ["beam.json.decode"] = { "beam.json.decode(text)", "docs/json.md", [==[
The value of a JSON text. null is json.null, arrays are marked (json.is_array). Bare NaN and Infinity, which Python
writes, are read as null.
@param text string
@return any value nil: it is no JSON, or has a number that this Lua cannot hold
@return string? message what is wrong, at which byte]==] },
  ["beam.json.encode"] = { "beam.json.encode(value)", "docs/json.md", [==[
The JSON text of a value (compact). A table with items 1..n is an array, one with string keys an object; an empty one is
an object unless json.array marks it.
@param value any
@return string? text
@return string? message what cannot be written, by its path]==] },
  ["beam.json.encode_checked"] = { "beam.json.encode_checked(value)", "docs/json.md", [==[
The same, and whether an integer beyond 2^53 is in it, which a reader that has floats only would round.
@param value any
@return string? text
@return boolean|string large or the message]==] },
  ["beam.json.array"] = { "beam.json.array(t)", "docs/json.md", [==[
Marks `t` (default: a new table) as an array, so that it is written as [] when it is empty.
@generic T: table
@param t T?
@return T]==] },
  ["beam.json.is_array"] = { "beam.json.is_array(t)", "docs/json.md", [==[
True for a table that is written as an array: marked as one, or not empty and a sequence by its first item.
@param t any
@return boolean]==] },
  ["beam.serve.realtime"] = { "beam.serve.realtime(name, handler, options)", "docs/serve.md", [==[
Deploys a realtime app, whose handler runs once per message. What it returns is sent: a table as JSON, a string as it is, of an iterator
each item; nil, numbers and booleans are silence.
@param name string
@param handler fun(text: string, context: beam.serve.message_context): any
@param options beam.serve.deployment_options? connections, max_pending
@return beam.serve.deployment]==] },
  ["beam.serve.endpoint"] = { "beam.serve.endpoint(name, handler, options)", "docs/serve.md", [==[
Deploys an endpoint, whose handler returns the result: an iterator is streamed, app.response(status, body, headers) sets a status.
@param name string
@param handler fun(input: table, context: beam.serve.task_context): any
@param options beam.serve.deployment_options? inputs, workers, queue, max_pending, timeout, ttl
@return beam.serve.deployment]==] },
  ["beam.serve.task_queue"] = { "beam.serve.task_queue(name, handler, options)", "docs/serve.md", [==[
Deploys a task queue. The handler runs in a worker; what it returns is the task's result.
@param name string
@param handler fun(input: table, context: beam.serve.task_context): any
@param options beam.serve.deployment_options? workers, max_pending, retries, timeout, ttl, result
@return beam.serve.deployment]==] },
  ["beam.serve.remote_function"] = { "beam.serve.remote_function(name, handler, options)", "docs/serve.md", [==[
Deploys a function: as a task queue, with a worker for each task and max_pending 10000.
@param name string
@param handler fun(input: table, context: beam.serve.task_context): any
@param options beam.serve.deployment_options?
@return beam.serve.deployment]==] },
  ["beam.serve.schedule"] = { "beam.serve.schedule(name, handler, options)", "docs/serve.md", [==[
Deploys a schedule: as a function; nothing runs it but who asks.
@param name string
@param handler fun(input: table, context: beam.serve.task_context): any
@param options beam.serve.deployment_options?
@return beam.serve.deployment]==] },
  ["beam.serve.web"] = { "beam.serve.web(name, handler, options)", "docs/serve.md", [==[
Deploys an app of kind asgi that answers over HTTP: any method, any path below its address. The handler returns the answer: a table as
JSON, app.response(status, body, headers), or an iterator of texts, which are streamed as server-sent events.
@param name string
@param handler fun(request: beam.serve.web_request): any
@param options beam.serve.deployment_options?
@return beam.serve.deployment]==] },
  ["beam.serve.pod"] = { "beam.serve.pod(name, handler, options)", "docs/serve.md", [==[
Deploys a pod: what listens on its ports. Over HTTP it answers as app.web; the option websocket is what runs for each message of a
WebSocket, of which Beam's gateway hands on neither pings nor close codes.
@param name string
@param handler fun(request: beam.serve.web_request): any request.port is the one that was asked
@param options beam.serve.deployment_options? websocket, ports, connections, max_pending
@return beam.serve.deployment]==] },
  ["beam.serve.bot"] = { "beam.serve.bot(name, handler, options)", "docs/serve.md", [==[
Deploys a bot: a WebSocket at /bot/{name}, whose handler runs once per message; context.query.session_id is the client's.
@param name string
@param handler fun(text: string, context: beam.serve.message_context): any
@param options beam.serve.deployment_options? connections, max_pending
@return beam.serve.deployment]==] },
  ["beam.serve.response"] = { "beam.serve.response(status, body, headers)", "docs/serve.md", [==[
What a handler of an endpoint returns for an answer with a status of its own. The body is written as JSON, unless it is a string and
`headers` name a content type.
@param status integer 200 to 599
@param body any
@param headers table? { name = value }, or a list of { name, value }
@return beam.serve.response]==] },
  ["beam.serve.listen"] = { "beam.serve.listen(options)", "docs/serve.md", [==[
Starts serving; may be done again, elsewhere or after a close: the tasks are the app's.
@param options beam.serve.options?
@return beam.serve.server? server, beam.error? err]==] },
  ["beam.serve.close"] = { "beam.serve.close()", "docs/serve.md", [==[
Closes every server of this app, and cancels its tasks.]==] },
  ["beam.serve.new"] = { "beam.serve.new()", "docs/serve.md", [==[
An app of its own.
@return beam.serve app]==] },
  ["beam.serve.server:fault"] = { "beam.serve.server:fault(faults)", "docs/serve.md", [==[
The same; raises if they cannot be read.
@param faults string|table|nil]==] },
  ["beam.serve.server:inflict"] = { "beam.serve.server:inflict(faults, which)", "docs/serve.md", [==[
Lets faults happen now, to every open connection that `which` picks (default: all): drop_after_101, reset, close=CODE, silence,
zombie, no_ping, block=TIME.
@param faults string|table
@param which (fun(session: table): boolean)?
@return integer count of connections]==] },
  ["beam.serve.server:connections"] = { "beam.serve.server:connections()", "docs/serve.md", [==[
The open realtime connections.
@return table[] list]==] },
  ["beam.serve.server:close"] = { "beam.serve.server:close()", "docs/serve.md", [==[
Stops, and waits until the connections are closed, for close_timeout at most. May be called twice.]==] },
  ["beam.record.to"] = { "beam.record.to(path, options)", "docs/record.md", [==[
Starts to record what begins from now on. This module has to be loaded before the first use of beam, as the contexts of before are not
wrapped.
@param path string a file that is there already is overwritten
@param options { max_bytes: integer? }? bytes of the file, default 256 MiB
@return beam.recorder? recorder with stop()
@return beam.error? err of kind "invalid": the file cannot be written]==] },
  ["beam.replay.listen"] = { "beam.replay.listen(path, options)", "docs/record.md", [==[
Starts to serve a recording.
@param path string
@param options { host: string?, port: integer?, speed: number?, exact: boolean?, patience: number?, linger: number? }?
@return beam.replay?
@return beam.error? err the recording cannot be read, or the port is taken]==] },
  ["beam.recorder:stop"] = { "beam.recorder:stop()", "docs/record.md", [==[
Ends the recording. May be called twice.]==] },
  ["beam.replay:wait"] = { "beam.replay:wait()", "docs/record.md", [==[
Waits until all is played, or what is missing is given up; then it stops listening.
@return beam.replay.report]==] },
  ["beam.replay:close"] = { "beam.replay:close()", "docs/record.md", [==[
Stops listening. May be called twice.]==] },
}

reference.classes = {
  ["beam.stream"] = { "beam.stream", "docs/calls.md", [==[
@class beam.stream
@overload fun(): any, beam.stream_item?
@field status integer
@field headers table<string, string> names in lower case
@field task_id string?
@field format string what it is read as; "auto" until that is known
@field attempts integer
@field last_id string? as told last, by the items until now: for Last-Event-ID
@field retry number? seconds to wait before connecting again, as told last
@field err beam.error? why it broke off; nil while it runs, and after its end]==], methods = { "next", "close" } },
  ["beam.chat"] = { "beam.chat", "docs/calls.md", [==[
@class beam.chat
@overload fun(): string?, table?
@field message { role: string, content: string?, tool_calls: table[]?, reasoning: string? } as far as it has come
@field finish_reason string? "stop", "length", "tool_calls"
@field usage table? prompt_tokens, completion_tokens, total_tokens
@field model string?
@field err beam.error? why it broke off]==], methods = { "next", "whole", "close" } },
  ["beam.map"] = { "beam.map", "docs/calls.md", [==[
@class beam.map
@overload fun(): integer?, any, beam.error?, beam.call_info|beam.error|nil]==], methods = { "next", "cancel", "close", "stats" } },
  ["beam.target"] = { "beam.target", "docs/calls.md", [==[
@class beam.target
@field name string?
@field id string? a UUID or a label
@field url string?
@field version integer|string|nil 3, "v3" or "latest"
@field kind "asgi"|"endpoint"|"taskqueue"|"function"|"schedule"|"pod"|"bot"|nil
@field port integer? of a pod
@field public boolean? the deployment needs no token, and is sent none
@field path string? below the address, with or without a query]==], methods = {} },
  ["beam.attempt_options"] = { "beam.attempt_options", "docs/calls.md", [==[
@class beam.attempt_options
@field retry beam.retry_policy|false|nil seconds until the next attempt, nil: there is none; false: never; default retry.call
@field idempotent boolean? a second run of the handler does no harm
@field timeout number? seconds for all attempts and waits together, default: that of the settings]==], methods = {} },
  ["beam.request_options"] = { "beam.request_options", "docs/calls.md", [==[
@class beam.request_options: beam.options, beam.target, beam.attempt_options
@field input table? becomes the JSON object that is sent; none: {}
@field method string? default POST
@field headers table<string, string>? further request headers
@field raw boolean? input is a string that is sent as it is, and the result is the text of the answer
@field max_body integer? bytes of the answer, decoded; default 64 MiB]==], methods = {} },
  ["beam.call_options"] = { "beam.call_options", "docs/calls.md", [==[
@class beam.call_options: beam.request_options
@field body string|file*|(fun(): string?, any)|nil sent as it is, in place of input; a function gives piece after piece, then nil
@field body_size integer? bytes of it, where it is not known from the body itself
@field file string? path of a file that is sent as it is, in place of input]==], methods = {} },
  ["beam.call_info"] = { "beam.call_info", "docs/calls.md", [==[
@class beam.call_info
@field status integer
@field headers table<string, string> names in lower case
@field raw string the answer as it came, after decompression
@field attempts integer
@field elapsed number seconds, with all attempts and waits
@field task_id string?
@field times beam.call_times of the last attempt]==], methods = {} },
  ["beam.call_times"] = { "beam.call_times", "docs/calls.md", [==[
@class beam.call_times seconds, 0: did not happen
@field queued number before the request went, without the next three: for its turn, CA certificates, another's connection
@field dns number the next three: 0 over a connection that was open
@field tcp number
@field tls number
@field wait number from the request to the first byte of the answer
@field body number from there to its end
@field total number the sum of all of them]==], methods = {} },
  ["beam.stream_options"] = { "beam.stream_options", "docs/calls.md", [==[
@class beam.stream_options: beam.call_options
@field format "sse"|"data"|"lines"|"whole"|"raw"|"auto"|nil default: by the content type and by what comes
@field raw boolean? items are texts as they came, and input is a string
@field unwrap boolean? false: Beam's {"data": x}, around items that are no objects, stays
@field max_item integer? bytes of one item, default 16 MiB
@field idle_timeout number? seconds without a byte after which it is given up]==], methods = {} },
  ["beam.stream_item"] = { "beam.stream_item", "docs/calls.md", [==[
@class beam.stream_item
@field data string
@field event string? its type; none: "message"
@field id string? the last one given, by this item or one before it
@field retry number? seconds to wait before connecting again, where this item says so, or a block without data before it
@field unframed boolean? a line between the events]==], methods = {} },
  ["beam.map_options"] = { "beam.map_options", "docs/calls.md", [==[
@class beam.map_options: beam.request_options
@field inputs beam.map_inputs? where they are not given apart
@field concurrency integer? calls at a time, 1 to 256, default 16
@field window integer? inputs that were taken and whose results have not been handed over, default 4 times concurrency
@field ordered boolean? results in the order of the inputs; default: as they come
@field deadline number? seconds for everything, from the first result that is asked for; timeout is for each call
@field on_progress fun(done: integer, total: integer?, failed: integer, in_flight: integer)? called after each result; may wait
@field progress boolean? a line on stderr, if that is a terminal
@field total integer? how many inputs an iterator will give, for the progress]==], methods = {} },
  ["beam.chat_options"] = { "beam.chat_options", "docs/calls.md", [==[
@class beam.chat_options: beam.stream_options
@field messages table[] { role =, content = }
@field model string? some servers want it
@field tools table[]?
@field max_tokens integer?
@field temperature number?
@field usage boolean? false: does not ask for the count of tokens
@field extra table? what else stands in the request]==], methods = {} },
  ["beam.retry_policy"] = { "beam.retry_policy", "docs/calls.md", [==[
@alias beam.retry_policy fun(attempt: integer, err: beam.error): number? attempt counts the failures in a row, from 1]==], methods = {} },
  ["beam.map_inputs"] = { "beam.map_inputs", "docs/calls.md", [==[
@alias beam.map_inputs any[] | (fun(): any) | { next: fun(self): any }]==], methods = {} },
  ["beam.task"] = { "beam.task", "docs/tasks.md", [==[
@class beam.task
@field id string
@field record table? Beam's, as it was seen last]==], methods = { "status", "events", "wait", "result", "outputs", "download", "logs", "cancel" } },
  ["beam.followed"] = { "beam.followed", "docs/tasks.md", [==[
@class beam.followed
@overload fun(): any, table?
@field err beam.error? why it ended early]==], methods = { "next", "close" } },
  ["beam.task_events"] = { "beam.task_events", "docs/tasks.md", [==[
@class beam.task_events
@overload fun(): string?, table?
@field err beam.error? why there are no more, if it is not that the task has ended]==], methods = { "next", "close" } },
  ["beam.pages"] = { "beam.pages", "docs/tasks.md", [==[
@class beam.pages
@overload fun(): any
@field err beam.error? why it ended early]==], methods = { "next", "all" } },
  ["beam.task_list"] = { "beam.task_list", "docs/tasks.md", [==[
@class beam.task_list: beam.pages
@overload fun(): beam.task?
@field next fun(self: beam.task_list): beam.task?, beam.error?
@field all fun(self: beam.task_list, max: integer?): beam.task[]?, beam.error?]==], methods = {} },
  ["beam.deployment_list"] = { "beam.deployment_list", "docs/tasks.md", [==[
@class beam.deployment_list: beam.pages
@overload fun(): beam.deployment?
@field next fun(self: beam.deployment_list): beam.deployment?, beam.error?
@field all fun(self: beam.deployment_list, max: integer?): beam.deployment[]?, beam.error?]==], methods = {} },
  ["beam.deployment"] = { "beam.deployment", "docs/tasks.md", [==[
@class beam.deployment
@field name string?
@field version integer?
@field kind string?
@field id string? the deployment's; not the stub's, which addresses are made of
@field stub_id string?
@field active boolean?
@field subdomain string?
@field created_at string?
@field record table? Beam's, as it was seen last]==], methods = { "fetch", "call", "stream", "submit", "realtime", "tasks", "logs", "url", "warmup", "start", "stop", "delete", "scale" } },
  ["beam.callback_receiver"] = { "beam.callback_receiver", "docs/tasks.md", [==[
@class beam.callback_receiver
@field url string what a deployment or an input has as its callback_url
@field port integer]==], methods = { "wait", "close" } },
  ["beam.container"] = { "beam.container", "docs/tasks.md", [==[
@class beam.container
@field id string "endpoint-{stub}-a1b2c3d4"
@field status string
@field stub_id string
@field record table Beam's]==], methods = { "stop" } },
  ["beam.submit_options"] = { "beam.submit_options", "docs/tasks.md", [==[
@class beam.submit_options: beam.request_options
@field body string|file*|fun(): string?|nil in place of input: an open file, or a function that gives the next piece
@field body_size integer? bytes of body, if they are known
@field file string? path of a file that is sent as it is, in place of input]==], methods = {} },
  ["beam.watch_options"] = { "beam.watch_options", "docs/tasks.md", [==[
@class beam.watch_options
@field timeout number? seconds in all; default: as long as it takes
@field interval number? seconds between two looks where there are no events; default: from 1 to 10, longer and longer
@field silence number? seconds without an event until a look makes sure, default 30
@field retry beam.retry_policy? Beam cannot be asked: after how many seconds it is again; nil: give up. Default: for some five minutes]==], methods = {} },
  ["beam.tasks_options"] = { "beam.tasks_options", "docs/tasks.md", [==[
@class beam.tasks_options: beam.options
@field status string|string[]|nil "RUNNING", or {"PENDING", "RUNNING"}
@field deployment string|beam.target|nil of these deployments: a name is every version of it
@field kind "taskqueue"|"function"|"endpoint"|"asgi"|"schedule"|nil
@field created_after string? "2026-08-01T10:00:00Z"
@field created_before string?
@field limit integer? at most so many]==], methods = {} },
  ["beam.wait_options"] = { "beam.wait_options", "docs/tasks.md", [==[
@class beam.wait_options: beam.watch_options
@field logs integer? so many of the last lines of a task that failed are fetched; at most 1000]==], methods = {} },
  ["beam.logs_options"] = { "beam.logs_options", "docs/tasks.md", [==[
@class beam.logs_options: beam.options
@field deployment string|beam.target|nil one of these three; a name is its latest version
@field task string|beam.task|nil
@field container string?
@field follow boolean? go on with what comes; of a task, to its end. Default: what there is so far
@field since string|number|nil seconds ago, "90s", "10m", "2h", "1d" ago, or "2026-08-01T10:00:00Z"
@field silence number? seconds without a line until the connection is made anew, default 60; two of them end what is not followed
@field retry beam.retry_policy? Beam cannot be asked: after how many seconds it is again; nil: give up]==], methods = {} },
  ["beam.callback"] = { "beam.callback", "docs/tasks.md", [==[
@class beam.callback
@field kind "task"|"webhook"
@field task_id string? of a task
@field status string? of a task: "COMPLETE", "ERROR"
@field data any? of a task: what the handler returned; beam.null for none
@field type string? of a webhook: the event's
@field id string? of a webhook: the delivery's; what comes again has the same
@field event table? of a webhook: the CloudEvent
@field time number seconds since 1970, when it was signed; of a webhook when it happened]==], methods = {} },
  ["beam.verify_options"] = { "beam.verify_options", "docs/tasks.md", [==[
@class beam.verify_options
@field window number? seconds that it may be old, or ahead; default 300
@field now number? in place of os.time()]==], methods = {} },
  ["beam.listen_options"] = { "beam.listen_options", "docs/tasks.md", [==[
@class beam.listen_options
@field host string? numeric address to listen on, default 127.0.0.1
@field port integer? default: a free one
@field url string? how Beam reaches it, where that is another address than the one it listens on
@field key string|fun(options: table?): string?, beam.error?|nil default: the default client's signing key
@field window number? seconds that a callback may be old, default 300]==], methods = {} },
  ["beam.signing_key_options"] = { "beam.signing_key_options", "docs/tasks.md", [==[
@class beam.signing_key_options: beam.options
@field fresh boolean? the key that is known is wrong: asks anew, but not twice within a minute]==], methods = {} },
  ["beam.deployments_options"] = { "beam.deployments_options", "docs/tasks.md", [==[
@class beam.deployments_options: beam.options
@field name string? exactly this one
@field kind "asgi"|"endpoint"|"taskqueue"|"function"|"schedule"|"pod"|"bot"|nil
@field version integer?
@field active boolean?
@field search string? a part of its name, or an id
@field min_containers integer? those that keep so many containers, or more
@field app string? the id of an app
@field deleted boolean? those that were deleted, too
@field created_after string? "2026-08-01T10:00:00Z"
@field created_before string?
@field latest boolean? of each name and kind the newest version only
@field limit integer? at most so many]==], methods = {} },
  ["beam.connection"] = { "beam.connection", "docs/realtime.md", [==[
@class beam.connection
@field state "connecting"|"open"|"waiting"|"closing"|"closed"
@field phase string how far it has come: none dns tcp proxy tls queued open ready, waiting, closing, closed
@field url string
@field err beam.error? why it is closed
@field last_error beam.error? why the last attempt ended]==], methods = { "send", "send_binary", "receive", "messages", "request", "flush", "unsent", "on", "stats", "close" } },
  ["beam.pool"] = { "beam.pool", "docs/realtime.md", [==[
@class beam.pool
@field size integer
@field closed boolean
@field err beam.error? why no connection could be made, or was lost for good, the last time]==], methods = { "request", "send", "send_binary", "stats", "close" } },
  ["beam.realtime_options"] = { "beam.realtime_options", "docs/realtime.md", [==[
@class beam.realtime_options: beam.options, beam.target
@field wait boolean? false: beam.realtime returns at once, as a game wants it; that it never opened is told to on_close
@field headers table<string, string>? further request headers
@field connect (fun(attempt: integer): table|string|nil, any)? what this attempt does otherwise: a target, a token; nil, err: none
@field retry (fun(attempt: integer, err: beam.error, conn): number?)|false|nil seconds until the next one; false: there is none
@field reconnect boolean? false: once it was open, a loss is the end
@field warmup boolean? asks Beam to start the app before the first attempt
@field ready_after number? seconds after which a silent connection counts as ready, default 10
@field outgoing function|function[]|nil transforms of what is sent
@field incoming function|function[]|nil transforms of what comes
@field queue beam.queue_options|false|nil what waits to be sent; false: send() fails while it is not open
@field rate number? messages a second
@field coalesce (fun(message: any): any)? a key; a newer message replaces a waiting one with the same
@field max_message integer? bytes of an incoming message, default 16 MiB
@field max_pending integer? bytes that send() lets wait for the network, default 64 MiB
@field inbox { max: integer?, max_bytes: integer? }? what may wait to be read, default 1024 messages and 64 MiB; the sender is held back
@field heartbeat boolean|beam.heartbeat_options|nil false: app pings are messages
@field stalled number|false|{ after: number?, handler: number?, reconnect: boolean? }|nil seconds without a sign of the app, default 60
@field idle_timeout number? seconds without a message either way, after which it is closed
@field close_timeout number? seconds for the queue, and again for the peer's close frame; default 2
@field on_open fun(conn)? the handlers: see Connection:on
@field on_message fun(message, conn, kind)?
@field on_phase fun(phase, conn, seconds)?
@field on_stalled fun(seconds, conn)?
@field on_outcome fun(message, conn, outcome)?
@field on_reconnect (fun(conn, unknown: table[]): table?)? what is sent again
@field on_close fun(err, conn)?
@field on_error fun(err, conn)?]==], methods = {} },
  ["beam.queue_options"] = { "beam.queue_options", "docs/realtime.md", [==[
@class beam.queue_options
@field max integer? messages, default 1024
@field max_bytes integer? default 64 MiB
@field ttl number? seconds that a message may wait
@field overflow "error"|"wait"|"drop_oldest"|"drop_newest"|nil "wait": send waits until there is room
@field timeout number? seconds that it waits then, default 60]==], methods = {} },
  ["beam.heartbeat_options"] = { "beam.heartbeat_options", "docs/realtime.md", [==[
@class beam.heartbeat_options
@field app_pings boolean? false: app pings are messages
@field ping_after number|false|nil seconds of silence until a ping, default 20
@field dead_after number? seconds until a ping that nothing answers is death, default 20
@field task_timeout number? seconds that a handler may take, and be silent: Beam's task time-out, default 600]==], methods = {} },
  ["beam.send_options"] = { "beam.send_options", "docs/realtime.md", [==[
@class beam.send_options
@field wait boolean? true: waits until there is room; false: does not, whatever queue.overflow says
@field timeout number? seconds that it may wait, default 60]==], methods = {} },
  ["beam.pool_options"] = { "beam.pool_options", "docs/realtime.md", [==[
@class beam.pool_options: beam.realtime_options
@field size integer? connections, default 4]==], methods = {} },
  ["beam.coroutine"] = { "beam.coroutine", "docs/concurrency.md", [==[
@class beam.coroutine]==], methods = { "join" } },
  ["beam.loop.inside"] = { "beam.loop.inside", "docs/concurrency.md", [==[
@class beam.loop.inside
@field stop fun() leaves the other loop; no coroutine of its may be waiting for something of ours]==], methods = {} },
  ["beam.error"] = { "beam.error", "docs/errors.md", [==[
@class beam.error
@field kind string those of BEAM_ERROR_MAP (core/beam.h), transform, script, queue_full, json, validation, config, interrupted
@field message string what failed, where; on one line, with nothing in it that a terminal would obey
@field phase string? how far it had come
@field host string? "name:port"
@field status integer? HTTP status
@field body any? the server's answer, decoded if it is JSON
@field code integer? close code
@field reason string? the peer's words on closing
@field executed "no"|"yes"|"unknown" did Beam run the handler?
@field retryable boolean may it be tried again without running anything twice?
@field retry_after number? seconds the server asked for
@field task_id string?
@field task_status string? kind "task": the state it ended in; of a watch whose time is over: the last one seen
@field failure_reason string? kind "task": Beam's words
@field logs string[]? kind "task": the last lines that it said, where they were asked for
@field hint string? what to do about it
@field traceback string? of a script
@field signal string? kind "interrupted": SIGINT and so on
@field cause any? the value that a script raised
@field input any? the message that a transform was given]==], methods = {} },
  ["beam.options"] = { "beam.options", "docs/errors.md", [==[
@class beam.options
@field token string|false|fun():string?, any? false: no credentials. A function is called before every attempt
@field basic { id: string, secret: string }? Beam's older API keys
@field auth "bearer"|"raw"|"query"? how the token is sent; query leaks it into access logs
@field insecure_auth boolean? credentials over unencrypted connections to hosts that are not loopback
@field gateway string? default https://app.beam.cloud
@field api string? URL of the REST API; default: the gateway, for Beam's own and v2 https://api.beam.cloud
@field api_version "v1"|"v2"|nil v1: the gateway's own API; v2: Beam's public one; default: v2 with basic or that URL, else v1
@field workspace string? its id; default: Beam is asked once
@field timeout number? seconds for a whole call, default 1560: Beam's longest cold start (15.5 minutes) and longest task (10 minutes)
@field connect_timeout number? seconds for DNS, TCP and TLS together, default 10
@field ready_timeout number? seconds for the 101 of a realtime connection, default 960: longer than Beam's longest cold start
@field tls { ca_file: string?, cert: string?, key: string?, key_passphrase: string?, insecure: boolean? }?
@field proxy string|false? "http://host:port"; false: none, whatever the environment says
@field log fun(level: string, line: string)? where log lines of this process go
@field json beam.json_codec? reads and writes what is sent and what comes in the place of beam.json: require "cjson.safe", dkjson
@field on_span fun(span: beam.span)|table|nil is given each span that has ended: beam.otlp(), or a function, which must not wait
@field sampling number? the share of traces that spans are made of, from 0 to 1, where the caller's traceparent does not say; default 1
@field traceparent string? W3C: the trace and the span of the caller's that what is done here belongs to; sent along
@field tracestate string? W3C: sent along beside it
@field config string? path of a config.ini
@field context string? section of it]==], methods = {} },
  ["beam.json_codec"] = { "beam.json_codec", "docs/errors.md", [==[
@class beam.json_codec what `json` of beam.client may be
@field encode fun(value: any): string?, string?
@field decode fun(text: string): any, string?]==], methods = {} },
  ["beam.backoff_options"] = { "beam.backoff_options", "docs/errors.md", [==[
@class beam.backoff_options
@field base number? seconds of the first window, default 0.5; each further one is twice as long
@field max number? seconds of the longest window, default 30
@field attempts integer? gives up after so many tries in a row, not counting the first; default: never
@field random (fun(): number)? from 0 to below 1; default: a generator with a seed of this process]==], methods = {} },
  ["beam.volume"] = { "beam.volume", "docs/files.md", [==[
@class beam.volume
@field name string]==], methods = { "list", "upload", "download", "url", "move", "remove" } },
  ["beam.volume_entry"] = { "beam.volume_entry", "docs/files.md", [==[
@class beam.volume_entry
@field path string in the volume
@field size integer
@field mod_time integer seconds since 1970
@field is_dir boolean]==], methods = {} },
  ["beam.upload_options"] = { "beam.upload_options", "docs/files.md", [==[
@class beam.upload_options
@field timeout number? seconds in all
@field progress fun(bytes: integer, total: integer?)? told as it goes
@field size integer? bytes that a function will give
@field retry beam.retry_policy?]==], methods = {} },
  ["beam.file_options"] = { "beam.file_options", "docs/files.md", [==[
@class beam.file_options: beam.upload_options, beam.options
@field name string? what the file is called, where the source is no path
@field volume string? default "uploads"]==], methods = {} },
  ["beam.download_options"] = { "beam.download_options", "docs/files.md", [==[
@class beam.download_options
@field timeout number? seconds in all
@field max_body integer? bytes
@field resume boolean? what has come stays after a failure (path.part), and the next download goes on from there
@field progress fun(bytes: integer, total: integer?)? told after each piece how much there is, and of how much]==], methods = {} },
  ["beam.metrics"] = { "beam.metrics", "docs/hosts/monitoring.md", [==[
@class beam.metrics
@field calls table<string, integer> by their outcome: "ok", or the kind of the error
@field statuses table<integer, integer> calls by the status of their last answer
@field attempts integer
@field retries integer
@field durations beam.histogram seconds of calls, with all attempts and waits
@field phases table<string, beam.histogram> seconds of attempts at calls, by part: queued, dns, tcp, tls, wait (for the first byte), body
@field streams table<string, integer> streams that had begun and have ended, by their outcome
@field bounds number[] of all histograms
@field connections table begun, states (how many there are in each), attempts, reconnects, sent, received, written, expired, dropped,
unknown, app_pings, queued, queued_bytes, in_flight, inbox, waiting_requests
@field openings beam.histogram seconds from the beginning of an attempt to connect until it was open
@field connection_phases table<string, beam.histogram> of attempts to connect: dns, tcp, proxy, tls, queued (until Beam has a container)
@field requests table<string, integer> conn:request by outcome: "ok", or the kind of the error
@field round_trips beam.histogram seconds from a request to its answer
@field queue_waits beam.histogram seconds that messages waited to be sent, of those that did
@field tasks table<string, integer> tasks that were watched, by their last state; or the kind of the error]==], methods = {} },
  ["beam.otlp"] = { "beam.otlp", "docs/hosts/monitoring.md", [==[
@class beam.otlp
@overload fun(span: beam.span)]==], methods = { "flush", "stats" } },
  ["beam.histogram"] = { "beam.histogram", "docs/hosts/monitoring.md", [==[
@class beam.histogram
@field count integer
@field sum number seconds
@field [integer] integer how many took no longer than the bound of that number]==], methods = {} },
  ["beam.span"] = { "beam.span", "docs/hosts/monitoring.md", [==[
@class beam.span
@field name string
@field trace_id string 32 hexadecimal digits
@field span_id string 16
@field parent_id string? nil: the trace begins here
@field links beam.trace_context[]? what else it belongs to
@field tracestate string? as the caller had it
@field kind "client"|"internal" client: something was sent, and answered
@field started number seconds since 1970
@field ended number
@field attributes table<string, string|number|boolean>
@field status "unset"|"error"
@field message string? of an error]==], methods = {} },
  ["beam.trace_context"] = { "beam.trace_context", "docs/hosts/monitoring.md", [==[
@class beam.trace_context
@field trace_id string
@field span_id string
@field sampled boolean]==], methods = {} },
  ["beam.otlp_options"] = { "beam.otlp_options", "docs/hosts/monitoring.md", [==[
@class beam.otlp_options
@field endpoint string? the collector's address, default http://localhost:4318; /v1/traces is added, unless it has a path
@field headers table<string, string>? further request headers, a key for instance
@field service string? the name of this program
@field resource table<string, string|number|boolean>? what else is said of it: { ["deployment.environment.name"] = "production" }
@field queue integer? spans that may wait, default 2048; more are dropped
@field batch integer? spans of one request, default 512
@field every number? seconds that a span may wait for others, default 5
@field timeout number? seconds for one request, default 10
@field tls { ca_file: string?, cert: string?, key: string?, key_passphrase: string?, insecure: boolean? }?
@field proxy string|false?]==], methods = {} },
  ["beam.inspect_options"] = { "beam.inspect_options", "docs/beamlua.md", [==[
@class beam.inspect_options
@field depth integer? levels of tables in tables, default 5
@field items integer? of one table, default 100; of all together 2000
@field length integer? bytes of a string, default 2000
@field width integer? columns that a table may take on one line, default 80]==], methods = {} },
  ["beam.serve.server"] = { "beam.serve.server", "docs/serve.md", [==[
@class beam.serve.server
@field port integer
@field url string "http://127.0.0.1:1994"; with tls "https://…"
@field certificate string? the file of the certificate that it shows: what tls.ca_file of a client has to be, if it made it itself
@field token string? the one that is demanded]==], methods = { "fault", "inflict", "connections", "close" } },
  ["beam.serve.task_context"] = { "beam.serve.task_context", "docs/serve.md", [==[
@class beam.serve.task_context
@field task_id string
@field args any[] positional arguments
@field cancelled fun(): boolean true: the task was cancelled or has timed out, and what the handler still does is for nobody
@field sleep fun(seconds: number): boolean false as soon as the task has ended
@field output fun(name: string, content: string|{ path: string }, options: { expires_in: number? }?) hands out a file
@field log fun(text: string, stream: "stdout"|"stderr"|nil) adds lines to the task's logs
@field method string? endpoint
@field headers table<string, string>? endpoint; names in lower case
@field query table<string, any>? endpoint]==], methods = {} },
  ["beam.serve.message_context"] = { "beam.serve.message_context", "docs/serve.md", [==[
@class beam.serve.message_context
@field binary boolean
@field headers table<string, string> of the upgrade, names in lower case
@field query table<string, any> of the upgrade
@field json fun(): any, string? the message decoded; nil and why not]==], methods = {} },
  ["beam.serve.response"] = { "beam.serve.response", "docs/serve.md", [==[
@class beam.serve.response]==], methods = {} },
  ["beam.serve.deployment"] = { "beam.serve.deployment", "docs/serve.md", [==[
@class beam.serve.deployment
@field kind string "asgi", "endpoint", "taskqueue", "function", "schedule", "pod" or "bot"
@field name string
@field version integer
@field id string the stub id, a UUID
@field deployment_id string another one
@field app_id string the same for all that have the name
@field subdomain string the label without its version, the same for all versions
@field sequence integer rises from deployment to deployment
@field created_at number seconds since 1970
@field active boolean false: answered with 400 "Deployment is not active"
@field handler function
@field options table
@field live integer connections going on
@field in_flight integer tasks that have not ended]==], methods = {} },
  ["beam.serve.options"] = { "beam.serve.options", "docs/serve.md", [==[
@class beam.serve.options
@field host string? default 127.0.0.1
@field tls { cert: string, key: string, key_passphrase: string? }|boolean|nil PEM files; true: a certificate of its own; else plain
@field port integer? default 0: a free one
@field token string|true|nil demanded; true: one of its own, which scripts on this machine find; without this and basic: none
@field foreign_token string? one of another workspace's: 401 "Invalid token"
@field basic { id: string, secret: string }? demanded as HTTP Basic credentials
@field workspace string? the id of the one workspace, a UUID
@field allow_host string[]? names that a Host may have beside loopback's, "dev.example", "*.dev.example"
@field allow_origin string[]? origins of pages that may ask beside loopback's, "https://dev.example"; "*": all
@field ping number? seconds between app pings, default 5
@field websocket_ping number? seconds between WebSocket pings, and for the pong, default 20
@field pause number? seconds after each input of a realtime app, default 0.1
@field close_timeout number? seconds for clients to answer a close, default 2
@field max_body integer? bytes of a request body, default 64 MiB; then 413
@field max_head integer? bytes of a request's head, default and at most 16 KiB; then 431
@field max_connections integer? default 10,000 and what the process may open; realtime connections do not count
@field head_timeout number? seconds for a request's head, default 30; then 408
@field body_timeout number? seconds for each 16 KiB of a body, default 30; then 408
@field idle_timeout number? seconds between requests, default 75
@field log fun(level: string, line: string)?
@field fault string|table|nil faults on demand: "cold=3s,slots=1" (docs/serve.md)
@field random (fun(): number)? what chances and ranges are drawn with, default math.random]==], methods = {} },
  ["beam.serve.deployment_options"] = { "beam.serve.deployment_options", "docs/serve.md", [==[
@class beam.serve.deployment_options each kind has some of them: docs/serve.md says which, with its defaults
@field id string? a UUID; default: a new one
@field version integer? default: the next
@field active boolean? false: answered with 400
@field authorized boolean? false: the API hands out its public address
@field ports integer[]? of a pod; default: any
@field connections integer? realtime: open at once; the next ones wait in the handshake
@field workers integer? handlers that run at once
@field queue integer? calls that wait for a worker
@field max_pending integer? waiting and running; then 429
@field timeout number? seconds that a handler may run
@field ttl number? seconds that it may wait
@field retries integer? how often a handler that failed runs again
@field result "pickle"|nil the handler's string is the bytes of a Python pickle
@field http (fun(request: beam.serve.web_request): any)? realtime: answers what is no upgrade, at any path
@field callback_url string? is posted to when a task has ended; an input's callback_url wins
@field inputs table<string, string>? { x = "number", name = "string?" }: what does not fit is refused]==], methods = {} },
  ["beam.serve.web_request"] = { "beam.serve.web_request", "docs/serve.md", [==[
@class beam.serve.web_request
@field method string
@field path string below the app's address, "/v1/models"
@field port integer? of a pod
@field query table<string, any>
@field headers table<string, string> names in lower case
@field body string
@field json fun(): any the body, decoded; nil if it is no JSON]==], methods = {} },
  ["beam.recorder"] = { "beam.recorder", "docs/record.md", [==[
@class beam.recorder]==], methods = { "stop" } },
  ["beam.replay"] = { "beam.replay", "docs/record.md", [==[
@class beam.replay
@field port integer
@field url string "http://127.0.0.1:1994"]==], methods = { "wait", "close" } },
  ["beam.replay.report"] = { "beam.replay.report", "docs/record.md", [==[
@class beam.replay.report
@field ok boolean nothing differed
@field differences string[] the first hundred, in order: "connection 1, message 3 (line 17): expected …, got …"
@field count integer all of them
@field connections integer played
@field requests integer
@field messages integer compared: messages, bodies, closes
@field form integer those of them that were written otherwise: the order of keys, or spaces
@field notes string[] what is no difference, and yet to be known]==], methods = {} },
}

return reference
