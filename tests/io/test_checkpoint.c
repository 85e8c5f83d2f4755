/* Checkpoints: a training in two parts is the same training to the last bit; a kill at any moment leaves a valid file;
 * a file that does not fit changes nothing. */
#define _XOPEN_SOURCE 700
#include "scratch.h"

#include <tapeloom.h>

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

/* ---- a small training whose whole state is saved ---- */

typedef struct training {
    tl_corpus *corpus;
    tl_vocab *vocab;
    tl_batches *batches;
    tl_params *params;
    tl_transformer model;
    tl_adam *adam;
    tl_tape *tape;
    long step;
    double loss; /* of the last step */
} training;

static training training_begin(void) {
    training t = {.corpus = tl_corpus_new(), .params = tl_params_new(7), .tape = tl_tape_new()};
    tl_vocab_counts *counts = tl_vocab_counts_new();
    tl_corpus_toy(t.corpus,
                  &(tl_toy_config){.task = "reverse", .sentences = 40, .symbols = 9, .max_length = 6});
    tl_corpus_count(t.corpus, TL_SOURCE, counts);
    t.vocab = tl_vocab_new(counts, NULL);
    tl_vocab_counts_free(counts);
    tl_corpus_encode(t.corpus, t.vocab, t.vocab);
    /* at least 6 per epoch */
    t.batches = tl_batches_new(t.corpus, &(tl_batches_config){.tokens = 42, .seed = 3});
    long words = tl_vocab_size(t.vocab);
    t.model = tl_transformer_init(t.params, "",
                                  &(tl_transformer_config){.src_vocab = words,
                                                           .tgt_vocab = words,
                                                           .tie = TL_TIE_ALL,
                                                           .d_model = 8,
                                                           .heads = 2,
                                                           .layers = 1,
                                                           .d_ff = 16,
                                                           .dropout = 0.2,
                                                           .attention_dropout = 0.1});
    t.adam = tl_adam_new(t.params, &(tl_adam_config){.beta2 = 0.98});
    must_msg(!tl_params_error(t.params), "%s", tl_params_error(t.params));
    must_msg(!tl_batches_error(t.batches), "%s", tl_batches_error(t.batches));
    must(tl_batches_per_epoch(t.batches) >= 6);
    return t;
}

static void training_end(training *t) {
    tl_tape_free(t->tape);
    tl_adam_free(t->adam);
    tl_params_free(t->params);
    tl_batches_free(t->batches);
    tl_corpus_free(t->corpus);
    tl_vocab_free(t->vocab);
}

/* The encoder is unfrozen after step 4, so its parameters have had fewer updates than Adam has taken steps. One layer
 * norm is never updated. */
static void train_to(training *t, long last) {
    while (t->step < last) {
        tl_batch batch;
        while (!tl_batches_next(t->batches, &batch)) must(!tl_batches_error(t->batches));
        t->step++;
        tl_freeze(t->params, "encoder.", t->step <= 4);
        tl_freeze(t->params, "decoder.norm.", true);
        tl_tape_reset(t->tape);
        tl_tape_set_training(t->tape, t->step);
        tl_var loss = tl_transformer_loss(&t->model, t->tape, &batch);
        tl_zero_grad(t->params);
        must_msg(tl_backward(loss), "%s", tl_tape_error(t->tape));
        t->loss = tl_item(tl_value(loss));
        must(tl_clip_grad_norm(t->params, 0.1) > 0.1); /* the gradient is clipped */
        must_msg(tl_adam_step(t->adam, tl_noam(8, 5, t->step)), "%s", tl_adam_error(t->adam));
    }
}

static void training_save(training *t, const char *path) {
    tl_error error = {""};
    tl_config *state = tl_config_new();
    tl_batches_position position = tl_batches_tell(t->batches);
    tl_config_comment(state, "where it stands");
    tl_config_set_long(state, "step", t->step);
    tl_config_set_long(state, "batches.epoch", position.epoch);
    tl_config_set_long(state, "batches.batch", position.batch);
    tl_config_set_double(state, "loss", t->loss);
    tl_config_set_string(state, "note", "zwölf \"words\"\n# no comment");
    must_msg(tl_checkpoint_save(path, t->params, t->adam, state, &error), "%s", error.message);
    tl_config_free(state);
}

