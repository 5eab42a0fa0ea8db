-- The timers of an owner (beam/driver/timers.lua).
local beam = require "beam"
local driver = require "beam.driver"
local new = require("beam.driver.timers").new

describe("the timers of an owner", function()
  local owner, fired
  before_each(function()
    owner, fired = { name = "owner" }, {}
  end)

  local function note(name)
    return function(given)
      assert.are.equal(owner, given)
      fired[#fired + 1] = name
    end
  end

  local function wait_for(count)
    for _ = 1, 1000 do
      if #fired >= count then
        return
      end
      beam.sleep(0.005)
    end
  end

  it("fire in the order of their times, once", function()
    local timers = new(owner)
    timers:set("third", 0.5, note "third") -- counted from here: the others are set later, on a busy machine by much
    timers:set("first", 0, note "first")
    timers:set("second", 0.015, note "second")
    assert.is_true(timers:is_set "second")
    wait_for(3)
    beam.sleep(0.05)
    assert.are.same({ "first", "second", "third" }, fired)
    assert.is_false(timers:is_set "second")
  end)

  it("replace the one of their name", function()
    local timers = new(owner)
    timers:set("it", 0, note "before")
    timers:set("it", 0.01, note "after")
    wait_for(1)
    assert.are.same({ "after" }, fired)
  end)

  it("are stopped one by one, all, or all but one", function()
    local timers, others = new(owner), new(owner)
    for _, name in ipairs { "a", "b", "c", "d" } do
      timers:set(name, 0.01, note(name))
      others:set(name, 0.01, note("other " .. name))
    end
    timers:stop "b"
    timers:stop "of no such name"
    timers:stop_all "c"
    others:stop_all()
    assert.are.same({ false, false, true, false }, { timers:is_set "a", timers:is_set "b", timers:is_set "c", timers:is_set "d" })
    wait_for(1)
    beam.sleep(0.03)
    assert.are.same({ "c" }, fired)
  end)

  it("may set and stop one another when they fire", function()
    local timers, other = new(owner), new(owner)
    other:set("late", 0.02, note "late")
    timers:set("it", 0.01, function()
      other:stop "late"
      timers:set("it", 0, note "again")
    end)
    wait_for(1)
    beam.sleep(0.04)
    assert.are.same({ "again" }, fired)
  end)

  it("are each on their own: one that fails keeps no other from firing", function()
    local timers, other = new(owner), new(owner)
    timers:set("it", 0.005, function()
      error "not today"
    end)
    other:set("it", 0.005, note "other")
    local ok, err
    for _ = 1, 1000 do
      ok, err = pcall(beam.sleep, 0.005)
      if not ok then
        break
      end
    end
    assert.is_truthy(tostring(err):find("not today", 1, true))
    wait_for(1)
    assert.are.same({ "other" }, fired)
  end)

  it("keep no owner alive, and do nothing for one that is gone", function()
    local gone = setmetatable({}, { __mode = "v" })
    local timers
    do
      local temporary = {}
      gone[1], timers = temporary, new(temporary)
    end
    timers:set("it", 0.01, note "gone")
    collectgarbage()
    collectgarbage()
    assert.is_nil(gone[1])
    beam.sleep(0.03)
    assert.are.same({}, fired)
  end)

  it("leave nothing to wait for once they are stopped or have fired", function()
    local timers = new(owner)
    timers:set("stopped", 60, note "stopped")
    timers:set("fired", 0, note "fired")
    timers:stop "stopped"
    wait_for(1)
    assert.are.same({ "fired" }, fired)
    assert.has_error(function()
      driver.signal():wait() -- a wait that cannot end raises
    end)
  end)
end)
