# Tapeloom: GNU make, no configure step.   make help   lists what can be made.
#
# Every flavour builds into a folder of its own, named after it: build/, build/double/, build/clang-san/ …
# The flags are written to a file there, and everything depends on it: changed flags rebuild.

VERSION := 0.1.0

# As many jobs at a time as there are processors, unless -j says otherwise; a make within this one takes part in its jobs. Several goals
# (clean all) are made one after the other; only deps may stand before one, which waits for it where it must.
ifeq ($(MAKELEVEL)$(word 2,$(filter-out deps,$(MAKECMDGOALS))),0)
MAKEFLAGS += -j$(or $(shell getconf _NPROCESSORS_ONLN 2>/dev/null),1)
endif

# ---- flavour: PRECISION=double MPI=1 SAN=1 DEBUG=1 OPENMP=0 HARDEN=0 CC=clang ---------------------------
CC        ?= cc
ifeq ($(origin CC),default)
CC        := cc
endif
PRECISION ?= float
SAN       ?= 0
DEBUG     ?= 0
OPENMP    ?= 1
HARDEN    ?= 1
PREFIX    ?= /usr/local
MPI       ?= 0
MPICC     ?= mpicc

ifeq ($(filter $(PRECISION),float double),)
$(error PRECISION=$(PRECISION): say PRECISION=float or PRECISION=double)
endif
$(foreach switch,MPI SAN DEBUG OPENMP HARDEN,$(if $(filter 0 1,$($(switch))),,\
  $(error $(switch)=$($(switch)): say $(switch)=0 or $(switch)=1)))

empty :=
space := $(empty) $(empty)
cc_name := $(notdir $(firstword $(CC)))
flavour_words = $(strip $(filter-out cc gcc,$(cc_name)) $(filter double,$(PRECISION)) $(1) \
  $(if $(filter 1,$(SAN)),san) $(if $(filter 1,$(DEBUG)),debug) $(if $(filter 0,$(OPENMP)),serial) \
  $(if $(filter 0,$(HARDEN)),soft))
mpi_words   := $(if $(filter 1,$(MPI)),mpi $(patsubst mpicc.%,%,$(filter-out mpicc,$(notdir $(firstword $(MPICC))))))
plain_words := $(call flavour_words)
FLAVOUR := $(subst $(space),-,$(call flavour_words,$(mpi_words)))
B := build$(if $(FLAVOUR),/$(FLAVOUR))
# All but what MPI is in is the same with MPI and without: its objects lie in the folder of the flavour without (P), unless B
# is given.
P := $(if $(filter file,$(origin B)),build$(if $(plain_words),/$(subst $(space),-,$(plain_words))),$(B))
O := $(P)/obj

WARN     := -Wall -Wextra -Werror -Wno-unknown-pragmas -Wno-psabi
# -g1: functions and lines, for profilers and backtraces; with all of -g the library would be more than twice as large and
# take a fifth longer to build.
OPT      := $(if $(filter 1,$(DEBUG)),-O1 -g3,$(if $(filter 1,$(SAN)),-O1 -g1,-O3 -g1))
TL_FLAGS := -std=c11 $(WARN) $(OPT) -fno-math-errno -ffp-contract=off -Iinclude \
  $(if $(filter double,$(PRECISION)),-DTL_DOUBLE) $(if $(filter 1,$(DEBUG)),-DTL_CHECKING)
TL_LIBS  := -lm
ifeq ($(SAN),1)
TL_FLAGS += -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
# Where it lies in memory is fixed: nothing to relocate in megabytes of checks each time a program starts.
hard_link := $(shell echo 'int main(void){return 0;}' | \
  $(CC) -Werror -no-pie -xc - -o /dev/null 2>/dev/null && echo -no-pie)
endif
ifneq ($(OPENMP),0)
openmp := $(shell printf '\043include <omp.h>\nint main(void){return 0;}\n' >/tmp/tl_omp_$$$$.c && \
  $(CC) -fopenmp /tmp/tl_omp_$$$$.c -o /tmp/tl_omp_$$$$ 2>/dev/null && echo -fopenmp; \
  rm -f /tmp/tl_omp_$$$$ /tmp/tl_omp_$$$$.c)
TL_FLAGS += $(openmp)
endif

# What makes a mistake in memory harder to use (SECURITY.md), as far as the compiler and the linker know it: all at once if
# they do, one by one otherwise. Sanitizers have checks of their own. Who says one of these things in CFLAGS is not contradicted.
machine := $(shell $(CC) -dumpmachine)
given := $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)
ifeq ($(HARDEN)$(SAN)$(findstring -fsanitize,$(given)),10)
links_with = $(shell printf '\043include <string.h>\nint main(void){return 0;}\n' | \
  $(CC) -O1 -Werror $(1) -xc - -o /dev/null 2>/dev/null && echo '$(1)')
hard_with = $(or $(call links_with,$(1)),$(foreach flag,$(1),$(call links_with,$(flag))))
hard_compile := $(call hard_with,-fPIE -fstack-protector-strong -fstack-clash-protection \
  $(if $(filter x86_64%,$(machine)),-fcf-protection) $(if $(filter aarch64%,$(machine)),-mbranch-protection=standard))
