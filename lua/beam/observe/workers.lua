-- Figures of all workers of nginx, each with its label: worker="0". Every worker puts its own into a shared dictionary once a second; the
-- one that is asked reads them there, so that what it tells of others is a second old at most.
local ngx = rawget(_G, "ngx")
local log = require "beam.log"
local mistake = require "beam.base.mistake"
local prometheus = require "beam.observe.prometheus"

local workers = {}

local every = 1 -- seconds
local kept = 60 -- seconds: a worker that is gone for longer has no figures

local publishing = {} -- by dictionary

local function find(name)
  local dictionary = ngx and ngx.shared and ngx.shared[name]
  if not dictionary then
    mistake(("beam.metrics: there is no dictionary '%s': inside nginx, lua_shared_dict %s 1m"):format(name, name))
  end
  return dictionary
end

local function publish(dictionary, number, snapshot)
  local text = prometheus.text { { label = prometheus.label("worker", number), figures = snapshot() } }
  local ok, problem = dictionary:safe_set("worker " .. number, text, kept)
  if not ok then
    log.write("error", "beam.metrics: the dictionary takes no more: " .. tostring(problem))
  end
end

-- A worker that is told to leave lets the next one of its number speak.
local function go_on(dictionary, number, snapshot)
  ngx.timer.every(every, function(premature)
    if not premature and not ngx.worker.exiting() then
      publish(dictionary, number, snapshot)
    end
  end)
end

-- The samples of several texts, each family once: all of them have the same families in the same order.
local function merge(texts)
  local heads, samples, order = {}, {}, {}
  for _, text in ipairs(texts) do
    for head, name, body in text:gmatch "(# HELP ([^ ]+)[^\n]*\n# TYPE[^\n]*\n)([^#]*)" do
      if not heads[name] then
        heads[name], samples[name], order[#order + 1] = head, {}, name
      end
      table.insert(samples[name], body)
    end
  end
  local out = {}
  for _, name in ipairs(order) do
    out[#out + 1] = heads[name] .. table.concat(samples[name])
  end
  return table.concat(out)
end

--- Begins to publish the figures of this worker, where that has not begun, and publishes them now.
---@param name string of a lua_shared_dict
---@param snapshot fun(): beam.metrics
function workers.publish(name, snapshot)
  local dictionary, number = find(name), ngx.worker.id()
  if not number then -- the privileged agent
    return
  end
  publish(dictionary, number, snapshot)
  if not publishing[name] then
    publishing[name] = true
    go_on(dictionary, number, snapshot)
  end
end

--- The text of all workers.
---@param name string
---@return string
function workers.text(name)
  local dictionary, texts = find(name), {}
  for number = 0, ngx.worker.count() - 1 do
    texts[#texts + 1] = dictionary:get("worker " .. number)
  end
  return merge(texts)
end

return workers
