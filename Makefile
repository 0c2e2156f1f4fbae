# smtpsend: GNU make, no configure step.
#
#   make               ./smtpsend and the library it is made of
#   make BUILD=asan    build/asan/smtpsend, with the address and undefined
#                      behaviour sanitizers; every target takes BUILD=
#   make BUILD=clang   the same sources through clang's warnings
#   make syntax        warnings alone, with no code made: most of what
#                      BUILD=clang says, in a tenth of the time
#   make WERROR=1      warnings are errors, as in CI
#   make V=1           the commands in full
#   make check lint    for those who have the tools; script/test fetches them
#
# CFLAGS, CPPFLAGS, LDFLAGS and LDLIBS belong to the caller: what the program
# cannot do without stands in the ALL_ variables.

BUILD	?= release
PREFIX	?= /usr/local
FUZZ_TIME ?= 600
B	:= build/$(BUILD)

# --- sources -------------------------------------------------------------

MAIN	:= $(wildcard smtpsend.c)
SRCS	:= $(filter-out smtpsend.c,$(wildcard *.c cli/*.c queue/*.c \
	     store/*.c net/*.c smtp/*.c mail/*.c base/*.c))
UNITS	:= $(patsubst tests/%.c,$(B)/%,$(wildcard tests/unit/*_test.c))
TOOLS	:= $(patsubst tests/%.c,$(B)/%,$(wildcard tests/tools/*.c))
FUZZERS	:= $(patsubst tests/%.c,$(B)/%,$(wildcard tests/fuzz/*_fuzz.c))
LIB	:= $(B)/libsmtpsend.a
PROGRAM	:= $(if $(filter release,$(BUILD)),smtpsend,$(B)/smtpsend)

# --- flags ---------------------------------------------------------------

WARN	:= -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes \
	   -Wmissing-prototypes -Wwrite-strings -Wpointer-arith -Wcast-qual \
	   -Wformat=2 -Wvla -Wundef -Wimplicit-fallthrough -Wreturn-type
HARDEN	:= -fstack-protector-strong -fPIE
FORTIFY	:= -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
# What finds faults is built in half the time, and hides none, at -O1.
CFLAGS	?= $(if $(filter asan fuzz,$(BUILD)),-O1 -g1,-O2 -g)

# The sanitizers replace libc's checks by their own, and want to see the
# plain calls: no _FORTIFY_SOURCE beside them.
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all \
	    -fno-omit-frame-pointer
ifeq ($(BUILD),asan)
VARIANT	:= $(SANITIZE)
FORTIFY	:= -U_FORTIFY_SOURCE
else ifeq ($(BUILD),fuzz)
CC	:= clang
VARIANT	:= $(SANITIZE) -fsanitize=fuzzer-no-link
FORTIFY	:= -U_FORTIFY_SOURCE
else ifeq ($(BUILD),clang)
CC	:= clang
else ifneq ($(BUILD),release)
$(error BUILD is release, asan, clang or fuzz, not '$(BUILD)')
endif

ALL_CPPFLAGS = -I. -D_GNU_SOURCE $(FORTIFY) -include banned.h $(CPPFLAGS)
ALL_CFLAGS = -std=c11 $(CFLAGS) $(WARN) $(HARDEN) $(VARIANT)
ALL_LDFLAGS = -pie -Wl,-z,relro -Wl,-z,now -Wl,--as-needed $(VARIANT) \
	      $(LDFLAGS)
ALL_LDLIBS = -lresolv $(LDLIBS)
LINK	= $(CC) $(CFLAGS) $(ALL_LDFLAGS)
Q	:= $(if $(V),,@)
silent	= $(findstring s,$(firstword -$(MAKEFLAGS)))
say	= $(if $(V)$(silent),,@echo "  $(1)	$@")

# --- what to build -------------------------------------------------------

.PHONY: all unit units tools syntax fuzz fuzzers fuzz-programs check lint bench \
	install uninstall clean FORCE
.DELETE_ON_ERROR:
.SECONDARY:

all: $(LIB) $(if $(MAIN),$(PROGRAM))

$(PROGRAM): $(B)/smtpsend.o $(LIB)
	$(call say,LINK)
	$(Q)$(LINK) -o $@ $^ $(ALL_LDLIBS)

# Made anew, so that no object of a file since removed stays inside.
$(LIB): $(SRCS:%.c=$(B)/%.o)
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

$(B)/%.o: %.c banned.h $(B)/flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(if $(WERROR),-Werror) \
	    -MMD -MP -c -o $@ $<

# Warnings alone, of all that `all units tools` would compile.
syntax: $(patsubst %.c,$(B)/%.seen,$(MAIN) $(SRCS) \
	$(wildcard tests/unit/*_test.c tests/tools/*.c))

$(B)/%.seen: %.c banned.h $(B)/flags
	$(call say,SEE)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(if $(WERROR),-Werror) \
	    -MMD -MP -MF $@.d -MT $@ -fsyntax-only $<
	@touch $@

# Other flags than last time: everything is compiled again.
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS)' | cmp -s - $@ || \
	echo '$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS)' >$@

# Its other side of TLS is made of OpenSSL as it is.
$(B)/unit/tls_test: LDLIBS += -lssl -lcrypto

$(UNITS) $(TOOLS): $(B)/%: $(B)/tests/%.o $(LIB)
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(LINK) -o $@ $^ $(ALL_LDLIBS)

# What others load before the program.
$(B)/tools/%.so: tests/preload/%.c
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O2 -fPIC -shared $(WARN) -Wno-missing-prototypes \
	    -o $@ $<

$(FUZZERS): $(B)/%: $(B)/tests/%.o $(LIB)
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(LINK) -fsanitize=fuzzer -o $@ $^ $(ALL_LDLIBS)

-include $(shell find $(B) -name '*.d' 2>/dev/null)

# --- tests ---------------------------------------------------------------

units: $(UNITS)
tools: $(TOOLS) $(B)/tools/starve.so
fuzz-programs: $(FUZZERS)
fuzzers:
	@$(MAKE) --no-print-directory BUILD=fuzz fuzz-programs

unit: $(UNITS)
	@s=0; for t in $^; do echo "# $$t"; $$t || s=1; done; exit $$s

check:
	script/test unit dialogues bats

lint: all
	script/lint

bench: all tools
	bench/run

fuzz: fuzzers
	script/fuzz $(FUZZ_TIME)

# --- the rest ------------------------------------------------------------

# What runs the queue, where systemd looks for it below /usr and /usr/local.
SYSTEMD_DIR ?= $(PREFIX)/lib/systemd
SYSUSERS_DIR ?= $(PREFIX)/lib/sysusers.d
TMPFILES_DIR ?= $(PREFIX)/lib/tmpfiles.d
DOC_DIR	?= $(PREFIX)/share/doc/smtpsend

# SENDMAIL_DIR=/usr/sbin makes us the sendmail of the machine, unless another
# one is there.
SENDMAIL_DIR ?=
MAILQ_DIR ?= /usr/bin
name	= $(Q)to=$(PREFIX)/bin/smtpsend; at=$(DESTDIR)$(1); \
	    [ "$$(readlink $$at)" = $$to ] || ln -s $$to $$at || { \
	    echo "$$at is of another mail system: remove that, or divert" \
	    "it, see INSTALLATION in smtpsend-sendmail(8)" >&2; exit 1; }

# put FOLDER,FILES: with the place of the program in them.
put	= $(Q)for f in $(2); do \
	    install -d $(DESTDIR)$(1) && \
	    sed 's|@BINDIR@|$(PREFIX)/bin|' $$f \
	    >$(DESTDIR)$(1)/$${f\#\#*/} && \
	    chmod 644 $(DESTDIR)$(1)/$${f\#\#*/} || exit; done

install: all
	install -D -m 755 smtpsend $(DESTDIR)$(PREFIX)/bin/smtpsend
	install -D -m 644 man/smtpsend.1 \
	    $(DESTDIR)$(PREFIX)/share/man/man1/smtpsend.1
	install -D -m 644 man/smtpsend.conf.5 \
	    $(DESTDIR)$(PREFIX)/share/man/man5/smtpsend.conf.5
	install -D -m 644 man/smtpsend-sendmail.8 \
	    $(DESTDIR)$(PREFIX)/share/man/man8/smtpsend-sendmail.8
	$(call put,$(SYSTEMD_DIR)/system,$(wildcard contrib/systemd/system/*))
	$(call put,$(SYSTEMD_DIR)/user,$(wildcard contrib/systemd/user/*))
	$(call put,$(SYSUSERS_DIR),$(wildcard contrib/sysusers.d/*))
	$(call put,$(TMPFILES_DIR),$(wildcard contrib/tmpfiles.d/*))
	$(call put,$(DOC_DIR)/cron.d,$(wildcard contrib/cron.d/*))
	$(call put,$(DOC_DIR)/local,$(wildcard contrib/local/*))
ifneq ($(SENDMAIL_DIR),)
	install -d $(DESTDIR)$(SENDMAIL_DIR) $(DESTDIR)$(MAILQ_DIR)
	$(call name,$(SENDMAIL_DIR)/sendmail)
	$(call name,$(MAILQ_DIR)/mailq)
	$(call name,$(MAILQ_DIR)/newaliases)
endif

# What install has put there, and names that lead to it, wherever SENDMAIL_DIR
# was. What it was put to use for stays: /etc, the queue and its user.
unname	= $(Q)at=$(DESTDIR)$(1); \
	    [ "$$(readlink $$at)" != $(PREFIX)/bin/smtpsend ] || rm -f $$at
take	= $(Q)rm -f $(addprefix $(DESTDIR)$(1)/,$(notdir $(2)))

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/smtpsend \
	    $(DESTDIR)$(PREFIX)/share/man/man1/smtpsend.1 \
	    $(DESTDIR)$(PREFIX)/share/man/man5/smtpsend.conf.5 \
	    $(DESTDIR)$(PREFIX)/share/man/man8/smtpsend-sendmail.8
	$(call take,$(SYSTEMD_DIR)/system,$(wildcard contrib/systemd/system/*))
	$(call take,$(SYSTEMD_DIR)/user,$(wildcard contrib/systemd/user/*))
	$(call take,$(SYSUSERS_DIR),$(wildcard contrib/sysusers.d/*))
	$(call take,$(TMPFILES_DIR),$(wildcard contrib/tmpfiles.d/*))
	$(call take,$(DOC_DIR)/cron.d,$(wildcard contrib/cron.d/*))
	$(call take,$(DOC_DIR)/local,$(wildcard contrib/local/*))
	$(Q)rmdir $(DESTDIR)$(DOC_DIR)/cron.d $(DESTDIR)$(DOC_DIR)/local \
	    $(DESTDIR)$(DOC_DIR) 2>/dev/null || :
	$(call unname,$(or $(SENDMAIL_DIR),/usr/sbin)/sendmail)
	$(call unname,$(MAILQ_DIR)/mailq)
	$(call unname,$(MAILQ_DIR)/newaliases)

clean:
	rm -rf build smtpsend
