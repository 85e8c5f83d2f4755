# A translator with your operations in it.
#
#     make translate          links it, says whose operations are in it, and trains: run/   (TIER=2: with those of tier 2)
#     make ask                your three questions about run/
#     make                    marks run/, answers.txt and the program
#     make translate AGAIN=1  trains anew, in the place of what is in run/
#
# MINE: the files whose operations are yours; unless told, all that you have begun. build/mine and linked.txt say what came of it.

all_of_tier_1 := $(wildcard $(foreach name,linear softmax layer_norm attention_forward attention_backward,../[0-9][0-9]-$(name)/$(name).c))
all_of_tier_2 := $(wildcard $(foreach name,linear softmax layer_norm attention_forward attention_backward,../[0-9][0-9]-$(name)/*_op.c))
# Files that are not their starter any more.
begun = $(shell for file in $(1); do \
  starter=../runner/`basename \`dirname $$file\` | cut -c4-`/starter/`basename $$file`; \
  if test -f $$starter; then ! cmp -s $$file $$starter; else ! grep -q 'Your code here' $$file; fi && echo $$file; done)
MINE ?= $(call begun,$(all_of_tier_$(TIER)))
has   = $(filter %/$(1).c,$(mine))

# Of attention backward alone nobody takes the forward's place.
mine := $(MINE)
ifeq ($(call has,attention_forward)$(call has,attention_forward_op),)
mine := $(filter-out %/attention_backward.c %/attention_backward_op.c,$(mine))
endif
bridges_1 := $(foreach name,linear softmax layer_norm attention_forward attention_backward,$(if $(call has,$(name)),bridge/$(name).c)) \
  $(if $(call has,attention_forward),$(if $(call has,attention_backward),,bridge/attention_steps.c))
bridges_2 := $(if $(call has,attention_forward_op),$(if $(call has,attention_backward_op),,bridge/attention_op_steps.c bridge/attention_steps.c))
own_loss  := $(if $(strip $(foreach name,linear softmax linear_op cross_entropy_op,$(call has,$(name)))),linear_cross_entropy.c)

mine_obj    := $(mine:../%.c=build/mine/%.o) $(patsubst %.c,build/mine/%.o,$(bridges_$(TIER)) $(own_loss))
program_obj := $(patsubst %.c,build/%.o,$(wildcard program/*/*.c))
includes    := -I. -I../runner $(addprefix -I,$(sort $(dir $(mine))))

build/mine/flags: need-library FORCE
	$(call keep_text,$(CC) $(CFLAGS) $(includes) $(mine_obj))
build/mine/%.o: ../%.c build/mine/flags build/library
	@mkdir -p $(@D)
	$(Q)$(CC) -O2 $(WARN) -std=c11 -g -ffp-contract=off $(includes) $(library_flags) $(CFLAGS) -c $< -o $@
build/mine/%.o: %.c build/mine/flags build/library
	@mkdir -p $(@D)
	$(Q)$(CC) -O2 $(WARN) -std=c11 -g -ffp-contract=off $(includes) $(library_flags) $(CFLAGS) -c $< -o $@
build/program/%.o: program/%.c build/library
	@mkdir -p $(@D)
	$(Q)$(CC) -O2 -w -std=c11 $(filter -fopenmp,$(library_libs)) $(library_flags) $(CFLAGS) -c $< -o $@

# Yours come first: what they define, the linker takes no more from the library.
build/translate: $(mine_obj) $(program_obj) build/mine/flags build/library
	$(Q)$(CC) -O2 $(CFLAGS) $(mine_obj) $(program_obj) $(library_libs) -o $@

# What training one update of this model calls.
in_an_update := embedding scale add dropout slice linear split_heads scaled_dot_product_attention layer_norm relu cross_entropy linear_cross_entropy
operations    = { nm -g $(1) | sed -n 's/.* [A-Z] _*tl_op_//p' | sort -u; }
linked.txt: build/translate
	@for o in $(mine_obj); do $(call operations,$$o); done | sort -u > build/yours
	@{ printf 'yours:'; for op in $(in_an_update); do grep -qx $$op build/yours && printf ' %s' $$op; done; echo; \
	  printf "the library's:"; for op in $(in_an_update); do grep -qx $$op build/yours || printf ' %s' $$op; done; echo; } > $@

OPTIONS = --pair en-fr --d-model 32 --heads 4 --layers 2 --d-ff 64 --dropout 0 --batch-tokens 256 --steps 4000 --lr 0.005 \
  --warmup 100 --schedule cosine --validate-every 1000 --samples 0 --threads 1
seed_of = $$($(call squote,$(marker)) tell $(NAME) --student $(call squote,$(STUDENT)) | sed -n 's/^seed: //p')

.PHONY: translate link ask marked
link: linked.txt
	@cat linked.txt
translate: need-marker link
	@if test -f run/checkpoint.safetensors && test -z "$(AGAIN)"; then build/translate train --resume run --threads 1; \
	else build/translate train $(OPTIONS) --seed $(seed_of) --out run $(if $(AGAIN),--overwrite); fi
ask: need-marker
	@$(call squote,$(marker)) tell $(NAME) --student $(call squote,$(STUDENT))
mark: marked
marked: need-marker
	@$(MARK) --predict predict.txt .
