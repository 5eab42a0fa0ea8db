-- The window of Fireflies; see main.lua.
function love.conf(t)
  t.identity = "beam-fireflies"
  t.version = "11.4"
  t.window.title = "Fireflies - a garden on Beam"
  t.window.width, t.window.height = 960, 600
  t.window.msaa = 4
  t.modules.audio, t.modules.sound, t.modules.physics, t.modules.joystick, t.modules.video = false, false, false, false, false
end
