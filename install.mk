# What `make` has built goes into the system, and out of it; packages. Included by the Makefile.
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DATADIR ?= $(PREFIX)/share
INSTALL ?= install

.PHONY: install install-files uninstall install-list dist rocks deb always

# LuaJIT looks where Lua 5.1 does, and loads what was built for it (lua/binding/compat.h).
INSTALLED_LUAS := $(filter-out jit,$(LUAS))
PKG_CONFIG_FILES := build/pkgconfig/beam.pc build/pkgconfig/beamhost.pc
COMPLETIONS := build/completions/beamlua build/completions/_beamlua build/completions/beamlua.fish
HEADERS := core/beam.h core/beam-server.h lua/embed/beamhost.h

# One folder a line: mode, files (a pattern where they are the source's), where to; known before anything is built. Written by the shell alone,
# for a process a file takes longer than all the rest. The shared libraries and their links stand in `install-files` and `uninstall`.
install-list:
	@echo 755 build/beamlua "$(PREFIX)/bin"
	@for library in beam beamhost; do echo 644 build/lib$$library.a "$(LIBDIR)"; done
	@for header in $(HEADERS); do echo 644 $$header "$(INCLUDEDIR)"; done
	@for file in $(PKG_CONFIG_FILES); do echo 644 $$file "$(LIBDIR)/pkgconfig"; done
	@cd lua && find beam -name '*.lua' | sed 's|/[^/]*$$||' | LC_ALL=C sort -u | while read -r folder; do for lua in $(INSTALLED_LUAS); do \
	  echo "644 lua/$$folder/*.lua $(DATADIR)/lua/$$lua/$$folder"; done; done
	@for lua in $(INSTALLED_LUAS); do echo 644 build/lua/$$lua/beam/core.so "$(LIBDIR)/lua/$$lua/beam"; done
	@[ -z "$(LINE)" ] || echo 644 $(LINE) "$(LIBDIR)/lua/$(LUA)/beam"
	@cd docs && find library -name '*.lua' | sed 's|/[^/]*$$||' | LC_ALL=C sort -u | while read -r folder; do \
	  echo "644 docs/$$folder/*.lua $(DATADIR)/lua-beam/$$folder"; done
	@echo 644 docs/manual/beamlua.1 "$(DATADIR)/man/man1"
	@for file in $(COMPLETIONS); do case $$file in \
	  */_beamlua) echo 644 $$file "$(DATADIR)/zsh/site-functions" ;; \
	  *.fish) echo 644 $$file "$(DATADIR)/fish/vendor_completions.d" ;; \
	  *) echo 644 $$file "$(DATADIR)/bash-completion/completions" ;; esac; done

install: all
	@$(MAKE) install-files

install-files: $(PKG_CONFIG_FILES) $(COMPLETIONS)
	@case "$(PREFIX)" in /*) ;; *) echo "PREFIX must be an absolute path, not $(PREFIX)" >&2; exit 1 ;; esac
	$(call say,INSTALL,$(DESTDIR)$(PREFIX))
	$(q)$(MAKE) -s install-list > build/install.list
	$(q)while read -r mode files to; do folder="$(DESTDIR)$$to"; \
	  { [ -d "$$folder" ] || $(INSTALL) -d "$$folder"; } && $(INSTALL) -m $$mode $$files "$$folder/" || exit 1; done < build/install.list
	$(q)for library in beam beamhost; do [ ! -e build/lib$$library.so ] || { \
	  $(INSTALL) -m 644 build/lib$$library.so "$(DESTDIR)$(LIBDIR)/lib$$library.so.$(VERSION)" && \
	  ln -sf lib$$library.so.$(VERSION) "$(DESTDIR)$(LIBDIR)/lib$$library.so.0" && \
	  ln -sf lib$$library.so.0 "$(DESTDIR)$(LIBDIR)/lib$$library.so"; } || exit 1; done

# Our files, then the folders that are empty without them; what else lies there stays, and so do the prefix's own folders. Builds nothing.
uninstall:
	$(call say,RM,$(DESTDIR)$(PREFIX))
	$(q)for library in beam beamhost; do for end in "" .0 .$(VERSION); do rm -f "$(DESTDIR)$(LIBDIR)/lib$$library.so$$end"; done; done
	$(q)mkdir -p build && $(MAKE) -s install-list LINE=build/lua/$(LUA)/beam/line.so > build/install.list
	$(q)while read -r mode files to; do for file in $$files; do printf '%s\0' "$(DESTDIR)$$to/$${file##*/}"; done; done < build/install.list | xargs -0 rm -f
	$(q)cut -d ' ' -f 3- build/install.list | LC_ALL=C sort -ru | while read -r folder; do \
	  while case $${folder%/*} in "$(PREFIX)"|"") false ;; esac && { [ ! -d "$(DESTDIR)$$folder" ] || rmdir "$(DESTDIR)$$folder" 2>/dev/null; }; do folder=$${folder%/*}; done; \
	  done

# The folders in them are the command line's: they are made anew each time.
build/pkgconfig/%.pc: always
	@mkdir -p $(@D)
	$(q)sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' -e 's|@VERSION@|$(VERSION)|' \
	  -e 's|@LIBS@|$(LIBS)|' $(wildcard core/$*.pc.in lua/embed/$*.pc.in) > $@

build/completions/%: build/beamlua
	@mkdir -p $(@D)
	$(q)build/beamlua completion $(if $(filter %.fish,$@),fish,$(if $(filter _%,$(@F)),zsh,bash)) > $@

# ---- A release: the tarball, its rockspec, and its bill of materials for this system ----

# Of a tree that is no checkout, or without git: all that is in it.
DIST := lua-beam-$(VERSION)
SOURCE_URL ?= https://github.com/beam-lua/lua-beam/releases/download/v$(VERSION)/$(DIST).tar.gz
RELEASE_TIME = $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md))
dist:
	$(call say,DIST,build/dist/$(DIST).tar.gz)
	@rm -rf build/dist && mkdir -p build/dist
	$(q){ git ls-files 2>/dev/null || find . -type f ! -path './build/*' ! -path './.git/*' | sed 's|^\./||'; } | grep -v '^\.ci/' | LC_ALL=C sort | tar --create --files-from=- --transform='s|^|$(DIST)/|' --owner=0 --group=0 --numeric-owner \
	  --mtime=@$(RELEASE_TIME) | gzip -9n > build/dist/$(DIST).tar.gz
	$(q)tar -C build/dist -xzf build/dist/$(DIST).tar.gz
	$(q)md5=$$(md5sum < build/dist/$(DIST).tar.gz) && cd build/dist/$(DIST) && \
	  lua5.4 tests/rockspec.lua $(VERSION) $(SOURCE_URL) $${md5%% *} > ../$(DIST)-1.rockspec
	$(q)lua5.4 tests/release/sbom.lua $(VERSION) $(RELEASE_TIME) $$(sha256sum < build/dist/$(DIST).tar.gz | cut -d ' ' -f 1) $(LUA) > build/dist/$(DIST).cdx.json
	@rm -rf build/dist/$(DIST)

# The rock on every Lua, each way to install it; tests/hosts/install/rock_test.sh does each way once.
rocks: setup-test
	@$(MAKE) $(PARALLEL) all
	@LUAS="$(LUAS)" sh tests/hosts/install/rock_test.sh

# ---- Packages for Debian and Ubuntu: debian/, built from the release's tarball, in build/deb ----

deb: setup-package dist
	@sh tests/hosts/install/deb.sh
