-- In which phases of a request nginx lets Lua wait.
local core = require("beam.base.native").core()

local phase = {}

phase.may_wait = {
  rewrite = true,
  server_rewrite = true,
  access = true,
  content = true,
  timer = true,
  ssl_cert = true,
  ssl_client_hello = true,
  ssl_session_fetch = true,
}

local cannot = "beam: nothing can be waited for in the phase '%s' of nginx: rewrite, access, content, timers (ngx.timer.at), light "
  .. "threads of these, and ssl_certificate, ssl_client_hello and ssl_session_fetch can wait%s"
local hints = {
  init = "; here, before the workers start, only the module is loaded",
  init_worker = "; start with ngx.timer.at(0, ...) or beam.spawn(...), which run once the worker does",
  log = "; what does not wait, as conn:send, may be called here",
}
local across = "beam: nothing can be waited for here, inside a function that C calls (table.sort, string.gsub, a metamethod of C): "
  .. "get what is needed before, or after"

--- Whether light threads can be started, and can wait, where the caller is.
---@return boolean
function phase.allows_threads()
  return phase.may_wait[ngx.get_phase()] == true
end

---@return boolean whether the caller can be suspended
function phase.may_wait_here()
  return phase.allows_threads() and core.can_yield()
end

--- Raises where the caller cannot be suspended.
function phase.check_may_wait()
  local now = ngx.get_phase()
  if not phase.may_wait[now] then
    error(cannot:format(now, hints[now] or ""), 0)
  elseif not core.can_yield() then -- nginx would have noted the wait already when Lua refuses it
    error(across, 0)
  end
end

--- Raises where there is no worker whose connections these could be.
function phase.check_is_worker()
  if ngx.get_phase() == "init" then
    error("beam: init_by_lua runs before there are workers: use init_worker_by_lua_block { require('beam').setup() }", 0)
  end
  local process = require("ngx.process").type()
  if process ~= "worker" and process ~= "single" then
    error(("beam: connections belong to the workers of nginx, and this process is its %s"):format(tostring(process)), 0)
  end
end

return phase
