-- Files that a handler hands out beside its result: context.output("model.bin", bytes), downloaded from a URL that needs no token and
-- expires. Each look at the task makes the URL good again for so long, as Beam's signed ones are made anew.
local core = require("beam.base.native").core()
local timestamp = require "beam.serve.api.timestamp"
local url = require "beam.serve.url"

local outputs = {}

local default_expiry = 3600 -- seconds
local most_bytes = 256 * 1024 * 1024 -- of all outputs that are kept in memory
local piece = 256 * 1024 -- bytes of a file that are read at a time

-- A name leads to no folder, nor does a path lead out of one.
local function is_file_name(name)
  return type(name) == "string" and name ~= "" and name ~= "." and name ~= ".." and not name:find '[^ !#-.0-[%]^-~\128-\255]'
end

local function climbs(path)
  return ("/" .. path:gsub("\\", "/") .. "/"):find("/../", 1, true) ~= nil
end

-- Where a path leads to in the end: nil unless that is a file in the folder that the path names, or below; a path without a folder at its
-- front names the working directory. Links that lead to other places are followed nowhere.
local function confined(path)
  local folder = path:find "^/" and path:match "^(.*)/[^/]*$" or "."
  local root = core.real_path(folder == "" and "/" or folder)
  local real, is_file = core.real_path(path)
  if not root or not real or is_file ~= true then
    return nil
  end
  root = root == "/" and root or root .. "/"
  return real:sub(1, #root) == root and real or nil
end

--- Adds an output to a task. content: its bytes, or { path = } of a file, which is read when it is downloaded.
---@param store beam.serve.task_store
---@param task beam.serve.task
---@param name string a file name
---@param content string|{ path: string }
---@param options { expires_in: number? }? seconds
function outputs.add(store, task, name, content, options)
  local path = type(content) == "table" and content.path or nil
  if not is_file_name(name) then
    error("context.output: a file name is wanted", 3)
  elseif type(content) ~= "string" and type(path) ~= "string" then
    error("context.output: the content is a string of bytes or {path=}", 3)
  elseif path and (climbs(path) or path:find "%z") then
    error("context.output: the path of a file has no '..' in it", 3)
  end
  local output = {
    id = url.uuid(),
    name = name,
    bytes = not path and content or nil,
    path = path,
    expires_in = options and options.expires_in or default_expiry,
  }
  output.expires_at = timestamp.now() + output.expires_in
  store.output_bytes = store.output_bytes + #(output.bytes or "")
  if store.output_bytes > most_bytes then
    store.output_bytes = store.output_bytes - #output.bytes
    error("context.output: the outputs in memory are more than 256 MiB; hand out a file, {path=}", 3)
  end
  table.insert(task.outputs, output)
  store.outputs[output.id] = output
end

--- The outputs of a task as the API shows them.
---@param base string "http://127.0.0.1:1994"
function outputs.records(task, base)
  local list = {}
  for i, output in ipairs(task.outputs) do
    output.expires_at = timestamp.now() + output.expires_in
    list[i] = { name = output.name, url = base .. "/output/id/" .. output.id, expires_in = output.expires_in }
  end
  return list
end

local function send_file(exchange, path, headers)
  local real = confined(path)
  local file = real and io.open(real, "rb")
  if not file then
    return exchange:json(404, { message = "" })
  end
  exchange:begin(200, headers)
  local bytes = file:read(piece)
  while bytes and not exchange:is_over() do
    exchange.request:stream_write(bytes)
    while not exchange:is_over() and (exchange.request:pending() or 0) > 4 * piece do
      exchange:pause(0.005)
    end
    bytes = file:read(piece)
  end
  file:close()
  exchange.request:stream_end()
  exchange:log(exchange.gone and "(client left)" or 200)
end

--- GET /output/id/{id}
function outputs.serve(exchange, id)
  local output = exchange.server.app.tasks.outputs[id]
  if not output then
    return exchange:json(404, { message = "" })
  elseif timestamp.now() >= output.expires_at then
    return exchange:json(410, { message = "Output expired" })
  end
  local headers = {
    { "content-type", "application/octet-stream" },
    { "content-disposition", ('attachment; filename="%s"'):format(output.name) },
    { "x-content-type-options", "nosniff" }, -- never a page of this origin's
  }
  if output.path then
    return send_file(exchange, output.path, headers)
  end
  exchange:respond(200, headers, output.bytes)
end

return outputs
