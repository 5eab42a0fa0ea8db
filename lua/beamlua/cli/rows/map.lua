-- beamlua map, as a row of beamlua/cli/commands.lua.
local readers = require "beamlua.readers"
local shared = require "beamlua.cli.rows.shared"

return {
  name = "map",
  asks = "endpoint",
  takes = "NAME",
  positionals = { 1, 1 },
  says = "Calls an endpoint once for each line of standard input, many at a time.",
  details = [[
Each line is a JSON object. For each a line is printed when its call has ended: {"line":N,"result":…}, or
{"line":N,"input":…,"error":{…}}. With --resume what became of each is kept in a file: a run that was ended goes on
where it stopped, with the same input, and prints what is known already without running it again. What was in flight
then is listed as an error with executed "unknown"; what surely did not run is run.]],
  options = {
    { "--concurrency", "N", "calls at a time, up to 256 (default 16)", read = readers.count },
    { "--ordered", nil, "in the order of the input; default: as they come" },
    { "--failures", "FILE", "errors go there, not to standard output", file = true },
    { "--resume", "FILE", "keeps what became of each line; goes on from there", file = true },
    { "--idempotent", nil, "a second run does no harm: what may have run is run again" },
    { "--progress", nil, "a line on a terminal that says how far it is" },
    { "--timeout", "S", "seconds for each call, with all its attempts", read = readers.seconds },
    { "--retry", "N", "so many further attempts at what did not run; 0: none", read = readers.natural },
    shared.told,
    shared.header,
    shared.version,
  },
}
