# SPDX-License-Identifier: GPL-2.0-only
# ebb: `make help` lists what there is. tests/check.mk is the second half: tests and lint.

VERSION := $(shell cat VERSION)
O ?= build
V ?= 0
# 1: warnings are errors, as in CI.
WERROR ?=

DESTDIR ?=
PREFIX ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/ebb
BASHDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
FISHDIR ?= $(PREFIX)/share/fish/vendor_completions.d
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
TMPFILESDIR ?= $(PREFIX)/lib/tmpfiles.d
SHAREDIR ?= $(PREFIX)/share/ebb
SYSCONFDIR ?= /etc

ifeq ($(origin CC),default)
CC := gcc
endif
ifeq ($(origin AR),default)
AR := ar
endif
NM ?= nm
CLANG ?= clang
# Debian keeps bpftool in sbin, which a user's PATH lacks.
BPFTOOL ?= $(firstword $(shell command -v bpftool 2>/dev/null) /usr/sbin/bpftool)
PKG_CONFIG ?= pkg-config

Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-8s %s\n' '$(1)' '$(2)')
quote = '$(subst ','\'',$(1))'

.DEFAULT_GOAL := all
.SUFFIXES:
.DELETE_ON_ERROR:
.PHONY: FORCE all install uninstall deps clean help
FORCE:

# Goals that need no compiler must not ask for one.
BUILDING := $(filter-out clean help deps uninstall,$(or $(MAKECMDGOALS),all))

# --- flags ---------------------------------------------------------------

LIBS := libbpf libuv jansson inih
# Text for people may be cut short; where it may not, the return value is looked at.
WARN := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wformat=2 -Wvla \
	-Wno-unused-parameter -Wno-missing-field-initializers -Wno-format-truncation
CFLAGS ?= -O2 -g
HARDEN ?= -fstack-protector-strong -fPIE $(if $(filter -O%,$(filter-out -O0,$(CFLAGS))),-D_FORTIFY_SOURCE=2)
LDHARDEN ?= -pie -Wl,-z,relro,-z,now
ifneq ($(BUILDING),)
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(LIBS) 2>/dev/null)
PKG_LIBS := $(shell $(PKG_CONFIG) --libs $(LIBS) 2>/dev/null)
# Of ebb-exporter and ebb-broker alone.
HTTP_LIBS := $(shell $(PKG_CONFIG) --libs libmicrohttpd 2>/dev/null) -pthread
# Of ebb alone.
CURSES_LIBS := $(shell $(PKG_CONFIG) --libs ncursesw 2>/dev/null)
CC_VERSION := $(shell $(CC) -dumpfullversion -dumpversion 2>/dev/null)
CLANG_VERSION := $(shell $(CLANG) -dumpversion 2>/dev/null)
endif

CPPFLAGS_EBB := -std=gnu11 -D_GNU_SOURCE -DEBB_VERSION='"$(VERSION)"' -Iinclude -Iuser -I$(O)/gen \
	$(PKG_CFLAGS)
COMMON := $(CPPFLAGS_EBB) $(WARN) $(if $(WERROR),-Werror)

BPF_ARCH := $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')
# v3 (32-bit ALU, in every kernel since 5.1) and not more: clang 14 is the floor.
BPF_CFLAGS := -target bpf -D__TARGET_ARCH_$(BPF_ARCH) -O2 -g -mcpu=v3 -Wall -Wextra \
	-Wno-unused-parameter -Wno-missing-declarations $(if $(WERROR),-Werror) \
	-Iinclude -Ivmlinux $(PKG_CFLAGS)

# --- stamps ----------------------------------------------------------------
# $(O)/.stamp/X holds the text of stamp_X and is rewritten only when that text changes, so that
# what depends on it is rebuilt for new flags, another compiler or another list of files.

