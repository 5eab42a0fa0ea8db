local beam = require "beam"
local address = require "beam.settings.target"

local beam_cloud, own = "https://app.beam.cloud", "http://localhost:1994"
local uuid = "3f1b6a0e-1234-4000-8000-00000000abcd"
local container = "pod-" .. uuid .. "-a1b2c3d4"
local of_container = own .. "/pod/container/" .. uuid .. "/" .. container

describe("address", function()
  -- target, kind, use, on Beam, on another gateway
  local rows = {
    { "echo", "asgi", "ws", "wss://app.beam.cloud/asgi/echo", "ws://localhost:1994/asgi/echo" },
    { "echo/v3", "asgi", "ws", "wss://app.beam.cloud/asgi/echo/v3", "ws://localhost:1994/asgi/echo/v3" },
    { "echo/3", "endpoint", "http", "https://app.beam.cloud/endpoint/echo/v3", "http://localhost:1994/endpoint/echo/v3" },
    { "echo/latest", "endpoint", "http", "https://app.beam.cloud/endpoint/echo/latest", "http://localhost:1994/endpoint/echo/latest" },
    { "image-resizer", "endpoint", "http", "https://app.beam.cloud/endpoint/image-resizer", "http://localhost:1994/endpoint/image-resizer" },
    { uuid, "endpoint", "http", "https://" .. uuid .. ".app.beam.cloud/", "http://localhost:1994/endpoint/id/" .. uuid },
    { "name-7a7db8c", "asgi", "ws", "wss://name-7a7db8c.app.beam.cloud/", "ws://localhost:1994/asgi/name" },
    { "my-name-7a7db8c-v2", "asgi", "ws", "wss://my-name-7a7db8c-v2.app.beam.cloud/", "ws://localhost:1994/asgi/my-name/v2" },
    { "name-7a7db8c-latest", "endpoint", "http", "https://name-7a7db8c-latest.app.beam.cloud/", "http://localhost:1994/endpoint/name/latest" },
    { "https://apps.beam.cloud/abc", "endpoint", "http", "https://apps.beam.cloud/abc", "https://apps.beam.cloud/abc" },
    { "https://x.app.beam.cloud", "asgi", "ws", "wss://x.app.beam.cloud/", "wss://x.app.beam.cloud/" },
    { "ws://[::1]:8000/a?b=c", "endpoint", "http", "http://[::1]:8000/a?b=c", "http://[::1]:8000/a?b=c" },
    { { name = "a b", version = 2 }, "endpoint", "http", "https://app.beam.cloud/endpoint/a%20b/v2", "http://localhost:1994/endpoint/a%20b/v2" },
    { { "echo", version = "latest" }, "asgi", "ws", "wss://app.beam.cloud/asgi/echo/latest", "ws://localhost:1994/asgi/echo/latest" },
    { { { name = "echo" }, version = "v4" }, "asgi", "ws", "wss://app.beam.cloud/asgi/echo/v4", "ws://localhost:1994/asgi/echo/v4" },
    { { name = "a", kind = "taskqueue" }, "endpoint", "http", "https://app.beam.cloud/taskqueue/a", "http://localhost:1994/taskqueue/a" },
    { { name = "a", kind = "asgi", path = "health" }, "endpoint", "http", "https://app.beam.cloud/asgi/a/health", "http://localhost:1994/asgi/a/health" },
    { { name = "a", path = "?x=1" }, "endpoint", "http", "https://app.beam.cloud/endpoint/a?x=1", "http://localhost:1994/endpoint/a?x=1" },
    { { id = "label-abcdefg", version = 3 }, "asgi", "ws", "wss://label-abcdefg-v3.app.beam.cloud/", "ws://localhost:1994/asgi/id/label-abcdefg" },
    { { id = uuid, public = true }, "asgi", "ws", "wss://app.beam.cloud/asgi/public/" .. uuid, "ws://localhost:1994/asgi/public/" .. uuid },
    { "Name-7A7DB8C-V2", "endpoint", "http", "https://app.beam.cloud/endpoint/Name-7A7DB8C-V2",
      "http://localhost:1994/endpoint/Name-7A7DB8C-V2" },
    { "Name-7A7DB8C", "asgi", "ws", "wss://Name-7A7DB8C.app.beam.cloud/", "ws://localhost:1994/asgi/Name" },
    { "vllm-7a7db8c-8000", "endpoint", "http", "https://vllm-7a7db8c-8000.app.beam.cloud/", "http://localhost:1994/pod/vllm/8000" },
    { "vllm-7a7db8c-v2-8000", "endpoint", "http", "https://vllm-7a7db8c-v2-8000.app.beam.cloud/", "http://localhost:1994/pod/vllm/v2/8000" },
    { { id = "vllm-7a7db8c", port = 80, version = 2 }, "endpoint", "http", "https://vllm-7a7db8c-v2-80.app.beam.cloud/",
      "http://localhost:1994/pod/vllm/v2/80" },
    { "name-1234567", "asgi", "ws", "wss://name-1234567.app.beam.cloud/", "ws://localhost:1994/asgi/name" },
    { "gpt-2000", "endpoint", "http", "https://app.beam.cloud/endpoint/gpt-2000", "http://localhost:1994/endpoint/gpt-2000" },
    { uuid .. "-8000", "endpoint", "http", "https://" .. uuid .. "-8000.app.beam.cloud/", "http://localhost:1994/pod/id/" .. uuid .. "/8000" },
    { container .. "-8000", "endpoint", "http", "https://" .. container .. "-8000.app.beam.cloud/", of_container .. "/8000" },
    { { id = container, port = 8000, path = "/v1/models" }, "asgi", "http", "https://" .. container .. "-8000.app.beam.cloud/v1/models",
      of_container .. "/8000/v1/models" },
    { { name = "vllm", kind = "pod", port = 8000 }, "endpoint", "ws", "wss://app.beam.cloud/pod/vllm/8000", "ws://localhost:1994/pod/vllm/8000" },
    { { name = "vllm", port = 8000, version = 3, path = "/v1/chat/completions" }, "endpoint", "http",
      "https://app.beam.cloud/pod/vllm/v3/8000/v1/chat/completions", "http://localhost:1994/pod/vllm/v3/8000/v1/chat/completions" },
    { { id = uuid, kind = "pod", port = 8000, public = true }, "endpoint", "http", "https://app.beam.cloud/pod/public/" .. uuid .. "/8000",
      "http://localhost:1994/pod/public/" .. uuid .. "/8000" },
    { { name = "llm", kind = "asgi", path = "/v1/models" }, "asgi", "http", "https://app.beam.cloud/asgi/llm/latest/v1/models",
      "http://localhost:1994/asgi/llm/latest/v1/models" },
    { { name = "llm", kind = "asgi", version = 2, path = "v1/models" }, "asgi", "http", "https://app.beam.cloud/asgi/llm/v2/v1/models",
      "http://localhost:1994/asgi/llm/v2/v1/models" },
    { { id = "llm-7a7db8c", path = "/v1/models" }, "asgi", "http", "https://llm-7a7db8c.app.beam.cloud/v1/models",
      "http://localhost:1994/asgi/llm/latest/v1/models" },
    { { name = "helper", kind = "bot" }, "asgi", "ws", "wss://app.beam.cloud/bot/helper", "ws://localhost:1994/bot/helper" },
    { "vllm-7a7db8c-70000", "endpoint", "http", "https://app.beam.cloud/endpoint/vllm-7a7db8c-70000",
      "http://localhost:1994/endpoint/vllm-7a7db8c-70000" },
    { "vllm-7a7db8c-99999999999999999999", "endpoint", "http", "https://app.beam.cloud/endpoint/vllm-7a7db8c-99999999999999999999",
      "http://localhost:1994/endpoint/vllm-7a7db8c-99999999999999999999" },
    { { url = "http://h/x/", path = "/y" }, "endpoint", "http", "http://h/x/y", "http://h/x/y" },
  }
  for _, row in ipairs(rows) do
    local target, kind, use, on_beam, elsewhere = row[1], row[2], row[3], row[4], row[5]
    it("of " .. (type(target) == "string" and target or on_beam), function()
      assert.are.equal(on_beam, (address.resolve(target, kind, use, beam_cloud)))
      assert.are.equal(elsewhere, (address.resolve(target, kind, use, own)))
    end)
  end

  it("knows what is public, and needs no credentials", function()
    local function public(target)
      local _, resolved = address.resolve(target, "endpoint", "http", beam_cloud)
      return resolved.public
    end
    assert.is_true(public { id = uuid, public = true })
    assert.is_true(public("https://app.beam.cloud/endpoint/public/" .. uuid))
    assert.is_true(public("https://app.beam.cloud/pod/public/" .. uuid .. "/8000"))
    assert.is_false(public(uuid))
    assert.is_false(public "https://h/files/public/x")
  end)

  local mistakes = {
    { "", "a target cannot be an empty string" },
    { "a/b/c", "'a/b/c' is no target: a URL needs its scheme (https://…), a name takes one version (name/v3)" },
    { "a/newest", "a version is a number, 'v3' or 'latest', not 'newest'" },
    { "a/v99999999999999999999", "a version is a number, 'v3' or 'latest', not 'v99999999999999999999'" },
    { { url = "http://h/a?x=1", path = "/b" }, "a URL with a query takes no path behind it: write all of it into the URL" },
    { "ftp://host/", "'ftp://host/' is no http, https, ws or wss URL" },
    { "https://", "'https://' is no http, https, ws or wss URL" },
    { "https://h/a\r\nb", "'https://h/a\r\nb' is no http, https, ws or wss URL" },
    { "https://id:secret@host/", "credentials do not belong into a URL, where they leak: use token or basic" },
    { 7, "a target is a string or a table, not a number" },
    { { 7 }, "a target is a string or a table, not a number" },
    { { print }, "a target is a string or a table, not a function" },
    { {}, "a target has exactly one of name, id and url" },
    { { name = "a", id = uuid }, "a target has exactly one of name, id and url" },
    { { url = {} }, "a target's url is a string, not a table" },
    { { name = 5 }, "a target's name is a string, not a number" },
    { { id = true }, "a target's id is a string, not a boolean" },
    { { name = "a", path = {} }, "a target's path is a string, not a table" },
    { { name = "a", kind = "socket" }, "'socket' is no kind: asgi, endpoint, taskqueue, function, schedule, pod or bot" },
    { { name = "a", public = true }, "a public address needs the id of the deployment, not its name" },
    { { id = uuid, public = true, kind = "function" }, "a function has no public address" },
    { { id = uuid, public = true, kind = "schedule" }, "a schedule has no public address" },
    { { name = "a", kind = "pod" }, "a pod is reached by a port: port = 8000" },
    { { name = "a", kind = "asgi", port = 80 }, "a port is for pods; this is of kind asgi" },
    { { name = "a", port = 70000 }, "a port is a number from 1 to 65535, not '70000'" },
    { { id = "vllm-7a7db8c-8000", port = 80 }, "the label vllm-7a7db8c-8000 names a port, and port = 80 another" },
    { { id = uuid, version = 2 }, "an id names one version: leave the version out" },
    { { id = uuid .. "-8000", version = 2 }, "an id names one version: leave the version out" },
    { { id = "a b" }, "'a b' is neither an id nor a label" },
    { { id = "name-7a7db8c-v2", version = 3 }, "the label name-7a7db8c-v2 names a version, and version = v3 another" },
    { { url = "https://h/", version = 3 }, "a URL already says which version" },
    { { name = "a", path = "/b" }, "only asgi and pods take a path below their address; this is of kind endpoint" },
  }
  for _, row in ipairs(mistakes) do
    it("raises: " .. row[2]:gsub("%c", " "), function()
      local ok, message = pcall(address.resolve, row[1], "endpoint", "http", beam_cloud)
      assert.are.same({ false, "beam: " .. row[2] }, { ok, (message:gsub("^spec/[^:]*:%d+: ", "")) })
    end)
  end

  it("is shown by beam.address", function()
    local client = beam.client { gateway = own }
    assert.are.equal("http://localhost:1994/endpoint/a", client:address "a")
    assert.are.equal("ws://localhost:1994/asgi/a", client:address("a", "asgi"))
    assert.are.equal("http://localhost:1994/taskqueue/a", client:address { name = "a", kind = "taskqueue" })
  end)
end)
