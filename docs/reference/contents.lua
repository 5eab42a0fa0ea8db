-- What the reference has, topic by topic: the functions of the module, its objects with the methods that are for everybody, the tables that
-- are given and got. Where each comes from: file below lua/beam, and its name there. spec/library_spec.lua holds it against what is loaded.
return {
  {
    title = "Calls",
    page = "calls.md",
    functions = {
      { "call", "call.lua", "call.call" },
      { "stream", "stream.lua", "stream.open" },
      { "map", "map.lua", "map.map" },
      { "address", "client.lua", "client.address" },
    },
    objects = {
      {
        "beam.stream",
        text = "An answer that comes item by item.",
        files = { "stream/reader.lua" },
        methods = { "next", "close" },
      },
      {
        "beam.map",
        text = "Calls over many inputs, and their results as they come.",
        files = { "map.lua" },
        methods = { "next", "cancel", "close", "stats" },
      },
    },
    tables = {
      { "beam.target", "settings/target.lua" },
      { "beam.attempt_options", "http/attempts.lua", without = { scope = true, spent = true } },
      { "beam.request_options", "http/request.lua" },
      { "beam.call_options", "call.lua" },
      { "beam.call_info", "http/answer.lua" },
      { "beam.stream_options", "stream.lua" },
      { "beam.stream_item", "http/event_stream.lua" },
      { "beam.map_options", "map/options.lua" },
    },
    aliases = { { "beam.retry_policy", "http/attempts.lua" }, { "beam.map_inputs", "map/inputs.lua" } },
  },
  {
    title = "Tasks and deployments",
    page = "tasks.md",
    functions = {
      { "submit", "task/submit.lua", "return" },
      { "task", "task.lua", "task.get" },
      { "tasks", "rest/tasks.lua", "tasks.list" },
      { "logs", "rest/logs.lua", "logs.logs" },
      { "events", "rest/logs.lua", "logs.events" },
      { "deployment", "deployment.lua", "deployment.get" },
      { "deployments", "rest/deployments.lua", "deployments.list" },
    },
    objects = {
      {
        "beam.task",
        text = "A job that Beam runs on its own time.",
        files = { "task.lua" },
        methods = { "status", "events", "wait", "result", "outputs", "download", "logs", "cancel" },
      },
      {
        "beam.followed",
        text = "Lines of a log, or events, as they come.",
        files = { "rest/followed.lua" },
        methods = { "next", "close" },
      },
      {
        "beam.task_events",
        text = "The changes of a task's state, each once.",
        files = { "task/watch.lua" },
        methods = { "next", "close" },
      },
      {
        "beam.pages",
        text = "A list of the API, page after page as it is read.",
        files = { "rest/pages.lua" },
        methods = { "next", "all" },
      },
      {
        "beam.task_list",
        text = "Tasks, newest first.",
        files = { "rest/tasks.lua" },
        methods = {},
      },
      {
        "beam.deployment_list",
        text = "Deployments, newest first.",
        files = { "rest/deployments.lua" },
        methods = {},
      },
      {
        "beam.deployment",
        text = "Something deployed: its address, and what Beam says of it.",
        files = { "deployment.lua" },
        methods = { "fetch", "call", "stream", "submit", "realtime", "tasks", "url", "warmup" },
      },
    },
    tables = {
      { "beam.submit_options", "task/submit.lua" },
      { "beam.watch_options", "task/watch.lua" },
      { "beam.tasks_options", "rest/tasks.lua" },
      { "beam.wait_options", "task.lua" },
      { "beam.logs_options", "rest/logs.lua" },
      { "beam.deployments_options", "rest/deployments.lua" },
    },
  },
  {
    title = "Realtime",
    page = "realtime.md",
    functions = { { "realtime", "realtime.lua", "realtime.open" }, { "pool", "realtime/pool.lua", "pool.open" } },
    objects = {
      {
        "beam.connection",
        text = "A realtime connection that stays.",
        files = {
          "realtime/connection.lua",
          "realtime/send.lua",
          "realtime/settle.lua",
          "realtime/receive.lua",
          "realtime/request.lua",
          "realtime/close.lua",
        },
        methods = { "send", "send_binary", "receive", "messages", "request", "flush", "unsent", "on", "stats", "close" },
      },
      {
        "beam.pool",
        text = "Realtime connections to one app, shared by requests.",
        files = { "realtime/pool.lua" },
        methods = { "request", "send", "send_binary", "stats", "close" },
      },
    },
    tables = {
      { "beam.realtime_options", "realtime.lua" },
      { "beam.queue_options", "realtime.lua" },
      { "beam.pool_options", "realtime/pool.lua" },
    },
  },
  {
    title = "Waiting",
    page = "concurrency.md",
    functions = {
      { "spawn", "driver/loop.lua", "loop.spawn" },
      { "sleep", "driver/loop.lua", "loop.sleep" },
      { "run", "driver/loop.lua", "loop.run" },
      { "step", "driver/loop.lua", "loop.step" },
      { "fd", "driver/reactor.lua", "reactor.fd" },
      { "on_signal", "driver/on_signal.lua", "signals.on_signal" },
      { "lines", "driver/lines.lua", "lines.lines" },
      { "read_line", "driver/lines.lua", "lines.read_line" },
      { "setup", "driver/nginx.lua", "driver.setup" },
    },
    modules = {
      {
        "loop",
        text = "Our connections inside a program that has an event loop of its own: one call, once.",
        functions = {
          { "luv", "driver/other_loops.lua", "loop.luv" },
          { "cqueues", "driver/other_loops.lua", "loop.cqueues" },
          { "copas", "driver/other_loops.lua", "loop.copas" },
        },
      },
    },
    objects = {
      {
        "beam.coroutine",
        text = "A coroutine of beam.spawn.",
        files = { "driver/loop.lua" },
        methods = { "join" },
      },
      {
        "beam.loop.inside",
        text = "What leaves another event loop again.",
        files = { "driver/other_loops.lua" },
        methods = {},
      },
    },
  },
  {
    title = "Configuration and errors",
    page = "errors.md",
    functions = { { "client", "client.lua", "client.new" } },
    modules = {
      { "retry", text = "Policies that say when to try again.", functions = { { "backoff", "retry.lua", "retry.backoff" } } },
    },
    objects = { { "beam.error", text = "What run-time failures return as the second value.", files = { "error.lua" }, methods = {} } },
    tables = { { "beam.options", "settings/config.lua" }, { "beam.backoff_options", "retry.lua" } },
  },
  {
    title = "JSON",
    page = "json.md",
    functions = { { "array", "json/values.lua", "values.array" } },
    separate = {
      {
        "beam.json",
        text = "What calls, connections and tasks read and write, for scripts.",
        fields = { "null lightuserdata JSON's null, the same as beam.null" },
        functions = {
          { "decode", "json.lua", "json.decode" },
          { "encode", "json.lua", "json.encode" },
          { "encode_checked", "json.lua", "json.encode_checked" },
          { "array", "json/values.lua", "values.array" },
          { "is_array", "json/values.lua", "values.is_array" },
        },
      },
    },
  },
  {
    title = "The local Beam",
    page = "serve.md",
    functions = {},
    separate = {
      {
        "beam.serve",
        text = "Answers as Beam does, on loopback, with handlers in Lua. The module is an app itself; a dot and a colon do the same.",
        fields = { "tasks table app.tasks:find(id) is a task as the server has it" },
        functions = {
          { "realtime", "serve.lua", "methods.realtime" },
          { "endpoint", "serve.lua", "methods.endpoint" },
          { "task_queue", "serve.lua", "methods.task_queue" },
          { "remote_function", "serve.lua", "methods.remote_function" },
          { "response", "serve.lua", "methods.response" },
          { "listen", "serve.lua", "methods.listen" },
          { "close", "serve.lua", "methods.close" },
          { "new", "serve.lua", "new_app" },
        },
      },
    },
    objects = {
      {
        "beam.serve.server",
        text = "A local Beam that listens.",
        files = { "serve/server.lua" },
        methods = { "fault", "inflict", "connections", "close" },
      },
      {
        "beam.serve.task_context",
        text = "What the handler of an endpoint or a task is told beside its input.",
        files = { "serve/app/task_context.lua" },
        methods = {},
      },
      {
        "beam.serve.message_context",
        text = "What the handler of a realtime app is told beside the message.",
        files = { "serve/app/session.lua" },
        methods = {},
      },
      {
        "beam.serve.response",
        text = "An answer with a status of the handler's own.",
        files = { "serve/answer.lua" },
        methods = {},
      },
      {
        "beam.serve.deployment",
        text = "What an app has deployed.",
        files = { "serve/deployments.lua" },
        methods = {},
      },
    },
    tables = { { "beam.serve.options", "serve/server.lua" }, { "beam.serve.deployment_options", "serve/kinds.lua" } },
  },
  {
    title = "Recording",
    page = "record.md",
    functions = {},
    separate = {
      { "beam.record", text = "What goes over the wire, into a file.", functions = { { "to", "record.lua", "record.to" } } },
      {
        "beam.replay",
        text = "A recording, played again to a client.",
        class = "beam.replay_module",
        functions = { { "listen", "replay.lua", "replay.listen" } },
      },
    },
    objects = {
      {
        "beam.recorder",
        text = "A recording that goes on.",
        files = { "record.lua" },
        methods = { "stop" },
        without = { secrets = true, stopped = true },
      },
      { "beam.replay", text = "A recording that is served.", files = { "replay.lua" }, methods = { "wait", "close" } },
      { "beam.replay.report", text = "What a client did otherwise.", files = { "record/replay/report.lua" }, methods = {} },
    },
  },
}
