# Beam for Lua. `make demo` and `make test` are all that a newcomer needs; both install what is missing (tests/setup.sh).
MAKEFLAGS += --no-print-directory
V ?= 0
say = @$(if $(filter 1,$(V)),:,printf '%-6s %s\n' "$(1)" "$(2)")
q = $(if $(filter 1,$(V)),,@)

VERSION := $(shell sed -n 's/^\#define BEAM_VERSION "\(.*\)"/\1/p' core/beam.h)
PREFIX ?= /usr/local
DESTDIR ?=
PYTHON ?= /usr/bin/python3

PACKAGES := libuv libwebsockets libcurl openssl zlib
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wpointer-arith -Werror
CPPFLAGS += -D_GNU_SOURCE -DNDEBUG -Icore $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
CFLAGS ?= -O2 -g
override CFLAGS += -std=c11 -fPIC -fvisibility=hidden $(WARNINGS)
LIBS := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lpthread
SANITIZE := -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined -O1

CORE := $(wildcard core/*.c)
BINDING := $(wildcard lua/binding/*.c)
EMBED_BINDING := $(filter-out lua/binding/nginx%,$(BINDING))
HOST := $(filter-out lua/host/embed%,$(wildcard lua/host/*.c))
EMBED := $(wildcard lua/host/embed*.c lua/host/script*.c) lua/host/modules.c
LUA_SOURCES := $(shell find lua/beam lua/host -name '*.lua' -not -path 'lua/host/meta/*' -not -path 'lua/host/rock/*' 2>/dev/null)
LUAS := 5.1 jit 5.3 5.4
LINE := $(shell pkg-config --exists libedit 2>/dev/null && echo build/lua/5.4/beam/line.so)
TESTS := $(patsubst tests/%.c,build/tests/%,$(wildcard tests/*_test.c))
BENCHES := $(patsubst tests/bench/%.c,build/bench/%,$(wildcard tests/bench/*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/*.c))

LUA_PACKAGE_5.1 := lua5.1
LUA_PACKAGE_jit := luajit
LUA_PACKAGE_5.3 := lua5.3
LUA_PACKAGE_5.4 := lua5.4

.PHONY: all setup setup-build setup-test setup-lint setup-fuzz setup-bench setup-package demo test invariant soak nginx-soak gigabyte bench bench-map lint fuzz corpus install manual rockspec library docs setup-docs clean core lua host
.DELETE_ON_ERROR:
.SECONDARY:

all: core lua build/beamlua $(LINE) host
core: build/libbeam.a build/libbeam.so
lua: $(LUAS:%=build/lua/%/beam/core.so)
host: build/libbeamhost.a build/libbeamhost.so

setup: setup-test setup-lint
setup-build setup-test setup-lint setup-fuzz setup-bench setup-docs setup-package:
	@sh tests/setup.sh $(@:setup-%=%)

demo: setup-build
	@$(MAKE) build/beamlua
	@sh scripts/demo.sh

test: setup-test
	@$(MAKE) all $(TESTS)
	@PYTHON=$(PYTHON) sh tests/run.sh

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

# ---- libbeam ----

build/libbeam.a: $(CORE:%.c=build/%.o)
	$(call say,AR,$@)
	$(q)rm -f $@ && $(AR) rcs $@ $^

build/libbeam.so: $(CORE:%.c=build/%.o)
	$(call say,LD,$@)
	$(q)$(CC) -shared -Wl,-soname,libbeam.so.0 -o $@ $^ $(LDFLAGS) $(LIBS)
	$(q)ln -sf libbeam.so build/libbeam.so.0

build/core/%.o: core/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -c -o $@ $<

# ---- beam.core, once for each Lua ----

define for_lua
build/lua/$(1)/beam/core.so: $(BINDING:lua/binding/%.c=build/binding/$(1)/%.o) build/libbeam.a
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$$(q)$(CC) -shared -Wl,--exclude-libs,ALL -o $$@ $$^ $(LDFLAGS) $(LIBS)

build/binding/$(1)/%.o: lua/binding/%.c
	$$(call say,CC,$$< ($(1)))
	@mkdir -p $$(@D)
	$$(q)$(CC) $(CPPFLAGS) $(shell pkg-config --cflags $(LUA_PACKAGE_$(1)) 2>/dev/null) $(CFLAGS) -MMD -c -o $$@ $$<
endef
$(foreach version,$(LUAS),$(eval $(call for_lua,$(version))))

# ---- beamlua: Lua 5.4, lua-cjson and the module in one program; the transport is loaded when it is first needed ----

LUA54 := $(shell pkg-config --variable=libdir lua5.4 2>/dev/null)

build/beamlua: $(HOST:lua/host/%.c=build/host/%.o) build/host/baked.o build/lua/5.4/beam/core.so | $(LINE)
	$(call say,LD,$@)
	$(q)$(CC) -Wl,--dynamic-list=lua/host/exports.list -o $@ $(filter %.o,$^) $(LDFLAGS) $(LUA54)/liblua5.4.a $(LUA54)/liblua5.4-cjson.a -lm -ldl

build/host/%.o: lua/host/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) -Ilua/host $(shell pkg-config --cflags lua5.4 2>/dev/null) $(CFLAGS) -MMD -c -o $@ $<

# The line editor of the prompt, if libedit is there: loaded for a prompt only.
build/lua/5.4/beam/line.so: lua/host/line/line.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(shell pkg-config --cflags lua5.4 libedit 2>/dev/null) $(CFLAGS) -shared -o $@ $< $(LDFLAGS) \
	  $(shell pkg-config --libs libedit 2>/dev/null)

build/host/bake: lua/host/bake/bake.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(q)$(CC) $(shell pkg-config --cflags lua5.4 2>/dev/null) $(CFLAGS) -o $@ $< $(LUA54)/liblua5.4.a -lm -ldl

build/host/baked.c: build/host/bake lua/host/bake.lua $(LUA_SOURCES)
	$(call say,BAKE,$@)
	@mkdir -p $(@D)
	$(q)build/host/bake lua/host/bake.lua $(filter-out lua/host/bake.lua,$(LUA_SOURCES)) > $@

build/host/baked.o: build/host/baked.c
	$(call say,CC,$<)
	$(q)$(CC) $(CPPFLAGS) -Ilua/host $(CFLAGS) -c -o $@ $<

# ---- libbeamhost: libbeam, beam.core, Lua 5.4, lua-cjson and the module in one object that gives away the names beam_* alone ----

build/beamhost.o: $(CORE:%.c=build/%.o) $(EMBED_BINDING:lua/binding/%.c=build/binding/5.4/%.o) $(EMBED:lua/host/%.c=build/host/%.o) build/host/baked.o build/host/lua54.o
	$(call say,LD,$@)
	$(q)$(LD) -r -o $@ $^
	$(q)objcopy --wildcard --keep-global-symbol='beam_[a-z]*' $@

# Lua itself; why its streams have other names: lua/host/embed_streams.c.
build/host/lua54.o: $(LUA54)/liblua5.4.a $(LUA54)/liblua5.4-cjson.a
	$(q)$(LD) -r -o $@ --whole-archive $^
	$(q)objcopy $(foreach stream,stdin stdout stderr,--redefine-sym $(stream)=host_$(stream)) $@

build/libbeamhost.a: build/beamhost.o
	$(call say,AR,$@)
	$(q)rm -f $@ && $(AR) rcs $@ $^

build/libbeamhost.so: build/beamhost.o
	$(call say,LD,$@)
	$(q)$(CC) -shared -Wl,-soname,libbeamhost.so.0 -Wl,-z,defs -o $@ $^ $(LDFLAGS) $(LIBS) -lm -ldl
	$(q)ln -sf libbeamhost.so build/libbeamhost.so.0

# ---- Tests: the core and each test under AddressSanitizer and UBSan ----

build/asan/libbeam.a: $(CORE:%.c=build/asan/%.o)
	$(call say,AR,$@)
	$(q)rm -f $@ && $(AR) rcs $@ $^

build/asan/core/%.o: core/%.c
	$(call say,CC,$< (asan))
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(CFLAGS) $(SANITIZE) -MMD -c -o $@ $<

build/tests/%: tests/%.c tests/test.h build/asan/libbeam.a
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(CFLAGS) $(SANITIZE) -Itests -o $@ $< build/asan/libbeam.a $(LIBS)

build/tests/json_test: tests/json_test.c tests/test.h build/asan/libbeam.a $(wildcard lua/binding/json*)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(CFLAGS) $(SANITIZE) -Itests -Ilua/binding $(shell pkg-config --cflags lua5.4 2>/dev/null) \
	  -o $@ $< $(wildcard lua/binding/json*.c) build/asan/libbeam.a $(LIBS) $(shell pkg-config --libs lua5.4 2>/dev/null)

# The script host's tests have a Lua 5.4 in them.
build/asan/libscript.a: $(patsubst lua/%.c,build/asan/%.o,$(wildcard lua/host/script*.c))
	$(call say,AR,$@)
	$(q)rm -f $@ && $(AR) rcs $@ $^

build/asan/host/%.o: lua/host/%.c
	$(call say,CC,$< (asan))
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(shell pkg-config --cflags lua5.4 2>/dev/null) $(CFLAGS) $(SANITIZE) -MMD -c -o $@ $<

build/tests/script_%: tests/script_%.c tests/script_fixture.h build/asan/libscript.a
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) -Ilua/host $(shell pkg-config --cflags lua5.4 2>/dev/null) $(CFLAGS) $(SANITIZE) -Itests -o $@ $< \
	  build/asan/libscript.a $(LUA54)/liblua5.4.a -lm -ldl

# Those of libbeamhost have all of it.
build/asan/libbeamhost.a: build/asan/libscript.a build/asan/libbeam.a build/host/baked.o build/asan/host/modules.o \
  $(EMBED_BINDING:lua/binding/%.c=build/asan/binding/%.o) $(patsubst lua/%.c,build/asan/%.o,$(wildcard lua/host/embed*.c))
	$(call say,AR,$@)
	$(q)rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)

build/asan/binding/%.o: lua/binding/%.c
	$(call say,CC,$< (asan))
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(shell pkg-config --cflags lua5.4 2>/dev/null) $(CFLAGS) $(SANITIZE) -MMD -c -o $@ $<

build/tests/host_%: tests/host_%.c tests/host_fixture.h tests/test.h build/asan/libbeamhost.a build/beamlua
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) -Ilua/host $(CFLAGS) $(SANITIZE) -Itests -o $@ $< build/asan/libbeamhost.a build/asan/libscript.a build/asan/libbeam.a \
	  $(LIBS) $(LUA54)/liblua5.4.a $(LUA54)/liblua5.4-cjson.a -lm -ldl

# ---- Benchmarks and fuzzing ----

bench: setup-bench
	@$(MAKE) all $(BENCHES)
	@PYTHON=$(PYTHON) sh tests/bench/run.sh

# beam.map alone: ten thousand inputs, faults, and the others.
bench-map: setup-bench
	@$(MAKE) all build/bench/map_reference
	@PYTHON=$(PYTHON) sh tests/bench/map.sh

build/bench/%: tests/bench/%.c build/libbeam.a
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(CFLAGS) -Itests/bench -o $@ $< build/libbeam.a $(LIBS)

build/bench/host: tests/bench/host.c build/libbeamhost.a
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) -Ilua/host $(CFLAGS) -Itests/bench -o $@ $^ $(LIBS) -lm -ldl

build/bench/script: tests/bench/script.c $(patsubst lua/%.c,build/%.o,$(wildcard lua/host/script*.c))
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) -Ilua/host $(shell pkg-config --cflags lua5.4 2>/dev/null) $(CFLAGS) -Itests/bench -o $@ $^ $(LUA54)/liblua5.4.a -lm -ldl

# Each fuzzer begins with what is kept of earlier runs, tests/fuzz/corpus/NAME.tar.gz; what it finds besides stays in build/corpus until
# `make corpus` keeps of it all that reaches something new.
FUZZ_SECONDS ?= 60
fuzz: setup-fuzz $(FUZZERS)
	@for fuzzer in $(FUZZERS); do name=$${fuzzer##*/} && mkdir -p build/corpus/$$name && echo "FUZZ   $$fuzzer" && \
	  tar -xzf tests/fuzz/corpus/$$name.tar.gz -C build/corpus/$$name && \
	  $$fuzzer -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=build/corpus/ -print_final_stats=1 -verbosity=0 build/corpus/$$name || exit 1; done

