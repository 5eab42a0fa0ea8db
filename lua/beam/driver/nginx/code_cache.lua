-- lua_code_cache off, which developers set while they write: each request has a Lua state of its own, and it ends with the request only if
-- we have nothing in it any more. Nothing tells a state that it is one of many, so they are counted: of a worker's second one on, all know,
-- and the first is woken to see it.
local compat = require "beam.base.compat"
local core_library = require "beam.driver.nginx.library"
local ffi = require "ffi"
local log = require "beam.log"

ffi.cdef [[
  unsigned beam_nginx_states(int stream);
  unsigned beam_nginx_enter(int stream, void (*wake)(void *argument), void *argument);
  void beam_nginx_leave(int stream, void *argument);
]]

local code_cache = {}

local stream = ngx.config and ngx.config.subsystem == "stream" and 1 or 0
local told = "lua_code_cache is off: each request makes its own connections, and they end with it. Turn it on to serve"

local library, argument -- from the first event loop on
local entered = false
local is_over = false -- the request that began it; known when its ngx.ctx is collected

--- The state has an event loop from now on.
---@param ctx beam.core.context
function code_cache.enter(ctx)
  library = core_library()
  local wake
  wake, argument = ctx:waker()
  if not entered then
    entered = true
    local before = library.beam_nginx_enter(stream, ffi.cast("void (*)(void *)", wake), argument)
    if before == 1 then
      log.write("warning", told)
    end
  end
end

--- It has none any more.
function code_cache.leave()
  library.beam_nginx_leave(stream, argument)
end

---@return boolean this state is the request's own
function code_cache.is_off()
  return entered and library.beam_nginx_states(stream) > 1
end

--- Takes note of the caller's request.
function code_cache.follow_request()
  pcall(function()
    ngx.ctx["beam.driver.nginx.code_cache"] = compat.guard(function()
      is_over = true
    end)
  end)
end

--- Whether the request has ended; looks by collecting what nobody holds.
---@return boolean
function code_cache.request_is_over()
  collectgarbage()
  return is_over
end

return code_cache
