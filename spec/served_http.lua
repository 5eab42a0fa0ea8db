-- HTTP for the specs of the local Beam, on beam.core alone.
local driver = require "beam.driver"
local json = require "beam.json"

local http = {}

--- A function that asks this server: ask(method, target, options) -> status, body (decoded where it is JSON, unless options.raw), headers by
--- name; or nil, the core's error, and the body that came before it. options: headers, auth, body, raw.
function http.asker(server)
  return function(method, target, options)
    options = options or {}
    local done, pieces, err, status, headers = driver.signal(), {}, nil, nil, {}
    driver.attach()
    local exchange = assert(driver.context():http({
      url = server.url .. target,
      method = method,
      headers = options.headers,
      auth = options.auth,
      body = options.body,
      timeout = 30,
      stream = true,
    }, function(event, first, second)
      if event == "headers" then
        status = first
        for _, pair in ipairs(second) do
          headers[pair[1]] = pair[2]
        end
      elseif event == "data" then
        pieces[#pieces + 1] = first
      elseif event == "done" then
        err = first
        driver.detach()
        done:wake()
      end
    end))
    assert(done:wait(40), "no answer")
    exchange:free()
    local body = table.concat(pieces)
    if err then
      return nil, err, body
    end
    local value
    if not options.raw then
      value = json.decode(body)
    end
    return status, value == nil and body or value, headers
  end
end

--- Sends a POST and waits for nothing. close() leaves before the answer.
function http.leave(server, target, body)
  driver.attach()
  local over = false
  local exchange = assert(driver.context():http({ url = server.url .. target, method = "POST", body = body, timeout = 60 }, function()
    over = true
    driver.detach()
  end))
  return {
    close = function()
      exchange:free()
      if not over then
        over = true
        driver.detach()
      end
    end,
  }
end

--- Waits for a condition that nothing tells of.
function http.until_true(condition, seconds)
  local deadline = driver.now() + (seconds or 30)
  while not condition() do
    assert(driver.now() < deadline, "it did not come to pass")
    driver.sleep(0.005)
  end
end

return http