static void training_load(training *t, const char *path) {
    tl_error error = {""};
    tl_config *state = tl_checkpoint_load(path, t->params, t->adam, &error);
    must_msg(state != NULL, "%s", error.message);
    t->step = tl_config_long(state, "step", -1);
    t->loss = tl_config_double(state, "loss", NAN);
    tl_batches_position position = {tl_config_long(state, "batches.epoch", -1),
                                    tl_config_long(state, "batches.batch", -1)};
    must(tl_batches_seek(t->batches, position));
    ck_assert_str_eq(tl_config_string(state, "note", ""), "zwölf \"words\"\n# no comment");
    must_msg(!tl_config_error(state), "%s", tl_config_error(state));
    tl_config_free(state);
}

/* Trains from a file (NULL: from the start) to step `last` and saves, in a process of its own. */
static void train_apart(const char *from, long last, const char *to) {
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        training t = training_begin();
        if (from) training_load(&t, from);
        train_to(&t, last);
        training_save(&t, to);
        training_end(&t);
        exit(0);
    }
    int status = 1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

static bool same_files(const char *a, const char *b) {
    size_t size_a, size_b;
    char *x = get_file(a, &size_a), *y = get_file(b, &size_b);
    bool same = size_a == size_b && memcmp(x, y, size_a) == 0;
    free(x);
    free(y);
    return same;
}

START_TEST(twenty_steps_are_ten_and_ten) {
    scratch s = scratch_new();
    const char *half = scratch_path(&s, "half.ckpt"), *resumed = scratch_path(&s, "resumed.ckpt"),
               *straight = scratch_path(&s, "straight.ckpt"), *again = scratch_path(&s, "again.ckpt"),
               *early = scratch_path(&s, "early.ckpt"), *late = scratch_path(&s, "late.ckpt");
    train_apart(NULL, 10, half);
    train_apart(half, 10, again); /* loaded and saved: the same file */
    ck_assert(same_files(half, again));
    train_apart(again, 20, resumed);
    train_apart(NULL, 20, straight);
    ck_assert(!same_files(half, straight));
    ck_assert(same_files(resumed, straight)); /* weights, moments, counts, position, loss */
    train_apart(NULL, 2, early);              /* stopped while the encoder is frozen */
    train_apart(early, 20, late);
    ck_assert(same_files(late, straight));

    tl_error error = {""};
    tl_safetensors *file = tl_safetensors_open(straight, &error);
    ck_assert_msg(file != NULL, "%s", error.message);
    ck_assert_str_eq(tl_safetensors_metadata(file, "format"), "tapeloom-checkpoint");
    ck_assert_str_eq(tl_safetensors_metadata(file, "version"), "1");
    ck_assert_str_eq(tl_safetensors_metadata(file, "adam.steps"), "20");
    ck_assert_str_eq(tl_safetensors_metadata(file, "adam.steps.src_embedding.weight"), "20");
    ck_assert_str_eq(tl_safetensors_metadata(file, "adam.steps.encoder.layers.0.linear1.weight"), "16");
    ck_assert_str_eq(tl_safetensors_metadata(file, "adam.steps.decoder.norm.weight"), "0");
    assert_contains(tl_safetensors_metadata(file, "state"), "# where it stands\nstep = 20\n");
    static const char *const names[] = {"model.decoder.norm.weight", "adam.m.decoder.norm.weight",
                                        "adam.v.decoder.norm.weight", "adam.m.src_embedding.weight"};
    for (int i = 0; i < 4; i++) {
        const tl_safetensors_entry *e = tl_safetensors_find(file, names[i]);
        ck_assert_msg(e != NULL, "%s", names[i]);
        tl_real numbers[200];
        ck_assert(tl_safetensors_read(file, names[i], tl_tensor_of(numbers, e->shape), &error));
        /* a parameter that was never updated has zero moments */
        if (i < 3)
            ck_assert(numbers[3] == (i == 0 ? 1 : 0));
        else
            ck_assert(numbers[3] != 0);
    }
    tl_safetensors_close(file);
    scratch_remove(&s);
}
END_TEST

