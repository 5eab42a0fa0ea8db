local parse = require("beam.http.date").parse

describe("http_date", function()
  local now = 1785542400 -- 2026-08-01

  it("reads the three forms of RFC 9110", function()
    assert.are.equal(784111777, parse("Sun, 06 Nov 1994 08:49:37 GMT", now))
    assert.are.equal(784111777, parse("Sunday, 06-Nov-94 08:49:37 GMT", now))
    assert.are.equal(784111777, parse("Sun Nov  6 08:49:37 1994", now))
    assert.are.equal(784975777, parse("Wed Nov 16 08:49:37 1994", now))
  end)

  it("agrees with os.date on days from 1970 to 2199, leap days among them", function()
    local day = 86400
    for seconds = 0, 83970 * day, 97 * day + 12345 do
      assert.are.equal(seconds, parse(os.date("!%a, %d %b %Y %H:%M:%S GMT", seconds), now))
    end
    assert.are.equal(1483228800, parse("Sat, 31 Dec 2016 23:59:60 GMT", now)) -- a leap second
    assert.are.equal(951782400, parse("Tue, 29 Feb 2000 00:00:00 GMT", now))
    assert.are.equal(1709164800, parse("Thu, 29 Feb 2024 00:00:00 GMT", now))
  end)

  it("takes two digits for the year nearest, 50 years ahead at most", function()
    local years = { ["26"] = 2026, ["76"] = 2076, ["77"] = 1977, ["99"] = 1999, ["00"] = 2000 }
    for digits, year in pairs(years) do
      local want = parse(("Mon, 02 Mar %d 00:00:00 GMT"):format(year), now)
      assert.are.equal(want, parse("Monday, 02-Mar-" .. digits .. " 00:00:00 GMT", now))
    end
  end)

  it("gives nil for what is no date", function()
    local bad = {
      "", "120", "soon", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Now 1994 08:49:37 GMT",
      "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT", "Wed, 29 Feb 2023 00:00:00 GMT",
      "Thu, 29 Feb 1900 00:00:00 GMT", "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT",
      "Sun, 06 Nov 1994 08:49:61 GMT", " Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT\n", "Sun Nov   08:49:37 1994",
    }
    for _, text in ipairs(bad) do
      assert.is_nil(parse(text, now), text)
    end
  end)
end)
