-- Lines of standard input, read while everything else goes on: io.read would stop the connections until a line has come.
--
-- What is read here is not seen by io.read, and the other way round: use one of them.
local driver = require "beam.driver"
local errors = require "beam.error"
local seconds = require "beam.settings.seconds"

local longest = 1024 * 1024 -- bytes of a line

local Lines = {}
Lines.__index = Lines
Lines.__name = "beam.lines"

local lines = {}

---@param fd integer
function lines.new(fd)
  return setmetatable({ fd = fd, text = "", first = 1, came = driver.signal(), reading = false, ended = false }, Lines)
end

local function take(self)
  local last = self.text:find("\n", self.first, true)
  if last then
    local line = self.text:sub(self.first, last - 1)
    self.first = last + 1
    return (line:gsub("\r$", ""))
  elseif self.ended and self.first <= #self.text then
    local line = self.text:sub(self.first)
    self.first = #self.text + 1
    return line
  end
end

local function start(self)
  local read, err = driver.context():read(self.fd, function(data, problem)
    driver.detach()
    self.reading = false
    self.text, self.first = self.text:sub(self.first) .. data, 1
    self.ended, self.problem = data == "", problem
    self.came:wake_all()
  end)
  if not read then
    return nil, errors.from_core(err, "standard input")
  end
  driver.attach()
  self.reading = true
  return true
end

local function over(self)
  if self.problem then
    return nil, errors.new { kind = "invalid", message = "standard input cannot be read: " .. self.problem }
  elseif self.ended then
    return nil
  end
  return nil, errors.new { kind = "too_large", message = ("a line of standard input is over %d bytes"):format(longest) }
end

--- Waits for the next line, without its end. A time-out changes nothing.
---@param timeout number? seconds; nil: as long as it takes
---@return string? line nil: there are no more, or
---@return beam.error? err why there is none
function Lines:read(timeout)
  seconds.check_wait(timeout, "beam.read_line")
  local deadline = timeout and driver.now() + timeout
  while true do
    local line = take(self)
    if line then
      return line
    elseif self.ended or #self.text - self.first + 1 > longest then
      return over(self)
    elseif not self.reading then
      local ok, err = start(self)
      if not ok then
        return nil, err
      end
    end
    if not self.came:wait(deadline and math.max(0, deadline - driver.now())) and driver.now() >= deadline then
      return nil, errors.timeout("line from standard input", timeout)
    end
  end
end

local standard

--- The next line of standard input: nil at its end, nil and an error otherwise.
---@param timeout number? seconds
---@return string? line, beam.error? err
function lines.read_line(timeout)
  standard = standard or lines.new(0)
  return standard:read(timeout)
end

--- for line in beam.lines() do … end: until the end of standard input. Raises what read_line returns as an error.
---@return fun(): string? line
function lines.lines()
  return function()
    local line, err = lines.read_line()
    if err then
      error(err, 0)
    end
    return line
  end
end

return lines
