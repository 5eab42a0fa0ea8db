-- A load of calls that differ, and are checked: a quarter of them is ten times as large.
--   beamlua load scripts/load.lua --rate 50 --duration 5s
local load = { target = "multiply", concurrency = 8, count = 200 }

function load.request(number)
  return { x = number % 4 == 0 and number * 10 or number }
end

function load.response(result, _, number)
  local x = number % 4 == 0 and number * 10 or number
  if result and result.result ~= x * 2 then
    return false, ("%d times 2 is not %s"):format(x, tostring(result.result))
  end
end

return load
