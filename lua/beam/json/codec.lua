-- A codec of the user's in the place of beam.json: any table with encode and decode (cjson, cjson.safe, dkjson, rapidjson). What it
-- raises, or returns as nil and a message, is told; nothing of ours goes through it but what the user sends and gets.
local mistake = require "beam.base.mistake"
local null = require "beam.json.null"

local codec = {}

-- (whether it raised nothing, its results) -> value, or nil and a message. dkjson has the position second and the message third.
local function outcome(ok, value, second, third)
  if not ok then
    return nil, tostring(value)
  elseif value == nil then
    local message = type(third) == "string" and third or type(second) == "string" and second or nil
    return nil, message
  end
  return value
end

local function encoder(encode)
  return function(value)
    local text, message = outcome(pcall(encode, value))
    if type(text) ~= "string" then
      return nil, message or "the codec made no text of it"
    end
    return text, false
  end
end

-- A null may be nil there.
local function decoder(decode, nothing)
  return function(text)
    local value, message = outcome(pcall(decode, text))
    if value == nil and not message and text:find "^%s*null%s*$" then
      return nothing
    end
    return value, value == nil and (message or "the codec made nothing of it") or nil
  end
end

local function is_callable(value)
  local meta = getmetatable(value)
  return type(value) == "function" or type(meta) == "table" and type(meta.__call) == "function"
end

---@class beam.json_codec what `json` of beam.client may be
---@field encode fun(value: any): string?, string?
---@field decode fun(text: string): any, string?

--- What calls, streams, tasks and connections ask in the place of beam.json.
---@param chosen beam.json_codec
---@param where string "beam.client"
---@return table codec encode, encode_checked, decode, null
function codec.of(chosen, where)
  if not is_callable(chosen.encode) or not is_callable(chosen.decode) then
    mistake(where .. ": option 'json' wants a table with two functions, encode and decode (cjson.safe, dkjson)")
  end
  local encode = encoder(chosen.encode)
  local nothing = chosen.null ~= nil and not is_callable(chosen.null) and chosen.null or null
  return { encode = encode, encode_checked = encode, decode = decoder(chosen.decode, nothing), null = nothing }
end

return codec
