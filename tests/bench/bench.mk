# Benchmarks: programs in C beside those in Lua and sh. Included by the Makefile.
BENCHES := $(patsubst tests/bench/%.c,build/bench/%,$(wildcard tests/bench/*.c tests/bench/map/*.c tests/bench/scripting/*.c))

.PHONY: bench bench-map

bench: setup-bench
	@$(MAKE) $(PARALLEL) all $(BENCHES)
	@PYTHON=$(PYTHON) sh tests/bench/run.sh

# beam.map alone: ten thousand inputs, faults, and the others.
bench-map: setup-bench
	@$(MAKE) $(PARALLEL) all build/bench/map/reference
	@PYTHON=$(PYTHON) sh tests/bench/map/run.sh

build/bench/%: tests/bench/%.c build/libbeam.a
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(CFLAGS) -Itests/bench -o $@ $< build/libbeam.a $(LIBS)

build/bench/scripting/host: tests/bench/scripting/host.c build/libbeamhost.a
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(HOST_FLAGS) $(CFLAGS) -Itests/bench -o $@ $^ $(LIBS) -lm -ldl

build/bench/scripting/script: tests/bench/scripting/script.c $(SANDBOX:lua/%.c=build/host/%.o)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(HOST_FLAGS) $(LUA_FLAGS) $(CFLAGS) -Itests/bench -o $@ $^ $(LUA_LIBRARY) -lm -ldl
