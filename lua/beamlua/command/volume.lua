-- beamlua volume list|upload|download|remove|move: VOLUME is a volume's name, VOLUME/PATH something in it.
local confirm = require "beamlua.cli.confirm"
local errors = require "beam.error"
local file_name = require "beam.http.file_name"
local output = require "beamlua.cli.output"
local progress = require "beamlua.cli.progress"

local actions = {}

local function split(text)
  local name, path = text:match "^([^/]+)/?(.*)$"
  return name or "", path or ""
end

local function wants_path(text)
  local hint = "VOLUME/PATH"
  return nil, errors.new { kind = "invalid", message = ("'%s' names a volume, and nothing in it"):format(text), hint = hint }
end

-- ---- Lists ----

local function print_rows(context, names, records, cells)
  local rows = {}
  for i, record in ipairs(records) do
    if context.options.json then
      local ok, problem = output.json(record)
      if not ok then
        return nil, problem
      end
    end
    rows[i] = cells(record)
  end
  if not context.options.json then
    output.rows(names, rows)
  end
  return 0
end

function actions.list(context, client)
  local where, timeout = context.positionals[1], context.options.timeout
  if not where then
    local volumes, err = client.volumes { timeout = timeout }
    if not volumes then
      return nil, err
    end
    return print_rows(context, { "NAME", "BYTES" }, volumes, function(record)
      return { tostring(record.name), output.bytes(record.size) }
    end)
  end
  local name, path = split(where)
  local entries, err = client.volume(name):list(path, { timeout = timeout })
  if not entries then
    return nil, err
  end
  return print_rows(context, { "PATH", "BYTES", "CHANGED" }, entries, function(entry)
    local size = entry.is_dir and "-" or output.bytes(entry.size)
    return { tostring(entry.path) .. (entry.is_dir and "/" or ""), size, output.time(entry.mod_time) }
  end)
end

-- ---- Transfers ----

function actions.upload(context, client)
  local source = context.positionals[1]
  local name, path = split(context.positionals[2])
  if path == "" or path:sub(-1) == "/" then
    path = path .. file_name.safe(source)
  end
  local options = { timeout = context.options.timeout, progress = progress.reporter() }
  local done, err = client.volume(name):upload(source, path, options)
  progress.done()
  if not done then
    return nil, err
  end
  output.line(name .. "/" .. path)
  return 0
end

function actions.download(context, client)
  local name, path = split(context.positionals[1])
  if path == "" then
    return wants_path(context.positionals[1])
  end
  local to = file_name.place(context.options.output or "./", path)
  local options = { timeout = context.options.timeout, resume = true, progress = progress.reporter() }
  local count, err = client.volume(name):download(path, to, options)
  progress.done()
  if not count then
    return nil, err
  end
  output.line((to:gsub("^%./", "")))
  return 0
end

-- ---- Changes ----

function actions.remove(context, client)
  local name, path = split(context.positionals[1])
  if path == "" then
    return wants_path(context.positionals[1])
  end
  local done, err = confirm(context, "remove " .. context.positionals[1] .. ", with what is in it if it is a folder")
  if done then
    done, err = client.volume(name):remove(path, { timeout = context.options.timeout })
  end
  return done and 0, err
end

function actions.move(context, client)
  local name, path = split(context.positionals[1])
  local to_name, to = split(context.positionals[2])
  if path == "" or to == "" then
    return wants_path(context.positionals[path == "" and 1 or 2])
  elseif name ~= to_name then
    return nil, errors.new { kind = "invalid", message = "a file is moved within one volume: download it, and upload it to the other one" }
  end
  local done, err = client.volume(name):move(path, to, { timeout = context.options.timeout })
  return done and 0, err
end

return function(context)
  local client, err = context.client()
  if not client then
    return nil, err
  end
  return actions[context.name](context, client)
end