/* ---- three parameters, for all other tests ---- */

typedef struct setup {
    tl_params *params;
    tl_adam *adam;
} setup;

static setup begin(double value, long steps) {
    setup s = {.params = tl_params_new(1)};
    tl_params_add(s.params, "linear.weight", TL_SHAPE(30, 20), (tl_init){0});
    tl_params_add(s.params, "linear.bias", TL_SHAPE(30), (tl_init){0});
    tl_params_add(s.params, "scale", TL_SCALAR_SHAPE, (tl_init){0});
    s.adam = tl_adam_new(s.params, NULL);
    assert_no_error(tl_params_error(s.params));
    tl_adam_set_steps(s.adam, steps);
    for (int i = 0; i < 3; i++) {
        tl_adam_state a = tl_adam_state_of(s.adam, tl_params_at(s.params, i));
        tl_tensor_fill(tl_param_value(tl_params_at(s.params, i)), value + i);
        tl_tensor_fill(a.m, value + 10 + i);
        tl_tensor_fill(a.v, value + 20 + i);
        *a.steps = steps - i;
    }
    return s;
}

static void end(setup *s) {
    tl_adam_free(s->adam);
    tl_params_free(s->params);
}

static bool filled(tl_tensor t, double value) {
    for (long i = 0; i < tl_numel(t); i++)
        if (t.data[i] != (tl_real)value) return false;
    return true;
}

/* Is everything as begin(value, steps) has made it? */
static bool holds(setup *s, double value, long steps) {
    bool all = tl_adam_steps(s->adam) == steps;
    for (int i = 0; i < 3; i++) {
        tl_adam_state a = tl_adam_state_of(s->adam, tl_params_at(s->params, i));
        all = all && *a.steps == steps - i && filled(a.m, value + 10 + i) && filled(a.v, value + 20 + i) &&
              filled(tl_param_value(tl_params_at(s->params, i)), value + i);
    }
    return all;
}

static void save(setup *s, const char *path) {
    tl_error error = {""};
    tl_config *state = tl_config_new();
    tl_config_set_string(state, "here", "there");
    must_msg(tl_checkpoint_save(path, s->params, s->adam, state, &error), "%s", error.message);
    tl_config_free(state);
}

START_TEST(loading_replaces_everything) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "a b/ü.ckpt");
    tl_error error = {""};
    ck_assert(tl_make_dirs(scratch_path(&s, "a b"), &error));
    setup a = begin(1.5, 100), b = begin(3, 7);
    save(&a, path);
    unsigned long version = tl_params_at(b.params, 2)->leaf.version;
    tl_config *state = tl_checkpoint_load(path, b.params, b.adam, &error);
    ck_assert_msg(state != NULL, "%s", error.message);
    ck_assert(holds(&b, 1.5, 100));
    /* a backward over the old values is refused */
    ck_assert_uint_ne(tl_params_at(b.params, 2)->leaf.version, version);
    ck_assert_str_eq(tl_config_string(state, "here", ""), "there");
    tl_config_free(state);

    tl_params *fresh = tl_params_new(2); /* an optimiser without steps, and a set without parameters */
    tl_adam *adam = tl_adam_new(fresh, NULL);
    tl_adam_set_steps(adam, 3);
    state = tl_config_new();
    ck_assert_msg(tl_checkpoint_save(path, fresh, adam, state, &error), "%s", error.message);
    tl_config_free(state);
    tl_adam_set_steps(adam, 0);
    state = tl_checkpoint_load(path, fresh, adam, &error);
    ck_assert_msg(state != NULL, "%s", error.message);
    ck_assert_int_eq(tl_adam_steps(adam), 3);
    tl_config_free(state);
    tl_adam_free(adam);
    tl_params_free(fresh);
    end(&a);
    end(&b);
    scratch_remove(&s);
}
END_TEST

