# What a release shows of itself besides its tests: how it is built, what analysers say, what is in it. Included by the Makefile.
.PHONY: hardening analyze sbom

# PIE, relocations that are read-only, checked stacks and libc functions: in what was built, in its commands, in the rock.
hardening: setup-release
	@$(MAKE) all
	@CC="$(CC)" LUA=$(LUA) LUA_LIBRARY="$(LUA_LIBRARY)" sh tests/release/hardening.sh
