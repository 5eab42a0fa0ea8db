function love.conf(t)
  t.window.width, t.window.height = 64, 64
  t.modules.audio, t.modules.sound, t.modules.physics, t.modules.joystick, t.modules.video = false, false, false, false, false
end