/* ---- a kill at any moment ---- */

/* Round k writes k everywhere, so a file that mixes rounds or lacks a part is detected. */
static void save_for_ever(const char *path, long k) {
    for (;; k++) {
        setup s = begin((double)k, k);
        save(&s, path);
        end(&s);
    }
}

START_TEST(a_kill_at_any_moment_leaves_a_good_file) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "killed.ckpt");
    tl_set_threads(1); /* this process forks, so it must have no threads */
    setup first = begin(1000, 1000), now = begin(0, 10);
    save(&first, path);
    long k = 1000;
    /* more rounds if the machine is so busy that nothing happens in a few milliseconds */
    for (uint64_t round = 0; round < 40 || (round < 1000 && (k == 1000 || count_files(s.folder) == 1));
         round++) {
        pid_t child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0) save_for_ever(path, k);
        long micros = 200 + tl_rng_below(tl_rng_key_of(11, "kill"), round, 4000);
        nanosleep(&(struct timespec){.tv_nsec = micros * 1000}, NULL);
        kill(child, SIGKILL);
        ck_assert_int_eq(waitpid(child, NULL, 0), child);
        tl_error error = {""};
        tl_config *state = tl_checkpoint_load(path, now.params, now.adam, &error);
        ck_assert_msg(state != NULL, "round %d: %s", (int)round, error.message);
        tl_config_free(state);
        ck_assert_int_ge(tl_adam_steps(now.adam), k);
        k = tl_adam_steps(now.adam);
        ck_assert_msg(holds(&now, (double)k, k), "round %d: the file mixes several", (int)round);
    }
    ck_assert_int_gt(k, 1000);                  /* children have saved */
    ck_assert_int_gt(count_files(s.folder), 1); /* and were killed while saving */
    end(&first);
    end(&now);
    scratch_remove(&s);
}
END_TEST

/* ---- files that do not fit ---- */

/* Checks that loading this file fails with an error that contains both parts, and changes nothing. */
static void assert_refused(const char *path, const char *part, const char *other_part) {
    tl_error error = {""};
    setup now = begin(5, 50);
    unsigned long version = tl_params_at(now.params, 0)->leaf.version;
    ck_assert_ptr_null(tl_checkpoint_load(path, now.params, now.adam, &error));
    assert_contains(error.message, strrchr(path, '/') + 1);
    assert_contains(error.message, part);
    assert_contains(error.message, other_part);
    ck_assert(holds(&now, 5, 50));
    ck_assert_uint_eq(tl_params_at(now.params, 0)->leaf.version, version);
    assert_no_error(tl_params_error(now.params));
    assert_no_error(tl_adam_error(now.adam));
    end(&now);
}

/* How a damaged copy differs. */
typedef struct damage {
    const char *leave_out, *rename, *to, *reshape; /* tensors */
    bool other_precision;
    const char *key, *value; /* an entry of the metadata; value NULL: left out */
    const char *part, *other_part;
} damage;

static void assert_damage_refused(const char *good, const char *bad, const damage *d) {
    tl_error error = {""};
    tl_safetensors *file = tl_safetensors_open(good, &error);
    ck_assert_msg(file != NULL, "%s", error.message);
    tl_safetensors_item items[16];
    tl_safetensors_pair pairs[16];
    static tl_real numbers[9 * 600];
    long n = 0, m = 0;
    for (long i = 0; i < tl_safetensors_count(file); i++) {
        const tl_safetensors_entry *e = tl_safetensors_at(file, i);
        tl_tensor t = tl_tensor_of(numbers + 600 * i, e->shape);
        ck_assert(tl_safetensors_read(file, e->name, t, &error));
        if (d->leave_out && !strcmp(d->leave_out, e->name)) continue;
        if (d->reshape && !strcmp(d->reshape, e->name))
            t = tl_tensor_of(t.data, t.rank == 2 ? TL_SHAPE(20, 30) : TL_SHAPE(1));
        items[n++] =
            (tl_safetensors_item){d->rename && !strcmp(d->rename, e->name) ? d->to : e->name, t,
                                  d->other_precision ? TL_DTYPE_F32 + TL_DTYPE_F64 - e->dtype : e->dtype};
    }
    if (d->to && !d->rename) items[n++] = (tl_safetensors_item){d->to, {.data = numbers}, TL_DTYPE_REAL};
    for (long i = 0; i < tl_safetensors_metadata_count(file); i++) {
        tl_safetensors_pair pair = tl_safetensors_metadata_at(file, i);
        if (d->key && !strcmp(d->key, pair.key)) pair.value = d->value;
        if (pair.value) pairs[m++] = pair;
    }
    ck_assert_msg(tl_safetensors_write(bad, items, n, pairs, m, &error), "%s", error.message);
    tl_safetensors_close(file);
    assert_refused(bad, d->part, d->other_part);
}

