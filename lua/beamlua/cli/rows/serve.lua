-- beamlua serve, as a row of beamlua/cli/commands.lua.
local readers = require "beamlua.readers"

return {
  name = "serve",
  takes = "[app.lua]",
  positionals = { 0, 1 },
  says = "The local Beam: serves the handlers of app.lua on this machine.",
  no_client = true,
  more = "beamlua.cli.serve_help",
  stays = true, -- until it is ended
  options = {
    { "--port", "N", "port to listen on (default 1994; 0: a free one)", read = readers.port },
    { "--host", "H", "numeric address (default 127.0.0.1)" },
    { "--tls", nil, "speak https:// and wss://, with a certificate of its own for this machine's names" },
    { "--cert", "FILE", "the certificate to show, PEM, with its chain", file = true },
    { "--key", "FILE", "its key, PEM", file = true },
    { "--key-passphrase-file", "FILE", "its first line decrypts the key", as = "key_passphrase", read = readers.first_line, file = true },
    { "--token", "T", "the token to demand (default: BEAM_SERVE_TOKEN, else one of its own, which scripts on this machine find)" },
    { "--no-token", nil, "let everybody in who reaches it", as = "no_token" },
    { "--basic", "ID:SECRET", "client id and secret to accept as well", read = readers.basic },
    { "--allow-host", "NAMES", "further names it is asked by; *.NAME: all below", read = readers.list, as = "allow_host" },
    { "--allow-origin", "ORIGINS", "sites whose pages may ask it: https://dev.example", read = readers.list, as = "allow_origin" },
    { "--max-connections", "N", "HTTP connections at a time (default 10000)", read = readers.count, as = "max_connections" },
    { "--max-head", "BYTES", "of a request's head (default, and at most, 16384)", read = readers.count, as = "max_head" },
    { "--max-body", "BYTES", "of a request's body (default 64 MiB)", read = readers.count, as = "max_body" },
    { "--head-timeout", "S", "seconds for a request's head (default 30)", read = readers.seconds, as = "head_timeout" },
    { "--body-timeout", "S", "seconds for each 16 KiB of a body (default 30)", read = readers.seconds, as = "body_timeout" },
    { "--idle-timeout", "S", "seconds between requests (default 75)", read = readers.seconds, as = "idle_timeout" },
    { "--ping", "S", "seconds between app pings (default 5)", read = readers.seconds },
    {
      "--fault",
      "FAULTS",
      "what goes wrong on demand; may be given several times",
      says_all = true, -- the reader's words need no name of the option before them
      read = function(value, before)
        return require("beamlua.cli.serve_help").read_fault(value, before)
      end,
    },
    { "--quiet", nil, "no access log" },
    { "--replay", "FILE", "play the server's part of a recording instead, and report where the client differs", file = true },
    { "--fast", nil, "with --replay: as fast as the client, not at the recorded times" },
    { "--speed", "N", "with --replay: so many times as fast as it was", read = readers.factor },
    { "--exact", nil, "with --replay: JSON must be the same to the byte, the order of keys included" },
    { "--patience", "S", "with --replay: seconds to wait for what the client does not do (default 10)", read = readers.pause },
  },
}
