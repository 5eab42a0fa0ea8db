-- The commands that ask Beam's API about what is deployed, what runs, what it says, and files (beamlua/cli/commands.lua has the others, and
-- says what a row is).
local readers = require "beamlua.readers"

local yes = { "--yes", nil, "do not ask; wanted where nobody can be asked", short = "-y" }
local to_file = { "--output", "PATH", "a file, or a folder with / at its end; default: the file's name here", file = true }

---@param common table<string, table> options that others have, too
---@return table[] commands
return function(common)
  local timeout, json, kind, version, limit = common.timeout, common.json, common.kind, common.version, common.limit
  return {
    {
      name = "logs",
      takes = "NAME|TASK|CONTAINER",
      positionals = { 1, 1 },
      says = "Prints what a deployment, a task or a container said, line by line.",
      details = [[
An id is a task's, or else a deployment's; a name is its latest version. With --follow it goes on with what comes: of a
task to its end, of the others until Ctrl-C.]],
      options = {
        { "--follow", nil, "go on with what comes", short = "-f" },
        { "--since", "TIME", "from when on: 90s, 10m, 2h, 1d ago, or 2026-08-01T10:00:00Z", read = readers.moment },
        { "--times", nil, "the time before each line" },
        { "--events", nil, "what happens to it instead of what it says" },
        json,
        timeout,
      },
    },
    {
      name = "deployments",
      takes = "",
      positionals = { 0, 0 },
      says = "Lists what is deployed, newest first.",
      options = {
        { "--name", "NAME", "exactly that name" },
        kind,
        { "--all", nil, "those that are stopped, too" },
        limit,
        json,
        timeout,
      },
    },
    {
      name = "deployment",
      says = "Starts, stops, deletes, scales a deployment.",
      commands = {
        { name = "start", takes = "NAME", positionals = { 1, 1 }, says = "Starts it again.", options = { kind, version, timeout } },
        {
          name = "stop",
          takes = "NAME",
          positionals = { 1, 1 },
          says = "Stops it, and its containers.",
          options = { yes, kind, version, timeout },
        },
        {
          name = "delete",
          takes = "NAME",
          positionals = { 1, 1 },
          says = "Deletes it for good.",
          options = { yes, kind, version, timeout },
        },
        {
          name = "scale",
          takes = "NAME N",
          positionals = { 2, 2 },
          says = "Gives a pod so many containers.",
          options = { kind, version, timeout },
        },
      },
    },
    {
      name = "containers",
      takes = "",
      positionals = { 0, 0 },
      says = "Lists the containers that run.",
      options = { { "--deployment", "NAME", "of that deployment" }, json, timeout },
    },
    {
      name = "container",
      says = "Ends a container.",
      commands = {
        {
          name = "stop",
          takes = "ID",
          positionals = { 1, 1 },
          says = "Ends it, and what runs in it.",
          options = { yes, { "--force", nil, "at once" }, timeout },
        },
      },
    },
    {
      name = "upload",
      takes = "FILE",
      positionals = { 1, 1 },
      says = "Uploads a file and prints a URL for the input of a handler.",
      options = { { "--volume", "NAME", "into that volume (default uploads)" }, timeout },
    },
    {
      name = "volume",
      says = "Lists, uploads, downloads, removes, moves files of volumes.",
      commands = {
        {
          name = "list",
          takes = "[VOLUME[/PATH]]",
          positionals = { 0, 1 },
          says = "Lists the volumes, or what is in one.",
          options = { json, timeout },
        },
        { name = "upload", takes = "FILE VOLUME[/PATH]", positionals = { 2, 2 }, says = "Uploads it.", options = { timeout } },
        {
          name = "download",
          takes = "VOLUME/PATH",
          positionals = { 1, 1 },
          says = "Downloads a file; one that was broken off goes on.",
          options = { to_file, timeout },
        },
        { name = "remove", takes = "VOLUME/PATH", positionals = { 1, 1 }, says = "Removes it.", options = { yes, timeout } },
        {
          name = "move",
          takes = "VOLUME/PATH VOLUME/PATH",
          positionals = { 2, 2 },
          says = "Moves a file or a folder.",
          options = { timeout },
        },
      },
    },
  }
end
