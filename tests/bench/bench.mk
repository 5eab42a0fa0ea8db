# Benchmarks: programs in C beside those in Lua and those of others. Included by the Makefile.
#   make bench                   all of it, and docs/performance.md is written
#   make bench-quick             what moves most often, in two minutes; writes nothing
#   make bench T=echo            the groups of figures.py with that in their name; writes nothing
#   make bench BASELINE=/path    beside another checkout as well, which is built
BENCH_C := $(patsubst tests/bench/c/%.c,%,$(wildcard tests/bench/c/*.c))
BENCHES := $(BENCH_C:%=build/bench/%) $(addprefix build/bench/,peer hand tcp_echo http_reference host host_message script) \
  $(if $(shell command -v npm),build/bench/node/node_modules)
# Those that another checkout's library is measured with.
BASELINE_BENCHES := $(addprefix build/bench/baseline/,$(filter ws_% http_%,$(BENCH_C)) host_message)
BENCH_FLAGS = $(CFLAGS) -Itests/bench

.PHONY: bench bench-quick bench-map bench-load bench-observe bench-programs

bench bench-quick: setup-bench
	@$(MAKE) $(PARALLEL) bench-programs BASELINE=$(BASELINE)
	@BASELINE=$(BASELINE) $(PYTHON) tests/bench/run.py $(if $(filter bench-quick,$@),--quick) "$(T)"

bench-programs: all $(BENCHES) $(if $(BASELINE),$(BASELINE_BENCHES))

# beam.map alone: ten thousand inputs, faults, and the others.
bench-map: setup-bench
	@$(MAKE) $(PARALLEL) all build/bench/map/reference
	@PYTHON=$(PYTHON) sh tests/bench/map/run.sh

# beamlua load: its percentiles beside wrk's, its calls a second beside libcurl's, and a server that stands still.
bench-load: setup-bench
	@$(MAKE) $(PARALLEL) all build/bench/http_reference
	@$(PYTHON) tests/bench/load/bench.py

# What figures and spans cost, in instructions; BASELINE=/path: beside another checkout as well, built.
bench-observe: setup-bench
	@$(MAKE) $(PARALLEL) all
	@BASELINE=$(BASELINE) sh tests/bench/observe/run.sh

build/bench/%: tests/bench/c/%.c tests/bench/measure.h build/libbeam.a
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(BENCH_FLAGS) -o $@ $< build/libbeam.a $(LIBS)

build/bench/baseline/%: tests/bench/c/%.c tests/bench/measure.h $(BASELINE)/build/libbeam.a
	$(call say,CC,$< (baseline))
	@mkdir -p $(@D)
	$(q)$(CC) -I$(BASELINE)/core $(CPPFLAGS) $(BENCH_FLAGS) -o $@ $< $(BASELINE)/build/libbeam.a $(LIBS)

# ---- The other end, and what is measured beside ----

build/bench/peer: $(wildcard tests/bench/peer/*) build/libbeam.a
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(BENCH_FLAGS) -o $@ $(filter %.c %.a,$^) $(LIBS)

build/bench/hand: $(wildcard tests/bench/others/hand/*) tests/bench/measure.h
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(BENCH_FLAGS) -o $@ $(filter %.c,$^) $(LIBS)

build/bench/%: tests/bench/others/%.c tests/bench/measure.h
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(BENCH_FLAGS) -o $@ $< $(LIBS)

build/bench/map/%: tests/bench/map/%.c tests/bench/measure.h
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(BENCH_FLAGS) -o $@ $< $(LIBS)

# npm's ws, the version in package-lock.json.
build/bench/node/node_modules: tests/bench/others/package.json tests/bench/others/package-lock.json
	$(call say,NPM,ws)
	@mkdir -p $(@D)
	$(q)cp $^ $(@D) && cd $(@D) && npm ci --silent --no-audit --no-fund && touch node_modules

# ---- A script in a program in C ----

build/bench/host build/bench/host_message: build/bench/%: tests/bench/scripting/%.c tests/bench/measure.h build/libbeamhost.a
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(HOST_FLAGS) $(BENCH_FLAGS) -o $@ $< build/libbeamhost.a $(LIBS) -lm -ldl

build/bench/baseline/host_message: tests/bench/scripting/host_message.c $(BASELINE)/build/libbeamhost.a
	$(call say,CC,$< (baseline))
	@mkdir -p $(@D)
	$(q)$(CC) -I$(BASELINE)/core -I$(BASELINE)/lua/embed -I$(BASELINE)/lua/host $(CPPFLAGS) $(BENCH_FLAGS) -o $@ $(filter-out %.h,$^) $(LIBS) -lm -ldl

build/bench/script: tests/bench/scripting/script.c $(SANDBOX:lua/%.c=build/host/%.o)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(q)$(CC) $(CPPFLAGS) $(HOST_FLAGS) $(LUA_FLAGS) $(BENCH_FLAGS) -o $@ $^ $(LUA_LIBRARY) -lm -ldl
