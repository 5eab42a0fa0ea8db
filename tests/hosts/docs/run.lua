-- Runs the programs in a page, block after block, and speaks TAP.   usage: run.lua PAGE COUNT [LINE]   (the first test's number; one block)
--
-- A block ```lua runs as it stands; what it defines at its left edge is there for the next ones of the page. It must not fail, and no call
-- in it may return an error that nobody asked for. Where a block ``` without a language follows at once, that is what it prints. In front
-- of a block, invisible in the page:
--
--   <!-- no run: why -->       it is no program by itself; it must compile
--   <!-- run: code -->         this runs before it
--   <!-- after: code -->       this runs after it
--   <!-- run alone -->         in a process of its own (it takes another event loop)
--   <!-- fails: kind, … -->    errors of these kinds are what it shows
local root = os.getenv "BEAM_ROOT"
package.path = root .. "/docs/?.lua;" .. package.path
local beam = require "beam"
local compat = require "beam.base.compat"
local pages = require "reference.pages"

local page, first, only = arg[1], tonumber(arg[2]), tonumber(arg[3])
local patience = 60 -- seconds for a block

-- ---- The blocks of a page ----

local function directives(comment, block)
  for name, text in comment:gmatch "<!%-%-%s*([%l ]-)%s*:%s*(.-)%s*%-%->" do
    block[name] = text
  end
  block.alone = comment:find "<!%-%- run alone %-%->" ~= nil
end

local function read_blocks(text)
  local blocks, number, comment, last = {}, 0, "", nil
  local open
  for line, fence in pages.lines(text) do
    number = number + 1
    if fence and line == fence and not open then
      open = { line = number, fence = fence, lines = {} }
      if fence == "```lua" then
        directives(comment, open)
        blocks[#blocks + 1] = open
      elseif fence == "```" and last and last.fence == "```lua" then
        last.prints = open.lines
      end
    elseif fence and line == "```" then
      last, open, comment = open, nil, ""
    elseif open then
      open.lines[#open.lines + 1] = line
    elseif line ~= "" then
      comment = (line:find "^<!%-%-" or comment:find "<!%-%-" and not comment:find "%-%->%s*$") and comment .. line .. "\n" or ""
      last = nil
    end
  end
  return blocks
end

-- ---- A block ----

-- What stands at the left edge outlives its block.
local function outlive(lines)
  local kept = {}
  for _, source in ipairs(lines) do
    local line = source:gsub("^local function ", "function ")
    if line:find "^local [%w_, ]+$" then
      line = line .. " = nil"
    end
    kept[#kept + 1] = line:gsub("^local ([%w_]+) <close> =", "%1 ="):gsub("^local ", "")
  end
  return table.concat(kept, "\n")
end

local env = setmetatable({ beam = beam }, { __index = _G })
local printed, failures

function env.print(...)
  local texts = {}
  for i = 1, select("#", ...) do
    texts[i] = tostring((select(i, ...)))
  end
  printed[#printed + 1] = table.concat(texts, "\t")
end

env.io = setmetatable({
  write = function(...)
    printed[#printed + 1] = table.concat { ... }
  end,
}, { __index = io })

-- The errors that are returned, also those that a program throws away.
for _, name in ipairs { "call", "stream", "submit", "realtime", "pool" } do
  local real = beam[name]
  rawset(beam, name, function(...)
    local results = compat.pack(real(...))
    if results[1] == nil then
      failures[#failures + 1] = results[2]
    end
    return compat.unpack(results, 1, results.n)
  end)
end

local function compile(text, name)
  if setfenv then -- luacheck: ignore 113
    local chunk, err = loadstring(text, name) -- luacheck: ignore 113
    return chunk and setfenv(chunk, env), err -- luacheck: ignore 113
  end
  return load(text, name, "t", env)
end

local function unexpected(block)
  for _, err in ipairs(failures) do
    if not block.prints and not (block.fails or ""):find(err.kind, 1, true) then
      return tostring(err)
    end
  end
end

local function compare(block)
  local gateway = (os.getenv "BEAM_GATEWAY_URL"):gsub("%p", "%%%0")
  local text = (table.concat(printed, "\n") .. "\n"):gsub(gateway, "http://127.0.0.1:1994")
  local wanted = table.concat(block.prints or {}, "\n") .. "\n"
  if block.prints and text ~= wanted then
    return "it prints:\n" .. text .. "the page says:\n" .. wanted
  elseif text:find "table: 0x%x" then
    return "it prints where a table is, and not what is in it (beam.inspect):\n" .. text
  end
end

local function run_text(text, name)
  local chunk, problem = compile(text, name)
  if not chunk then
    return problem
  end
  -- On the main thread for other loops; else where it can be given up.
  if only then
    local ok, err = xpcall(chunk, debug.traceback)
    return not ok and tostring(err) or nil
  end
  local task = beam.spawn(function()
    chunk()
    return true
  end)
  local ok, err = task:join(patience)
  return not ok and tostring(err) or nil
end

local function run_parts(block, name)
  local text = ("\n"):rep(block.line) .. outlive(block.lines)
  return run_text(block.run or "", name .. " (run)") or run_text(text, name) or run_text(block.after or "", name .. " (after)")
end

local function run_alone(block)
  local command = ("%s %s/tests/hosts/docs/run.lua %s 1 %d 2>&1"):format(os.getenv "LUA_ALONE", root, page, block.line)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  pipe:close()
  return not text:find "^ok 1" and text or nil
end

local function run_block(block)
  printed, failures = {}, {}
  local name = ("@%s"):format(page)
  if block["no run"] then
    local chunk, problem = compile(table.concat(block.lines, "\n"), name)
    return not chunk and problem or nil
  elseif block.alone and not only then
    return run_alone(block)
  end
  return run_parts(block, name) or unexpected(block) or compare(block)
end

for _, block in ipairs(read_blocks(pages.read(root .. "/" .. page))) do
  if not only or block.line == only then
    local problem = run_block(block)
    print(("%sok %d - %s:%d %s"):format(problem and "not " or "", first, page, block.line, block["no run"] and "compiles" or "runs"))
    if problem then
      print("# " .. problem:gsub("\n", "\n# "))
    end
    first = first + 1
  end
end
os.exit(true, true)
