# What tests are built from, and those that take longer than `make test` may. Included by the Makefile.
TESTS := $(patsubst tests/%.c,build/tests/%,$(shell find tests -name '*_test.c'))
# make test T=frame_test: what has that in its name is built and run. Specs and hosts need all of the product; a C test what it links.
CHOSEN := $(if $(T),$(foreach test,$(TESTS),$(if $(findstring $(T),$(notdir $(test))),$(test))),$(TESTS))
NEEDS_ALL := $(if $(T),$(shell find spec tests/hosts -name '*$(T)*_spec.lua' -o -name '*$(T)*_test.sh' -o -name '*$(T)*_test.py'),yes)

# README's two commands in minimal roots of Debian's releases, as a newcomer runs them; RELEASE=trixie: in one.
RELEASE ?= bookworm trixie testing
distros:
	@sh tests/distros.sh $(RELEASE)

.PHONY: monitoring distros invariant soak nginx-soak gigabyte volume-gigabyte logs-cut siege callbacks alloc

# Each event of beam.h with each call that may be made in it, every pair; each hundredth in make test. And a process that
# ends in each event, in each way.
callbacks: build/tests/core/callbacks/callbacks_test build/tests/core/process/exit_test
	@for test in $^; do BITE_EVERY=1 $$test || exit 1; done

# The local Beam under attack: 1,000 slow heads, 10,000 idle connections and the rest of tests/hosts/siege/siege_test.py.
siege: setup-test
	@$(MAKE) $(PARALLEL) all
	@FULL=1 $(PYTHON) tests/hosts/siege/siege_test.py

# Random stories of connections on a virtual clock (spec/realtime/invariant_spec.lua): as many as SEEDS on each Lua.
SEEDS ?= 20000
invariant: setup-test
	@$(MAKE) $(PARALLEL) lua
	@for lua in $(LUAS); do \
	  program=lua$$lua && echo "STORY  $$program" && \
	  SEEDS=$(SEEDS) LUA_PATH="lua/?.lua;lua/?/init.lua;spec/?.lua;;" LUA_CPATH="build/lua/$$lua/?.so;;" \
	  $$program $$(command -v busted) -o TAP spec/realtime/invariant_spec.lua || exit 1; done

# Real servers that fail in every way, for half an hour; the short forms are in spec/.
SOAK_SECONDS ?= 600
soak: setup-test
	@$(MAKE) $(PARALLEL) all
	@PYTHON=$(PYTHON) BEAM_TEST_PYTHON=$(PYTHON) sh tests/realtime/run.sh $(SOAK_SECONDS)

# Requests through a pool inside nginx, in flat memory; tests/hosts/nginx/nginx_test.py has the rest.
REQUESTS ?= 100000
nginx-soak: setup-test
	@$(MAKE) $(PARALLEL) all
	@$(PYTHON) tests/hosts/nginx/nginx_soak.py $(REQUESTS)

# A real Prometheus scrapes beamlua and nginx, and OpenTelemetry's own definition reads the spans that are sent (npm installs it).
monitoring: setup-monitoring
	@$(MAKE) all
	@$(PYTHON) tests/hosts/monitoring/monitoring.py

# A gigabyte streamed down and one uploaded, in flat memory, beside curl; small forms are in spec/http/stream_spec.lua and spec/http/upload_spec.lua.
MIB ?= 1024
gigabyte: setup-test
	@$(MAKE) $(PARALLEL) lua
	@for lua in 5.4 jit; do \
	  LUA_PATH="lua/?.lua;lua/?/init.lua;spec/?.lua;;" LUA_CPATH="build/lua/$$lua/?.so;;" BEAM_TEST_PYTHON=$(PYTHON) \
	  lua$$lua tests/bench/lua/stream_memory.lua $(MIB) || exit 1; done

# A gigabyte into a volume and out of it, killed in the middle of both; 48 MiB in make test (tests/hosts/volume_test.py).
volume-gigabyte: setup-test
	@$(MAKE) $(PARALLEL) lua
	@$(PYTHON) tests/hosts/volume_test.py $(MIB)

# A stream of logs that is cut 50 times while 100,000 lines pass, on each Lua; 4,000 lines in make test (spec/rest/logs_spec.lua).
logs-cut: setup-test
	@$(MAKE) $(PARALLEL) lua
	@for lua in $(LUAS); do case $$lua in jit) program=luajit ;; *) program=lua$$lua ;; esac; \
	  BEAM_LOG_LINES=100000 BEAM_LOG_CUTS=50 LUA_PATH="lua/?.lua;lua/?/init.lua;spec/?.lua;;" LUA_CPATH="build/lua/$$lua/?.so;;" \
	  $$program "$$(command -v busted)" -o TAP spec/rest/logs_spec.lua || exit 1; done

# ---- Tests: the core and each test under AddressSanitizer and UBSan ----

build/asan/libbeam.a: $(CORE:%.c=build/asan/%.o)
	$(call say,AR,$@)
	$(q)rm -f $@ && $(AR) qcs $@ $^

build/asan/core/%.o: core/%.c build/flags
	$(call say,CC,$< (asan))
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(CFLAGS) $(SANITIZERS) -MMD -MP -c -o $@ $<

