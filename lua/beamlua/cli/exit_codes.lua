-- What beamlua ends with: one code for each kind of error, so that a script can tell them apart. They are kept from release to release.
--
-- 0: done. 128 and a signal's number: ended by it, so 130 for Ctrl-C, 143 for SIGTERM, 141 for an output that nobody reads any more.
local exit_codes = {
  script = 1, -- a Lua error; also whatever has no code of its own
  usage = 2, -- a mistake on the command line
  dns = 10,
  connect = 11,
  tls = 12,
  handshake = 13,
  http = 14,
  timeout = 15,
  closed = 16,
  protocol = 17,
  too_large = 18,
  auth = 19,
  canceled = 20,
  no_memory = 21,
  invalid = 22,
  json = 23,
  validation = 24,
  queue_full = 25,
  transform = 26,
  task = 27,
  config = 28,
  interrupted = 130, -- by SIGINT; the others as above
}

return exit_codes
