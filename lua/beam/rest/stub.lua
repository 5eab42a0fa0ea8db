-- What Beam's API tells of a deployment, as a table.
local record = {}

--- The id of its stub, of which addresses are made.
---@param deployment table
---@return string?
function record.stub_id(deployment)
  local stub = type(deployment.stub) == "table" and deployment.stub or {}
  for _, id in ipairs { deployment.stub_id or false, stub.external_id or false, stub.id or false } do
    if type(id) == "string" and id ~= "" then
      return id
    end
  end
end

return record