build/tests/%: tests/%.c build/asan/libbeam.a
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(CFLAGS) $(SANITIZERS) -MMD -MP -Itests -o $@ $< build/asan/libbeam.a $(LIBS)

build/tests/binding/json_test: tests/binding/json_test.c tests/test.h build/host/lua build/asan/libbeam.a $(wildcard lua/binding/json/*)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(CFLAGS) $(SANITIZERS) -Itests -Ilua/binding $(LUA_FLAGS) \
	  -o $@ $< $(wildcard lua/binding/json/*.c) build/asan/libbeam.a $(LIBS) $(shell pkg-config --libs lua$(LUA) 2>/dev/null)

# The script host's tests have a Lua in them.
build/asan/libsandbox.a: $(SANDBOX:lua/%.c=build/asan/host/%.o)
	$(call say,AR,$@)
	$(q)rm -f $@ && $(AR) qcs $@ $^

build/asan/host/%.o: lua/%.c build/flags build/host/lua
	$(call say,CC,$< (asan))
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(HOST_FLAGS) $(LUA_FLAGS) $(CFLAGS) $(SANITIZERS) -MMD -MP -c -o $@ $<

build/tests/sandbox/%: tests/sandbox/%.c tests/sandbox/script_fixture.h build/asan/libsandbox.a
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(HOST_FLAGS) $(LUA_FLAGS) $(CFLAGS) $(SANITIZERS) -Itests -o $@ $< \
	  build/asan/libsandbox.a $(LUA_LIBRARY) -lm -ldl

# Those of libbeamhost have all of it.
build/asan/libbeamhost.a: build/asan/libsandbox.a build/asan/libbeam.a build/host/baked.o build/asan/host/baked/modules.o \
  $(EMBED_BINDING:lua/binding/%.c=build/asan/binding/%.o) $(patsubst lua/%.c,build/asan/host/%.o,$(wildcard lua/embed/*.c))
	$(call say,AR,$@)
	$(q)rm -f $@ && $(AR) qcs $@ $(filter %.o,$^)

build/asan/binding/%.o: lua/binding/%.c build/flags build/host/lua
	$(call say,CC,$< (asan))
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) -Ilua/binding $(LUA_FLAGS) $(CFLAGS) $(SANITIZERS) -MMD -MP -c -o $@ $<

build/tests/embed/%: tests/embed/%.c tests/embed/host_fixture.h tests/test.h build/asan/libbeamhost.a build/beamlua
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(HOST_FLAGS) $(CFLAGS) $(SANITIZERS) -Itests -o $@ $< build/asan/libbeamhost.a build/asan/libsandbox.a build/asan/libbeam.a \
	  $(LIBS) $(LUA_LIBRARY) $(CJSON_LIBRARY) -lm -ldl

# One allocation fails, the first, the second, … to the last: all of them, each 401st in make test.
alloc: $(patsubst tests/%.c,build/tests/%,$(wildcard tests/faults/*_test.c))
	@for test in $^; do FAULT_EVERY=1 $$test || exit 1; done

build/tests/core/process/loading_test: build/libbeam.so

# As it is shipped.
build/tests/core/net/trust_fork_test: tests/core/net/trust_fork_test.c build/libbeam.a
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(CFLAGS) $(HARDENING) -MMD -MP -Itests -o $@ $< build/libbeam.a $(LIBS)

# Threads under ThreadSanitizer.
build/tsan/core/%.o: core/%.c build/flags
	$(call say,CC,$< (tsan))
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(CFLAGS) -fsanitize=thread -O1 -MMD -MP -c -o $@ $<

build/tsan/libbeam.a: $(CORE:%.c=build/tsan/%.o)
	$(call say,AR,$@)
	$(q)rm -f $@ && $(AR) qcs $@ $^

build/tests/threads/%_test: tests/threads/%_test.c build/tsan/libbeam.a
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(CFLAGS) -fsanitize=thread -O1 -MMD -MP -Itests -o $@ $< build/tsan/libbeam.a $(LIBS)

# Faults on demand stand before the C library: tests/faults/fault.h.
build/tests/faults/faults.so: tests/faults/interpose.c tests/faults/fault.h
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(q)$(CC) -D_GNU_SOURCE -std=c11 -O1 -g -fPIC -fvisibility=hidden $(WARNINGS) -shared -o $@ $< -ldl

build/tests/faults/host_%_test: tests/faults/host_%_test.c build/asan/libbeamhost.a build/tests/faults/faults.so
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(HOST_FLAGS) $(LUA_FLAGS) $(CFLAGS) $(SANITIZERS) -rdynamic -MMD -MP -Itests -o $@ $< build/asan/libbeamhost.a \
	  build/asan/libsandbox.a build/asan/libbeam.a $(LIBS) $(LUA_LIBRARY) $(CJSON_LIBRARY) -lm -ldl

build/tests/faults/%_test: tests/faults/%_test.c build/asan/libbeam.a build/tests/faults/faults.so
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(CFLAGS) $(SANITIZERS) -rdynamic -MMD -MP -Itests -o $@ $< build/asan/libbeam.a $(LIBS) -ldl
