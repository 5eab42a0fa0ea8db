-- Volumes: folders that Beam's containers share, and that files are put into from here.
--
--   local url = beam.upload("talk.wav")                              a URL that a handler gets
--   local volume = beam.volume("data")
--   volume:upload("in.csv", "2026/in.csv")   volume:list("2026")   volume:download("2026/out.csv", "out.csv")
local api = require "beam.rest.api"
local config = require "beam.settings.config"
local download = require "beam.http.download"
local errors = require "beam.error"
local file_name = require "beam.http.file_name"
local files = require "beam.rest.files"
local mistake = require "beam.base.mistake"
local types = require "beam.base.types"
local v1 = require "beam.rest.v1"

local core = require("beam.base.native").core()

local volume = {}

---@class beam.volume
---@field name string
local Volume = {}
local meta = { __name = "beam.volume", __index = Volume }

function meta:__tostring()
  return "beam.volume " .. self.name
end

local settings_of = setmetatable({}, { __mode = "k" }) -- not for the reader of a dump

-- ---- Arguments ----

local upload_types = { timeout = "number", progress = "function", retry = "function", size = "number" }
local only_timeout = { timeout = "number" }

local function check(options, option_types, where)
  options = options or {}
  errors.check_options(options, option_types, where)
  types.check(options, option_types, where)
  return options
end

local function check_path(path, where)
  if type(path) ~= "string" or path == "" or path:find "[%z\1-\31]" then
    mistake(where .. ": a path in the volume is a text")
  end
  for part in path:gmatch "[^/]+" do
    if part == ".." then
      mistake(where .. ": '..' leads out of the volume")
    end
  end
  return (path:gsub("^/+", ""))
end

local function check_source(source, where)
  local kind = io.type(source) or type(source)
  if kind ~= "string" and kind ~= "file" and kind ~= "function" then
    mistake(where .. ": what to upload is a path, an open file, or a function that gives the next piece, not a " .. kind)
  end
end

local function refuse_public(settings)
  if settings.api_version ~= "v1" then
    local message, advice = "Beam's public API has no volumes", "api_version = 'v1' asks the gateway"
    return errors.new { kind = "invalid", message = message, hint = advice }
  end
end

-- ---- One volume ----

--- The volume of that name; Beam is not asked, and makes it with the first upload.
---@param settings beam.settings
---@param name string
---@param options beam.options? what it is told otherwise than its client
---@return beam.volume
function volume.get(settings, name, options)
  if type(name) ~= "string" or not name:find "^[^/%z\1-\31]+$" or name == "." or name == ".." then
    mistake "beam.volume wants the name of a volume"
  end
  errors.check_options(options or {}, config.overrides, "beam.volume")
  config.check(options or {}, "beam.volume")
  local self = setmetatable({ name = name }, meta)
  settings_of[self] = config.override(settings, options or {})
  settings_of[self].timeout = nil
  return self
end

---@class beam.volume_entry
---@field path string in the volume
---@field size integer
---@field mod_time integer seconds since 1970
---@field is_dir boolean

--- What is in a folder of it; of a file, that.
---@param path string? default: all of it
---@param options { timeout: number? }?
---@return beam.volume_entry[]? entries, beam.error? err
function Volume:list(path, options)
  local given = check(options, only_timeout, "volume:list")
  local settings = settings_of[self]
  local refused = refuse_public(settings)
  if refused then
    return nil, refused
  end
  path = path and path ~= "" and "/" .. check_path(path, "volume:list") or ""
  return api.list("volume " .. self.name, files.ask(settings, "GET", "ls", self.name .. path, { timeout = given.timeout }))
end

---@class beam.upload_options
---@field timeout number? seconds in all
---@field progress fun(bytes: integer, total: integer?)? told as it goes
---@field size integer? bytes that a function will give
---@field retry beam.retry_policy?

--- Uploads a file, in flat memory. One that is there is replaced.
---@param source string|file*|fun(): string?, any a path; an open file; a function that gives piece after piece
---@param path string in the volume
---@param options beam.upload_options?
---@return true? done, beam.error? err
function Volume:upload(source, path, options)
  local given = check(options, upload_types, "volume:upload")
  check_source(source, "volume:upload")
  path = check_path(path, "volume:upload")
  local settings = settings_of[self]
  local refused = refuse_public(settings)
  if refused then
    return nil, refused
  end
  local opened, err = files.source(source, given.size)
  if not opened then
    return nil, err
  end
  return files.upload(settings, opened, self.name .. "/" .. path, given)
end

-- The storage that says so knows neither the volume nor the path by their names.
local function no_file(self, path, err)
  if err.status == 404 then
    err.message = ("volume %s has no file %s: %s"):format(self.name, errors.quote(path), err.message)
    err.hint = "volume:list() gives the paths that there are"
  end
  return err
