# The fuzzers of the parsers, of sessions, and of what is written twice, and what they have found so far. Included by the Makefile.
FUZZ_SOURCES := $(wildcard tests/fuzz/*_fuzz.c tests/fuzz/*/*_fuzz.c)
FUZZERS := $(foreach source,$(FUZZ_SOURCES),build/fuzz/$(basename $(notdir $(source))))

.PHONY: fuzz fuzz-quick corpus

# Each fuzzer begins with what is kept of earlier runs, tests/fuzz/corpus/NAME.tar.gz; what it finds besides stays in build/corpus until
# `make corpus` keeps of it all that reaches something new. FUZZ=session: those with that in their names.
FUZZ_SECONDS ?= 60
FUZZ_CC ?= clang
FUZZ ?=
CHOSEN_FUZZERS := $(if $(FUZZ),$(foreach fuzzer,$(FUZZERS),$(if $(findstring $(FUZZ),$(fuzzer)),$(fuzzer))),$(FUZZERS))
fuzz: setup-fuzz
	@$(MAKE) $(CHOSEN_FUZZERS)
	@for fuzzer in $(CHOSEN_FUZZERS); do name=$${fuzzer##*/} && mkdir -p build/corpus/$$name && echo "FUZZ   $$fuzzer" && \
	  { [ ! -f tests/fuzz/corpus/$$name.tar.gz ] || tar -xzf tests/fuzz/corpus/$$name.tar.gz -C build/corpus/$$name; } && \
	  $$fuzzer -max_total_time=$(FUZZ_SECONDS) -timeout=10 -artifact_prefix=build/corpus/$$name- -print_final_stats=1 -verbosity=0 build/corpus/$$name || exit 1; done

# What CI could afford: a minute for all of them together.
fuzz-quick:
	@$(MAKE) fuzz FUZZ_SECONDS=$$((60 / $(words $(FUZZERS)) + 1))

corpus: $(CHOSEN_FUZZERS)
	@for fuzzer in $(CHOSEN_FUZZERS); do name=$${fuzzer##*/} && rm -rf build/kept && mkdir -p build/kept && echo "KEEP   $$name" && \
	  $$fuzzer -merge=1 build/kept build/corpus/$$name 2>/dev/null && \
	  tar -czf tests/fuzz/corpus/$$name.tar.gz --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C build/kept . || exit 1; done

# The core, beam.core and the sandbox, once for all of them.
FUZZED := $(CORE) $(EMBED_BINDING) $(SANDBOX)
FUZZ_FLAGS = $(CPPFLAGS) $(HOST_FLAGS) -Ilua/binding $(LUA_FLAGS) -std=c11 -g -O1
build/fuzz/objects/%.o: %.c build/host/lua
	$(call say,CLANG,$<)
	@mkdir -p $(@D)
	$(q)$(FUZZ_CC) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link,address,undefined -MMD -MP -c -o $@ $<

build/fuzz/fuzzed.a: $(FUZZED:%.c=build/fuzz/objects/%.o)
	$(call say,AR,$@)
	$(q)rm -f $@ && $(AR) qcs $@ $^

define fuzzer
build/fuzz/$(basename $(notdir $(1))): $(1) $(wildcard tests/fuzz/*.h tests/fuzz/*/*.h) build/fuzz/fuzzed.a
	$$(call say,CLANG,$$<)
	$$(q)$$(FUZZ_CC) $$(FUZZ_FLAGS) -Itests -Itests/fuzz -fsanitize=fuzzer,address,undefined -o $$@ $$< build/fuzz/fuzzed.a $$(LIBS) $$(LUA_LIBRARY) $$(CJSON_LIBRARY) -lm -ldl
endef
$(foreach source,$(FUZZ_SOURCES),$(eval $(call fuzzer,$(source))))
