-- What a client asks, and how that differs from what a recorded one had asked.
local address = require "beam.settings.target"
local compare = require "beam.record.replay.compare"
local headers_of = require("beam.settings.headers").to_table

local asked = {}

---@class beam.replay.asked
---@field kind "connection"|"request"
---@field method string
---@field target string without credentials
---@field headers table<string, string>
---@field body string

--- Of a request as the core's server shows it. Credentials in it are learned, and hidden.
---@param view beam.core.view
---@param secrets table lua/beam/settings/secret_list.lua
---@return beam.replay.asked
function asked.read(view, secrets)
  secrets:learn_headers(view.headers)
  secrets:learn_target(view.target)
  return {
    kind = view.upgrade and "connection" or "request",
    method = view.method,
    target = secrets:hide_target(view.target),
    headers = headers_of(view.headers),
    body = secrets:hide(view.body or ""),
  }
end

--- What the client had sent as the body of a recorded request, and whether that was all of it.
---@param exchange beam.replay.exchange
---@return string body
---@return boolean whole
function asked.body(exchange)
  local first, pieces, whole = exchange.events[1], {}, false
  if not first.upload then
    return first.data or "", true
  end
  for _, event in ipairs(exchange.events) do
    if event.event == "sent_piece" then
      pieces[#pieces + 1] = event.data
    elseif event.event == "sent_end" then
      whole = true
    end
  end
  return table.concat(pieces), whole
end

-- A deployment that Beam has under a name of its own host stands in the path at every other gateway.
local function as_path(first, kind)
  local label = first.host:match "^([0-9A-Za-z%-]+)%.app%.beam%.cloud$"
  local ok, url = pcall(address.resolve, { id = label }, kind, "http", "http://local")
  if label and ok then
    local rest = first.target:gsub("^/$", ""):gsub("^/%?", "?")
    return url:match "^http://local(.*)$" .. rest
  end
end

local function same_target(first, got)
  if first.target == got.target then
    return true
  end
  for _, kind in ipairs { "asgi", "endpoint", "taskqueue", "function" } do
    if as_path(first, kind) == got.target then
      return true
    end
  end
  return false
end

local function name(method, target)
  return method and method .. " " .. target or target
end

local function differing_header(first, got)
  local expected = headers_of(first.headers)
  for _, pair in ipairs(first.headers) do
    local field = pair[1]
    if got.headers[field] ~= expected[field] then
      return ("header %s: expected %s, got %s"):format(field, expected[field], got.headers[field] or "none")
    end
  end
end

--- What differs; nil: nothing.
---@param exchange beam.replay.exchange
---@param got beam.replay.asked
---@param exact boolean
---@return string? what
---@return integer alike the higher, the more alike they are
function asked.difference(exchange, got, exact)
  local first = exchange.events[1]
  if first.method and first.method ~= got.method or not same_target(first, got) then
    return ("expected %s, got %s"):format(name(first.method, first.target), name(first.method and got.method, got.target)), 0
  end
  local header = differing_header(first, got)
  if header then
    return header, 1
  elseif exchange.kind == "connection" then
    return nil, 3
  end
  local body, whole = asked.body(exchange)
  local same, how = compare.texts(body, whole and got.body or got.body:sub(1, #body), exact)
  if not same then
    return "body: " .. compare.explain(body, got.body, how), 2
  end
  return nil, 3
end

--- Whether its body is the same in another form only.
---@param exchange beam.replay.exchange
---@param got beam.replay.asked
---@return boolean
function asked.other_form(exchange, got)
  local body, whole = asked.body(exchange)
  return whole and exchange.kind == "request" and body ~= got.body
end

return asked
