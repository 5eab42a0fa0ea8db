# One folder to take along, and the same as an archive: beamlua with the libraries that it needs beside it. Included by the Makefile.
MACHINE := $(shell uname -m)
PORTABLE := beamlua-$(VERSION)-linux-$(MACHINE)
PORTABLE_FOLDER := build/portable/$(PORTABLE)
# An RPATH, not a RUNPATH: it serves the libraries' libraries too, and comes before LD_LIBRARY_PATH.
BESIDE := -Wl,--disable-new-dtags,-rpath,'$$ORIGIN/../../..'

.PHONY: portable portable-roots mingw musl

portable: setup-build
	@$(MAKE) $(PARALLEL) build/beamlua build/completions/beamlua build/portable/core.so $(if $(LINE),build/portable/line.so)
	$(call say,FOLDER,$(PORTABLE_FOLDER))
	$(q)sh lua/beamlua/portable/collect.sh $(PORTABLE_FOLDER) $(LUA) build/portable/core.so $(if $(LINE),build/portable/line.so)
	$(call say,TAR,$(PORTABLE_FOLDER).tar.xz)
	$(q)tar -C build/portable -cJf $(PORTABLE_FOLDER).tar.xz --sort=name --owner=0 --group=0 --numeric-owner \
	  --mtime=@$$(git log -1 --format=%ct 2>/dev/null || echo 0) $(PORTABLE)

# The folder, tried in roots of other releases of Debian in which nothing is installed; as root. RELEASE=testing: in one.
portable-roots: portable
	@sh tests/hosts/install/portable_roots.sh $(PORTABLE_FOLDER) $(RELEASE)

build/portable/core.so: $(BINDING:lua/binding/%.c=build/binding/$(LUA)/%.o) build/portable/plugins.o build/libbeam.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(q)$(CC) -shared -Wl,--exclude-libs,ALL $(BESIDE) -o $@ $^ $(LINK_HARDENING) $(LDFLAGS) $(LIBS) -ldl

build/portable/line.so: lua/beamlua/line/line.c build/flags
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(LUA_FLAGS) $(shell pkg-config --cflags libedit 2>/dev/null) $(CFLAGS) $(HARDENING) -shared $(BESIDE) -o $@ $< $(LINK_HARDENING) $(LDFLAGS) \
	  $(shell pkg-config --libs libedit 2>/dev/null)

build/portable/plugins.o: lua/beamlua/portable/plugins.c build/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(CFLAGS) $(HARDENING) -MMD -MP -c -o $@ $<

# What does not touch the system compiles for Windows as it is: the sandbox but for string.find (memmem), JSON, the parsers of frames and heads. Wants gcc-mingw-w64.
MINGW ?= x86_64-w64-mingw32-gcc
FOR_WINDOWS := $(filter-out %/strings.c,$(SANDBOX)) $(wildcard lua/binding/json/*.c) $(addprefix core/,base/ascii.c base/bytes.c base/utf8.c net/http1/answer.c net/http1/body.c \
  net/http1/head.c websocket/frame.c)
mingw: $(FOR_WINDOWS:%.c=build/mingw/%.o)
	@echo "$(words $(FOR_WINDOWS)) files compile for Windows; nothing of it was run there"

# Every file with musl's headers: is any call glibc's alone? Wants musl-tools.
musl: build/host/lua
	@sh lua/beamlua/portable/musl.sh

build/mingw/%.o: %.c
	$(call say,CC,$< (mingw))
	@mkdir -p $(@D)
	$(q)$(MINGW) -D_GNU_SOURCE -DNDEBUG -Icore -Ilua -Ilua/binding $(LUA_FLAGS) -std=c11 -O2 $(WARNINGS) -c -o $@ $<
