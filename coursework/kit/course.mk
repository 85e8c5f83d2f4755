# What every assignment's Makefile includes, after NAME and TIERS. You need not read this to take part.
#
#     make            compiles NAME.c at -O0 and -O2 and marks it (tier 1)
#     make tier2      compiles NAME_op.c, links it with libtapeloom and marks it
#     make sanitize   runs what you have begun under AddressSanitizer and UndefinedBehaviorSanitizer
#     make json       the marks of tier 1 as JSON (TIER=2: of tier 2)
#     make clean      removes what was compiled
#
# Variables: STUDENT=number (cases depend on it; ../settings.mk keeps it), SEED=number (other cases), CC, CFLAGS, V=1 (show
# commands), TAPELOOM=path (a checkout of Tapeloom that has been built; TAPELOOM_BUILD=folder in it, build), MARKER=path (the marker
# itself), TIER (json alone).

-include ../settings.mk
STUDENT ?=
SEED    ?= 1
TIER    ?= 1
ifeq ($(origin CC),default)
CC := cc
endif
Q := $(if $(filter 1,$(V)),,@)

# squote quotes any text as one word for the shell. home replaces a "~/" that the shell has not replaced.
squote = '$(subst ','\'',$(1))'
home   = $(if $(filter ~/%,$(firstword $(1))),$(subst ^~/,$(HOME)/,^$(1)),$(1))
yes    = $(shell $(1) && echo yes)

# ---- where the library and the marker are: TAPELOOM, the checkout that made this folder, what is installed --------------------
given    := $(call home,$(TAPELOOM))
made_by  := $(CHECKOUT)/$(or $(CHECKOUT_BUILD),build)
is_built  = $(call yes,test -f $(call squote,$(1)/include/tapeloom/op.h) && test -f $(call squote,$(2)/libtapeloom.a))
checkout := $(or $(given),$(if $(CHECKOUT),$(if $(call is_built,$(CHECKOUT),$(made_by)),$(CHECKOUT))))
built    := $(if $(given),$(given)/$(or $(TAPELOOM_BUILD),build),$(made_by))
# The library must be linked with the OpenMP and sanitizer flags that it was compiled with.
built_with    = $(if $(checkout),$(shell grep -o -e '-fopenmp' -e '-fsanitize=[a-z,]*' $(call squote,$(built)/flags) 2>/dev/null | sort -u))
library_flags = $(if $(checkout),-I$(call squote,$(checkout)/include),$(shell pkg-config --cflags tapeloom 2>/dev/null))
library_libs  = $(if $(checkout),$(call squote,$(built)/libtapeloom.a) $(built_with),$(shell pkg-config --libs tapeloom 2>/dev/null)) -lm
library_file  = $(if $(checkout),$(built),$(shell pkg-config --variable=libdir tapeloom 2>/dev/null))/libtapeloom.a
have_library  = $(if $(checkout),$(call is_built,$(checkout),$(built)),$(library_flags))

built_marker     = $(if $(call yes,test -x $(call squote,$(built)/marker)),$(built)/marker)
installed_marker = $(shell command -v tapeloom-marker || { \
  there=`pkg-config --variable=prefix tapeloom 2>/dev/null`/bin/tapeloom-marker; test -x "$$there" && echo "$$there"; })
MARKER ?= $(or $(built_marker),$(installed_marker))
marker := $(call home,$(MARKER))

# ---- what is compiled ------------------------------------------------------------------------------------------------------
# All warnings except those about unused things, which starters have.
WARN := -Wall -Wextra -Wno-unused-parameter -Wno-unused-variable -Wno-unused-function -Wno-unused-but-set-variable
FLAGS = -std=c11 -g -ffp-contract=off -I. -I../runner $(TASK_FLAGS) $(CFLAGS)
level_O0  := -O0 -w# level O2 prints the warnings
level_O2  := -O2 $(WARN)
level_san := -O1 -w -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
LEVELS := O0 O2 san

SOURCES    ?= $(NAME).c
OP_SOURCES ?= $(NAME)_op.c
-include kit.mk # variables and rules of this assignment

.DEFAULT_GOAL := mark
.PHONY: mark tier1 tier2 sanitize json line clean need-marker need-library FORCE
.DELETE_ON_ERROR:
.SECONDARY:

# Writes a text to a file only if it has changed, so that what depends on the file is made again only then.
define keep_text
	@mkdir -p $(@D)
	@printf '%s\n' $(call squote,$(1)) | cmp -s - $@ || printf '%s\n' $(call squote,$(1)) > $@
endef
build/flags: FORCE
	$(call keep_text,$(CC) $(FLAGS) $(LEVELS:%=$(level_%)))
build/library: need-library FORCE # the library's flags and checksum
	$(call keep_text,$(library_flags) $(library_libs) $(shell { cksum < $(call squote,$(library_file)); } 2>/dev/null))

define level_rules
build/$(1)/%.o: %.c build/flags
	@mkdir -p build/$(1)
	$$(Q)$$(CC) $$(level_$(1)) $$(FLAGS) $$(of_library) -include ../runner/watched.h -MMD -MP -c $$< -o $$@
