-- Numbers from a seed, the same on every Lua: the minimal standard generator of Park and Miller (16807's successor 48271),
-- whose products stay below 2^53.
local Random = {}
Random.__index = Random

local random = {}

local modulus = 2147483647

---@param seed integer
function random.new(seed)
  local self = setmetatable({ state = seed % (modulus - 1) + 1 }, Random)
  for _ = 1, 3 do -- seeds that stand side by side start alike
    self:next()
  end
  return self
end

---@return number from 0 to below 1
function Random:next()
  self.state = self.state * 48271 % modulus
  return (self.state - 1) / (modulus - 1)
end

---@return integer from `least` to `most`
function Random:whole(least, most)
  return least + math.floor(self:next() * (most - least + 1))
end

---@return boolean true once in `1 / probability` times
function Random:chance(probability)
  return self:next() < probability
end

--- One of the values.
function Random:of(values)
  return values[self:whole(1, #values)]
end

--- A key of a table of weights; the names are given in order, as pairs() has none.
---@param weights { [1]: any, [2]: number }[]
function Random:weighed(weights)
  local total = 0
  for _, row in ipairs(weights) do
    total = total + row[2]
  end
  local at = self:next() * total
  for _, row in ipairs(weights) do
    at = at - row[2]
    if at < 0 then
      return row[1]
    end
  end
  return weights[#weights][1]
end

--- Seconds, of all magnitudes between the two alike, in whole milliseconds.
function Random:seconds(least, most)
  local value = least * (most / least) ^ self:next()
  return math.floor(value * 1000 + 0.5) / 1000
end

return random
