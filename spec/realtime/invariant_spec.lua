-- What must hold of a connection whatever happens (docs/realtime.md, "The invariant"), in thousands of random stories on a virtual clock:
-- spec/virtual/story.lua plays one, spec/virtual/story/ledger.lua keeps the books.
--
--   BEAM_SEED=17   plays that one, and prints all that happens in it
--   SEEDS=10000    plays so many (make invariant)
local story = require "virtual.story"

local only = tonumber(os.getenv "BEAM_SEED")
local count = tonumber(os.getenv "SEEDS") or 800
local batch = math.max(1, math.floor(count / 16))

local failed_before = { 2481, 2529, 2767, 3312 } -- an unasked message was taken as proof that a request was read

local shown = 80 -- the last lines of a story that fails

local figures = { stories = 0, hours = 0, attempts = 0, connections = 0, sent = 0, received = 0 }
figures.written, figures.unknown, figures.expired, figures.dropped = 0, 0, 0, 0

local function add(played)
  figures.stories = figures.stories + 1
  figures.hours = figures.hours + (played.now() - 1000) / 3600
  figures.attempts = figures.attempts + played.ledger.attempts
  figures.connections = figures.connections + #played.peer.sessions
  figures.sent = figures.sent + played.ledger.last_id
  for outcome, times in pairs(played.ledger:count_outcomes()) do
    figures[outcome] = figures[outcome] + times
  end
  for _ in pairs(played.ledger.received) do
    figures.received = figures.received + 1
  end
end

-- Plays it again, for what happened before it failed.
local function failure(seed, what)
  local lines = {}
  story.play(seed, function(line)
    lines[#lines + 1] = line
  end)
  local last = table.concat(lines, "\n", math.max(1, #lines - shown + 1))
  return ("seed %d: %s\n%s\nplay it again: BEAM_SEED=%d busted spec/realtime/invariant_spec.lua"):format(seed, what, last, seed)
end

local function play(seed)
  local what, played = story.play(seed)
  if what then
    error(failure(seed, what), 0)
  end
  add(played)
end

-- LuaJIT takes three times as long to compile a story as to play it: an eighth of them is compiled.
local jit = rawget(_G, "jit")
local compiles = jit and jit.status()
local function compile(yes)
  if compiles then
    jit[yes and "on" or "off"]()
  end
end

describe("a connection", function()
  if only then
    it("holds what it promises in story " .. only, function()
      assert.is_nil((story.play(only, print)))
    end)
    return
  end
  it("holds what it promises in stories that failed before", function()
    for _, seed in ipairs(failed_before) do
      if seed > count then
        play(seed)
      end
    end
  end)
  for first = 1, count, batch do
    local last = math.min(count, first + batch - 1)
    it(("holds what it promises in stories %d to %d"):format(first, last), function()
      compile(first % (8 * batch) == 1)
      for seed = first, last do
        play(seed)
      end
      compile(true)
    end)
  end
  teardown(function()
    local text = "# %d stories, %.0f hours: %d attempts, %d connections, %d messages sent (%d written, %d unknown, %d expired, %d dropped), "
      .. "%d received"
    local f = figures
    print(text:format(f.stories, f.hours, f.attempts, f.connections, f.sent, f.written, f.unknown, f.expired, f.dropped, f.received))
  end)
end)
