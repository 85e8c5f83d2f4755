# The copy task, trained with what you wrote; about ten seconds.
#
#     make copy     with training.c
#     make copy2    with training_op.c
.PHONY: copy copy2
copy: build/copy/tier1
	$<
copy2: build/copy/tier2
	$<

# Not as the marker's runner has them: nobody counts their memory here.
build/copy/%.o: %.c build/flags build/library
	@mkdir -p $(@D)
	$(Q)$(CC) $(level_O2) $(FLAGS) $(library_flags) -MMD -MP -c $< -o $@
build/copy/copy_2.o: copy.c build/flags build/library
	@mkdir -p $(@D)
	$(Q)$(CC) $(level_O2) $(FLAGS) $(library_flags) -DCOPY_TIER_2 -MMD -MP -c $< -o $@
build/copy/tier1: build/copy/copy.o build/copy/training.o
	$(Q)$(CC) $(level_O2) $(CFLAGS) $(filter %.o,$^) -o $@ $(library_libs)
build/copy/tier2: build/copy/copy_2.o build/copy/training_op.o
	$(Q)$(CC) $(level_O2) $(CFLAGS) $(filter %.o,$^) -o $@ $(library_libs)
