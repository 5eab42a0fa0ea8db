-- The outbox: what waits to be sent, bounded and in the order of the calls, in front of a connection that is not open or may not
-- send faster.
--
-- An entry is { data = string, binary = boolean, message = any, expires = seconds? }; `key` is set here. Each ends
-- exactly once: pop() hands it out, or on_outcome(entry, "expired"|"dropped") is told, or push() did not take it.
local check_options = require("beam.error").check_options
local mistake = require "beam.base.mistake"
local duration = require "beam.settings.seconds"
local new_pace = require("beam.realtime.queue.pace").new

local Outbox = {}
Outbox.__index = Outbox
Outbox.__name = "beam.outbox"

local outbox = {}

-- ---- Options ----

---@class beam.outbox_options
---@field max integer? messages, default 1024
---@field max_bytes integer? default 64 MiB
---@field ttl number? seconds that a message may wait, default: for ever
---@field overflow "error"|"wait"|"drop_oldest"|"drop_newest"|nil what happens to one too many; default "error": it is refused; "wait": so
---it is here, and its sender waits (room.lua)
---@field rate number? messages a second
---@field coalesce (fun(message: any): any)? gives a key; a newer message takes the place of a waiting one with the same key
---@field on_outcome fun(entry: table, outcome: "expired"|"dropped")? must not call the outbox
---@field failed fun(raised: any)? told what coalesce raised
---@field warn fun(line: string)? told when more is offered than sent, for a while
local numbers = { max = 1, max_bytes = 1, ttl = 0, rate = 1e-6 } -- each with its least
local policies = { error = true, drop_oldest = true, drop_newest = true, wait = true }
local known = { overflow = true, coalesce = true, on_outcome = true, failed = true, warn = true }
for name in pairs(numbers) do
  known[name] = true
end

local function check(options, where)
  check_options(options, known, where)
  duration.check(options.ttl, where .. ": 'ttl'", 0)
  for name, least in pairs(numbers) do
    local value = options[name]
    if value ~= nil and not (type(value) == "number" and value >= least) then
      mistake(("%s: '%s' wants a number%s"):format(where, name, least == 1 and ", 1 or more" or " above 0"))
    end
  end
  if options.overflow ~= nil and not policies[options.overflow] then
    error(where .. ": 'overflow' is error, wait, drop_oldest or drop_newest", 0)
  elseif options.coalesce ~= nil and type(options.coalesce) ~= "function" then
    error(where .. ": 'coalesce' wants a function", 0)
  end
end

local function ignore() end

--- Raises for options that make no sense.
---@param options beam.outbox_options
---@param where string? whose options they are, for messages
function outbox.new(options, where)
  check(options, where or "beam.realtime, queue")
  return setmetatable({
    max = options.max or 1024,
    max_bytes = options.max_bytes or 64 * 1024 * 1024,
    ttl = options.ttl,
    overflow = options.overflow or "error",
    coalesce = options.coalesce,
    on_outcome = options.on_outcome or ignore,
    failed = options.failed or ignore,
    pace = options.rate and new_pace(options.rate, options.warn),
    first = 1, -- self[first] to self[last] are the entries
    last = 0,
    bytes = 0,
    keys = {}, -- key: where its entry is
    next_expiry = math.huge, -- nothing expires before
  }, Outbox)
end

outbox.none = outbox.new {} -- of those who have had nothing wait: nothing may be pushed

--- How many wait.
---@return integer
function Outbox:count()
  return self.last - self.first + 1
end

-- ---- Places ----

local function put(self, entry, index)
  self[index] = entry
  self.bytes = self.bytes + #entry.data
  if entry.key ~= nil then
    self.keys[entry.key] = index
  end
  if entry.expires and entry.expires < self.next_expiry then
    self.next_expiry = entry.expires
  end
end

local function take(self, index)
  local entry = self[index]
  self[index] = nil
  self.bytes = self.bytes - #entry.data
  if entry.key ~= nil then
    self.keys[entry.key] = nil
  end
  return entry
end

local function take_first(self)
  local entry = take(self, self.first)
  self.first = self.first + 1
  if self.first > self.last then -- the array starts again where it has memory
    self.first, self.last, self.next_expiry = 1, 0, math.huge
  end
  return entry