ifeq ($(findstring _FORTIFY_SOURCE,$(given))$(filter -O0,$(given)),)
hard_compile += $(or $(call links_with,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3),\
  $(call links_with,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2))
endif
for_linker := $(if $(filter -static,$(given)),,-pie) -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack
hard_link  := $(call hard_with,$(for_linker))
TL_FLAGS += $(hard_compile)
endif

# Kernels are compiled once per instruction set; the best one is picked at run time.
ifneq ($(filter x86_64%,$(machine)),)
ISAS := base avx2 avx512
endif
ISAS ?= base
isa_flags_base   :=
isa_flags_avx2   := -mavx2 -mfma
isa_flags_avx512 := -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mprefer-vector-width=512
# Two kinds of products need more than that. Each is one file, compiled once, if the compiler knows the instructions.
isa_flags_bf16   := $(isa_flags_avx512) -mavx512bf16
isa_flags_amx    := $(isa_flags_avx512) -mamx-tile -mamx-bf16
ifneq ($(filter avx512,$(ISAS)),)
ifeq ($(PRECISION),float)
knows = $(shell $(CC) $(isa_flags_$(1)) -fsyntax-only -xc /dev/null >/dev/null 2>&1 && echo $(1))
products := $(call knows,bf16) $(if $(findstring linux,$(machine)),$(call knows,amx))
endif
endif

# ---- what there is ---------------------------------------------------------------------------------------
suffix   := $(if $(filter double,$(PRECISION)),-double)$(if $(filter 1,$(MPI)),-mpi)
lib_name := tapeloom$(suffix)
LIB      := $(B)/lib$(lib_name).a
headers  := $(wildcard include/*.h include/tapeloom/*.h)

lib_src    := $(filter-out src/tensor/kernels/%,$(wildcard src/*/*.c src/*/*/*.c))
kernel_src := $(filter-out %_bf16.c %_amx.c,$(wildcard src/tensor/kernels/*.c))
ifeq ($(MPI),1) # the files that MPI is in, for the one that stands in for them
lib_src    := $(filter-out src/ranks/mpi% src/ranks/serial.c,$(lib_src))
mpi_obj    := $(patsubst %.c,$(B)/obj/%.o,$(wildcard src/ranks/mpi*.c))
endif
lib_obj    := $(lib_src:%.c=$(O)/%.o) $(mpi_obj) \
  $(foreach isa,$(ISAS),$(kernel_src:%.c=$(O)/%.$(isa).o)) \
  $(products:%=$(O)/src/tensor/kernels/product_%.o)

# A page is a file src/lens/page/NAME.html with the styles and scripts that it names. It is a string of the library, tl_page_NAME.
page_files := $(wildcard src/lens/page/*)
page_obj   := $(patsubst %.html,$(O)/%.o,$(filter %.html,$(page_files)))
lib_obj    += $(page_obj)

# An example is a file examples/x.c, or a folder examples/x/ of several files. Both make build/x. Programs that train runs share
# examples/program.
example_files   := $(wildcard examples/*.c)
example_folders := $(filter-out examples/program,$(patsubst %/,%,$(sort $(dir $(wildcard examples/*/*.c)))))
shared_by       := translate lm caption classify attend study
shared_obj      := $(patsubst %.c,$(O)/%.o,$(wildcard examples/program/*.c))
EXAMPLES := $(example_files:examples/%.c=$(B)/%) $(example_folders:examples/%=$(B)/%)

# The course's marker is made of its own files and each task's model, of one file or several.
marker_obj := $(patsubst %.c,$(O)/%.o,$(wildcard coursework/marker/*.c coursework/*/*model*.c))
MARKER     := $(if $(marker_obj),$(B)/marker)

test_src     := $(wildcard tests/*/test_*.c)
script_tests := $(patsubst tests/%.sh,$(B)/tests/%,$(wildcard tests/*/test_*.sh))
TESTS        := $(test_src:tests/%.c=$(B)/tests/%) $(script_tests)
# The long ones compile, train or start programs hundreds of times: five processor seconds and more each, or a room of such.
# "make test" leaves them out unless TESTS names them, "make test-long" runs them alone; CI runs a quarter of them at a time.
long := $(filter $(addprefix $(B)/tests/,bench/% build/% coursework/% attend/test_checks attend/test_flow caption/% \
  docs/test_attend_page docs/test_classify_page docs/test_debugging_page docs/test_install_page docs/test_interop_page \
  docs/test_translate_page docs/test_tutorial examples/test_examples faults/test_sweep io/test_gpt_file_live io/test_locale \
  models/test_gradients models/test_search mutants/% run/test_faults run/test_out_of_memory run/test_pass soak/% study/test_study \
  text/test_byte_bpe text/test_grammar translate/test_advice translate/test_made translate/test_numbers translate/test_options \
  translate/test_resume translate/test_streams translate/test_text),$(TESTS))
# PART=2/4 takes every fourth of them, beginning with the second: four such runs are a run of all.
ifdef PART
ifeq ($(shell echo '$(PART)' | awk -F / '/^[1-9][0-9]*\/[1-9][0-9]*$$/ && $$1 <= $$2'),)
$(error PART=$(PART): say PART=1/4, PART=2/4, …)
endif
long_part := $(shell printf '%s\n' $(long) | awk -v part='$(PART)' 'BEGIN { split(part, p, "/") } NR % p[2] == p[1] % p[2]')
else
long_part := $(long)
endif

