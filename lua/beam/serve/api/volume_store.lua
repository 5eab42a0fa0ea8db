-- The volumes of the local Beam: files in memory, by volume and path. Folders are what paths have in common.
local timestamp = require "beam.serve.api.timestamp"
local url = require "beam.serve.url"

local volume_store = {}

local most_bytes = 512 * 1024 * 1024 -- of all files
local grant_life = 3600 -- seconds that a URL that was handed out is good for
local most_grants = 10000 -- the oldest gives way

---@class beam.serve.volume_store
---@field has_storage boolean false: as a workspace without a storage of its own, whose files go through the gateway
local Store = { __name = "beam.serve.volume_store" }
Store.__index = Store

---@return beam.serve.volume_store
function volume_store.new()
  return setmetatable({ volumes = {}, grants = {}, grant_order = {}, granted_count = 0, bytes = 0, has_storage = true }, Store)
end

--- The volume of that name; made, if wanted.
function Store:volume(name, make)
  if not self.volumes[name] and make then
    self.volumes[name] = { name = name, id = url.uuid(), files = {}, created_at = timestamp.now() }
  end
  return self.volumes[name]
end

--- "data/a//b/../c.bin" -> "data", "a/c.bin"; nil if it leads out of the volume.
---@param text string
---@return string? volume, string path
function volume_store.split(text)
  local parts = {}
  local name, rest = text:match "^/*([^/]+)/*(.*)$"
  for part in (rest or ""):gmatch "[^/]+" do
    if part == ".." then
      if not parts[1] then
        return nil, ""
      end
      parts[#parts] = nil
    elseif part ~= "." then
      parts[#parts + 1] = part
    end
  end
  return name ~= "." and name ~= ".." and name or nil, table.concat(parts, "/")
end

-- How much there is with these bytes at a path where others may be.
local function bytes_with(self, volume, path, bytes)
  local before = volume.files[path]
  return self.bytes - (before and #before.bytes or 0) + #bytes
end

local function put(self, volume, path, file)
  self.bytes = bytes_with(self, volume, path, file.bytes)
  volume.files[path] = file
end

--- Writes a file. Returns nil and what is wrong.
function Store:write(volume, path, bytes)
  if bytes_with(self, volume, path, bytes) > most_bytes then
    return nil, "the volumes of the local Beam hold 512 MiB"
  end
  put(self, volume, path, { bytes = bytes, at = timestamp.now(), tag = '"' .. url.uuid() .. '"' })
  return true
end

local function is_below(path, folder)
  return folder == "" or path == folder or path:sub(1, #folder + 1) == folder .. "/"
end

-- Takes out what is at a path and below it: files by their paths.
local function take(self, volume, path)
  local taken = {}
  for name, file in pairs(volume.files) do
    if is_below(name, path) then
      taken[name] = file
      self.bytes = self.bytes - #file.bytes
    end
  end
  for name in pairs(taken) do
    volume.files[name] = nil
  end
  return taken
end

--- Removes a file, or a folder with all that is in it.
function Store:remove(volume, path)
  take(self, volume, path)
end

--- Moves a file or a folder. Returns false if there is none.
function Store:move(volume, from, to)
  local moved = from ~= "" and take(self, volume, from) or {}
  for name, file in pairs(moved) do
    put(self, volume, to .. name:sub(#from + 1), file)
  end
  return next(moved) ~= nil
end

--- What is in a folder, or the file itself, sorted by path.
---@return { path: string, size: integer, mod_time: integer, is_dir: boolean }[]
function volume_store.list(volume, path)
  local found, folders = {}, {}
  for name, file in pairs(volume.files) do
    local rest = name == path and "" or is_below(name, path) and name:sub(path == "" and 1 or #path + 2) or nil
    local folder = rest and rest:match "^([^/]+)/"
    if folder then
      folders[(path == "" and "" or path .. "/") .. folder] = true
    elseif rest then
      found[#found + 1] = { path = name, size = #file.bytes, mod_time = math.floor(file.at), is_dir = false }
    end
  end
  for name in pairs(folders) do
    found[#found + 1] = { path = name, size = 0, mod_time = math.floor(volume.created_at), is_dir = true }
  end
  table.sort(found, function(a, b)
    return a.path < b.path
  end)
  return found
end

--- A way to one file for whoever has it.
---@param use "PUT"|"GET"
---@return string token
function Store:grant(text, use)
  local token, place = url.uuid(), self.granted_count % most_grants
  local oldest = self.grant_order[place]
  if oldest then
    self.grants[oldest] = nil
  end
  self.grant_order[place], self.granted_count = token, self.granted_count + 1
  self.grants[token] = { path = text, use = use, until_when = timestamp.now() + grant_life }
  return token
end

--- What a token is good for; nil: it is none, or no more.
function Store:granted(token, use)
  local grant = self.grants[token]
  if grant and timestamp.now() > grant.until_when then
    self.grants[token], grant = nil, nil
  end
  return grant and grant.use == use and grant.path or nil
end

return volume_store
