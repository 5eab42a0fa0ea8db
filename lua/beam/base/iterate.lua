-- What `for` calls on an object that is read item by item. A loop cannot tell a failure from the end, so a failure raises the beam.error;
-- who wants it as a value takes object:next(), which returns nil and the error.

--- The next item, and what comes with it.
---@param object { next: fun(self: table): any, any, err: beam.error? }
return function(object)
  local item, more = object:next()
  if item == nil and object.err ~= nil then
    error(object.err, 0)
  end
  return item, more
end
