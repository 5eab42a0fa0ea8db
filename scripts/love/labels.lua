-- Where words stand, so that none covers another: each is moved to the nearest free place above or below, within the window.
local labels = {}

local taken = {}

local GAP = 3

local function clamp(value, least, most)
  return math.max(least, math.min(most, value))
end

local function covers(x, y, width, height)
  for _, box in ipairs(taken) do
    if x < box.x + box.width and box.x < x + width and y < box.y + box.height and box.y < y + height then
      return box
    end
  end
end

-- The nearest free place in one direction (1: downwards), or nil.
local function free_place(x, y, width, height, direction, bottom)
  local box = covers(x, y, width, height)
  while box do
    y = direction > 0 and box.y + box.height + GAP or box.y - height - GAP
    if y < 0 or y + height > bottom then
      return nil
    end
    box = covers(x, y, width, height)
  end
  return y
end

--- A new frame: nothing is taken.
function labels.clear()
  taken = {}
end

--- Nothing else may stand there.
function labels.take(x, y, width, height)
  taken[#taken + 1] = { x = x, y = y, width = width, height = height }
end

--- The place for words that would like to stand at x, y; it is taken then. Where all is full they stand where they would.
---@return number x, number y
function labels.place(x, y, width, height)
  local right, bottom = love.graphics.getDimensions()
  x, y = clamp(x, 0, math.max(0, right - width)), clamp(y, 0, bottom - height)
  local above, below = free_place(x, y, width, height, -1, bottom), free_place(x, y, width, height, 1, bottom)
  if above and below then
    y = y - above <= below - y and above or below
  else
    y = above or below or y
  end
  labels.take(x, y, width, height)
  return x, y
end

return labels