stamp_cc = $(CC) $(CC_VERSION) $(COMMON) $(CPPFLAGS) $(CFLAGS) $(HARDEN)
stamp_bpf = $(CLANG) $(CLANG_VERSION) $(BPFTOOL) $(BPF_CFLAGS)
stamp_ld = $(CC) $(CC_VERSION) $(LDFLAGS) $(LDHARDEN) $(PKG_LIBS) $(HTTP_LIBS) $(CURSES_LIBS) $(LIB_OBJS) $(EBBD) $(EBB) $(EXPORTER) $(BROKER)
stamp_bpfld = $(BPF_OBJS)
stamp_dirs = $(SBINDIR) $(SYSCONFDIR) $(SHARED)

$(O)/.stamp/%: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' $(call quote,$(stamp_$*)) | cmp -s - $@ 2>/dev/null || \
		printf '%s\n' $(call quote,$(stamp_$*)) >$@

# --- what is built --------------------------------------------------------

srcs = $(sort $(wildcard $(1)))
objs = $(patsubst %.c,$(O)/%.o,$(call srcs,$(1)))
# Everything but the mains is one archive: ebb links the ladder for `doctor`, the policy for
# `replay`, and the linker takes what is needed.
LIB_SRCS := $(call srcs,user/lib/*.c user/sense/*.c user/act/*.c user/report/*.c)
POLICY_SRCS := $(call srcs,user/policy/*.c)
LIB_OBJS := $(patsubst %.c,$(O)/%.o,$(LIB_SRCS) $(POLICY_SRCS))
EBBD := $(call objs,user/ebbd/*.c)
EBB := $(call objs,user/ebb/*.c)
EXPORTER := $(call objs,user/exporter/*.c)
BROKER := $(call objs,user/broker/*.c)
PAGE_FILES := $(call srcs,user/exporter/page/* user/exporter/page/vendor/*)

BPF_OBJS := $(patsubst bpf/%.bpf.c,$(O)/bpf/%.bpf.o,$(call srcs,bpf/*.bpf.c))
SKEL := $(O)/gen/ebb.skel.h

PROGRAMS := $(O)/ebbd $(O)/ebb $(O)/ebb-exporter $(O)/ebb-broker

#: make              build into build/ (O=DIR: elsewhere; V=1: show commands; WERROR=1: as in CI)
all: $(PROGRAMS)

$(O)/ebbd: $(EBBD) $(O)/libebb.a $(O)/.stamp/ld
$(O)/ebb: $(EBB) $(O)/libebb.a $(O)/.stamp/ld
$(O)/ebb-exporter: $(EXPORTER) $(O)/libebb.a $(O)/.stamp/ld
$(O)/ebb-broker: $(BROKER) $(O)/libebb.a $(O)/.stamp/ld
$(O)/ebb-exporter $(O)/ebb-broker: MORE_LIBS = $(HTTP_LIBS)
$(O)/ebb: MORE_LIBS = $(CURSES_LIBS)
$(PROGRAMS):
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDHARDEN) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(PKG_LIBS) $(MORE_LIBS)

# The page is read by the assembler.
$(O)/user/exporter/page.o $(O)/san/user/exporter/page.o: $(PAGE_FILES)

$(O)/libebb.a: $(LIB_OBJS) $(O)/.policy-pure $(O)/.stamp/ld
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) qcs $@ $(filter %.o,$^)

# Only what includes the skeleton waits for it; if a header does, everything.
SKEL_USERS := $(shell grep -rl --include='*.[ch]' 'include "ebb.skel.h"' user tests)
ifneq ($(filter %.h,$(SKEL_USERS)),)
SKEL_USERS := $(call srcs,user/*/*.c tests/*/*.c)
endif
$(patsubst %.c,$(O)/%.o,$(SKEL_USERS)) $(patsubst %.c,$(O)/san/%.o,$(SKEL_USERS)): | $(SKEL)

$(O)/%.o: %.c $(O)/.stamp/cc | $(O)/.features
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(COMMON) $(CPPFLAGS) $(CFLAGS) $(HARDEN) -MMD -MP -c -o $@ $<

$(O)/bpf/%.bpf.o: bpf/%.bpf.c $(O)/.stamp/bpf | $(O)/.features
	@mkdir -p $(@D)
	$(call say,BPF,$<)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -MT $@ -c -o $@ $<

$(O)/gen/ebb.bpf.o: $(BPF_OBJS) $(O)/.stamp/bpfld
	@mkdir -p $(@D)
	$(call say,BPFLINK,$@)
	$(Q)$(BPFTOOL) gen object $@ $(filter %.o,$^)

$(SKEL): $(O)/gen/ebb.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name ebb_bpf >$@

# The policy is a pure function: a recorded run must replay to the same plans. So its objects may
# ask the C library for nothing that allocates, does I/O or reads a clock (qsort of glibc before
# 2.37 allocates), and may hold no data that one call could leave for the next.
POLICY_MAY_USE := memcpy memmove memset memcmp strlen strcmp strncmp strnlen strchr strrchr bsearch \
	__stack_chk_fail __memcpy_chk __memset_chk __memmove_chk _GLOBAL_OFFSET_TABLE_
$(O)/.policy-pure: $(patsubst %.c,$(O)/%.o,$(POLICY_SRCS)) tests/policy-pure
	$(Q)if [ -n "$(filter %.o,$^)" ]; then \
		NM=$(NM) tests/policy-pure "$(POLICY_MAY_USE)" $(filter %.o,$^); fi
	@touch $@

ifneq ($(BUILDING),)
-include $(shell find $(O) -name '*.d' 2>/dev/null)
endif

# --- feature tests: say what is missing, and how to get it, before a compiler does --

$(O)/.features: .ci/features $(O)/.stamp/cc $(O)/.stamp/bpf
	$(Q)CC="$(CC)" CLANG="$(CLANG)" BPFTOOL="$(BPFTOOL)" PKG_CONFIG="$(PKG_CONFIG)" .ci/features
	@touch $@

#: make deps         as root: install what building, testing and the demo need (Debian 12, 13)
deps:
	@.ci/deps

# --- install ---------------------------------------------------------------

$(O)/ebbd.service: user/ebbd/ebbd.service.in $(O)/.stamp/dirs
	@mkdir -p $(@D)
	$(Q)sed 's|@SBINDIR@|$(SBINDIR)|; s|@SYSCONFDIR@|$(SYSCONFDIR)|' $< >$@

# Its configuration is an example: only a host of VMs is to have one.
install: $(O)/ebb-broker.service
$(O)/ebb-broker.service: user/broker/ebb-broker.service.in $(O)/.stamp/dirs
	@mkdir -p $(@D)
	$(Q)sed 's|@SBINDIR@|$(SBINDIR)|; s|@SYSCONFDIR@|$(SYSCONFDIR)|' $< >$@

$(O)/ebb-exporter.service: user/exporter/ebb-exporter.service.in $(O)/.stamp/dirs
	@mkdir -p $(@D)
	$(Q)sed 's|@SBINDIR@|$(SBINDIR)|; s|@SYSCONFDIR@|$(SYSCONFDIR)|' $< >$@

# What others load: Grafana, Prometheus, OpenRC, a drop-in for systemd. Written for /usr/local and /etc.
SHARED := $(call srcs,docs/grafana/* docs/prometheus/* docs/openrc/* docs/systemd/*)
$(O)/share/%: docs/% $(O)/.stamp/dirs
	@mkdir -p $(@D)
	$(Q)sed 's|/usr/local/sbin|$(SBINDIR)|g; s|/etc/ebb/|$(SYSCONFDIR)/ebb/|g' $< >$@

# source:destination:mode. One list, so that uninstall removes what install put there. The
# configuration is apart: it is the administrator's once it is there.
MANS := $(call srcs,docs/man/*.[1-8])
DOCS := $(call srcs,README.md docs/*.md) LICENSE
INSTALLED = $(O)/ebbd:$(SBINDIR)/ebbd:755 \
	$(O)/ebb-broker:$(SBINDIR)/ebb-broker:755 \
	$(O)/ebb-broker.service:$(UNITDIR)/ebb-broker.service:644 \
	user/broker/ebb-broker.conf.example:$(DOCDIR)/ebb-broker.conf.example:644 \
	$(O)/ebb:$(BINDIR)/ebb:755 \
	$(O)/ebbd.service:$(UNITDIR)/ebbd.service:644 \
	user/ebbd/ebb.sysusers:$(SYSUSERSDIR)/ebb.conf:644 \
	user/ebbd/ebb.tmpfiles:$(TMPFILESDIR)/ebb.conf:644 \
	$(O)/ebb-exporter:$(SBINDIR)/ebb-exporter:755 \
	$(O)/ebb-exporter.service:$(UNITDIR)/ebb-exporter.service:644 \
	user/exporter/ebb-exporter.sysusers:$(SYSUSERSDIR)/ebb-exporter.conf:644 \
	$(foreach f,$(SHARED),$(f:docs/%=$(O)/share/%):$(f:docs/%=$(SHAREDIR)/%):$(if $(findstring openrc,$f),755,644)) \
	$(foreach m,$(MANS),$(m):$(MANDIR)/man$(subst .,,$(suffix $(m)))/$(notdir $(m)):644) \
	$(foreach d,$(DOCS),$(d):$(DOCDIR)/$(notdir $(d)):644) \
	$(foreach f,$(call srcs,user/completions/bash/*),$(f):$(BASHDIR)/$(notdir $(f)):644) \
	$(foreach f,$(call srcs,user/completions/zsh/*),$(f):$(ZSHDIR)/$(notdir $(f)):644) \
	$(foreach f,$(call srcs,user/completions/fish/*),$(f):$(FISHDIR)/$(notdir $(f)):644)
CONF := user/ebbd/ebb.conf.example
CONF_DEST = $(DESTDIR)$(SYSCONFDIR)/ebb/ebb.conf

define install_one
	$(call say,INSTALL,$(DESTDIR)$(2))
	$(Q)install -D -m $(3) $(1) $(DESTDIR)$(2)

endef
each_installed = $(foreach f,$(INSTALLED),$(call $(1),$(word 1,$(subst :, ,$f)),$(word 2,$(subst \
	:, ,$f)),$(word 3,$(subst :, ,$f))))

#: make install      into PREFIX (/usr/local), below DESTDIR; an ebb.conf that exists is kept
install: all $(O)/ebbd.service $(O)/ebb-exporter.service $(SHARED:docs/%=$(O)/share/%)
	$(call each_installed,install_one)
	$(Q)[ -e $(CONF_DEST) ] || install -D -m 644 $(CONF) $(CONF_DEST)
ifeq ($(DESTDIR),)
	$(Q)getent group ebb >/dev/null || groupadd --system ebb
	$(Q)getent passwd ebb-exporter >/dev/null || useradd --system --gid ebb --no-create-home \
		--home-dir / --shell /usr/sbin/nologin ebb-exporter
endif

# Folders go only where they are ours or below a DESTDIR, and only when empty.
#: make uninstall    with the same variables; an ebb.conf that was changed stays
uninstall:
	$(Q)rm -f $(foreach f,$(INSTALLED),$(DESTDIR)$(word 2,$(subst :, ,$f)))
	$(Q)if cmp -s $(CONF) $(CONF_DEST); then rm -f $(CONF_DEST); \
		elif [ -e $(CONF_DEST) ]; then echo "kept: $(CONF_DEST)"; fi
ifeq ($(DESTDIR),)
	$(Q)rmdir --ignore-fail-on-non-empty $(DOCDIR) $(SYSCONFDIR)/ebb \
		$(sort $(dir $(SHARED:docs/%=$(SHAREDIR)/%))) $(SHAREDIR) 2>/dev/null || true
else
	$(Q)cd $(DESTDIR) && rmdir -p --ignore-fail-on-non-empty $(foreach d,$(sort $(DOCDIR) \
		$(SYSCONFDIR)/ebb $(foreach f,$(INSTALLED),$(dir $(word 2,$(subst :, ,$f))))),./$(d)) \
		2>/dev/null || true
endif

# --- housekeeping ---------------------------------------------------------

#: make clean        remove what was built (with the same O=)
clean:
	@if [ -d "$(O)/.stamp" ] || [ ! -e "$(O)" ]; then rm -rf "$(O)"; \
		else echo "$(O) is no build folder of ebb: left alone" >&2; exit 1; fi

#: make help         this list
help:
	@sed -n 's/^#: //p' Makefile tests/check.mk

include tests/check.mk
