-- stopped: an endless loop while it is loaded
while true do
end
