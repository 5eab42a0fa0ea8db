# What a release shows of itself besides its tests: how it is built, what analysers say, what is in it. Included by the Makefile.
.PHONY: hardening analyze sbom

# PIE, relocations that are read-only, checked stacks and libc functions: in what was built, in its commands, in the rock.
hardening: setup-release
	@$(MAKE) all
	@CC="$(CC)" LUA=$(LUA) LUA_LIBRARY="$(LUA_LIBRARY)" sh tests/release/hardening.sh

# What can be said of our C without running it.
analyze: setup-release
	@FLAGS="$(CPPFLAGS) $(HOST_FLAGS) -Ilua/binding $(LUA_FLAGS) $(shell pkg-config --cflags libedit 2>/dev/null)" sh tests/release/analyze.sh

# The release's bill of materials (build/dist/*.cdx.json) against CycloneDX's own schema, which a package of npm has.
CYCLONEDX := build/cyclonedx/node_modules/@cyclonedx/cyclonedx-library/res/schema
sbom: setup-release dist $(CYCLONEDX)
	$(q)$(PYTHON) -W ignore tests/release/sbom_check.py build/dist/$(DIST).cdx.json $(CYCLONEDX)

$(CYCLONEDX):
	$(call say,NPM,$@)
	@command -v npm >/dev/null || { echo "sbom: npm is missing, which brings the schema" >&2; exit 1; }
	$(q)npm install --silent --no-save --ignore-scripts --omit=optional --omit=peer --prefix build/cyclonedx @cyclonedx/cyclonedx-library@10.3.0 >/dev/null
