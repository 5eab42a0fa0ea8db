# Beam for Lua. `make demo` and `make test` are all that a newcomer needs; both install what is missing (tests/setup.sh).
MAKEFLAGS += --no-print-directory
V ?= 0
say = @$(if $(filter 1,$(V)),:,printf '%-6s %s\n' "$(1)" "$(2)")
q = $(if $(filter 1,$(V)),,@)

VERSION := $(shell sed -n 's/^\#define BEAM_VERSION "\(.*\)"/\1/p' core/beam.h)
PREFIX ?= /usr/local
DESTDIR ?=
PYTHON ?= /usr/bin/python3
# As many compilers at a time as there are processors, unless make was told how many.
PARALLEL = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc 2>/dev/null || echo 1))

PACKAGES := libuv libwebsockets libcurl openssl zlib
WARNINGS := -Wall -Wextra -Wformat -Werror=format-security -Wshadow -Wstrict-prototypes -Wpointer-arith -Werror
# make DEBUG=1: with assertions, to be stepped through; make SANITIZE=1: beamlua and each core.so under AddressSanitizer and UBSan.
SANITIZERS := -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined -O1
PACKAGE_FLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
CPPFLAGS += -D_GNU_SOURCE $(if $(DEBUG),,-DNDEBUG) -Icore $(PACKAGE_FLAGS)
CFLAGS ?= $(if $(DEBUG),-Og,-O2) -g
override CFLAGS += -std=c11 -fPIC -fvisibility=hidden $(WARNINGS) $(if $(SANITIZE),$(SANITIZERS))
override LDFLAGS += $(if $(SANITIZE),$(SANITIZERS))
# What is installed is built so besides, with what of it this compiler knows and this linker; asked once, when something is built.
HARDENING = $(eval HARDENING := $(shell sh tests/release/flags.sh compile "$(CC)" "$(CPPFLAGS) $(CFLAGS)"))$(HARDENING)
LINK_HARDENING = $(eval LINK_HARDENING := $(shell sh tests/release/flags.sh link "$(CC)" "$(CFLAGS)"))$(LINK_HARDENING)
LIBS := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lpthread

CORE := $(sort $(shell find core -name "*.c"))
BINDING := $(wildcard lua/binding/*.c lua/binding/*/*.c)
LUA_PACKAGE_5.1 := lua5.1
LUA_PACKAGE_jit := luajit
LUA_PACKAGE_5.3 := lua5.3
LUA_PACKAGE_5.4 := lua5.4
LUA_PACKAGE_5.5 := lua5.5

# What beamlua and libbeamhost have inside: 5.4, or 5.5 where the system has it (make LUA=5.5).
LUA := 5.4
# The module, for each Lua whose headers are there.
LUAS := $(strip $(foreach lua,5.1 jit 5.3 5.4 5.5,$(if $(filter $(LUA),$(lua))$(shell pkg-config --exists $(LUA_PACKAGE_$(lua)) 2>/dev/null && echo yes),$(lua))))


.PHONY: all setup setup-build setup-test setup-lint setup-fuzz setup-bench setup-package setup-docs setup-monitoring setup-release demo test core lua host lint manual docs pictures library rockspec clean
.DELETE_ON_ERROR:
.SECONDARY:

all: core lua build/beamlua host
core: build/libbeam.a build/libbeam.so
lua: $(LUAS:%=build/lua/%/beam/core.so)
host: build/libbeamhost.a build/libbeamhost.so

setup: setup-test setup-lint
setup-build setup-test setup-lint setup-fuzz setup-bench setup-docs setup-package setup-monitoring setup-release:
	@LUA=$(LUA) sh tests/setup.sh $(@:setup-%=%)

demo: setup-build
	@$(MAKE) $(PARALLEL) build/beamlua
	@sh scripts/demo.sh

test: setup-test
	@$(MAKE) $(PARALLEL) $(if $(NEEDS_ALL),all) $(CHOSEN)
	@PYTHON=$(PYTHON) SANITIZE=$(SANITIZE) sh tests/run.sh $(T)

# What everything is compiled with: other flags compile everything anew.
build/flags: always
	@mkdir -p $(@D)
	@echo '$(CC) $(CPPFLAGS) $(CFLAGS) $(HARDENING)' | cmp -s - $@ || echo '$(CC) $(CPPFLAGS) $(CFLAGS) $(HARDENING)' > $@

# ---- libbeam ----

build/libbeam.a: $(CORE:%.c=build/%.o)
	$(call say,AR,$@)
	$(q)rm -f $@ && $(AR) qcs $@ $^

build/libbeam.so: $(CORE:%.c=build/%.o)
	$(call say,LD,$@)
	$(q)$(CC) -shared -Wl,-soname,libbeam.so.0 -o $@ $^ $(LINK_HARDENING) $(LDFLAGS) $(LIBS)
	$(q)ln -sf libbeam.so build/libbeam.so.0

build/core/%.o: core/%.c build/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(CFLAGS) $(HARDENING) -MMD -MP -c -o $@ $<

# ---- beam.core, once for each Lua ----

define for_lua
build/lua/$(1)/beam/core.so: $(BINDING:lua/binding/%.c=build/binding/$(1)/%.o) build/libbeam.a
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$$(q)$(CC) -shared -Wl,--exclude-libs,ALL -o $$@ $$^ $$(LINK_HARDENING) $(LDFLAGS) $(LIBS)

build/binding/$(1)/%.o: lua/binding/%.c build/flags
	$$(call say,CC,$$< ($(1)))
	@mkdir -p $$(@D)
	$$(q)$(CC) $(CPPFLAGS) -Ilua/binding $(shell pkg-config --cflags $(LUA_PACKAGE_$(1)) 2>/dev/null) $(CFLAGS) $$(HARDENING) -MMD -MP -c -o $$@ $$<
endef
$(foreach version,$(LUAS),$(eval $(call for_lua,$(version))))
# ---- The rest, by idea ----

include lua/beamlua/beamlua.mk lua/beamlua/portable/portable.mk tests/tests.mk tests/bench/bench.mk tests/fuzz/fuzz.mk tests/develop.mk tests/release/release.mk install.mk

lint: setup-lint
	@sh tests/lint.sh

# The manual of beamlua, from the table of its commands.
manual: build/beamlua
	@build/beamlua tests/manual.lua > docs/manual/beamlua.1

# The pages and the reference of the module as HTML, by LDoc, in build/docs/html.
docs: setup-docs
	$(call say,LDOC,build/docs/html)
	$(q)rm -rf build/docs && mkdir -p build/docs/source build/docs/html/pictures
	$(q)cp docs/pictures/* build/docs/html/pictures && cp docs/reference/config.ld build/docs/source
	$(q)lua5.4 docs/reference/ldoc.lua build/docs/source
	$(q)cd build/docs/source && LUA_PATH="../../../docs/reference/?.lua;;" lua5.1 "$$(command -v ldoc)" --quiet --fatalwarnings -c config.ld . >/dev/null

# README's picture of a terminal, from a run.
pictures: setup-docs
	@$(MAKE) $(PARALLEL) build/beamlua
	@$(PYTHON) docs/reference/terminal.py docs/pictures/terminal.svg

# What an editor is told of the module (docs/library), made from the comments in lua/beam.
library:
	@lua5.4 docs/reference/library.lua docs/library

rockspec:
	@lua5.4 tests/rockspec.lua > lua-beam-scm-1.rockspec

clean:
	$(call say,RM,build)
	$(q)rm -rf build

-include $(shell find build -name '*.d' -type f 2>/dev/null)