build/$(1)/runner/%.o: ../runner/%.c build/flags
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(level_$(1)) $$(FLAGS) $$(of_library) -MMD -MP -c $$< -o $$@
build/$(1)/tier1: $$(SOURCES:%.c=build/$(1)/%.o) build/$(1)/runner/runner.o build/$(1)/runner/$$(NAME)/calls.o
	$$(Q)$$(CC) $$(level_$(1)) $$(CFLAGS) $$(filter %.o,$$^) -o $$@ $$(TASK_LIBS) -lm
op_objects_$(1) := $$(OP_SOURCES:%.c=build/$(1)/%.o) build/$(1)/runner/op_calls.o build/$(1)/runner/$$(NAME)/op_calls.o
$$(op_objects_$(1)): of_library = $$(library_flags)
$$(op_objects_$(1)): build/library
build/$(1)/tier2: $$(op_objects_$(1)) build/$(1)/runner/runner.o build/library
	$$(Q)$$(CC) $$(level_$(1)) $$(CFLAGS) $$(filter %.o,$$^) -o $$@ $$(library_libs)
endef
$(foreach level,$(LEVELS),$(eval $(call level_rules,$(level))))
-include $(wildcard build/*/*.d build/*/runner/*.d build/*/runner/*/*.d)

# ---- marks -----------------------------------------------------------------------------------------------------------------
who   = --seed $(call squote,$(SEED)) --student $(call squote,$(STUDENT))
watch = ASAN_OPTIONS=color=never:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1:color=never \
  $(call squote,$(marker)) watch $(NAME) $(who)
MARK  = $(call squote,$(marker)) mark $(NAME) $(who) $(if $(findstring -fsanitize,$(CFLAGS) $(built_with)),--sanitized)
has_tier = $(filter $(1),$(TIERS))

need-marker:
	@test -n $(call squote,$(marker)) && test -x $(call squote,$(marker)) || { \
	  echo "There is no marker here. Either give the folder of a checkout of Tapeloom in which 'make marker' has been run:"; \
	  echo "    make TAPELOOM=~/tapeloom"; \
	  echo "(../settings.mk can keep it), or install Tapeloom ('make install' there) and have tapeloom-marker in your PATH."; \
	  exit 1; } >&2
need-library:
	@test -n $(call squote,$(have_library)) || { \
	  printf "Tier 2 needs libtapeloom, and it is not here%s.\n" $(call squote,$(if $(given),: there is no $(built)/libtapeloom.a)); \
	  echo "Either run 'make' in a checkout of Tapeloom and give its folder:"; \
	  echo "    make tier2 TAPELOOM=~/tapeloom"; \
	  echo "(../settings.mk can keep it), or install it ('make install' there), so that 'pkg-config tapeloom' finds it."; \
	  exit 1; } >&2

say_answers := $(if $(ANSWERS),@echo "These are the ANSWERS. Do not hand this folder out.")
mark: $(if $(call has_tier,1),tier1)
tier1: $(if $(call has_tier,1),need-marker build/O2/tier1 build/O0/tier1)
	$(say_answers)
	$(if $(call has_tier,1),@$(MARK) --tier 1 --predict predict.txt build/O0/tier1 build/O2/tier1)
tier2: $(if $(call has_tier,2),need-marker build/O2/tier2 build/O0/tier2)
	$(say_answers)
	$(if $(call has_tier,2),@$(MARK) --tier 2 build/O0/tier2 build/O2/tier2,@echo "This assignment has no tier 2.")

# For an assignment without tiers, its folder is marked.
json: need-marker $(if $(TIERS),build/O2/tier$(TIER) build/O0/tier$(TIER))
	@$(MARK) --predict predict.txt --json - $(if $(TIERS),--tier $(TIER) build/O0/tier$(TIER) build/O2/tier$(TIER),.)

# Runs a command if one of some files differs from its starter. Arguments: files, command.
define if_begun
	@for file in $(1); do cmp -s $$file ../runner/$(NAME)/starter/$$file || { $(2); break; }; done
endef
# Prints the marks in one line, for the Makefile of the folder above.
in_a_line = { $(MAKE) -s build/O2/tier$(1) build/O0/tier$(1) && \
  { $(MARK) --tier $(1) --brief build/O0/tier$(1) build/O2/tier$(1); test $$? -lt 2; } || \
  echo "$(notdir $(CURDIR)), tier $(1): not marked, see above"; }
line: need-marker
	$(if $(call has_tier,1),$(call if_begun,$(SOURCES),$(call in_a_line,1)))
	$(if $(call has_tier,2),$(call if_begun,$(OP_SOURCES),$(call in_a_line,2)))
	$(if $(TIERS),,@$(MARK) --brief .; test $$? -lt 2)

watched = { $(MAKE) -s build/san/tier$(1) && $(watch) --tier $(1) build/san/tier$(1) || exit 1; }
sanitize: need-marker
	$(if $(call has_tier,1),@$(call watched,1))
	$(if $(call has_tier,2),$(call if_begun,$(OP_SOURCES),$(call watched,2)))

clean:
	rm -rf build
