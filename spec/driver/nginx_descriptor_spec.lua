-- What lua/binding/nginx/descriptor.c makes of connections whose layout is not nginx's, and what happens outside nginx. LuaJIT only: it is called by ffi.
local has_ffi, ffi = pcall(require, "ffi")
if not has_ffi then
  describe("nginx_watch", function()
    it("needs LuaJIT", function()
      assert.is_nil(rawget(_G, "jit"))
    end)
  end)
  return
end

require "beam.core"
ffi.cdef [[
  struct spec_event { void *data; unsigned bits; int available; void *handler; uintptr_t index; void *log; };
  struct spec_connection { void *data; struct spec_event *read, *write; int fd; };
  struct spec_watch { int pending; unsigned unserved; void *connection; void *semaphore; void *asker; };
  const char *beam_nginx_mismatch(const void *connection, int fd);
  const char *beam_nginx_watch(void *watch, int fd, void *semaphore);
  void beam_nginx_unwatch(void *watch);
]]
local library = ffi.load((assert(package.searchpath("beam.core", package.cpath))))
local unused = ffi.cast("uintptr_t", 0xd0d0d0d0)

describe("nginx_watch", function()
  -- One as ngx_get_connection(7) makes it. What it points to is held by the second value.
  local function connection()
    local read, write, made = ffi.new "struct spec_event", ffi.new "struct spec_event", ffi.new "struct spec_connection"
    made.read, made.write, made.fd = read, write, 7
    read.data, write.data, write.bits = made, made, 1
    read.index, write.index = unused, unused
    return made, { read, write }
  end

  local function mismatch(change)
    local made, held = connection()
    change(made)
    local problem = library.beam_nginx_mismatch(made, 7)
    assert(held)
    return problem ~= nil and ffi.string(problem) or nil
  end

  it("takes a connection as nginx makes it", function()
    assert.is_nil(mismatch(function() end))
  end)

  for name, case in pairs {
    fd = { "ngx_connection_t.fd is not where it was", function(made) made.fd = 8 end },
    read = { "ngx_connection_t.read and .write are not where they were", function(made) made.read = nil end },
    write = { "ngx_connection_t.read and .write are not where they were", function(made) made.write = made.read end },
    odd = {
      "ngx_connection_t.read and .write are not where they were",
      function(made) made.read = ffi.cast("struct spec_event *", 4097) end,
    },
    data = { "ngx_event_t.data is not where it was", function(made) made.read.data = nil end },
    write_data = { "ngx_event_t.data is not where it was", function(made) made.write.data = made.read end },
    write_bit = { "the bits of ngx_event_t are not what they were", function(made) made.write.bits = 2 end },
    read_bit = { "the bits of ngx_event_t are not what they were", function(made) made.read.bits = 1 end },
    active = { "the bits of ngx_event_t are not what they were", function(made) made.read.bits = 8 end },
    index = { "ngx_event_t.index is not where it was", function(made) made.read.index = 0 end },
    write_index = { "ngx_event_t.index is not where it was", function(made) made.write.index = 0 end },
    handler = { "ngx_event_t.handler and .log are not where they were", function(made) made.read.handler = made end },
    log = { "ngx_event_t.handler and .log are not where they were", function(made) made.read.log = made end },
  } do
    it("refuses another " .. name, function()
      assert.are.equal(case[1], mismatch(case[2]))
    end)
  end

  it("says outside nginx that there is no nginx, and holds nothing", function()
    local watch = ffi.new "struct spec_watch"
    local problem = library.beam_nginx_watch(watch, 7, watch)
    assert.are.equal("nginx does not export ngx_get_connection, ngx_free_connection and ngx_event_actions", ffi.string(problem))
    assert.is_true(watch.connection == nil)
    library.beam_nginx_unwatch(watch)
  end)
end)