end

--- Downloads a file, in flat memory; under another name until it is whole.
---@param path string in the volume
---@param to string a path here; a folder with "/" at its end: there under its own name
---@param options beam.download_options?
---@return integer? bytes, beam.error? err
function Volume:download(path, to, options)
  local option_types = { timeout = "number", max_body = "number", resume = "boolean", progress = "function" }
  local given = check(options, option_types, "volume:download")
  path = check_path(path, "volume:download")
  if type(to) ~= "string" or to == "" then
    mistake "volume:download wants a path to write to"
  end
  local url, err = self:url(path, { timeout = given.timeout })
  if not url then
    return nil, no_file(self, path, err)
  end
  local job = { settings = settings_of[self], path = file_name.place(to, path), what = "the file" }
  job.deadline, job.max_body = download.deadline_of(given.timeout), given.max_body
  job.resume, job.progress = given.resume, given.progress
  local bytes, failure = download.run(job, url)
  return bytes, failure and no_file(self, path, failure)
end

--- A URL from which a file can be downloaded without a token, for an hour: for the input of a handler.
---@param path string in the volume
---@param options { timeout: number? }?
---@return string? url, beam.error? err
function Volume:url(path, options)
  local given = check(options, only_timeout, "volume:url")
  local settings = settings_of[self]
  local refused = refuse_public(settings)
  if refused then
    return nil, refused
  end
  return files.download_url(settings, self.name .. "/" .. check_path(path, "volume:url"), given.timeout)
end

--- Removes a file, or a folder with all that is in it.
---@param path string in the volume
---@param options { timeout: number? }?
---@return true? done, beam.error? err
function Volume:remove(path, options)
  local given = check(options, only_timeout, "volume:remove")
  local settings = settings_of[self]
  local refused = refuse_public(settings)
  if refused then
    return nil, refused
  end
  local text = self.name .. "/" .. check_path(path, "volume:remove")
  local value, err = files.ask(settings, "DELETE", "rm", text, { timeout = given.timeout })
  return value ~= nil or nil, err
end

--- Moves a file or a folder within the volume.
---@param from string
---@param to string
---@param options { timeout: number? }?
---@return true? done, beam.error? err
function Volume:move(from, to, options)
  local given = check(options, only_timeout, "volume:move")
  local settings = settings_of[self]
  local refused = refuse_public(settings)
  if refused then
    return nil, refused
  end
  from, to = self.name .. "/" .. check_path(from, "volume:move"), self.name .. "/" .. check_path(to, "volume:move")
  return v1.move(settings, from, to, { timeout = given.timeout })
end

-- ---- Of a client ----

--- The volumes of the workspace: Beam's records, with `name` and `size`.
---@param settings beam.settings
---@param options { timeout: number? }?
---@return table[]? volumes, beam.error? err
function volume.list(settings, options)
  local given = check(options, only_timeout, "beam.volumes")
  local refused = refuse_public(settings)
  if refused then
    return nil, refused
  end
  return api.list("volumes", v1.ask(settings, "GET", "/volume/%s", { timeout = given.timeout }))
end

local function hex(bytes)
  return (bytes:gsub(".", function(character)
    return ("%02x"):format(character:byte())
  end))
end

-- "talk.wav" -> "talk_1f….wav": what others upload under the same name stays.
local function unique(name)
  local stem, suffix = name:match "^(.+)(%.[^.]*)$"
  return ("%s_%s%s"):format(stem or name, hex(core.random(16)), suffix or "")
end

---@class beam.file_options: beam.upload_options, beam.options
---@field name string? what the file is called, where the source is no path
---@field volume string? default "uploads"

--- Uploads a file, as Beam's Python client does, and gives a URL for the input of a handler, which can download it for an hour.
---@param settings beam.settings
---@param source string|file*|fun(): string?, any
---@param options beam.file_options?
---@return string? url nil on failure
---@return { volume: string, path: string }|beam.error where
function volume.upload(settings, source, options)
  local option_types = { name = "string", volume = "string" }
  for name, wanted in pairs(upload_types) do
    option_types[name] = wanted
  end
  local given = check(options, option_types, "beam.upload")
  check_source(source, "beam.upload")
  local deadline = download.deadline_of(given.timeout)
  local name = given.name or type(source) == "string" and source or "file"
  local target = volume.get(settings, given.volume or "uploads")
  local path = unique(file_name.safe(name))
  local done, err = target:upload(source, path, {
    timeout = given.timeout,
    progress = given.progress,
    retry = given.retry,
    size = given.size,
  })
  if not done then
    return nil, err
  end
  local url
  url, err = target:url(path, { timeout = deadline and math.max(0.001, api.left(deadline)) })
  return url, url and { volume = target.name, path = path } or err
end

return volume