corpus: $(FUZZERS)
	@for fuzzer in $(FUZZERS); do name=$${fuzzer##*/} && rm -rf build/kept && mkdir -p build/kept && echo "KEEP   $$name" && \
	  $$fuzzer -merge=1 build/kept build/corpus/$$name 2>/dev/null && \
	  tar -czf tests/fuzz/corpus/$$name.tar.gz --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C build/kept . || exit 1; done

build/fuzz/%: tests/fuzz/%.c $(wildcard tests/fuzz/*.h) $(CORE)
	$(call say,CLANG,$<)
	@mkdir -p $(@D)
	$(q)clang-14 $(CPPFLAGS) $(shell pkg-config --cflags lua5.4 2>/dev/null) -std=c11 -g -O1 -fsanitize=fuzzer,address,undefined -o $@ $< $(CORE) \
	  $(LIBS) $(shell pkg-config --libs lua5.4 2>/dev/null)

# ---- Lint, install, clean ----

lint: setup-lint
	@sh tests/lint.sh

include install.mk

# The manual of beamlua, from the table of its commands.
manual: build/beamlua
	@build/beamlua tests/manual.lua > docs/beamlua.1

# The pages and the reference of the module as HTML, by LDoc, in build/docs/html.
docs: setup-docs
	$(call say,LDOC,build/docs/html)
	$(q)rm -rf build/docs && mkdir -p build/docs/source build/docs/html/pictures
	$(q)cp docs/pictures/* build/docs/html/pictures && cp docs/reference/config.ld build/docs/source
	$(q)lua5.4 docs/reference/ldoc.lua build/docs/source
	$(q)cd build/docs/source && lua5.1 "$$(command -v ldoc)" --quiet --fatalwarnings -c config.ld . >/dev/null

# What an editor is told of the module (docs/library), made from the comments in lua/beam.
library:
	@lua5.4 docs/reference/library.lua docs/library

rockspec:
	@lua5.4 tests/rockspec.lua > lua-beam-scm-1.rockspec

clean:
	$(call say,RM,build)
	$(q)rm -rf build

-include $(shell find build -name '*.d' -type f 2>/dev/null)