START_TEST(files_that_do_not_fit_change_nothing) {
    static const damage damages[] = {
        {.leave_out = "model.scale",
         .part = "no tensor \"model.scale\"",
         .other_part = "expected one of shape []"},
        {.leave_out = "adam.v.scale", .part = "no tensor \"adam.v.scale\"", .other_part = "; the model must"},
        {.to = "adam.m.more",
         .part = "tensor \"adam.m.more\" []",
         .other_part = "no parameter in this model"},
        {.rename = "model.linear.bias",
         .to = "model.linear.bais",
         .part = "no tensor \"model.linear.bias\"",
         .other_part = "[30]"},
        {.reshape = "model.linear.weight",
         .part = "tensor \"model.linear.weight\" has shape [20,30]",
         .other_part = "expected [30,20]"},
        {.reshape = "adam.v.scale", .part = "\"adam.v.scale\" has shape [1]", .other_part = "expected []"},
        {.other_precision = true,
         .part = sizeof(tl_real) == 4 ? "dtype F64, expected F32" : "dtype F32, expected F64",
         .other_part = sizeof(tl_real) == 4 ? "PRECISION=double" : "PRECISION=float"},
        {.key = "format", .part = "metadata \"format\" is \"\"", .other_part = "this is no checkpoint"},
        {.key = "format", .value = "pt", .part = "\"format\" is \"pt\"", .other_part = "tapeloom-checkpoint"},
        {.key = "version", .part = "metadata \"version\" is \"\"", .other_part = "expected \"1\""},
        {.key = "version", .value = "2", .part = "\"version\" is \"2\"", .other_part = "use the release"},
        {.key = "adam.steps", .part = "metadata \"adam.steps\" is \"\"", .other_part = "a number of steps"},
        {.key = "adam.steps", .value = "-1", .part = "\"adam.steps\" is \"-1\"", .other_part = "an earlier"},
        {.key = "adam.steps",
         .value = "9223372036854775807",
         .part = "\"adam.steps\" is \"9223372036854775807\"",
         .other_part = "a number of steps"},
        {.key = "adam.steps.scale", .part = "\"adam.steps.scale\" is \"\"", .other_part = "damaged"},
        {.key = "adam.steps.scale",
         .value = "2x",
         .part = "\"adam.steps.scale\" is \"2x\"",
         .other_part = "damaged"},
        {.key = "state", .part = "no metadata \"state\"", .other_part = "earlier checkpoint"},
        {.key = "state",
         .value = "a = 1\nb\n",
         .part = "state, line 2: expected key = value",
         .other_part = "\"b\""},
    };
    scratch s = scratch_new();
    const char *good = scratch_path(&s, "good.ckpt"), *bad = scratch_path(&s, "bad.ckpt");
    setup a = begin(1.5, 100);
    save(&a, good);
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++)
        assert_damage_refused(good, bad, &damages[i]);
    end(&a);
    scratch_remove(&s);
}
END_TEST

