-- What a replay found: how the client differed from the recording.
local report = {}

local most = 100 -- differences that are kept; more are counted

---@class beam.replay.report
---@field ok boolean nothing differed
---@field differences string[] the first hundred, in order: "connection 1, message 3 (line 17): expected …, got …"
---@field count integer all of them
---@field connections integer played
---@field requests integer
---@field messages integer compared: messages, bodies, closes
---@field form integer those of them that were written otherwise: the order of keys, or spaces
---@field notes string[] what is no difference, and yet to be known
local Report = {}
Report.__index = Report
Report.__name = "beam.replay.report"

function report.new()
  return setmetatable({ ok = true, differences = {}, count = 0, connections = 0, requests = 0, messages = 0, form = 0, notes = {} }, Report)
end

---@param where string
---@param line integer? of the recording
---@param what string
function Report:differ(where, line, what)
  self.ok = false
  self.count = self.count + 1
  if self.count <= most then
    self.differences[self.count] = ("%s%s: %s"):format(where, line and (" (line %d)"):format(line) or "", what)
  end
end

function Report:note(text)
  if #self.notes < most then
    table.insert(self.notes, text)
  end
end

local function plural(count, word)
  return ("%d %s%s"):format(count, word, count == 1 and "" or "s")
end

--- A summary in a few lines; the first difference stands in it.
function Report:__tostring()
  local played = ("%s and %s played, %s compared"):format(
    plural(self.connections, "connection"),
    plural(self.requests, "request"),
    plural(self.messages, "message")
  )
  local lines = {}
  if self.ok then
    lines[1] = played .. ": no difference"
  else
    lines[1] = ("%s: %s"):format(played, plural(self.count, "difference"))
    lines[2] = "first difference: " .. self.differences[1]
  end
  if self.form > 0 then
    lines[#lines + 1] = plural(self.form, "message") .. " the same but for the order of keys, or spaces"
  end
  for _, note in ipairs(self.notes) do
    lines[#lines + 1] = note
  end
  return table.concat(lines, "\n")
end

return report
