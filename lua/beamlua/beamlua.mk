# The programs with a Lua in them, beamlua and libbeamhost. Included by the Makefile.
SANDBOX := $(wildcard lua/sandbox/*.c lua/sandbox/*/*.c)
HOST := lua/beamlua/main.c $(wildcard lua/beamlua/process/*.c) lua/baked/modules.c $(SANDBOX)
EMBED_BINDING := $(filter-out lua/binding/nginx/%,$(BINDING))
EMBED := $(wildcard lua/embed/*.c) lua/baked/modules.c $(SANDBOX)
LUA_SOURCES := $(sort $(shell find lua/beam lua/embed lua/beamlua -name '*.lua' -not -path 'lua/beamlua/rock/*' 2>/dev/null))
LINE := $(shell pkg-config --exists libedit 2>/dev/null && echo build/lua/$(LUA)/beam/line.so)
LUA_FLAGS := $(shell pkg-config --cflags lua$(LUA) 2>/dev/null)
LUA_LIBRARY := $(shell pkg-config --variable=libdir lua$(LUA) 2>/dev/null)/liblua$(LUA).a
CJSON_LIBRARY := $(wildcard $(LUA_LIBRARY:.a=-cjson.a))
HOST_FLAGS := -Ilua -Ilua/embed $(if $(CJSON_LIBRARY),-DBEAMLUA_CJSON)

# Where the archive of Lua allows it, beamlua is loaded at another address each time.
PIE = $(eval PIE := $(shell sh tests/release/flags.sh program "$(CC)" "$(CFLAGS)" "$(LUA_LIBRARY)"))$(PIE)

# ---- beamlua: Lua, lua-cjson where it is installed, and the module in one program; the transport is loaded when it is first needed ----

build/beamlua: $(HOST:lua/%.c=build/host/%.o) build/host/baked.o build/lua/$(LUA)/beam/core.so | $(LINE)
	$(call say,LD,$@)
	$(q)$(CC) $(PIE) -Wl,--dynamic-list=lua/beamlua/exports.list -o $@ $(filter %.o,$^) $(LINK_HARDENING) $(LDFLAGS) $(LUA_LIBRARY) $(CJSON_LIBRARY) -lm -ldl

# Which Lua it is for: what was made with another is made again.
build/host/lua: always
	@mkdir -p $(@D) && { [ "$$(cat $@ 2>/dev/null)" = $(LUA) ] || echo $(LUA) > $@; }

build/host/%.o: lua/%.c build/flags build/host/lua
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(HOST_FLAGS) $(LUA_FLAGS) $(CFLAGS) $(HARDENING) -MMD -MP -c -o $@ $<

# The line editor of the prompt, if libedit is there: loaded for a prompt only.
build/lua/$(LUA)/beam/line.so: lua/beamlua/line/line.c build/flags
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(LUA_FLAGS) $(shell pkg-config --cflags libedit 2>/dev/null) $(CFLAGS) $(HARDENING) -shared -o $@ $< $(LINK_HARDENING) $(LDFLAGS) \
	  $(shell pkg-config --libs libedit 2>/dev/null)

build/host/bake: lua/baked/bake/bake.c build/host/lua build/flags
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(LUA_FLAGS) $(CFLAGS) $(HARDENING) -o $@ $< $(LINK_HARDENING) $(LDFLAGS) $(LUA_LIBRARY) -lm -ldl

build/host/baked.c: build/host/bake lua/baked/bake.lua $(LUA_SOURCES)
	$(call say,BAKE,$@)
	@mkdir -p $(@D)
	$(q)build/host/bake lua/baked/bake.lua $(LUA_SOURCES) > $@

build/host/baked.o: build/host/baked.c build/flags
	$(call say,CC,$<)
	$(q)$(CC) $(CPPFLAGS) $(HOST_FLAGS) $(CFLAGS) $(HARDENING) -c -o $@ $<

# ---- libbeamhost: libbeam, beam.core, Lua, lua-cjson and the module in one object that gives away the names beam_* alone ----

build/beamhost.o: $(CORE:%.c=build/%.o) $(EMBED_BINDING:lua/binding/%.c=build/binding/$(LUA)/%.o) $(EMBED:lua/%.c=build/host/%.o) build/host/baked.o build/host/lua.o
	$(call say,LD,$@)
	$(q)$(LD) -r -o $@ $^
	$(q)objcopy --wildcard --keep-global-symbol='beam_[a-z]*' $@

# Lua itself; why its streams have other names: lua/embed/streams.c.
build/host/lua.o: build/host/lua $(LUA_LIBRARY) $(CJSON_LIBRARY)
	$(q)$(LD) -r -o $@ --whole-archive $(filter %.a,$^)
	$(q)objcopy $(foreach stream,stdin stdout stderr,--redefine-sym $(stream)=host_$(stream)) $@

build/libbeamhost.a: build/beamhost.o
	$(call say,AR,$@)
	$(q)rm -f $@ && $(AR) qcs $@ $^

build/libbeamhost.so: build/beamhost.o
	$(call say,LD,$@)
	$(q)$(CC) -shared -Wl,-soname,libbeamhost.so.0 -Wl,-z,defs -o $@ $^ $(LINK_HARDENING) $(LDFLAGS) $(LIBS) -lm -ldl
	$(q)ln -sf libbeamhost.so build/libbeamhost.so.0
