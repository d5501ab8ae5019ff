# SPDX-License-Identifier: GPL-2.0-only
# The tests and the lint: included by the Makefile at the top.

# --- unit tests: cmocka, each its own executable, under ASan and UBSan ----

UNIT_TESTS := $(patsubst tests/unit/test_%.c,%,$(call srcs,tests/unit/test_*.c))
# What several unit tests share.
UNIT_SHARED := $(filter-out tests/unit/test_%,$(call srcs,tests/unit/*.c tests/broker/fake_*.c tests/broker/vmm_*.c))
SAN := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
stamp_san = $(CC) $(CC_VERSION) $(COMMON) $(CPPFLAGS) $(SAN)
# The mains' other files are tested too.
SAN_SRCS := $(LIB_SRCS) $(POLICY_SRCS) $(filter-out %/main.c,$(call srcs,user/ebbd/*.c user/ebb/*.c \
	user/exporter/*.c user/broker/*.c)) \
	$(UNIT_SHARED)
SAN_OBJS := $(patsubst %.c,$(O)/san/%.o,$(SAN_SRCS))
stamp_sanld = $(SAN_OBJS) $(PKG_LIBS) $(HTTP_LIBS)

$(O)/san/%.o: %.c $(O)/.stamp/san | $(O)/.features
	@mkdir -p $(@D)
	$(call say,CC-SAN,$<)
	$(Q)$(CC) $(COMMON) $(CPPFLAGS) -O1 -g $(SAN) -MMD -MP -c -o $@ $<

$(O)/san/libebb.a: $(SAN_OBJS) $(O)/.stamp/sanld
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) qcs $@ $(filter %.o,$^)

$(O)/unit/%: $(O)/san/tests/unit/test_%.o $(O)/san/libebb.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(SAN) -o $@ $(filter %.o %.a,$^) -lcmocka $(PKG_LIBS) $(HTTP_LIBS) $(CURSES_LIBS) -lm

.PRECIOUS: $(O)/%.o $(O)/san/%.o $(O)/.stamp/%

.PHONY: unit unit-build
unit-build: $(patsubst %,$(O)/unit/%,$(UNIT_TESTS))
#: make unit         the unit tests, under ASan and UBSan (T=NAME: only that one)
unit: $(patsubst %,$(O)/unit/%,$(or $(T),$(UNIT_TESTS)))
	$(Q)for t in $(filter $(O)/unit/%,$^); do $$t || exit 1; done

# --- fuzzing: the corpus is replayed by the tests; `make fuzz` looks for more -----------------

FUZZ := $(patsubst tests/fuzz/%.c,%,$(call srcs,tests/fuzz/*.c))

$(O)/fuzz/%: $(O)/san/tests/fuzz/%.o $(O)/san/tests/fuzz/replay/replay.o $(O)/san/libebb.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(SAN) -o $@ $(filter %.o %.a,$^) $(PKG_LIBS) $(HTTP_LIBS) -lm

.PHONY: fuzz fuzz-build fuzz-replay
fuzz-build: $(patsubst %,$(O)/fuzz/%,$(FUZZ))
#: make fuzz-replay  each fuzz entry over its corpus (T=NAME: only that one)
fuzz-replay: $(patsubst %,$(O)/fuzz/%,$(or $(T),$(FUZZ)))
	$(Q)for f in $(or $(T),$(FUZZ)); do \
		$(O)/fuzz/$$f tests/fuzz/corpus/$$f || exit 1; done

# libFuzzer keeps what it finds in $(O); what is worth keeping is minimized into the corpus by hand:
# $(O)/libfuzzer/NAME -merge=1 tests/fuzz/corpus/NAME $(O)/libfuzzer/NAME.new
EXPORTER_PARTS := $(filter-out %/main.c,$(call srcs,user/exporter/*.c user/broker/*.c))
$(O)/libfuzzer/%: tests/fuzz/%.c $(LIB_SRCS) $(POLICY_SRCS) $(EXPORTER_PARTS) $(O)/.stamp/san | $(SKEL)
	@mkdir -p $(@D)
	$(call say,FUZZER,$@)
	$(Q)$(CLANG) $(CPPFLAGS_EBB) -g -O1 -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined -o $@ $(filter %.c,$^) $(PKG_LIBS) $(HTTP_LIBS) -lm

#: make fuzz T=NAME  libFuzzer for FUZZ_SECONDS (60), starting from the corpus
FUZZ_SECONDS ?= 60
fuzz: $(if $(T),$(O)/libfuzzer/$(T))
	@[ -n "$(T)" ] || { echo "make fuzz T=NAME, one of: $(FUZZ)" >&2; exit 2; }
	@mkdir -p $(O)/libfuzzer/$(T).new
	$(Q)$(O)/libfuzzer/$(T) -max_total_time=$(FUZZ_SECONDS) -timeout=10 -print_final_stats=1 \
		-artifact_prefix=$(O)/libfuzzer/$(T)- $(O)/libfuzzer/$(T).new tests/fuzz/corpus/$(T)

# --- BPF on the running kernel: programs that print PASS, FAIL and SKIP lines -----------------

BPF_TESTS := $(patsubst tests/bpf/%.c,%,$(call srcs,tests/bpf/test_*.c tests/bpf/*_check.c))
BPF_SHARED := $(filter-out $(patsubst %,tests/bpf/%.c,$(BPF_TESTS)),$(call srcs,tests/bpf/*.c))

$(O)/bpftest/%: $(O)/tests/bpf/%.o $(patsubst %.c,$(O)/%.o,$(BPF_SHARED)) $(O)/libebb.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDHARDEN) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) -Wl,--as-needed \
		-lcmocka $(PKG_LIBS) -lm

.PHONY: bpf-build
bpf-build: $(patsubst %,$(O)/bpftest/%,$(BPF_TESTS))

# --- the exporter before a browser and Prometheus: programs that stand in for ebbd, and measure ----

WEB := $(patsubst tests/browser/%.c,%,$(call srcs,tests/browser/*.c))

$(O)/web/%: $(O)/tests/browser/%.o $(O)/user/exporter/address.o $(O)/libebb.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDHARDEN) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(PKG_LIBS)

.PHONY: web-build
web-build: $(patsubst %,$(O)/web/%,$(WEB)) $(O)/ebb-exporter $(O)/ebb-broker

#: make bench-exporter a thousand containers: what a scrape costs, and clients that do not read
.PHONY: bench-exporter
bench-exporter: web-build
	$(Q)tests/browser/run --bench $(O)

# --- the broker around a real QEMU, and with two hundred guests -------------------------------

BROKER_TESTS := channel_guest bench

$(O)/brokertest/channel_guest: $(O)/tests/broker/channel_guest.o $(O)/libebb.a
$(O)/brokertest/bench: $(O)/tests/broker/bench.o $(O)/tests/broker/fake_vmm.o \
	$(O)/tests/broker/fake_rest.o $(O)/tests/broker/vmm_api.o $(O)/user/broker/stream.o \
	$(O)/libebb.a
$(patsubst %,$(O)/brokertest/%,$(BROKER_TESTS)):
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDHARDEN) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(PKG_LIBS)

.PHONY: broker-build
broker-build: $(patsubst %,$(O)/brokertest/%,$(BROKER_TESTS)) $(O)/ebb-broker

#: make bench-broker one broker with 200 guests: how fast it answers, what it needs for each
BENCH_GUESTS ?= 200
BENCH_SECONDS ?= 15
.PHONY: bench-broker
# Before others where that is allowed: what is measured is the broker, and not the wait for a core.
bench-broker: broker-build
	$(Q)$$(chrt -f 10 true 2>/dev/null && echo chrt -f 10) $(O)/brokertest/bench \
		$(O)/ebb-broker $(BENCH_GUESTS) $(BENCH_SECONDS)

# --- all the tests ---------------------------------------------------------

.PHONY: check demo
#: make check        all the tests, as root (STAGE="unit fuzz": only those; see tests/check)
check:
	@O=$(O) tests/check $(STAGE)

#: make demo         as root: boot a VM with containers and watch ebb at work (DEMO_SECONDS=240)
demo:
	@tests/demo/demo

# --- ebb beside other ways of giving memory back: docs/benchmarks.md ---------------------------

.PHONY: bench bench-docs
bpf-build: $(O)/bpftest/usetrace

$(O)/bench/reads.bpf.o: tests/bench/trace/reads.bpf.c $(O)/.stamp/bpf | $(O)/.features
	@mkdir -p $(@D)
	$(call say,BPF,$<)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -MT $@ -c -o $@ $<

$(O)/gen/usetrace.skel.h: $(O)/bench/reads.bpf.o
	@mkdir -p $(@D)
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name usetrace_bpf >$@

USETRACE := $(call objs,tests/bench/trace/*.c)
USETRACE := $(filter-out %.bpf.o,$(USETRACE))
$(O)/tests/bench/trace/usetrace.o: | $(O)/gen/usetrace.skel.h
$(O)/bpftest/usetrace: $(USETRACE)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDHARDEN) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

#: make bench        as root: the same work under each controller (QUICK=1: short; BENCH="--help")
bench: all bpf-build
	@tests/bench/bench --build $(O) $(if $(QUICK),--quick) $(BENCH)

#: make bench-docs   the results of the last bench into docs/benchmarks.md
bench-docs:
	@tests/bench/bench --build $(O) --docs

# --- lint -----------------------------------------------------------------
# Held to Debian 12's linters: another release formats differently and has other false alarms.
# Elsewhere these parts are left out, and say so; CLANG_TIDY=clang-tidy tries another one.

ifneq ($(filter lint lint-% fmt,$(MAKECMDGOALS)),)
have = $(firstword $(foreach t,$(1),$(shell command -v $(t) 2>/dev/null)))
CLANG_FORMAT ?= $(call have,clang-format-14)
CLANG_TIDY ?= $(call have,clang-tidy-14)
# vmlinux/ is left as the tool made it.
LINT_C := $(shell find bpf include user tests -name '*.[ch]' | sort)
LINT_SH := $(shell grep -rlE '^\#!.*[/ ](ba|da)?sh|^\# shellcheck shell=' .ci tests user docs | sort)
TIDY_C := $(filter-out %.bpf.c,$(filter %.c,$(LINT_C)))
# A third of the analyzer's usual depth: what lies beyond took three quarters of the time.
TIDY_FLAGS := $(CPPFLAGS_EBB) -Xclang -analyzer-config -Xclang max-nodes=75000
stamp_tidy = $(CLANG_TIDY) $(TIDY_FLAGS)

LINT_PARTS := format tidy cppcheck shell man purity
# Why a part cannot run here.
without_format := $(if $(CLANG_FORMAT),,no clang-format-14 (Debian 12))
without_tidy := $(if $(CLANG_TIDY),,no clang-tidy-14 (Debian 12))
without_cppcheck := $(if $(findstring 2.10,$(shell cppcheck --version 2>&1)),,no cppcheck 2.10 (Debian 12))
without_shell := $(if $(call have,shellcheck),,no shellcheck)
without_man := $(if $(and $(call have,mandoc),$(call have,man)),,no mandoc, or no man-db)
endif

.PHONY: lint $(addprefix lint-,$(LINT_PARTS) size) $(patsubst %,lint-%-missing,$(LINT_PARTS)) fmt
#: make lint         format, clang-tidy, cppcheck, shellcheck, man pages, the policy's purity, sizes
lint: $(foreach p,$(LINT_PARTS),lint-$(p)$(if $(without_$(p)),-missing)) lint-size

$(patsubst %,lint-%-missing,$(LINT_PARTS)): lint-%-missing:
	@$(if $(without_$*),echo "left out: lint-$*: $(without_$*)")

lint-format:
	$(call say,FORMAT,$(words $(LINT_C)) files)
	$(Q)status=0; for f in $(LINT_C); do \
		$(CLANG_FORMAT) "$$f" | diff -u --label "$$f" --label formatted "$$f" - || status=1; \
		done; exit $$status

lint-tidy: $(patsubst %.c,$(O)/lint/%.tidy,$(TIDY_C))
# A file is looked at again when it, a header or the checks changed.
$(O)/lint/%.tidy: %.c .clang-tidy tests/tidy.awk $(filter %.h,$(LINT_C)) $(O)/.stamp/tidy | $(SKEL) $(O)/gen/usetrace.skel.h
	@mkdir -p $(@D)
	$(call say,TIDY,$<)
	$(Q)$(CLANG_TIDY) --quiet $< -- $(TIDY_FLAGS) 2>&1 | awk -f tests/tidy.awk >&2
	@touch $@

lint-cppcheck:
	@mkdir -p $(O)/lint/cppcheck
	$(call say,CPPCHECK,$(words $(TIDY_C)) files)
	@# cppcheck knows no cleanup attribute, so every _cleanup_ is a leak to it, nor GNU's a ?: b; where
	@# getpwnam() is called there is one thread.
	$(Q)cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --library=posix,gnu \
		--enable=warning,performance,portability --cppcheck-build-dir=$(O)/lint/cppcheck \
		--suppress=missingIncludeSystem --suppress=resourceLeak --suppress=memleak \
		--suppress=uninitvar --suppress=legacyUninitvar --suppress=ctuuninitvar \
		--suppress=leakReturnValNotUsed --suppress=getgrnamCalled --suppress=getpwnamCalled \
		'-DLIBBPF_OPTS(t,n,...)=struct t n = {}' -D__x86_64__ \
		'-Djson_array_foreach(a,i,v)=while(step(a,&i,&v))' \
		-D_GNU_SOURCE -DEBB_VERSION='"$(VERSION)"' \
		-Iinclude -Iuser $(TIDY_C)

lint-shell:
	$(call say,SHELL,$(words $(LINT_SH)) files)
	$(Q)shellcheck -x -P SCRIPTDIR $(LINT_SH)

# Both formatters must take the pages: groff says nothing but what it objects to.
lint-man:
	$(call say,MAN,$(words $(MANS)) pages)
	$(Q)mandoc -T lint -W warning $(MANS)
	$(Q)status=0; for m in $(MANS); do \
		said=$$(LC_ALL=C.UTF-8 man --warnings -E UTF-8 -l -Tutf8 -Z $$m 2>&1 >/dev/null); \
		[ -z "$$said" ] || { echo "$$m: $$said"; status=1; }; \
		done; exit $$status

lint-purity: $(O)/.policy-pure

# Not an error: where a file or a function is usually two.
lint-size:
	@awk -f tests/sizes.awk $(filter bpf/% user/%,$(LINT_C))

#: make fmt          format the C sources with clang-format 14 (FILES="..." for some)
fmt:
	$(or $(CLANG_FORMAT),clang-format-14) -i $(or $(FILES),$(LINT_C))
