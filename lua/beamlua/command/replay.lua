-- beamlua replay view FILE [--html OUT]: a recording as a time line, in the terminal or as a page.
local exit_codes = require "beamlua.cli.exit_codes"
local output = require "beamlua.cli.output"
local recording = require "beam.recording"
local session_of = require("beamlua.timeline.lanes").of
local terminal = require "beamlua.cli.terminal"
local write_file = require "beam.base.write_file"

local function fail(context, message)
  io.stderr:write(context.title, ": ", message, "\n")
  return exit_codes.invalid
end

-- Returns whether it is written, or nil and why not.
local function write_page(path, text)
  local ok, problem = write_file(path, text)
  return ok, ok or "the page cannot be written: " .. problem
end

return function(context)
  local read, err = recording.read(context.positionals[1])
  if not read then
    return fail(context, err.message)
  end
  local session = session_of(read)
  if context.options.html then
    local ok, problem = write_page(context.options.html, require("beamlua.timeline.page").text(session))
    return ok and 0 or fail(context, problem)
  end
  output.write(require("beamlua.timeline.chart").text(session, terminal.columns(1)))
  return 0
end
