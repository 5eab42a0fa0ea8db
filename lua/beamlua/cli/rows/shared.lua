-- Options that several commands have; see beamlua/cli/commands.lua.
local readers = require "beamlua.readers"

local shared = {}

local kinds = { "asgi", "endpoint", "taskqueue", "function", "schedule" }
shared.task_kinds = { "taskqueue", "function" }

shared.timeout = { "--timeout", "S", "seconds for all of it", read = readers.seconds }
shared.json = { "--json", nil, "one JSON value a line, errors too" }
shared.told = { "--json", nil, "errors as one line of JSON" }
local read_kind = readers.one_of(table.unpack(kinds))
shared.kind = { "--kind", "KIND", table.concat(kinds, ", "), read = read_kind, values = kinds }
shared.version = { "--version", "N", "that version of the deployment", read = readers.count }
shared.header = {
  "--header",
  "'NAME: VALUE'",
  "a further request header; may be repeated",
  read = readers.header,
  as = "headers",
  short = "-H",
}
shared.limit = { "--limit", "N", "at most so many", read = readers.count }

return shared