end

-- One that coalesce fails on has no key: nothing takes its place.
local function key_of(self, entry)
  local ok, key = pcall(self.coalesce, entry.message)
  if not ok then
    self.failed(key)
  elseif key == key then -- NaN is no key
    return key or nil
  end
end

-- Sets what an entry needs to wait here, once.
local function prepare(self, entry, now)
  if self.ttl and not entry.expires then
    entry.expires = now + self.ttl
  end
  if self.coalesce and entry.key == nil then
    entry.key = key_of(self, entry)
  end
end

-- ---- In and out ----

local function has_room(self, size, replaced)
  local count, bytes = self:count() + 1, self.bytes + size
  if replaced then
    count, bytes = count - 1, bytes - #replaced.data
  end
  return count <= self.max and bytes <= self.max_bytes
end

-- Makes room for an entry as `overflow` says. Returns whether it may come in, or nil and "full".
local function make_room(self, entry)
  local size = #entry.data
  while not has_room(self, size, entry.key ~= nil and self[self.keys[entry.key]]) do
    if self.overflow == "error" or self.overflow == "wait" or size > self.max_bytes then
      return nil, "full"
    elseif self.overflow == "drop_newest" then
      self.on_outcome(entry, "dropped")
      return false
    end
    self.on_outcome(take_first(self), "dropped")
  end
  return true
end

--- Adds an entry at the end; or in the place of the one with its key, which is dropped.
---@param entry table
---@param now number
---@return true? taken its end is told, even if that was at once
---@return "full"? refused
function Outbox:push(entry, now)
  prepare(self, entry, now)
  if now >= self.next_expiry then
    self:expire(now)
  end
  local place = entry.key ~= nil and self.keys[entry.key]
  if self.pace and not place then
    self.pace:offer()
  end
  local room, refused = make_room(self, entry)
  if not room then
    return room == false or nil, refused
  end
  place = entry.key ~= nil and self.keys[entry.key]
  if place then
    local replaced = take(self, place)
    put(self, entry, place)
    self.on_outcome(replaced, "dropped")
  else
    self.last = self.last + 1
    put(self, entry, self.last)
  end
  return true
end

--- Takes out the entry whose turn it is.
---@param now number
---@return table? entry
---@return number? wait seconds until there may be one; nil: nothing waits
function Outbox:pop(now)
  if now >= self.next_expiry then
    self:expire(now)
  end
  if self.first > self.last then
    return nil
  end
  local pace = self.pace
  if pace then
    local wait = pace:wait(now, self:count())
    if wait > 0 then
      return nil, wait
    end
    pace:went(now)
  end
  return take_first(self)
end

--- Ends what has waited too long.
---@param now number
---@return table[] entries
function Outbox:expire(now)
  local expired = {}
  if now < self.next_expiry then
    return expired
  end
  for _, entry in ipairs(self:take_all()) do
    if entry.expires and entry.expires <= now then
      expired[#expired + 1] = entry
    else
      self.last = self.last + 1
      put(self, entry, self.last)
    end
  end
  for _, entry in ipairs(expired) do
    self.on_outcome(entry, "expired")
  end
  return expired
end

--- Puts entries at the front, in their order, whatever the bounds: they were in before. One whose key a newer one has is
--- dropped.
---@param entries table[]
---@param now number
function Outbox:requeue(entries, now)
  for i = #entries, 1, -1 do
    local entry = entries[i]
    prepare(self, entry, now)
    if entry.key ~= nil and self.keys[entry.key] then
      self.on_outcome(entry, "dropped")
    else
      self.first = self.first - 1
      put(self, entry, self.first)
    end
  end
end

--- All that wait, in order; they stay.
---@return table[]
function Outbox:entries()
  local list = {}
  for index = self.first, self.last do
    list[#list + 1] = self[index]
  end
  return list
end

--- All that wait, in order; they are the caller's now.
---@return table[]
function Outbox:take_all()
  local list = {}
  while self.first <= self.last do
    list[#list + 1] = take_first(self)
  end
  return list
end

return outbox
