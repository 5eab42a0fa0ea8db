# What tests are built from, and those that take longer than `make test` may. Included by the Makefile.
SANITIZE := -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined -O1
TESTS := $(patsubst tests/%.c,build/tests/%,$(wildcard tests/*_test.c))

.PHONY: invariant soak nginx-soak gigabyte

# Random stories of connections on a virtual clock (spec/invariant_spec.lua): as many as SEEDS on each Lua.
SEEDS ?= 20000
invariant: setup-test
	@$(MAKE) lua
	@for lua in $(LUAS); do \
	  program=lua$$lua && echo "STORY  $$program" && \
	  SEEDS=$(SEEDS) LUA_PATH="lua/?.lua;lua/?/init.lua;spec/?.lua;;" LUA_CPATH="build/lua/$$lua/?.so;;" \
	  $$program $$(command -v busted) -o TAP spec/invariant_spec.lua || exit 1; done

# Real servers that fail in every way, for half an hour; the short forms are in spec/.
SOAK_SECONDS ?= 600
soak: setup-test
	@$(MAKE) all
	@PYTHON=$(PYTHON) BEAM_TEST_PYTHON=$(PYTHON) sh tests/realtime/run.sh $(SOAK_SECONDS)

# Requests through a pool inside nginx, in flat memory; tests/hosts/nginx_test.py has the rest.
REQUESTS ?= 100000
nginx-soak: setup-test
	@$(MAKE) all
	@$(PYTHON) tests/hosts/nginx_soak.py $(REQUESTS)

# A gigabyte streamed down and one uploaded, in flat memory, beside curl; small forms are in spec/stream_spec.lua and spec/upload_spec.lua.
MIB ?= 1024
gigabyte: setup-test
	@$(MAKE) lua
	@for lua in 5.4 jit; do \
	  LUA_PATH="lua/?.lua;lua/?/init.lua;spec/?.lua;;" LUA_CPATH="build/lua/$$lua/?.so;;" BEAM_TEST_PYTHON=$(PYTHON) \
	  lua$$lua tests/bench/stream_memory.lua $(MIB) || exit 1; done

# ---- Tests: the core and each test under AddressSanitizer and UBSan ----

build/asan/libbeam.a: $(CORE:%.c=build/asan/%.o)
	$(call say,AR,$@)
	$(q)rm -f $@ && $(AR) qcs $@ $^

build/asan/core/%.o: core/%.c
	$(call say,CC,$< (asan))
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(CFLAGS) $(SANITIZE) -MMD -MP -c -o $@ $<

build/tests/%: tests/%.c tests/test.h build/asan/libbeam.a
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(CFLAGS) $(SANITIZE) -Itests -o $@ $< build/asan/libbeam.a $(LIBS)

build/tests/json_test: tests/json_test.c tests/test.h build/asan/libbeam.a $(wildcard lua/binding/json/*)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(CFLAGS) $(SANITIZE) -Itests -Ilua/binding $(shell pkg-config --cflags lua5.4 2>/dev/null) \
	  -o $@ $< $(wildcard lua/binding/json/*.c) build/asan/libbeam.a $(LIBS) $(shell pkg-config --libs lua5.4 2>/dev/null)

# The script host's tests have a Lua 5.4 in them.
build/asan/libsandbox.a: $(SANDBOX:lua/%.c=build/asan/host/%.o)
	$(call say,AR,$@)
	$(q)rm -f $@ && $(AR) qcs $@ $^

build/asan/host/%.o: lua/%.c
	$(call say,CC,$< (asan))
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(HOST_FLAGS) $(shell pkg-config --cflags lua5.4 2>/dev/null) $(CFLAGS) $(SANITIZE) -MMD -MP -c -o $@ $<

build/tests/script_%: tests/script_%.c tests/script_fixture.h build/asan/libsandbox.a
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(HOST_FLAGS) $(shell pkg-config --cflags lua5.4 2>/dev/null) $(CFLAGS) $(SANITIZE) -Itests -o $@ $< \
	  build/asan/libsandbox.a $(LUA54)/liblua5.4.a -lm -ldl

# Those of libbeamhost have all of it.
build/asan/libbeamhost.a: build/asan/libsandbox.a build/asan/libbeam.a build/host/baked.o build/asan/host/baked/modules.o \
  $(EMBED_BINDING:lua/binding/%.c=build/asan/binding/%.o) $(patsubst lua/%.c,build/asan/host/%.o,$(wildcard lua/embed/*.c))
	$(call say,AR,$@)
	$(q)rm -f $@ && $(AR) qcs $@ $(filter %.o,$^)

build/asan/binding/%.o: lua/binding/%.c
	$(call say,CC,$< (asan))
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) -Ilua/binding $(shell pkg-config --cflags lua5.4 2>/dev/null) $(CFLAGS) $(SANITIZE) -MMD -MP -c -o $@ $<

build/tests/host_%: tests/host_%.c tests/host_fixture.h tests/test.h build/asan/libbeamhost.a build/beamlua
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(HOST_FLAGS) $(CFLAGS) $(SANITIZE) -Itests -o $@ $< build/asan/libbeamhost.a build/asan/libsandbox.a build/asan/libbeam.a \
	  $(LIBS) $(LUA54)/liblua5.4.a $(LUA54)/liblua5.4-cjson.a -lm -ldl
