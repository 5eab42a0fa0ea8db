-- Volumes over HTTP (docs/wire.md section 7): the gateway's routes, and those of the "storage" that it hands out URLs of.
local json = require "beam.json"
local store_of_files = require "beam.serve.api.volume_store"
local timestamp = require "beam.serve.api.timestamp"

local volumes = {}

local function store_of(exchange)
  return exchange.server.app.tasks.volumes
end

local function fail(exchange, status, message)
  exchange:json(status, { message = message })
end

-- The volume and the path that a text names; nil if that was answered.
local function find(exchange, text, what)
  local name, path = store_of_files.split(text)
  local volume = name and store_of(exchange):volume(name)
  if not volume then
    fail(exchange, 500, what .. (name and "unable to find volume" or "must provide volume name"))
    return nil
  end
  return volume, path
end

-- ---- Volumes ----

local function shown(exchange, volume)
  local size = 0
  for _, file in pairs(volume.files) do
    size = size + #file.bytes
  end
  local created = timestamp.format(volume.created_at)
  local record = { external_id = volume.id, name = volume.name, size = size, created_at = created, updated_at = created }
  record.workspace = exchange.workspace
  return record
end

local function list_volumes(exchange)
  local list = {}
  for _, volume in pairs(store_of(exchange).volumes) do
    list[#list + 1] = shown(exchange, volume)
  end
  table.sort(list, function(a, b)
    return a.name < b.name
  end)
  exchange:json(200, json.array(list))
end

local function create(exchange, name)
  exchange:json(200, shown(exchange, store_of(exchange):volume(name, true)))
end

-- ---- Files ----

local function write(exchange, volume, path)
  if path == "" then
    return fail(exchange, 500, "Failed to upload file: must provide path")
  end
  local done, problem = store_of(exchange):write(volume, path, exchange.body)
  if not done then
    return fail(exchange, 500, "Failed to upload file: " .. problem)
  end
  exchange:json(200, json.null)
end

local function upload(exchange, text)
  local volume, path = find(exchange, text, "Failed to upload file: ")
  if volume then
    write(exchange, volume, path)
  end
end

-- The first byte that is wanted; nil: all are. false: there is none.
local function first_byte(exchange, file)
  local first = tonumber((exchange.headers.range or ""):match "^bytes=(%d+)%-$")
  local only_if = exchange.headers["if-range"]
  if not first or only_if and only_if ~= file.tag then
    return nil
  end
  return first < #file.bytes and first or false
end

local function send(exchange, file, path)
  local first = first_byte(exchange, file)
  local headers = {
    { "content-type", "application/octet-stream" },
    { "etag", file.tag },
    { "accept-ranges", "bytes" },
    { "content-disposition", ('attachment; filename="%s"'):format(path:match "[^/]*$":gsub('[^ !#-[%]^-~\128-\255]', "_")) },
  }
  if first == false then
    headers[#headers + 1] = { "content-range", ("bytes */%d"):format(#file.bytes) }
    return exchange:respond(416, headers, "")
  elseif first then
    headers[#headers + 1] = { "content-range", ("bytes %d-%d/%d"):format(first, #file.bytes - 1, #file.bytes) }
    return exchange:respond(206, headers, file.bytes:sub(first + 1))
  end
  exchange:respond(200, headers, file.bytes)
end

local function download(exchange, text)
  local volume, path = find(exchange, text, "Failed to download file ")
  local file = volume and volume.files[path]
  if file then
    send(exchange, file, path)
  elseif volume then
    fail(exchange, 404, "Not Found")
  end
end

local function list(exchange, text)
  local volume, path = find(exchange, text, "Failed to list path: ")
  if volume then
    exchange:json(200, json.array(store_of_files.list(volume, path)))
  end
end

local function remove(exchange, text)
  local volume, path = find(exchange, text, "Failed to delete path: ")
  if volume then
    store_of(exchange):remove(volume, path)
    exchange:json(200, json.null)
  end
end

-- beta9's does nothing, and says that it did.
local function move_nothing(exchange)
  exchange:respond(200, {}, "")
end

local function move(exchange, text)
  local body = json.decode(exchange.body)
  local name, path = store_of_files.split(text)
  local to_name, to = store_of_files.split(type(body) == "table" and tostring(body.new_path) or "")
  local volume = name and store_of(exchange):volume(name)
  local problem
  if name ~= to_name then
    problem = "moving across different volumes is not supported"
  elseif not volume then
    problem = "unable to find volume"
  elseif to == "" or not store_of(exchange):move(volume, path, to) then
    problem = "unable to move"
  end
  exchange:json(200, { ok = not problem, err_msg = problem or "", new_path = problem and "" or to_name .. "/" .. to })
end

-- ---- URLs that are handed out ----

local function storage_url(exchange, text, use)
  local name = store_of_files.split(text)
  store_of(exchange):volume(name or "", name ~= nil)
  return ("%s/storage/%s"):format(exchange:base(), store_of(exchange):grant(text, use))
end

local function upload_url(exchange, text)
  if not store_of(exchange).has_storage then
    return exchange:json(405, json.null)
  end
  exchange:json(200, storage_url(exchange, text, "PUT"))
end

local function download_token(exchange, text)
  exchange:json(200, store_of(exchange):grant(text, "GET"))
end

local function download_url(exchange, text)
  if not store_of(exchange).has_storage then
    return download_token(exchange, text)
  end
  exchange:json(200, storage_url(exchange, text, "GET"))
end

local function download_with_token(exchange, text)
  if store_of(exchange):granted(exchange.query.token or "", "GET") ~= text then
    return fail(exchange, 400, "Invalid download token")
  end
  download(exchange, text)
end

local function storage(use, serve)
  return function(exchange, token)
    local text = store_of(exchange):granted(token, use)
    if not text then
      return exchange:respond(403, { { "content-type", "application/xml" } }, "<Error><Code>AccessDenied</Code></Error>")
    end
    serve(exchange, text)
  end
end

local function put(exchange, text)
  local volume, path = find(exchange, text, "")
  if not volume or path == "" then
    return volume and fail(exchange, 400, "a path is wanted")
  end
  local done, problem = store_of(exchange):write(volume, path, exchange.body)
  if not done then
    return fail(exchange, 507, problem)
  end
  exchange:respond(200, { { "etag", volume.files[path].tag } }, "")
end

--- What api/init.lua adds to its routes.
volumes.routes = {
  { "^/volume/([^/]+)/?$", { GET = list_volumes }, workspace = true },
  { "^/volume/([^/]+)/create/([^/]+)$", { POST = create }, workspace = true },
  { "^/volume/([^/]+)/upload/(.+)$", { PUT = upload }, workspace = true },
  { "^/volume/([^/]+)/download/(.+)$", { GET = download }, workspace = true },
  { "^/volume/([^/]+)/download%-with%-token/(.+)$", { GET = download_with_token }, workspace = true, public = true },
  { "^/volume/([^/]+)/ls/(.+)$", { GET = list }, workspace = true },
  { "^/volume/([^/]+)/rm/(.+)$", { DELETE = remove }, workspace = true },
  { "^/volume/([^/]+)/mv/(.+)$", { PATCH = move_nothing }, workspace = true },
  { "^/volume/([^/]+)/generate%-upload%-url/(.+)$", { GET = upload_url }, workspace = true },
  { "^/volume/([^/]+)/generate%-download%-url/(.+)$", { GET = download_url }, workspace = true },
  { "^/volume/([^/]+)/generate%-download%-token/(.+)$", { GET = download_token }, workspace = true },
  { "^/storage/([^/]+)$", { GET = storage("GET", download), PUT = storage("PUT", put) }, public = true },
  { "^/api/v1/gateway/volumes/(.+)/move$", { POST = move } },
}

return volumes
