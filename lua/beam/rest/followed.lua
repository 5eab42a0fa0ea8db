-- What the user has of a stream of the API with numbered events: its items one by one (rest/numbered.lua brings them).
local compat = require "beam.base.compat"
local numbered = require "beam.rest.numbered"

local followed = {}

---@class beam.followed
---@overload fun(): any, table?
---@field err beam.error? why it ended early
local Followed = {}
local meta = { __name = "beam.followed", __index = Followed }

local function take(self, state)
  local entry = state[state.first]
  state[state.first] = nil
  state.first = state.first + 1
  return self.show(entry.record, entry.event)
end

--- Waits for the next one.
---@return any item a line of a log; the type of an event; nil: that was the last one, or an error
---@return table|beam.error|nil record Beam's, or the error
function Followed:next()
  local state = self.state
  while state.first > state.last do
    if state.over then
      self.err = state.err
      return nil, state.err
    end
    numbered.advance(state)
  end
  return take(self, state)
end

meta.__call = require "beam.base.iterate"

--- Ends it; a next() that waits in another coroutine returns nil. May be called twice.
function Followed:close()
  local state = self.state
  state.first, state.last = 1, 0
  numbered.finish(state)
end

meta.__close = Followed.close

---@param state beam.numbered
---@param show fun(record: table, event: string?): any, table what an entry is for the user
---@return beam.followed
function followed.new(state, show)
  local self = setmetatable({ state = state, show = show }, meta)
  self.guard = compat.guard(function()
    numbered.finish(state)
  end)
  return self
end

return followed
