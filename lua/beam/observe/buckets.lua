-- How many took how long: counts below bounds, as Prometheus wants them, and their sum.
local buckets = {}

--- Seconds: from what happens on one machine to Beam's longest cold start.
buckets.bounds = { 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900 }

---@class beam.histogram
---@field count integer
---@field sum number seconds
---@field [integer] integer how many took no longer than the bound of that number

---@return beam.histogram
function buckets.new()
  local self = { count = 0, sum = 0 }
  for i = 1, #buckets.bounds do
    self[i] = 0
  end
  return self
end

---@param self beam.histogram
---@param seconds number
function buckets.add(self, seconds)
  self.count, self.sum = self.count + 1, self.sum + seconds
  local bounds = buckets.bounds
  for i = #bounds, 1, -1 do
    if seconds > bounds[i] then
      return
    end
    self[i] = self[i] + 1
  end
end

--- The same in a list of histograms by name, where there may be none yet.
---@param list table<string, beam.histogram>
---@param name string
---@param seconds number
function buckets.add_to(list, name, seconds)
  local one = list[name]
  if not one then
    one = buckets.new()
    list[name] = one
  end
  buckets.add(one, seconds)
end

return buckets
