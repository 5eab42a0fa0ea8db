-- What the kinds of errors, statuses and close codes are, in words. docs/errors.md has the same words for the kinds
-- (spec/beamlua/meanings_spec.lua compares them); what statuses and close codes mean for a call stands in beam/outcome.lua.
local meanings = {}

-- kind = { what happened, usual remedy }
meanings.kinds = {
  dns = { "the host name has no address, or the name server did not answer", "check the name, the network" },
  connect = { "no address could be connected to, or the proxy gave no tunnel", "check host and port, firewall, proxy" },
  tls = {
    "the handshake failed, or the certificate is not to be trusted: the text names the certificate and the reason",
    "`tls.ca_file` for a CA of your own",
  },
  handshake = {
    "the WebSocket upgrade was answered with something else than a right 101: `status` and `body` say with what",
    "as the `hint` says",
  },
  http = {
    "a call was answered with a status that is no success, or the exchange broke off",
    "as the `hint` says; `executed` says whether it ran",
  },
  timeout = { "a deadline passed: the text names the option that sets it", "" },
  closed = { "the connection is closed, by whom `code` and `reason` say", "open it again" },
  protocol = { "the peer broke WebSocket's rules; it was told with close code 1002 or 1007", "" },
  too_large = { "a bound was exceeded: the text names it", "raise it if such messages are wanted" },
  auth = {
    "credentials may not be sent like this: missing, or unencrypted to a host that is not this machine; "
      .. "or the token function failed (`cause`)",
    "set `BEAM_TOKEN`; use `wss://` or `https://`",
  },
  canceled = { "the caller ended it", "" },
  no_memory = { "out of memory", "" },
  invalid = { "an argument that can only be checked at run time, such as a file that cannot be read", "" },
  json = { "a value cannot be written as JSON, or an answer is none", "" },
  validation = { "status 200, and still Beam refused the input: it does not fit the handler's schema", "mend the input" },
  queue_full = { "more waits to be sent than the bound allows", "wait, or raise the bound" },
  transform = {
    "an `incoming` or `outgoing` function failed: the text names it, its file and line; "
      .. "`input` is the message it was given, `cause` what it raised",
    "",
  },
  task = { "a task ended otherwise than `COMPLETE`: `task_status` says how, `failure_reason` why", "as the `hint` says" },
  script = { "a coroutine or a function of yours raised; `traceback` says where", "" },
  config = { "Beam's configuration cannot be read", "" },
  interrupted = { "a signal told the process to end: it is raised where a script waits, and `signal` says which", "clean up, and end" },
}

-- { words in lower case, the kind they stand for }
meanings.words = {
  { "certificate", "tls" },
  { "could not be resolved", "dns" },
  { "name or service not known", "dns" },
  { "connection refused", "connect" },
  { "no route to host", "connect" },
  { "network is unreachable", "connect" },
  { "timed out", "timeout" },
}

meanings.statuses = {
  [304] = "Not Modified",
  [400] = "Bad Request",
  [401] = "Unauthorized",
  [403] = "Forbidden",
  [404] = "Not Found",
  [405] = "Method Not Allowed",
  [409] = "Conflict",
  [413] = "Content Too Large",
  [429] = "Too Many Requests",
  [500] = "Internal Server Error",
  [502] = "Bad Gateway",
  [503] = "Service Unavailable",
  [504] = "Gateway Timeout",
}

-- RFC 6455, section 7.4.1, and the registry of IANA.
meanings.closes = {
  [1000] = "normal closure: the other side was done",
  [1001] = "going away: the program at the other end ends",
  [1002] = "protocol error",
  [1003] = "a kind of message that is not taken",
  [1005] = "a close frame without a code",
  [1006] = "no close frame: the connection was lost",
  [1007] = "text that is not UTF-8",
  [1008] = "a policy of the other side",
  [1009] = "a message that is too large",
  [1011] = "the other side failed",
  [1012] = "the other side restarts",
  [1013] = "the other side is overloaded",
  [1014] = "a gateway on the way could not reach the other side",
}

-- What Beam says of a task.
meanings.tasks = {
  PENDING = "the task waits for a worker",
  RUNNING = "a worker runs it",
  RETRY = "it failed, and will run again",
  COMPLETE = "it has ended well",
  ERROR = "the handler failed",
  FAILED = "the handler failed",
  CANCELLED = "somebody cancelled it",
  TIMEOUT = "the handler ran for longer than its deployment's timeout allows",
  EXPIRED = "no worker took it in time, so that it did not run: it may be submitted again",
}

return meanings
