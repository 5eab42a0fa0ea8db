# What a developer's day needs besides building and testing. Included by the Makefile.
.PHONY: compile_commands.json coverage hooks

# For clangd and other readers of C: how each file of core/ and lua/ is compiled.
compile_commands.json: setup-build
	$(call say,JSON,$@)
	$(q)CPPFLAGS='$(CPPFLAGS) $(HOST_FLAGS) -Ilua/binding -Itests $(shell pkg-config --cflags lua5.4 2>/dev/null)' CFLAGS='$(CFLAGS)' \
	  lua5.4 tests/compile_commands.lua > $@

# Which lines the tests reach: C by gcov, Lua by LuaCov on Lua 5.4. Prints a line for each room, and the whole; build/coverage has the rest.
coverage: setup-test
	@PYTHON=$(PYTHON) sh tests/coverage.sh $(T)

# Before each commit: the lint of what is staged.
hooks:
	$(call say,HOOK,pre-commit)
	$(q)ln -sf "$(CURDIR)/tests/pre-commit.sh" "$$(git rev-parse --git-path hooks)/pre-commit"
