-- Which package brings a library, by the command of the system at hand.
local packages = {}

-- Of the systems that install by a command each. %s: the number in the library's name.
local managers = { "debian", "fedora", "arch", "alpine", "homebrew" }
local commands = {
  debian = "apt-get install ",
  fedora = "dnf install ",
  arch = "pacman -S ",
  alpine = "apk add ",
  homebrew = "brew install ",
}
local relatives = { ubuntu = "debian", rhel = "fedora", centos = "fedora" } -- as ID or ID_LIKE of /etc/os-release

-- What the name of a library begins with, and the packages in the order of `managers`.
local libraries = {
  { "libwebsockets-evlib", { "libwebsockets-evlib-uv", "libwebsockets", "libwebsockets", "libwebsockets-evlib_uv", "libwebsockets" } },
  { "libwebsockets", { "libwebsockets%s", "libwebsockets", "libwebsockets", "libwebsockets", "libwebsockets" } },
  { "libuv", { "libuv%s", "libuv", "libuv", "libuv", "libuv" } },
  { "libcurl", { "libcurl%s", "libcurl", "curl", "libcurl", "curl" } },
  { "libssl", { "libssl%s", "openssl-libs", "openssl", "libssl%s", "openssl" } },
  { "libcrypto", { "libssl%s", "openssl-libs", "openssl", "libcrypto%s", "openssl" } },
  { "libz", { "zlib1g", "zlib", "zlib", "zlib", "zlib" } },
}

--- The system's name: debian, fedora, arch, alpine; nil: none of them.
---@return string?
function packages.system()
  local file = io.open("/etc/os-release", "r")
  local text = file and "\n" .. file:read "*a" or ""
  if file then
    file:close()
  end
  local known = (text:match '\nID="?([^"\n]*)' or "") .. " " .. (text:match '\nID_LIKE="?([^"\n]*)' or "")
  for name in known:gmatch "%S+" do
    if commands[name] or relatives[name] then
      return relatives[name] or name
    end
  end
end

-- The command of this system; if it is none that we know, all of them.
local function install(names, number, here)
  local lines = {}
  for i, name in ipairs(managers) do
    if names[i] and (not commands[here] or here == name) then
      lines[#lines + 1] = commands[name] .. names[i]:format(number)
    end
  end
  return table.concat(lines, ", or ")
end

--- How to install a shared library.
---@param library string its file's name, e.g. libuv.so.1
---@param here string? the system; nil: all of them
---@return string? command nil: it is none of those that beam needs
function packages.install_library(library, here)
  local number = library:match "%.so%.(%d+)" or library:match "%.(%d+)%.dylib" or ""
  for _, row in ipairs(libraries) do
    if library:find(row[1], 1, true) == 1 then
      return install(row[2], number, here)
    end
  end
end

return packages
