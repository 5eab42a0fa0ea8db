-- One source for Lua 5.1, LuaJIT, 5.3 and 5.4.
std = "max"
max_line_length = 140
files["spec"] = { std = "max+busted", max_line_length = 160 } -- tables of cases
files["scripts/embed/*.lua"] = { globals = { "beam" } } -- what the host provides
files["scripts/love"] = { std = "luajit+love" }
files["tests/bench/love/frames"] = { std = "luajit+love" }
files["tests/hosts/everywhere"] = { std = "luajit+love" }
files["lua/sandbox/meta"] = { ignore = { "211", "212", "241" } } -- declarations only
files["lua/binding/core.lua"] = { ignore = { "211", "212", "241" } } -- declarations only
files["docs/library"] = { ignore = { "211", "212", "241" }, max_line_length = false } -- declarations only
files["lua/beamlua/repl/reference.lua"] = { max_line_length = false } -- made from comments
files["lua/beam/driver/nginx*"] = { std = "max+ngx_lua" }
files["tests/hosts/nginx/nginx_app.lua"] = { std = "max+ngx_lua" }
files["scripts/nginx/*"] = { std = "max+ngx_lua" }
files["tests/bench/nginx/*"] = { std = "max+ngx_lua" }
files["lua/beam/driver/nginx/*"] = { std = "max+ngx_lua" }
files["tests/sandbox/hostile"] = { ignore = { "2", "3", "5" }, read_globals = { "beam" } } -- they mean it
files["tests/sandbox/script_*.lua"] = { read_globals = { "fixture" }, max_line_length = 160 } -- tables of cases
exclude_files = { "build" }