# ---- building --------------------------------------------------------------------------------------------
.DEFAULT_GOAL := all
.SECONDARY:
.DELETE_ON_ERROR:
.PHONY: all lib examples tutorial demo study coursework coursework-solutions test test-long list-long tests bench docs deps install uninstall format clean help FORCE

all: lib examples ## the library and the programs (the default)
lib: $(LIB) ## only the library
examples: $(EXAMPLES) ## only the programs
.PHONY: marker
marker: $(MARKER) ## only the course's marker, which nobody needs who neither takes nor gives the course

# A file that holds a text, and is touched only when the text changes: what depends on it is made anew then.
define keep_text
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(1))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(1))' > $@
endef
# MPI's wrapper compiles the files that it is in, and links; the compiler behind it is ours.
with_mpi  := $(if $(filter 1,$(MPI)),OMPI_CC='$(CC)' MPICH_CC='$(CC)' $(MPICC),$(CC))
LINK       = $(with_mpi) $(TL_FLAGS) $(hard_link) $(CFLAGS) $(LDFLAGS)
all_have  := $(TL_FLAGS) # a target's own flags would pass to its prerequisites, and this file to whoever asks for it first
flags_now = $(CC) $(all_have) $(hard_link) $(CFLAGS) $(LDFLAGS) $(CPPFLAGS) $(ISAS) $(products) $(sanitized_product)
ifneq ($(P),$(B))
$(B)/flags: FORCE
	$(call keep_text,$(flags_now) $(with_mpi))
else ifeq ($(MPI),1)
flags_now += $(with_mpi)
endif
$(P)/flags: FORCE
	$(call keep_text,$(flags_now))
$(B)/objects: FORCE # a source file that is gone leaves the library too
	$(call keep_text,$(lib_obj))

