-- beamlua task, as a row of beamlua/cli/commands.lua.
local readers = require "beamlua.readers"
local shared = require "beamlua.cli.rows.shared"

local timeout, json, told, kind, limit = shared.timeout, shared.json, shared.told, shared.kind, shared.limit

return {
  name = "task",
  says = "Asks about a task, waits for it, ends it.",
  commands = {
    {
      name = "get",
      takes = "ID",
      names = "tasks",
      positionals = { 1, 1 },
      says = "Prints what Beam knows of it, as JSON.",
      options = { told, timeout },
    },
    {
      name = "wait",
      takes = "ID",
      names = "tasks",
      positionals = { 1, 1 },
      says = "Waits for its end and prints its state.",
      options = { told, timeout },
    },
    {
      name = "watch",
      takes = "ID",
      names = "tasks",
      positionals = { 1, 1 },
      says = "Prints each state as it comes, to the end.",
      options = { told, timeout },
    },
    {
      name = "result",
      takes = "ID",
      names = "tasks",
      positionals = { 1, 1 },
      says = "Waits for its end and prints its result.",
      options = { told, timeout },
    },
    {
      name = "outputs",
      takes = "ID",
      names = "tasks",
      positionals = { 1, 1 },
      says = "Lists the files that it saved.",
      options = { json, timeout },
    },
    {
      name = "download",
      takes = "ID [FILE]",
      names = "tasks",
      positionals = { 1, 2 },
      says = "Fetches one of its files, or all.",
      options = {
        { "--output", "PATH", "a file, or a folder that is there; default: the file's name here", file = true, short = "-o" },
        told,
        timeout,
      },
    },
    {
      name = "cancel",
      takes = "ID",
      names = "tasks",
      positionals = { 1, 1 },
      says = "Ends it, and prints the state it ended in.",
      options = { told, timeout },
    },
    {
      name = "list",
      takes = "",
      positionals = { 0, 0 },
      says = "Lists the tasks, newest first.",
      options = {
        { "--status", "STATE", "PENDING, RUNNING, COMPLETE …; several with commas", read = readers.list },
        { "--deployment", "NAME", "of that deployment", names = "deployments" },
        kind,
        limit,
        json,
        timeout,
      },
    },
  },
}
