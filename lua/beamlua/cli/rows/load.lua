-- beamlua load, as a row of beamlua/cli/commands.lua.
local readers = require "beamlua.readers"
local shared = require "beamlua.cli.rows.shared"

return {
  name = "load",
  asks = "endpoint",
  takes = "NAME|SCRIPT.lua [JSON|@FILE|-|FIELD…]",
  positionals = { 1, math.huge },
  says = "Calls an endpoint again and again, and says how long that took.",
  details = [[
With --concurrency so many calls are under way all the time (closed model); with --rate they begin at planned times,
whatever became of those before, and count from there (open model). Ctrl-C ends it with the report of what was done.
Nothing is tried again. The input is as for beamlua call. A script says what each call sends: docs/load.md.]],
  options = {
    { "--rate", "R", "calls a second, at planned times", read = readers.factor },
    { "--concurrency", "N", "calls at a time (default 16); with --rate the most under way (default 256)", read = readers.count },
    { "--duration", "T", "how long: 30s, 5m (default 10s)", read = readers.duration },
    { "--count", "N", "end after so many calls", read = readers.count },
    { "--warmup", nil, "first have a container started, and connections made, without counting that" },
    { "--expected-rate", "R", "correct as if R calls a second had been due", read = readers.factor, as = "expected_rate" },
    { "--realtime", nil, "messages over --concurrency connections to a realtime app instead, each awaiting its answer" },
    { "--timeout", "S", "seconds for each call (default 60)", read = readers.seconds },
    { "--html", "FILE", "write the report as a page to look at in a browser, too", file = true },
    { "--json", nil, "the report as JSON; errors as one line of JSON" },
    { "--raw", nil, "send the input as it is, take answers that are no JSON" },
    shared.header,
    { "--method", "METHOD", "default POST" },
    { "--path", "PATH", "behind the address: /sub, ?limit=3" },
    shared.kind,
    shared.version,
  },
}