$(O)/%.o: %.c $(P)/flags
	@mkdir -p $(@D)
	$(CC) $(TL_FLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

define isa_rule
$(O)/src/tensor/kernels/%.$(1).o: src/tensor/kernels/%.c $(P)/flags
	@mkdir -p $$(@D)
	$$(CC) $$(TL_FLAGS) $$(CPPFLAGS) $$(CFLAGS) $(isa_flags_$(1)) -DTL_ISA=$(1) -MMD -MP -c $$< -o $$@
endef
$(foreach isa,$(ISAS),$(eval $(call isa_rule,$(isa))))
# Sanitized programs spend most of their time in products. gcc makes these more than twice as fast at -O3 in seconds; clang
# would take minutes over them, and is as fast at -O1.
sanitized_product := $(if $(filter 1,$(SAN)),$(if $(findstring clang,$(cc_name)),,-O3))
$(ISAS:%=$(O)/src/tensor/kernels/product.%.o): TL_FLAGS += $(sanitized_product)
$(foreach p,$(products),$(eval $(O)/src/tensor/kernels/product_$(p).o: TL_FLAGS += $(isa_flags_$(p)) -DTL_ISA=$(p)))
with_products := $(patsubst amx,-DTL_WITH_AMX,$(patsubst bf16,-DTL_WITH_BF16,$(products)))
$(O)/src/tensor/kernels.o: TL_FLAGS += $(with_products)

ifeq ($(MPI),1)
.PHONY: need-mpi
need-mpi: $(filter deps,$(MAKECMDGOALS))
	@printf '\043include <mpi.h>\nint main(void) { return MPI_Finalize(); }\n' | $(with_mpi) -xc - -o /dev/null 2>/dev/null || { \
	  echo "make MPI=1: $(MPICC) is not here, or makes no program with mpi.h."; \
	  echo "Run 'make deps MPI=1' to install Open MPI, or say by MPICC=... which MPI to take."; exit 1; }
$(mpi_obj): TL_FLAGS += -DTL_MPI -Wno-unused-command-line-argument # clang's, of what the wrapper says to the linker
$(mpi_obj): $(B)/obj/%.o: %.c $(B)/flags | need-mpi
	@mkdir -p $(@D)
	$(with_mpi) $(TL_FLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@
endif

$(P)/generated/pages/%.c: src/lens/page/%.html $(page_files)
	@mkdir -p $(@D)
	sh src/lens/page/embed.sh $< > $@
$(page_obj): $(O)/src/lens/page/%.o: $(P)/generated/pages/%.c $(P)/flags
	@mkdir -p $(@D)
	$(CC) $(TL_FLAGS) $(CPPFLAGS) $(CFLAGS) -c $< -o $@

# For libFuzzer (tests/fuzz) everything tells which branches it takes and what it compares; the numeric room only the branches: its
# loops compare at every turn.
FUZZED ?= 0
ifeq ($(FUZZED),1)
$(filter $(O)/src/tensor/%,$(lib_obj)): TL_FLAGS += -fsanitize-coverage=inline-8bit-counters,pc-table
$(filter-out $(O)/src/tensor/%,$(lib_obj)): TL_FLAGS += -fsanitize=fuzzer-no-link
endif
$(lib_obj): TL_FLAGS += -Isrc

$(LIB): $(lib_obj) $(B)/objects
	@rm -f $@
	$(AR) rcs $@ $(lib_obj)

# With sanitizers, most of a program's time would go into watching the loops of products. The tests of tensor, autograd, nn, run and
# lens have them watched; programs, which call the same, are linked with products that are not, and watched everywhere else.
ifeq ($(SAN),1)
unwatched := $(if $(filter %/product.c,$(kernel_src)),$(ISAS:%=$(O)/unwatched/product.%.o))
endif
$(O)/unwatched/product.%.o: src/tensor/kernels/product.c $(P)/flags
	@mkdir -p $(@D)
	$(CC) $(TL_FLAGS) -O3 $(CPPFLAGS) $(CFLAGS) -fno-sanitize=all -Isrc $(isa_flags_$*) -DTL_ISA=$* -MMD -MP -c $< -o $@

$(B)/%: $(O)/examples/%.o $(unwatched) $(LIB)
	$(LINK) $^ -o $@ $(TL_LIBS)
# Programs with shared parts settle how their threads wait before GCC's OpenMP reads it, if that is a part of them (program.c): its
# archive is found in a folder before the shared library is. Where there is none they are linked as everything else.
gomp := $(if $(openmp),$(if $(filter 1,$(SAN))$(findstring -fsanitize,$(given)),,$(filter /%,$(shell $(CC) -print-file-name=libgomp.a))))
ifneq ($(gomp),)
gomp_link := -L$(B)/gomp
gomp_here := | $(B)/gomp/libgomp.a
$(B)/gomp/libgomp.a:
	@mkdir -p $(@D)
	ln -sf $(gomp) $@
endif
define folder_rule
$(B)/$(notdir $(1)): $$(patsubst %.c,$(O)/%.o,$$(wildcard $(1)/*.c)) $(if $(filter $(notdir $(1)),$(shared_by)),$(shared_obj)) $(unwatched) $(LIB) $(if $(filter $(notdir $(1)),$(shared_by)),$(gomp_here))
	$(LINK) $(if $(filter $(notdir $(1)),$(shared_by)),$(gomp_link)) $$^ -o $$@ $(TL_LIBS)
endef
$(foreach dir,$(example_folders),$(eval $(call folder_rule,$(dir))))

# What programs and the marker compute themselves is little, the library does it: -O1 compiles them in less time.
$(patsubst %.c,$(O)/%.o,$(wildcard examples/*.c examples/*/*.c)) $(marker_obj): TL_FLAGS += -O1
ifneq ($(MARKER),)
$(MARKER): $(marker_obj) $(LIB)
	$(LINK) $^ -o $@ $(TL_LIBS)
endif

# The book's programs stand in its pages.
book_pages := $(wildcard docs/tutorial/*.md docs/debugging.md)
BOOK := $(if $(book_pages),$(addprefix $(B)/tutorial/,$(sort $(shell sh docs/tutorial/cut --list $(book_pages)))))
tutorial: lib examples $(BOOK) ## only the programs of the book (docs/tutorial), into build/tutorial
$(B)/tutorial/%.c: $(book_pages) docs/tutorial/cut
	@mkdir -p $(@D)
	@sh docs/tutorial/cut $* $(book_pages) > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@
$(B)/tutorial/%: $(B)/tutorial/%.c $(LIB)
	$(with_mpi) $(TL_FLAGS) -O1 $(hard_link) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $< $(unwatched) $(LIB) -o $@ $(TL_LIBS)

-include $(shell find $(sort $(O) $(B)/obj) -name '*.d' 2>/dev/null)

# ---- trying and testing ----------------------------------------------------------------------------------
PAIR ?= en-fr
demo: $(B)/translate ## train a small translator on sentences it makes itself and show what it learnt (PAIR=en-fr|en-zh)
	$(B)/translate demo --pair $(PAIR) --out $(B)/demo

.PHONY: the-study
the-study: $(B)/study ## only the program that measures; one claim is computed by that of PRECISION=double
QUICK ?= 0
study: $(B)/study ## measure what textbooks claim about attention, in an hour, and write docs/study.md (QUICK=1: in five minutes, elsewhere)
ifneq ($(PRECISION),double) # one claim is computed in double, whatever the others are
	$(MAKE) PRECISION=double the-study
endif
	$(B)/study all --out $(B)/study-runs $(if $(filter 1,$(QUICK)),--quick,--page docs)

make_kit = sh coursework/make-kit --marker $(B)/marker
a_kit    = $(make_kit) --checkout $(call squote,$(CURDIR)) --build $(B) $(1) $(call squote,$(call home,$(OUT)))
coursework: lib $(MARKER) ## write the students' folder of the course (OUT=~/course); what is there already is never touched
	@$(call a_kit)
coursework-solutions: lib $(MARKER) ## write the answers in the same shape, for lecturers (OUT=~/answers)
	@$(call a_kit,--solutions)

CHECK_CFLAGS = $(shell pkg-config --cflags check 2>/dev/null)
CHECK_LIBS   = $(shell pkg-config --libs check 2>/dev/null || echo -lcheck)
have_check   = $(shell printf '\043include <check.h>\n' | $(CC) $(CHECK_CFLAGS) -E - >/dev/null 2>&1 && echo yes)

.PHONY: need-check
need-check: $(filter deps,$(MAKECMDGOALS))
	@test -n "$(have_check)" || { echo "make test: the tests use Check, and its header check.h is not here."; \
	  echo "Run 'make deps' to install it (or see https://libcheck.github.io/check/)."; exit 1; }

# Tests may look inside: they see src/ as well as the public headers. What they compute themselves is little: -O1 compiles them
# in a third of the time.
$(O)/tests/%.o: TL_FLAGS += $(CHECK_CFLAGS) -Isrc -iquote tests -O1
# … but this is the library's own code, and this computes for minutes if asked to.
$(O)/tests/tensor/kernels_trapped.o $(O)/tests/tensor/test_ulps.o: TL_FLAGS += $(OPT)
# The C code of a page, as tests include it.
code_of = sed -n '/^```c$$/,/^```$$/{/^```/d;p;}'
$(P)/generated/add_an_operation.inc: docs/add-an-operation.md
	@mkdir -p $(@D)
	$(code_of) $< > $@
$(P)/generated/readme.inc: README.md
	@mkdir -p $(@D)
	$(code_of) $< > $@
$(P)/generated/interop.inc: docs/interop.md
	@mkdir -p $(@D)
	$(code_of) $< > $@
$(addprefix $(O)/tests/,autograd/test_add_an_operation.o docs/test_readme.o docs/test_interop_page.o): TL_FLAGS += -I$(P)/generated
$(O)/tests/autograd/test_add_an_operation.o: $(P)/generated/add_an_operation.inc
$(O)/tests/docs/test_readme.o: $(P)/generated/readme.inc
$(O)/tests/docs/test_interop_page.o: $(P)/generated/interop.inc
# AMX's machine code without AMX: what is linked with the trap has its tile instructions carried out by it. Some tests
# always are. With all of $(trapped) a program takes the tiles for granted too, and does all its weights' products on them:
# build/trapped/tests/models/test_isa, build/trapped/translate, … (tests/amx).
ifneq ($(filter amx,$(products)),)
trap    := $(O)/tests/tensor/amx_trap.o
trapped := $(trap) $(O)/tests/tensor/kernels_trapped.o
with_trap := test_product test_product_edges test_product_precision test_amx_trap
$(with_trap:%=$(B)/tests/tensor/%): $(trap)
$(with_trap:%=$(O)/tests/tensor/%.o): TL_FLAGS += -DTL_WITH_AMX
$(O)/tests/tensor/test_amx_trap.o: TL_FLAGS += -mamx-tile -mamx-bf16
$(O)/tests/tensor/kernels_trapped.o: src/tensor/kernels.c $(P)/flags
	@mkdir -p $(@D)
	$(CC) $(TL_FLAGS) $(CPPFLAGS) $(CFLAGS) $(with_products) -DTL_AMX_TRAPPED -MMD -MP -c $< -o $@
$(B)/trapped/tests/%: $(O)/tests/%.o $(trapped) $(LIB)
	@mkdir -p $(@D)
	$(LINK) $^ -o $@ $(CHECK_LIBS) $(TL_LIBS)
$(B)/trapped/bench/%: $(O)/bench/%.o $(trapped) $(LIB)
	@mkdir -p $(@D)
	$(LINK) $^ -o $@ $(TL_LIBS)
$(B)/trapped/translate: $(patsubst %.c,$(O)/%.o,$(wildcard examples/translate/*.c)) $(shared_obj) $(trapped) $(LIB)
	@mkdir -p $(@D)
	$(LINK) $^ -o $@ $(TL_LIBS)
endif
$(filter $(B)/tests/coursework/%,$(TESTS)): $(filter-out %/main.o,$(marker_obj)) | $(MARKER)
$(filter $(B)/tests/build/% $(B)/tests/docs/test_install_page,$(TESTS)): | $(MARKER) # they install it
$(filter $(B)/tests/docs/%,$(TESTS)): | tutorial # they run them, and would not miss one that is new
$(B)/tests/docs/test_debugging_page: | $(B)/bench/step # … and this one measures a step
$(O)/tests/coursework/%.o: TL_FLAGS += -iquote .
# The study's claims are judged by functions of its own: its tests are linked with all of it but main.
study_obj := $(filter-out %/main.o,$(patsubst %.c,$(O)/%.o,$(wildcard examples/study/*.c))) $(shared_obj)
$(filter $(B)/tests/study/%,$(TESTS)): $(study_obj)
# Fuzzing (tests/fuzz): each harness is a file, and a program of its own where libFuzzer makes one; a test replays all of them.
# What they fuzz besides the library: the marker's files, and the study's.
fuzz_files := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz_with  := $(patsubst %.c,$(O)/%.o,$(filter-out tests/fuzz/main.c tests/fuzz/replay.c tests/fuzz/test_% tests/fuzz/fuzz_%,$(wildcard tests/fuzz/*.c)))
fuzz_also  := $(filter-out %/main.o,$(marker_obj)) $(study_obj)
fuzz_obj   := $(fuzz_with) $(fuzz_files:%=$(O)/tests/fuzz/fuzz_%.o)
$(B)/tests/fuzz/test_found: $(fuzz_obj) $(fuzz_also)
$(B)/tests/fuzz/replay: $(O)/tests/fuzz/replay.o $(fuzz_obj) $(fuzz_also) $(LIB)
	@mkdir -p $(@D)
	$(LINK) $^ -o $@ $(TL_LIBS)
$(O)/tests/fuzz/%.o: TL_FLAGS += -iquote .
ifeq ($(FUZZED),1)
$(fuzz_also): TL_FLAGS += -fsanitize=fuzzer-no-link
endif
FUZZERS := $(fuzz_files:%=$(B)/fuzzers/%)
$(O)/fuzzers/%.o: tests/fuzz/main.c $(P)/flags
	@mkdir -p $(@D)
	$(CC) $(TL_FLAGS) -iquote tests $(CPPFLAGS) $(CFLAGS) -DTL_FUZZ_NAME=$* -MMD -MP -c $< -o $@
$(B)/fuzzers/%: $(O)/fuzzers/%.o $(O)/tests/fuzz/fuzz_%.o $(B)/fuzzers/with.a $(LIB)
	@mkdir -p $(@D)
	$(LINK) -fsanitize=fuzzer $^ -o $@ $(TL_LIBS)
$(B)/fuzzers/with.a: $(fuzz_with) $(fuzz_also)
	@mkdir -p $(@D)
	@rm -f $@
	$(AR) rcs $@ $^
.PHONY: fuzzers fuzz
fuzzers: $(FUZZERS) ## only the harnesses, as programs of libFuzzer; make fuzz makes them as it needs them
fuzz: ## search for bytes that break something, with clang's libFuzzer, for SECONDS (60) or MINUTES in all (FUZZ=--help)
	@tests/fuzz/run $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SECONDS),--seconds $(SECONDS)) $(FUZZ)
.PHONY: coverage
coverage: ## how many lines and branches of src/ the tests run; fails below 98 % and 90 % (needs gcovr; COVERAGE=--help)
	@tests/coverage $(COVERAGE)
.PHONY: mutants
mutants: ## break one thing at a time and see whether a test goes red; hours, and it goes on where it was ended (MUTANTS=--help)
	@tests/mutants/run $(MUTANTS)
# Faults and kills (tests/faults): a library that is loaded before the C library makes them, a program makes and judges the runs.
faults_obj := $(patsubst %.c,$(O)/%.o,$(filter-out %/preload.c %/parts.c %/test_%,$(wildcard tests/faults/*.c)))
faults_for := $(addprefix $(B)/,translate lm caption classify attend study bpe bleu read_a_run attention_steps) $(MARKER)
$(B)/faults/preload.so: tests/faults/preload.c tests/faults/calls.h tests/faults/faults.h tests/allocator.h $(P)/flags
	@mkdir -p $(@D)
	$(CC) -std=c11 $(WARN) -O1 -g1 -fPIC -shared -Itests $< -o $@ -ldl
$(B)/faults/sweep: $(faults_obj)
	@mkdir -p $(@D)
	$(LINK) $^ -o $@
$(B)/faults/parts: $(O)/tests/faults/parts.o $(LIB)
	@mkdir -p $(@D)
	$(LINK) $^ -o $@ $(TL_LIBS)
$(B)/faults/parts $(B)/tests/run/test_faults: TL_LIBS += -ldl
# Where the C library's calls can be replaced, and an ordinary request for memory is refused nowhere but in our own code: not with
# sanitizers, MPI or LLVM's OpenMP, which ends the program then.
can_fault := $(if $(filter 1,$(SAN) $(MPI))$(findstring -fsanitize,$(given)),,$(if $(findstring linux-gnu,$(machine)),\
  $(if $(and $(findstring clang,$(cc_name)),$(openmp)),,yes)))
.PHONY: faults kills faults-ready
ifneq ($(strip $(can_fault)),)
faults-ready: $(B)/faults/preload.so $(B)/faults/sweep $(B)/faults/parts $(faults_for) ## only what make faults and make kills run
$(B)/tests/faults/test_sweep: | faults-ready
else
faults-ready:
	@echo "make faults, make kills: not with this build: they need Linux with glibc, and neither SAN=1 nor MPI=1 nor clang's OpenMP" >&2; exit 2
endif
faults: faults-ready ## let every request for memory and every file call of every program fail, once and from then on (FAULTS=--help)
	@$(B)/faults/sweep faults --build $(B) $(if $(MINUTES),--minutes $(MINUTES)) $(FAULTS)
kills: faults-ready ## kill every program that writes at every file call, and at 1,000 random moments; each is resumed (KILLS=--help)
	@$(B)/faults/sweep kills --build $(B) $(if $(MINUTES),--minutes $(MINUTES)) $(KILLS)
.PHONY: valgrind
valgrind: ## quick tests and the programs under valgrind's memcheck (VALGRIND=--help)
	@tests/valgrind $(VALGRIND)
.PHONY: compilers
compilers: ## library, programs and golden values with each compiler here at -O0 to -O3 (COMPILERS=--help)
	@tests/compilers $(COMPILERS)
.PHONY: trust
TRUST ?= fuzz faults kills mutants coverage valgrind compilers soak
trust: ## all long checks (TRUST), one after the other, for hours; MINUTES for each of fuzz, faults, kills, soak
	@tests/trust $(if $(MINUTES),--minutes $(MINUTES)) $(TRUST)
$(filter $(B)/tests/soak/%,$(script_tests)): | $(B)/tests/soak/soak $(B)/translate $(B)/lm # it runs them
$(B)/tests/soak/soak: $(O)/tests/soak/soak.o $(LIB)
	@mkdir -p $(@D)
	$(LINK) $^ -o $@ $(TL_LIBS)
.PHONY: soak
soak: ## ask a translator and a language model odd questions for SECONDS (60) or MINUTES; nothing may change (SOAK=--help)
	@tests/soak/run $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SECONDS),--seconds $(SECONDS)) $(SOAK)
compiled_tests := $(filter-out $(script_tests),$(TESTS))
$(compiled_tests): $(B)/tests/%: $(O)/tests/%.o $(LIB)
	@mkdir -p $(@D)
	$(LINK) $(filter-out $(LIB),$^) $(LIB) -o $@ $(CHECK_LIBS) $(TL_LIBS)
$(compiled_tests:$(B)/tests/%=$(O)/tests/%.o): | need-check
$(script_tests): $(B)/tests/%: tests/%.sh
	@mkdir -p $(@D)
	cp $< $@ && chmod +x $@

tests: $(TESTS) ## only the test programs
run_all = @BUILD=$(B) CC='$(CC)' tests/run-all
test: need-check all tests ## build and run the tests but the long ones (needs Check: make deps)
	$(run_all) $(if $(filter file,$(origin TESTS)),$(filter-out $(long),$(TESTS)),$(TESTS))
	$(if $(filter file,$(origin TESTS)),@echo "left out: $(words $(long)) long ones (make test-long)")
test-long: need-check all tests ## build and run the long tests: what compiles, trains, or runs the pages (PART=1/4: a quarter)
	$(run_all) $(long_part)
list-long: ## print the names of the long tests (PART=1/4: of a quarter)
	@printf '%s\n' $(long_part:$(B)/tests/%=%)

# What runs under mpirun alone (tests/ranks/under-mpi): a rank must not be a child of the process that MPI has started, as Check's
# tests are.
under_mpi := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/ranks/mpi_*.c))
$(under_mpi): $(B)/tests/%: $(O)/tests/%.o $(LIB)
	@mkdir -p $(@D)
	$(LINK) $^ -o $@ $(TL_LIBS)

# They may look inside. Peers' libraries are opened while a program runs, never linked.
$(O)/bench/%.o: TL_FLAGS += -Isrc
$(B)/bench/peers: TL_LIBS += -ldl
$(B)/bench/%: $(O)/bench/%.o $(LIB)
	@mkdir -p $(@D)
	$(LINK) $^ -o $@ $(TL_LIBS)

benches := $(patsubst bench/%.c,$(B)/bench/%,$(wildcard bench/*.c))
$(filter $(B)/tests/bench/%,$(TESTS)): | $(benches) # they run them
bench: all $(benches) ## measure it, in turn with PyTorch, OpenBLAS, oneDNN where they are (BENCH=--help)
	BUILD=$(B) bench/compare $(BENCH)

.PHONY: api
API ?= docs/api
api: ## write docs/api, a page for each public header, from the headers
	@mkdir -p $(API)
	LC_ALL=C awk -v to=$(API) -f docs/api/pages.awk include/tapeloom.h include/tapeloom/*.h examples/*.c examples/*/*.c \
	  $(sort $(filter-out tests/fuzz/%,$(wildcard tests/*/*.c)))

docs: need-check api $(B)/tests/docs/test_operations_table ## write docs/operations.md from the list of operations, and docs/api
	TL_WRITE_DOCS=1 $(B)/tests/docs/test_operations_table

deps: ## show and run the package manager's command that installs Check (MPI=1: and Open MPI)
	@CC='$(CC)' MPICC='$(if $(filter 1,$(MPI)),$(MPICC))' CHECK_CFLAGS='$(CHECK_CFLAGS)' CHECK_LIBS='$(CHECK_LIBS)' tests/deps

# ---- installing ------------------------------------------------------------------------------------------
# Folders may have any name: each is one word in quotes to the shell, and text to sed. A "~/" that the shell has left to us
# is home, as it would be without the quotes.
tools   := $(filter $(notdir $(EXAMPLES)),translate lm caption classify attend study bpe bleu)
squote   = '$(subst ','\'',$(1))'
home     = $(if $(filter ~/%,$(firstword $(1))),$(subst ^~/,$(HOME)/,^$(1)),$(1))
prefix   = $(call home,$(PREFIX))
to       = $(call squote,$(call home,$(DESTDIR)$(prefix))$(1))
as_text  = $(subst |,\|,$(subst &,\&,$(subst \,\\,$(1))))
# What a program is linked with besides: Open MPI says it by --showme:link, MPICH and its kin by -link_info, after the compiler.
mpi_libs = $(if $(filter 1,$(MPI)),$(or $(shell $(MPICC) --showme:link 2>/dev/null),\
  $(filter-out -I%,$(filter -%,$(shell $(MPICC) -link_info 2>/dev/null))),\
  $(error $(MPICC) says neither by --showme:link nor by -link_info how a program is linked)))
# Two folders are made first and then installed as they are: the course's, as students get it (they copy it, and tapeloom-marker
# takes its Makefile from there), and what is read: pages, examples, licence, in the repository's own places, so that pages
# lead to each other (docs/relink.awk does the rest). A list beside them, share/tapeloom/NAME.files, says what is ours.
tree_coursework := /share/tapeloom/coursework
tree_doc        := /share/doc/tapeloom
tree_to   = $(call to,$(tree_$(1)))
tree_list = $(call to,/share/tapeloom/$(1).files)
# Trees are put together in a folder of this make's own: two may install at once.
stage = $(eval stage := $(B)/stage.$(shell echo $$PPID))$(stage)
# What an earlier install put there, by its list; then folders, unless they hold what is not ours.
remove_tree = test ! -f $(tree_list) || { \
  while read -r file; do rm -f $(tree_to)/"$$file"; done < $(tree_list); rm -f $(tree_list); \
  find $(tree_to) -depth -type d -exec rmdir {} \; 2>/dev/null || true; }
define install_tree
	$(remove_tree)
	install -d $(call to,/share/tapeloom)
	(cd $(stage)/$(1) && find . -type d) | while read -r folder; do install -d $(tree_to)/"$$folder" || exit 1; done
	(cd $(stage)/$(1) && find . -type f) > $(tree_list)
	while read -r file; do install -m 644 $(stage)/$(1)/"$$file" $(tree_to)/"$$file" || exit 1; done < $(tree_list)
endef
# Of the course only its pages: the rest is in its own folder.
define make_doc
	rm -rf $(stage)/doc && mkdir -p $(stage)/doc
	find $(wildcard LICENSE *.md docs examples coursework) -type f ! -name '*.awk' \( ! -path 'coursework/*' -o -name '*.md' \) > $(stage)/doc.list
	while read -r file; do case $$file in */*) mkdir -p $(stage)/doc/"$${file%/*}";; esac; cp "$$file" $(stage)/doc/"$$file" || exit 1; done < $(stage)/doc.list
	! grep -q '\.md$$' $(stage)/doc.list || awk -v files=$(stage)/doc.list -v to=$(stage)/doc -f docs/relink.awk $$(grep '\.md$$' $(stage)/doc.list)
endef
install: lib $(tools:%=$(B)/%) $(MARKER) ## install headers, library, pkg-config file, programs, docs and examples (PREFIX, DESTDIR)
	install -d $(call to,/include/tapeloom) $(call to,/lib/pkgconfig) $(call to,/bin)
	install -m 644 include/tapeloom.h $(call to,/include/)
	install -m 644 include/tapeloom/*.h $(call to,/include/tapeloom/)
	install -m 644 $(LIB) $(call to,/lib/)
	sed -e $(call squote,s|@PREFIX@|$(call as_text,$(prefix))|) -e 's|@VERSION@|$(VERSION)|' -e 's|@NAME@|$(lib_name)|' \
	  -e 's|@CFLAGS@|$(if $(filter double,$(PRECISION)),-DTL_DOUBLE)|' -e 's|@LIBS@|$(TL_LIBS) $(openmp) $(mpi_libs)|' \
	  tapeloom.pc.in > $(call to,/lib/pkgconfig/$(lib_name).pc)
	for tool in $(tools); do \
	  install -m 755 $(B)/$$tool $(call to,/bin/tapeloom-)$$tool$(suffix) || exit 1; done
ifneq ($(MARKER),)
	install -m 755 $(MARKER) $(call to,/bin/tapeloom-marker)$(suffix)
	rm -rf $(stage)/coursework && $(make_kit) $(stage)/coursework >/dev/null
	$(call install_tree,coursework)
endif
	$(make_doc)
	$(call install_tree,doc)
	rm -rf $(stage)

suffixes := -double -mpi -double-mpi
uninstall: ## remove what install put there, and nothing else
	rm -f $(call to,/include/tapeloom.h) $(foreach header,$(notdir $(wildcard include/tapeloom/*.h)),$(call to,/include/tapeloom/$(header)))
	rmdir $(call to,/include/tapeloom) 2>/dev/null || true # unless it holds what is not ours
	rm -f $(foreach name,tapeloom $(suffixes:%=tapeloom%),$(call to,/lib/lib$(name).a) $(call to,/lib/pkgconfig/$(name).pc))
	rm -f $(foreach tool,$(tools) $(if $(MARKER),marker),$(foreach name,$(tool) $(suffixes:%=$(tool)%),$(call to,/bin/tapeloom-$(name))))
	$(call remove_tree,coursework)
	$(call remove_tree,doc)
	rmdir $(call to,/share/tapeloom) 2>/dev/null || true

format: ## format every C file with clang-format
	clang-format -i $(shell git ls-files '*.c' '*.h')

clean: ## remove every flavour
	rm -rf build

help: ## this list
	@echo 'make [target] [PRECISION=double] [MPI=1] [SAN=1] [DEBUG=1] [OPENMP=0] [HARDEN=0] [CC=clang]'
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  \1	\2/p' Makefile | expand -t 24
