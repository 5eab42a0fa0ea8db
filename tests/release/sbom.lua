-- The bill of materials of a release, as CycloneDX 1.5 (make dist): what it is, what it was built from and is linked with here.
--   lua5.4 tests/release/sbom.lua VERSION TIME SHA256 LUA     the release, its time in seconds, the tarball's sum, the Lua inside beamlua
-- The same tree on the same system gives the same bytes: the time is the commit's (or SOURCE_DATE_EPOCH), the serial number is made of
-- the tarball's sum.
local version, time, sum, lua = ...
assert(version and tonumber(time) and sum and #sum == 64 and lua, "usage: sbom.lua VERSION TIME SHA256 LUA")

-- Name, its name in pkg-config, licence (SPDX), page, use, and whether it lies inside what uses it. There is no code of others in the tree.
local LIBRARIES = {
  { "libuv", "libuv", "MIT", "https://libuv.org", "the event loop" },
  { "libwebsockets", "libwebsockets", "MIT", "https://libwebsockets.org", "descriptors that are ready" },
  { "curl", "libcurl", "curl", "https://curl.se", "HTTP" },
  { "openssl", "openssl", "Apache-2.0", "https://openssl.org", "TLS" },
  { "zlib", "zlib", "Zlib", "https://zlib.net", "content codings" },
  { "lua", "lua" .. lua, "MIT", "https://www.lua.org", "inside beamlua and libbeamhost", inside = true },
  { "lua-cjson", "lua" .. lua .. "-cjson", "MIT", "https://github.com/openresty/lua-cjson",
    "inside beamlua and libbeamhost", inside = true, optional = true },
  { "libedit", "libedit", "BSD-3-Clause", "https://thrysoee.dk/editline", "the prompt's line editor", optional = true },
}

local function version_of(package)
  local pipe = assert(io.popen("pkg-config --modversion " .. package .. " 2>/dev/null"))
  local text = pipe:read "l"
  pipe:close()
  return text and text:match "^%d[%w.+~-]*%w" -- libwebsockets ends in a hyphen
end

-- ---- JSON whose members stand in the order they are given in ----

local function quoted(text)
  return '"' .. text:gsub('[%c"\\]', function(c) return ("\\u%04x"):format(c:byte()) end) .. '"'
end

local write
-- An object is a list of pairs with `object = true`; other tables are arrays.
local function write_table(value, indent)
  local inner, parts = indent .. "  ", {}
  for i, item in ipairs(value) do
    parts[i] = inner .. (value.object and quoted(item[1]) .. ": " .. write(item[2], inner) or write(item, inner))
  end
  local open, close = value.object and "{" or "[", value.object and "}" or "]"
  return open .. "\n" .. table.concat(parts, ",\n") .. "\n" .. indent .. close
end

function write(value, indent)
  if type(value) == "table" then
    return write_table(value, indent)
  end
  return type(value) == "string" and quoted(value) or tostring(value)
end

local function object(...)
  local members = { object = true }
  for _, member in ipairs { ... } do
    members[#members + 1] = member
  end
  return members
end

-- ---- The bill ----

local function licensed(id)
  return { object { "license", object { "id", id } } }
end

local function site(url)
  return { object({ "type", "website" }, { "url", url }) }
end

local ours = ("pkg:github/beam-lua/lua-beam@v%s"):format(version)
local components, references = {}, {}
for _, library in ipairs(LIBRARIES) do
  local name, package, licence, url, use = table.unpack(library)
  local found = version_of(package)
  assert(found or library.optional, package .. ": pkg-config does not know it")
  if found then
    local reference = ("pkg:generic/%s@%s"):format(name, found:gsub("%+", "%%2B"))
    references[#references + 1] = reference
    components[#components + 1] = object({ "type", "library" }, { "bom-ref", reference }, { "name", name }, { "version", found },
      { "description", use },
      { "scope", library.optional and "optional" or "required" }, { "licenses", licensed(licence) }, { "purl", reference },
      { "externalReferences", site(url) },
      { "properties", { object({ "name", "lua-beam:linked" }, { "value", library.inside and "inside" or "shared" }) } })
  end
end

local dependencies = { object({ "ref", ours }, { "dependsOn", references }) }
for _, reference in ipairs(references) do
  dependencies[#dependencies + 1] = object { "ref", reference }
end

-- A UUID of version 8 (RFC 9562): of a sum.
local serial = ("urn:uuid:%s-%s-8%s-8%s-%s"):format(sum:sub(1, 8), sum:sub(9, 12), sum:sub(14, 16), sum:sub(18, 20), sum:sub(21, 32))

print(write(object(
  { "$schema", "http://cyclonedx.org/schema/bom-1.5.schema.json" },
  { "bomFormat", "CycloneDX" }, { "specVersion", "1.5" }, { "serialNumber", serial }, { "version", 1 },
  { "metadata", object(
    { "timestamp", os.date("!%Y-%m-%dT%H:%M:%SZ", tonumber(time)) },
    { "component", object({ "type", "library" }, { "bom-ref", ours }, { "name", "lua-beam" }, { "version", version },
      { "description", "Client of the serverless cloud Beam for Lua and C" },
      { "hashes", { object({ "alg", "SHA-256" }, { "content", sum }) } }, { "licenses", licensed "MIT" }, { "purl", ours },
      { "externalReferences", site "https://github.com/beam-lua/lua-beam" }) }) },
  { "components", components },
  { "dependencies", dependencies }), ""))
