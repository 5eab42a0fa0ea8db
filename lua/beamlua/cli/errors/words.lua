-- The module's hints name its functions and options, and libbeam's messages the fields of tls; whoever made the mistake at the shell is
-- told the commands and options there.
local words = {}

-- { what the module says, what the shell says }, the longer ones first.
local shell = {
  { "beam.tasks { deployment = … }", "beamlua task list --deployment NAME" },
  { "err.task_id is the task's: ask beam.task(err.task_id)", "ask beamlua task get with its id" },
  { "ask beam.task(err.task_id)", "ask beamlua task get with its id" },
  { "err.task_id says which task it was", "--json says which task it was" },
  { "check name, version and kind with beam.address(target)", "check name, version and kind: beamlua deployments lists what is there" },
  { "its traceback is in err.body", "its traceback is shown with --verbose" },
  { "beam.deployments() lists", "beamlua deployments lists" },
  { "beam.call is for endpoints", "beamlua call is for endpoints" },
  { "set BEAM_TOKEN, pass token=, or", "set BEAM_TOKEN, or" },
  { "set BEAM_TOKEN or pass token=", "set BEAM_TOKEN" },
  { "use send_binary for bytes", "--binary sends bytes" },
  { "idempotent = true", "--idempotent" },
  { "raw = true", "--raw" },
  { "raise max_message", "raise --max-message" },
  { "max_message bounds", "--max-message bounds" },
  { "or take format = 'raw'", "or take --output" },
  { "check BEAM_CONFIG_PATH or the option config", "check BEAM_CONFIG_PATH or --config" },
  { "name one with the option config", "name one with --config" },
  { "see the options api and api_version", "see BEAM_API_URL and BEAM_API_VERSION" },
  { "See the options api and api_version", "See BEAM_API_URL and BEAM_API_VERSION" },
  { "api_version = 'v1' asks the gateway", "BEAM_API_VERSION=v1 asks the gateway" },
  { "`tls.ca_file`", "--ca-file" },
  { "tls = { ca_file = … }", "--ca-file" },
  { "volume:list() gives the paths", "beamlua volume list VOLUME gives the paths" },
  { "see beam.submit", "beamlua submit" },
  { "see beam.realtime", "beamlua realtime" },
  { "see beam.call", "beamlua call" },
}

local fields = {
  { "tls.ca_file", "--ca-file" },
  { "tls.cert_file", "--cert" },
  { "tls.key_file", "--key" },
  { "tls.key_passphrase", "--key-passphrase-file" },
  { "tls.insecure", "--insecure" },
}

local function replace(text, from, to)
  local first, last = text:find(from, 1, true)
  while first do
    text = text:sub(1, first - 1) .. to .. text:sub(last + 1)
    first, last = text:find(from, first + #to, true)
  end
  return text
end

local function replace_all(text, pairs_of)
  for _, pair in ipairs(pairs_of) do
    text = replace(text, pair[1], pair[2])
  end
  return text
end

---@param hint string
---@return string
function words.of_shell(hint)
  return replace_all(hint, shell)
end

--- A message is not all ours: what a server has said stands in it, too.
---@param message string
---@return string
function words.of_message(message)
  return replace_all(message, fields)
end

return words
