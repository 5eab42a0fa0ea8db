-- beamlua as a person meets it: command line, exit codes, what stands on stderr, signals; and beamlua serve.
local beamlua = os.getenv "BEAMLUA" or "build/beamlua"

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  return path
end

local function read(path)
  local file = assert(io.open(path, "r"))
  local text = file:read "*a"
  file:close()
  return text
end

-- Runs a shell command in which $B is beamlua. Returns its exit code, output and errors.
local function shell(command, input)
  local out, err, code = os.tmpname(), os.tmpname(), os.tmpname()
  local script = write(os.tmpname(), "B='" .. beamlua .. "'\n" .. command .. "\n")
  local stdin = write(os.tmpname(), input or "")
  os.execute(("sh %s <%s >%s 2>%s; echo $? >%s"):format(script, stdin, out, err, code))
  local result = { tonumber(read(code)), read(out), read(err) }
  for _, path in ipairs { out, err, code, script, stdin } do
    os.remove(path)
  end
  return result[1], result[2], result[3]
end

describe("beamlua", function()
  it("runs a script with its arguments", function()
    local path = write(os.tmpname(), "print(arg[0] ~= nil, #arg, ...) return 5")
    local code, out, err = shell("$B " .. path .. " one 'two three' -x")
    assert.same({ 0, "true\t3\tone\ttwo three\t-x\n", "" }, { code, out, err })
    code, out = shell("$B -- " .. path)
    assert.same({ 0, "true\t0\n" }, { code, out })
    os.remove(path)
  end)

  it("runs with its standard descriptors closed", function()
    local path = os.tmpname()
    local code = shell("$B -e 'io.open(\"" .. path .. "\", \"w\"):write(tostring(beam.read_line(1))) beam.sleep(0)' <&- >&- 2>&-")
    assert.same({ 0, "nil" }, { code, read(path) })
    os.remove(path)
  end)

  it("runs -e, -l and standard input, in that order", function()
    local code, out, err = shell("$B -e 'x = 1' -lstring -e 'print(x, string ~= nil)' - a", "print(x, ..., beam._VERSION)")
    assert.same({ 0, "1\ttrue\n1\ta\t0.1.0\n", "" }, { code, out, err })
  end)

  it("prints versions", function()
    local code, out = shell "$B -v"
    assert.equal(0, code)
    assert.is_truthy(out:find "^beamlua %d+%.%d+%.%d+, Lua 5%.4\n$")
  end)

  it("has the module baked in, with its sources' lines", function()
    local code, out = shell "LUA_PATH= $B -e 'print(require(\"beam.json\").encode { beam.array() })'"
    assert.same({ 0, "[[]]\n" }, { code, out })
    local _, _, err = shell "$B -e 'require(\"beam.json\").decode(1)'"
    assert.is_truthy(err:find("json.decode wants a string, not a number", 1, true))
  end)

  it("ends with 1 and a traceback with the script's lines after an error", function()
    local path = write(os.tmpname(), "local function f()\n  error 'boom'\nend\nf()\n")
    local code, out, err = shell("$B " .. path)
    assert.same({ 1, "" }, { code, out })
    assert.is_truthy(err:find("^beamlua: " .. path .. ":2: boom\nstack traceback:\n"))
    assert.is_truthy(err:find(path .. ":4: in", 1, true))
    os.remove(path)
    code, out, err = shell "$B -e 'x ='"
    assert.same({ 1, "", "beamlua: (command line):1: unexpected symbol near <eof>\n" }, { code, out, err })
    code, out, err = shell "$B nowhere.lua"
    assert.same({ 1, "", "beamlua: cannot open nowhere.lua: No such file or directory\n" }, { code, out, err })
    assert.equal(1, (shell "$B -e 'error()'"))
    assert.equal(1, (shell "$B -e 'beam.spawn(error, 1)'"))
  end)

  it("ends with 2 and the usage after a mistake on the command line", function()
    for _, command in ipairs { "$B -x", "$B -e", "$B --nothing", "$B doctor x", "$B serve --port x", "$B serve --nothing", "$B serve a b" } do
      local code, out, err = shell(command)
      assert.same({ 2, "" }, { code, out }, command)
      assert.is_truthy(err:find "usage:", command)
    end
  end)

  it("waits for all coroutines, and for the exit code of os.exit", function()
    local code, out = shell "$B -e 'beam.spawn(function() beam.sleep(0.05) print(\"later\") end) print(\"first\")'"
    assert.same({ 0, "first\nlater\n" }, { code, out })
    assert.equal(7, (shell "$B -e 'beam.spawn(beam.sleep, 60) os.exit(7)'"))
  end)

  -- Before the program listens to signals, a shell's job in the background ignores SIGINT.
  local listens = 'until grep -q "^SigCgt:.*[4-7c-f]...$" /proc/$p/status; do sleep 0.02; done;' -- SIGTERM, 15

  it("is interrupted where it waits, computes or reads, with 130 and 143", function()
    for _, chunk in ipairs {
      "beam.sleep(60)",
      "while true do end",
      "coroutine.wrap(function() while true do end end)()",
      "coroutine.wrap(function() beam.sleep(60) end)()",
      "beam.spawn(function() while true do beam.sleep(0) end end)",
      "local f = io.popen('sleep 2') f:read() while true do end",
    } do
      for signal, expected in pairs { INT = 130, TERM = 143 } do
        local code, _, err = shell(('$B -e "%s" & p=$!; %s sleep 0.1; kill -%s $p; wait $p'):format(chunk, listens, signal))
        assert.same({ expected, "beamlua: interrupted\n" }, { code, err }, chunk)
      end
    end
  end)

  it("ends at once at a second signal", function()
    local code = shell [[
      $B -e "while true do pcall(function() while true do end end) end" & p=$!
      until grep -q "^SigCgt:.*[4-7c-f]...$" /proc/$p/status; do sleep 0.02; done
      sleep 0.2; kill -TERM $p; sleep 0.2; kill -TERM $p; sleep 0.1; kill -TERM $p; wait $p]]
    assert.equal(143, code)
  end)

  it("starts without loading the transport", function()
    local code, out = shell "$B -e 'print(io.open(\"/proc/self/maps\"):read(\"a\"):find(\"libwebsockets\"))'"
    assert.same({ 0, "nil\n" }, { code, out })
  end)

  it("says what to do when the transport is missing", function()
    local folder = os.tmpname()
    os.remove(folder)
    local code, _, err = shell("F=" .. folder .. "\n" .. [[
      mkdir $F && cp $B $F/ && LUA_CPATH=/nowhere/?.so $F/beamlua -e 'beam.sleep(1)'
      code=$?; rm -r $F; exit $code]])
    assert.equal(1, code)
    assert.is_truthy(err:find("was not found beside beamlua; build it with `make all`", 1, true))
    assert.is_truthy(err:find(folder .. "/lua/5.4/beam/core.so", 1, true))
  end)
end)

