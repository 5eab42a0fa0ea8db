-- Waiting for the descriptor of beam.core inside nginx: directly by nginx's own event loop, or by the waker's thread where
-- that cannot be (lua/binding/nginx/nginx.h). Either way the worker's own light thread waits on one semaphore.
local core_library = require "beam.driver.nginx.library"
local ffi = require "ffi"
local log = require "beam.log"
local semaphore = require "ngx.semaphore"

ffi.cdef [[
  struct beam_nginx_watch { int pending; unsigned unserved; void *connection; void *semaphore; void *asker; };
  const char *beam_nginx_watch(struct beam_nginx_watch *watch, int fd, void *semaphore);
  void beam_nginx_unwatch(struct beam_nginx_watch *watch);
  int beam_nginx_timers(void);
  struct beam_nginx_waker;
  struct beam_nginx_waker *beam_nginx_waker_new(int fd);
  const char *beam_nginx_waker_path(const struct beam_nginx_waker *waker);
  int beam_nginx_waker_start(struct beam_nginx_waker *waker);
  void beam_nginx_waker_resume(struct beam_nginx_waker *waker);
  void beam_nginx_waker_free(struct beam_nginx_waker *waker);
]]

local Watch = {}
Watch.__index = Watch
Watch.__name = "beam.driver.nginx.descriptor"

local watch = {}

local longest = 1e6 -- seconds of one wait

local library -- from start() on

-- ---- Directly ----

local function watch_directly(self, fd)
  if type(self.semaphore.sem) ~= "cdata" then
    return nil, "ngx.semaphore is not what it was"
  end
  local direct = ffi.new "struct beam_nginx_watch"
  local problem = library.beam_nginx_watch(direct, fd, self.semaphore.sem)
  if problem ~= nil then
    return nil, ffi.string(problem)
  end
  self.direct = ffi.gc(direct, library.beam_nginx_unwatch)
  return true
end

-- ---- By the waker ----

local function read_wakes(self)
  while true do
    local byte, err = self.socket:receive(1)
    if byte then
      self.told = true
      self.semaphore:post(1)
    elseif err ~= "timeout" then
      return log.write("error", "the waker of nginx is lost: " .. err)
    end
  end
end

local function connect(waker)
  local socket = ngx.socket.tcp()
  socket:settimeouts(5000, 5000, longest * 1000)
  local ok, err = socket:connect("unix:" .. ffi.string(library.beam_nginx_waker_path(waker)))
  if not ok then
    return nil, err
  end
  local problem = library.beam_nginx_waker_start(waker)
  if problem ~= 0 then
    return nil, "errno " .. problem
  end
  return socket
end

local function start_waker(self, fd)
  local waker = library.beam_nginx_waker_new(fd)
  if waker == nil then
    return nil, "errno " .. ffi.errno()
  end
  self.waker = ffi.gc(waker, library.beam_nginx_waker_free)
  local socket, err = connect(waker)
  if not socket then
    return nil, err
  end
  self.socket = socket
  self.reader = ngx.thread.spawn(read_wakes, self)
  return true
end

-- ---- Both ----

---@return table
function watch.new()
  return setmetatable({ semaphore = assert(semaphore.new(0)) }, Watch)
end

--- Starts to watch. In the light thread that will wait.
---@param fd integer
---@param how "direct"|"waker"|nil nil: directly, if it can be
---@return string? how, string? err
function Watch:start(fd, how)
  library = core_library()
  if how ~= "waker" then
    local ok, problem = watch_directly(self, fd)
    if ok then
      return "direct"
    end
    log.write("warning", "nginx's event loop cannot watch for us (" .. problem .. "): a thread does")
  end
  local ok, err = start_waker(self, fd)
  return ok and "waker" or nil, err
end

--- Waits until there is something to do, or somebody pokes. What comes from now on is told again.
---@param seconds number? no longer than that
function Watch:wait(seconds)
  self.semaphore:wait(seconds or longest)
  local direct = self.direct
  if direct then
    direct.pending = 0
  end
end

-- ---- In the keeper's place ----

local told_asker = 2

--- Whether somebody else can be told in the keeper's place: nobody is now.
---@return boolean
function Watch:can_be_asked()
  return self.direct and not (self.asker and self.asker:count() < 0) or false
end

--- While somebody waits for this semaphore, he is told in the keeper's place. It is held until it is given back, or another one comes,
--- for nobody tells us when a light thread is killed.
---@param asker table
function Watch:ask(asker)
  self.asker, self.direct.asker = asker, asker.sem
end

--- It is given back. What comes from now on is told again.
---@return boolean whether he was told, and has to make the step
function Watch:was_told()
  local direct = self.direct
  self.asker = false
  if not direct then
    return false
  end
  direct.asker = nil
  local told = direct.pending == told_asker
  if told then
    direct.pending = 0
  end
  return told
end

--- The step was made.
function Watch:served()
  if self.told then
    self.told = false
    library.beam_nginx_waker_resume(self.waker)
  end
end

--- Ends a wait, from anywhere.
function Watch:poke()
  if self.semaphore:count() <= 0 then
    self.semaphore:post(1)
  end
end

--- How many timers keep the worker from ending, this one's among them; -1: nobody knows.
---@return integer
function Watch.timers()
  return library.beam_nginx_timers()
end

function Watch:stop()
  if self.direct then
    library.beam_nginx_unwatch(ffi.gc(self.direct, nil))
    self.direct = nil
  end
  if self.reader then
    ngx.thread.kill(self.reader)
    self.socket:close()
    self.reader = nil
  end
  if self.waker then
    library.beam_nginx_waker_free(ffi.gc(self.waker, nil))
    self.waker = nil
  end
end

return watch
