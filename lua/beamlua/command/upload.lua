-- beamlua upload FILE: a URL for the input of a handler.
local output = require "beamlua.cli.output"
local progress = require "beamlua.cli.progress"

return function(context)
  local client, err = context.client()
  local url
  if client then
    local options = { volume = context.options.volume, timeout = context.options.timeout, progress = progress.reporter() }
    url, err = client.upload(context.positionals[1], options)
    progress.done()
  end
  if not url then
    return nil, err
  end
  output.line(url)
  return 0
end