-- serve [options]: starts beamlua serve on a free port; then its process is $p, its address $url and its output in $out.
local start = [[
  serve() {
    out=$(mktemp)
    $B serve "$@" --port=0 >$out & p=$!
    for try in $(seq 100); do
      sleep 0.1
      url=$(sed -n 's/.*BEAM_GATEWAY_URL=\([^)]*\)).*/\1/p' $out)
      [ -n "$url" ] && break
    done
  }
  said() { # waits until file $1 has $2, so many times; 20 s at most
    for try in $(seq 400); do
      [ "$(grep -c "$2" "$1")" -ge "${3:-1}" ] && return
      sleep 0.05
    done
  }
]]

describe("beamlua serve", function()
  it("serves its two handlers, says where, and logs without secrets", function()
    local code, out, err = shell(start .. [[
      log=$(mktemp)
      serve --token s3cret 2>$log
      cat $out; rm $out
      curl -s -H 'Authorization: Bearer s3cret' -d '{"x":21}' "$url/endpoint/multiply"; echo
      curl -s -d '{"x":21}' "$url/endpoint/multiply?auth_token=s3cret"; echo
      curl -s -d '{"x":21}' "$url/endpoint/multiply"; echo
      said $log "POST /endpoint/multiply" 3 # the line about an answer is written after the answer
      kill -TERM $p; wait $p; code=$?; cat $log >&2; rm $log; exit $code]])
    assert.equal(143, code)
    assert.is_truthy(out:find "^local Beam at http://127%.0%.0%.1:%d+ %(.*%): /asgi/echo /endpoint/multiply /endpoint/generate /taskqueue/train\n")
    assert.is_truthy(out:find('{"result":42}\n{"result":42}\n{"message":"Unauthorized"}\n', 1, true))
    assert.is_truthy(err:find "POST /endpoint/multiply 200 %d+ ms\n")
    assert.is_truthy(err:find "POST /endpoint/multiply 401 ")
    assert.is_nil((out .. err):find "s3cret")
  end)

  it("makes a token of its own, which scripts find, whatever BEAM_TOKEN says, and nobody else", function()
    local code, out, err = shell(start .. [[
      export HOME=$(mktemp -d) BEAM_TOKEN=for-another; unset XDG_RUNTIME_DIR
      serve
      sed 's/token local-[0-9a-f]*;/token T;/; s/:[0-9][0-9]*/:P/g; q' $out
      token=$(sed -n 's/.*token \(local-[0-9a-f]*\);.*/\1/p' $out); rm $out
      stat -c '%a %A' $HOME/.beam $HOME/.beam/serve-*
      BEAM_GATEWAY_URL=$url $B -e 'print(assert(beam.call("multiply", { x = 21 })).result)'
      curl -s -H "Authorization: Bearer $token" -d '{"x":21}' "$url/endpoint/multiply"; echo
      curl -s -d '{"x":21}' "$url/endpoint/multiply"; echo
      curl -s -H "Authorization: Bearer $BEAM_TOKEN" -d '{"x":21}' "$url/endpoint/multiply"; echo
      BEAM_GATEWAY_URL=$url $B call multiply '{"x":4}'
      kill -TERM $p; wait $p; ls $HOME/.beam; rm -r $HOME]])
    assert.equal(0, code)
    assert.equal(
      "local Beam at http://127.0.0.1:P (token T; scripts of yours on this machine find it; BEAM_GATEWAY_URL=http://127.0.0.1:P): "
        .. "/asgi/echo /endpoint/multiply /endpoint/generate /taskqueue/train\n"
        .. "700 drwx------\n600 -rw-------\n42\n"
        .. '{"result":42}\n{"message":"Unauthorized"}\n{"message":"Unauthorized"}\n{"result":8}\n',
      out
    )
    assert.is_nil(err:find "local%-%x")
  end)

  it("speaks TLS with a certificate of its own, and says how to trust it", function()
    local code, out = shell(start .. [[
      export HOME=$(mktemp -d); unset XDG_RUNTIME_DIR BEAM_TOKEN
      serve --tls --quiet
      sed "s|$HOME|~|; s/token local-[0-9a-f]*;/token T;/; s/:[0-9][0-9]*/:P/g; /^page:/d" $out; rm $out
      stat -c '%a' $HOME/.beam/serve.pem $HOME/.beam/serve.key
      export BEAM_GATEWAY_URL=$url
      $B call multiply '{"x":4}' --ca-file $HOME/.beam/serve.pem
      SSL_CERT_FILE=$HOME/.beam/serve.pem $B -e 'local c = assert(beam.realtime "echo") c:send "wss" print(c:receive(5).response) c:close()'
      $B call multiply '{"x":4}' 2>&1 | grep -c certificate
      kill -TERM $p; wait $p; rm -r $HOME]])
    assert.equal(0, code)
    assert.equal(
      "local Beam at https://127.0.0.1:P (token T; scripts of yours on this machine find it; BEAM_GATEWAY_URL=https://127.0.0.1:P): "
        .. "/asgi/echo /endpoint/multiply /endpoint/generate /taskqueue/train\n"
        .. 'trust its certificate: tls = { ca_file = "~/.beam/serve.pem" }, --ca-file or SSL_CERT_FILE\n'
        .. '600\n600\n{"result":8}\nwss\n1\n',
      out
    )
  end)

  it("shows the certificate that it is given, with its key only", function()
    local code, out, err = shell(start .. [[
      f=$(mktemp -d)
      openssl req -x509 -newkey rsa:2048 -nodes -keyout $f/key -out $f/cert -days 2 -subj /CN=mine -addext subjectAltName=IP:127.0.0.1 2>/dev/null
      serve --no-token --quiet --cert $f/cert --key $f/key; rm $out
      curl -s --cacert $f/cert -d '{"x":21}' "$url/endpoint/multiply"; echo
      kill -TERM $p; wait $p
      echo open-sesame >$f/word; openssl pkey -in $f/key -out $f/locked -aes256 -passout file:$f/word
      serve --no-token --quiet --cert $f/cert --key $f/locked --key-passphrase-file $f/word; rm $out
      curl -s --cacert $f/cert -d '{"x":5}' "$url/endpoint/multiply"; echo
      kill -TERM $p; wait $p
      $B serve --cert $f/cert; code=$?; rm -r $f; exit $code]])
    assert.equal(1, code)
    assert.equal('{"result":42}\n{"result":10}\n', out)
    assert.is_truthy(err:find("--cert and --key belong together", 1, true))
  end)

  it("serves an app of the user's, and says what is wrong with it", function()
    local path = os.tmpname()
    for _, app in ipairs { "require 'beam.serve'", "require 'beam.serve'.new()" } do
      write(path, "local app = " .. app .. "\napp.endpoint('hi', function(i) return 'hi ' .. i.name end)\nreturn app")
      local _, out = shell(start .. "serve --no-token --quiet " .. path .. [[

        rm $out
        curl -s -d '{"name":"you"}' "$url/endpoint/hi"
        kill -TERM $p; wait $p]])
      assert.equal('"hi you"', out)
    end
    write(path, "local x = 1")
    local code, _, err = shell("$B serve " .. path .. " --port 0")
    assert.equal(1, code)
    assert.is_truthy(err:find(path .. " deploys nothing", 1, true))
    write(path, "nonsense")
    assert.equal(1, (shell("$B serve " .. path .. " --port 0")))
    os.remove(path)
  end)

  it("hears a close frame from a script that is interrupted, fails or leaves", function()
    local _, out, err = shell(start .. [[
      log=$(mktemp) is=$(mktemp)
      serve 2>$log
      export BEAM_GATEWAY_URL=$url
      $B -e 'conn = assert(beam.realtime "echo") print "open" io.stdout:flush() conn:receive(60)' >$is 2>/dev/null & c=$!
      said $is open; kill -INT $c; wait $c; echo $?
      $B -e 'conn = assert(beam.realtime "echo") error "oops"' 2>/dev/null; echo $?
      $B -e 'conn = assert(beam.realtime "echo") os.exit(3)'; echo $?
      said $log "closed 1001" 3; kill -TERM $p; wait $p; echo $?; cat $log >&2; rm $log $is]])
    assert.equal("130\n1\n3\n143\n", out)
    assert.equal(3, select(2, err:gsub("WS echo closed 1001 ", "")))
  end)

  it("closes its connections with 1012 when it is ended", function()
    local code, out = shell(start .. [[
      is=$(mktemp)
      serve --quiet 2>/dev/null
      export BEAM_GATEWAY_URL=$url
      $B - >$is <<'END' & c=$!
local conn = assert(beam.realtime("echo", { retry = false }))
print "open" io.stdout:flush()
local _, err = conn:receive(60)
print(err.code)
END
      said $is open; kill -TERM $p; wait $p; wait $c; code=$?; cat $is; rm $is; exit $code]])
    assert.same({ 0, "open\n1012\n" }, { code, out })
  end)

  it("shows faults on demand, and says what is wrong with them", function()
    local code, out = shell(start .. [[
      serve --no-token --quiet --fault status=503:1,slots=1 --fault drop_after=1 2>/dev/null
      export BEAM_GATEWAY_URL=$url
      for i in 1 2; do
        curl -s -o /dev/null -w '%{http_code}\n' -d '{"x":1}' "$url/endpoint/multiply"
      done
      $B -e 'local conn = assert(beam.realtime("echo")) conn:send { x = 1 } print(conn:receive(5).response.x)'
      kill -TERM $p]])
    assert.same({ 0, "503\n200\n1\n" }, { code, out })
    local usage_code, _, err = shell "$B serve --fault slots=none"
    assert.equal(2, usage_code)
    assert.is_truthy(err:find("beamlua serve: fault 'slots=none': it wants a number above 0\nusage: ", 1, true))
  end)

  it("outlives clients that are killed at any moment", function()
    local _, out = shell(start .. [[
      serve --no-token --quiet --ping 0.001 2>/dev/null
      export BEAM_GATEWAY_URL=$url
      for i in 1 2 3 4 5 6 7 8 9 10; do
        $B -e 'conn = assert(beam.realtime "echo") conn:send { x = 1 } os.exit(0)'
        $B -e 'conn = assert(beam.realtime "echo") conn:send { x = 1 } beam.sleep(60)' 2>/dev/null & c=$!
        sleep 0.0$i; kill -KILL $c
      done
      curl -s -d '{"x":21}' "$url/endpoint/multiply"
      kill -TERM $p]])
    assert.equal('{"result":42}', out)
  end)
end)
