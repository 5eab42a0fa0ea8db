-- What a connection script sees as beam.*, besides beam.null and beam.array. None of it waits; what can fail returns nil and a text.
local driver = require "beam.driver"
local log = require "beam.log"
local retry = require "beam.retry"

-- bytes of a text for the log: each of its lines is told by itself, and nothing can interrupt that
local longest_text = 16384

local not_in_charge = "there is no connection yet: this script is still being loaded"

local function shortened(text)
  if #text <= longest_text then
    return text
  end
  return ("%s… (%d bytes)"):format(text:sub(1, (utf8.offset(text, 0, longest_text + 1) or longest_text + 1) - 1), #text)
end

---@param self host.connection_script
---@return table<string, function>
return function(self)
  local provided = {}

  local function connection()
    if self.hooks.starting or not self.conn then
      return nil, not_in_charge
    end
    return self.conn
  end

  --- A table as JSON, a string as it is, through `outgoing`. true | nil, text
  function provided.send(message)
    local conn, err = connection()
    if not conn then
      return nil, err
    end
    return conn:send(message)
  end

  function provided.send_binary(bytes)
    local conn, err = connection()
    if not conn then
      return nil, err
    end
    return conn:send_binary(bytes)
  end

  --- Starts to close the connection for good.
  function provided.close(code, reason)
    local conn, err = connection()
    if not conn then
      return nil, err
    end
    self:begin_close(code, reason)
    return true
  end

  ---@return string none connecting open waiting closing closed
  function provided.state()
    return self:state()
  end

  ---@return table figures of the connection, as conn:stats() has them
  function provided.stats()
    return self.conn and self.conn:stats() or {}
  end

  ---@return number seconds monotonic
  function provided.now()
    return driver.now()
  end

  --- The seconds that the default policy would wait, or nil.
  function provided.backoff(attempt, err)
    if type(attempt) ~= "number" or type(err) ~= "table" then
      error("beam.backoff wants what the hook retry is given: a number and an error", 0)
    end
    return retry.default(attempt, err, self.conn or { was_ready = false })
  end

  --- A line in the host's log for each of the text; what is longer than 16 KiB is cut.
  ---@param text string
  ---@param level "error"|"warning"|"info"|"debug"|nil default info
  function provided.log(text, level)
    if level ~= nil and not log.levels[level] then
      error("beam.log: the level is error, warning, info or debug", 0)
    end
    self.tell.log(level or "info", shortened(tostring(text)))
  end

  --- Tells the host program something: a name, and a value that JSON has.
  function provided.emit(name, value)
    if type(name) ~= "string" then
      error("beam.emit wants a name, not a " .. type(name), 0)
    end
    self.tell.emit(name, value)
  end

  --- What the host configured.
  function provided.config()
    return self.config
  end

  return provided
end
