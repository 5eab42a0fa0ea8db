-- beamlua context, as a row of beamlua/cli/commands.lua.
local shared = require "beamlua.cli.rows.shared"

local json = shared.json

return {
  name = "context",
  says = "Lists the contexts of Beam's config.ini, shows one, chooses one.",
  commands = {
    { name = "list", takes = "", positionals = { 0, 0 }, says = "Lists them.", options = { json } },
    {
      name = "use",
      takes = "NAME",
      positionals = { 1, 1 },
      says = "Chooses the one that holds where nothing else says which.",
      details = [[
It holds for every program of the module of this user; --context, BEAM_CONFIG_CONTEXT and BEAM_TOKEN go before it. Beam's
own tools do not look at it.]],
      names = "contexts",
      options = { json },
    },
    {
      name = "show",
      takes = "[NAME]",
      positionals = { 0, 1 },
      says = "Shows one, or the one that holds, and why. No token is shown.",
      names = "contexts",
      options = { json },
    },
  },
}
