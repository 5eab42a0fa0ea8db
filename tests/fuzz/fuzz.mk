# The fuzzers of the parsers, and what they have found so far. Included by the Makefile.
FUZZERS := $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/*.c))

.PHONY: fuzz corpus

# Each fuzzer begins with what is kept of earlier runs, tests/fuzz/corpus/NAME.tar.gz; what it finds besides stays in build/corpus until
# `make corpus` keeps of it all that reaches something new.
FUZZ_SECONDS ?= 60
FUZZ_CC ?= clang
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
	$(q)$(FUZZ_CC) $(CPPFLAGS) $(LUA_FLAGS) -std=c11 -g -O1 -fsanitize=fuzzer,address,undefined -o $@ $< $(CORE) \
	  $(LIBS) $(shell pkg-config --libs lua$(LUA) 2>/dev/null)
