-- Run by json_test.c. SEEDS=100000 plays as many.
package.path = "lua/?.lua;spec/?.lua;" .. package.path
local random_json = require "json_random"
local values = require "beam.json.values"
values.explain = require "beam.json.writer"
local decode, encode = require("beam.core").json(values)

-- Every beginning of a text ends somewhere else.
local function cut(text)
  for length = 0, #text do
    decode(text:sub(1, length))
  end
end

for seed = 1, tonumber(os.getenv "SEEDS" or 3000) do
  local random = random_json.source(seed)
  local text = random_json.text(random, 1)
  cut(text:sub(1, 200))
  local value = decode(random_json.spoil(random, text))
  encode(value)
  encode(random_json.any(random))
end

local long = ('"' .. ("x"):rep(3000) .. "\\u00e9" .. ("\\n"):rep(3000) .. '"')
assert(#decode(long) == 6002 and decode(encode(decode(long))) == decode(long))