START_TEST(cut_off_and_strange_files_change_nothing) {
    scratch s = scratch_new();
    const char *good = scratch_path(&s, "good.ckpt"), *bad = scratch_path(&s, "bad.ckpt");
    setup a = begin(1.5, 100);
    save(&a, good);
    size_t size;
    char *bytes = get_file(good, &size), *header = strstr(bytes + 8, "\"model.scale\"");
    const size_t cuts[] = {0, 1, 7, 8, 100, (size_t)(header - bytes), size / 2, size - 1};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        put_file(bad, bytes, cuts[i]);
        assert_refused(bad, "bad.ckpt", ";");
    }
    /* reals of 4 or 8 bytes as integers */
    char *dtype = strstr(strstr(bytes + 8, "\"adam.v.linear.bias\""), "\"F");
    dtype[1] = 'I';
    put_file(bad, bytes, size);
    assert_refused(bad, "tensor \"adam.v.linear.bias\" has dtype I",
                   "give a checkpoint that training has saved");
    free(bytes);
    assert_refused(scratch_path(&s, "missing.ckpt"), "cannot read", "check the path");
    end(&a);
    scratch_remove(&s);
}
END_TEST

START_TEST(what_has_failed_is_neither_saved_nor_loaded) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "old.ckpt");
    setup a = begin(1.5, 100), b = begin(3, 7);
    save(&a, path);
    tl_config *good = tl_config_new(), *failed = tl_config_new();
    tl_config_set_string(failed, "no key", "");
    tl_adam *wrong = tl_adam_new(a.params, &(tl_adam_config){.beta1 = 2});
    const struct {
        tl_params *params;
        tl_adam *adam;
        tl_config *state;
        const char *part;
    } cases[] = {
        {NULL, a.adam, good, "params: out of memory when the set was made"},
        {a.params, NULL, good, "adam: out of memory when it was made"},
        {a.params, b.adam, good, "Adam was made for another set of parameters"},
        {a.params, wrong, good, tl_adam_error(wrong)},
        {a.params, a.adam, NULL, "configuration: out of memory for it, or it could not be read"},
        {a.params, a.adam, failed, "key \"no key\""},
    };
    for (int i = 0; i < 6; i++) {
        tl_error error = {""};
        ck_assert(!tl_checkpoint_save(path, cases[i].params, cases[i].adam, cases[i].state, &error));
        assert_contains(error.message, "old.ckpt: not written: ");
        assert_contains(error.message, cases[i].part);
        if (i >= 4) continue;
        tl_error_clear(&error);
        ck_assert_ptr_null(tl_checkpoint_load(path, cases[i].params, cases[i].adam, &error));
        assert_contains(error.message, "old.ckpt: not read: ");
        assert_contains(error.message, cases[i].part);
    }
    ck_assert(holds(&a, 1.5, 100) && holds(&b, 3, 7));
    assert_no_error(tl_adam_error(b.adam)); /* saving with other parameters has not made it fail */
    tl_error error = {""};
    tl_config *state = tl_checkpoint_load(path, b.params, b.adam, &error); /* the old file still exists */
    ck_assert_msg(state != NULL, "%s", error.message);
    tl_config_free(state);
    ck_assert(!tl_checkpoint_save(s.folder, a.params, a.adam, good, &error));
    assert_contains(error.message, "this is a folder");
    tl_params_add(a.params, "scale", TL_SHAPE(1), (tl_init){0});
    tl_error_clear(&error);
    ck_assert(!tl_checkpoint_save(path, a.params, a.adam, good, &error));
    assert_contains(error.message, "there is a parameter \"scale\" already");
    tl_config_free(good);
    tl_config_free(failed);
    tl_adam_free(wrong);
    end(&a);
    end(&b);
    scratch_remove(&s);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, twenty_steps_are_ten_and_ten);
    tcase_add_test(tc, loading_replaces_everything);
    tcase_add_test(tc, a_kill_at_any_moment_leaves_a_good_file);
    tcase_add_test(tc, files_that_do_not_fit_change_nothing);
    tcase_add_test(tc, cut_off_and_strange_files_change_nothing);
    tcase_add_test(tc, what_has_failed_is_neither_saved_nor_loaded);
}

TL_TEST_MAIN("io: checkpoints")
