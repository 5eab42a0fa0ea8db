-- The certificate that a local Beam shows where it was given none: made on first use, for this machine's own names, kept where only its
-- user can read it, and made again before it ends. It is signed by itself, and can sign no other: who trusts it trusts no one else.
--
--   ~/.beam/serve.pem   the certificate, for tls.ca_file; its first line says until when it is used, and of which key it is
--   ~/.beam/serve.key
local base64 = require "beam.base64"

local certificate = {}

local used_for = 800 * 86400 -- seconds, of the 825 days that it is good for
local most_tries = 3

local function folder_of(getenv)
  local home = getenv "HOME" or getenv "USERPROFILE"
  if home and home ~= "" then
    return home .. "/.beam"
  end
end

local function read(path)
  local file = io.open(path, "rb")
  local text = file and file:read "*a"
  if file then
    file:close()
  end
  return text
end

-- Two that begin at once may leave the key of the one and the certificate of the other.
local function mark_of(key)
  return base64.encode(require("beam.base.native").core().hmac_sha256("serve.key", key))
end

local function is_good(files, now)
  local last, mark = (read(files.cert) or ""):match "^local Beam, used until (%d+), key ([^%s]+)\n"
  return last ~= nil and now < tonumber(last) and mark_of(read(files.key) or "") == mark
end

-- The key first: a certificate is there only with its key.
local function make(folder, files, now)
  local core = require("beam.base.native").core()
  local ok, problem = core.private_folder(folder)
  if not ok then
    return nil, problem
  end
  local public, key = core.localhost_certificate()
  os.remove(files.cert)
  ok, problem = core.write_private(files.key, key)
  if ok then
    ok, problem = core.write_private(files.cert, ("local Beam, used until %d, key %s\n%s"):format(now + used_for, mark_of(key), public))
  end
  return ok, problem
end

--- The files of the certificate, which are made where they are not there or no longer good.
---@param getenv (fun(name: string): string?)? default os.getenv
---@param now integer? default os.time()
---@return { cert: string, key: string }? files, string? message
function certificate.find(getenv, now)
  local folder = folder_of(getenv or os.getenv)
  now = now or os.time()
  if not folder then
    return nil, "HOME is not set, so that there is no place for a certificate: give tls = { cert =, key = }"
  end
  local files = { cert = folder .. "/serve.pem", key = folder .. "/serve.key" }
  local ok, problem, tries = true, nil, 0
  while ok and tries < most_tries and not is_good(files, now) do
    ok, problem = make(folder, files, now)
    tries = tries + 1
  end
  return ok and files or nil, problem
end

return certificate
