-- The page as one file: its style and its program stand in it, and nothing is fetched but from this server.
local markup = require "beam.serve.ui.markup"
local url = require "beam.serve.url"

local page = {}

local parts = {
  style = { "beam.serve.ui.style" },
  program = { "beam.serve.ui.program", "beam.serve.ui.program_try", "beam.serve.ui.program_show" },
}

local function joined(modules)
  local texts = {}
  for i, name in ipairs(modules) do
    texts[i] = require(name)
  end
  return table.concat(texts, "\n")
end

local made -- the text, once somebody has asked for it

local function text()
  made = made or markup:gsub("{([a-z]+)}", function(name)
    return parts[name] and joined(parts[name])
  end)
  return made
end

local policy = "default-src 'none'; script-src 'nonce-%s'; style-src 'nonce-%s'; img-src data:; connect-src 'self'; "
  .. "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

--- The file, and the headers that go with it: no script, style, frame or connection but its own.
---@return string[][] headers, string text
function page.render()
  local nonce = url.uuid()
  return {
    { "content-type", "text/html; charset=utf-8" },
    { "cache-control", "no-store" },
    { "content-security-policy", policy:format(nonce, nonce) },
    { "cross-origin-opener-policy", "same-origin" },
    { "referrer-policy", "no-referrer" },
    { "x-content-type-options", "nosniff" },
    { "x-frame-options", "DENY" },
  }, (text():gsub("NONCE", nonce))
end

return page
