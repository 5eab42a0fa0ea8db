-- --metrics-port: the figures of this process for a Prometheus on this machine, while it runs. A port that was not chosen is told.
---@param port integer 0: a free one
return function(port)
  local server, err = require("beam.observe.listener").open(port)
  if not server then
    error(err.message, 0)
  elseif port == 0 then
    io.stderr:write(("beamlua: metrics at http://127.0.0.1:%d/metrics\n"):format(server:port()))
  end
end
