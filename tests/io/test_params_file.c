/* Parameters in safetensors files: round trips between sets and precisions; a file that does not fit changes
 * nothing. */
#define _XOPEN_SOURCE 700
#include "content.h"

static void add_parameters(tl_params *params) {
    tl_params_add(params, "linear.weight", TL_SHAPE(3, 2), (tl_init){TL_INIT_XAVIER, 0});
    tl_params_add(params, "linear.bias", TL_SHAPE(3), (tl_init){TL_INIT_NORMAL, 1});
    tl_params_add(params, "scale", TL_SCALAR_SHAPE, (tl_init){TL_INIT_UNIFORM, 1});
    assert_no_error(tl_params_error(params));
}

static tl_params *model(uint64_t seed) {
    tl_params *params = tl_params_new(seed);
    add_parameters(params);
    return params;
}

/* The tests below are for both functions that read values from a file. */
typedef bool loader(tl_params *params, const char *path, tl_error *error);
static loader *const loaders[] = {tl_params_load, tl_params_map};
enum { LOADERS = sizeof loaders / sizeof *loaders };

static bool same(const tl_params *a, const tl_params *b) {
    for (int i = 0; i < tl_params_count(a); i++) {
        tl_tensor x = tl_param_value(tl_params_at(a, i)), y = tl_param_value(tl_params_at(b, i));
        if (memcmp(x.data, y.data, (size_t)tl_numel(x) * sizeof(tl_real)) != 0) return false;
    }
    return true;
}

START_TEST(save_and_load) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "model.safetensors");
    tl_params *a = model(1), *b = model(2);
    tl_error error = {""};
    ck_assert(!same(a, b));
    tl_safetensors_pair pair = {"step", "17"};
    ck_assert_msg(tl_params_save(a, path, &pair, 1, &error), "%s", error.message);
    unsigned long before = tl_params_at(b, 0)->leaf.version;
    ck_assert_msg(loaders[_i](b, path, &error), "%s", error.message);
    ck_assert(same(a, b));
    /* a backward over the old values is refused */
    ck_assert_uint_ne(tl_params_at(b, 0)->leaf.version, before);
    tl_safetensors *file = tl_safetensors_open(path, &error);
    ck_assert_str_eq(tl_safetensors_metadata(file, "step"), "17");
    ck_assert_int_eq(tl_safetensors_count(file), 3);
    ck_assert_str_eq(tl_dtype_name(tl_safetensors_find(file, "scale")->dtype),
                     sizeof(tl_real) == 8 ? "F64" : "F32");
    tl_safetensors_close(file);
    tl_params_free(a);
    tl_params_free(b);
    scratch_remove(&s);
}
END_TEST

/* Also for a file of the other precision, and in another order. */
START_TEST(are_saved) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "model.safetensors");
    tl_params *a = model(1), *b = model(2);
    ck_assert(!tl_params_are_saved(a, path)); /* the file does not exist */
    ck_assert(tl_params_save(a, path, NULL, 0, NULL));
    ck_assert(tl_params_are_saved(a, path) && !tl_params_are_saved(b, path));
    tl_param *last = tl_params_at(a, tl_params_count(a) - 1);
    tl_tensor value = tl_param_value(last);
    value.data[tl_numel(value) - 1] *= -1;
    ck_assert(!tl_params_are_saved(a, path));
    value.data[tl_numel(value) - 1] *= -1;
    ck_assert(tl_params_are_saved(a, path));
    tl_params_add(a, "one more", TL_SHAPE(1), (tl_init){.kind = TL_INIT_ONES});
    ck_assert(!tl_params_are_saved(a, path));
    content other = {.count = 0}; /* the same parameters in the other precision */
    for (int i = 0; i < tl_params_count(b); i++) {
        content_add(&other, tl_params_at(b, i)->leaf.name, tl_shape_of(tl_param_value(tl_params_at(b, i))));
        tl_tensor_copy(other.items[i].tensor, tl_param_value(tl_params_at(b, i)));
        other.items[i].dtype = sizeof(tl_real) == 4 ? TL_DTYPE_F64 : TL_DTYPE_F32;
    }
    content_write(&other, path);
    ck_assert(!tl_params_are_saved(b, path));
    put_text(path, "no weights");
    ck_assert(!tl_params_are_saved(b, path));
    tl_params_free(a);
    tl_params_free(b);
    scratch_remove(&s);
}
END_TEST

START_TEST(either_precision_is_read) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "model.safetensors");
    tl_params *a = model(1), *b = model(2);
    tl_dtype dtypes[] = {TL_DTYPE_F32, TL_DTYPE_F64};
    for (int k = 0; k < 2; k++) {
        tl_safetensors_item items[3];
        tl_error error = {""};
        for (int i = 0; i < 3; i++) {
            const tl_param *p = tl_params_at(a, 2 - i);
            items[i] = (tl_safetensors_item){p->leaf.name, tl_param_value(p), dtypes[k]};
        }
        ck_assert_msg(tl_safetensors_write(path, items, 3, NULL, 0, &error), "%s", error.message);
        ck_assert_msg(loaders[_i](b, path, &error), "%s", error.message);
        for (int i = 0; i < 3; i++) {
            tl_tensor x = tl_param_value(tl_params_at(a, i)), y = tl_param_value(tl_params_at(b, i));
            for (long j = 0; j < tl_numel(x); j++)
                ck_assert(y.data[j] == (k ? x.data[j] : (tl_real)(float)x.data[j]));
        }
    }
    tl_params_free(a);
    tl_params_free(b);
    scratch_remove(&s);
}
END_TEST

static tl_real numbers[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
#define ITEM(name, ...) \
 { name, {.data = numbers, __VA_ARGS__}, TL_DTYPE_F32 }
#define WEIGHT ITEM("linear.weight", .rank = 2, .dim = {3, 2}, .stride = {2, 1})
#define BIAS ITEM("linear.bias", .rank = 1, .dim = {3}, .stride = {1})
#define SCALE ITEM("scale", .rank = 0)

static void assert_refused(loader *load, const tl_safetensors_item *items, long count, const char *part) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "other.safetensors");
    tl_params *now = model(1), *untouched = model(1);
    unsigned long before = tl_params_at(now, 0)->leaf.version;
    tl_error error = {""};
    ck_assert_msg(tl_safetensors_write(path, items, count, NULL, 0, &error), "%s", error.message);
    ck_assert(!load(now, path, &error));
    assert_contains(error.message, part);
    assert_contains(error.message, "other.safetensors: ");
    ck_assert(same(now, untouched));
    ck_assert_uint_eq(tl_params_at(now, 0)->leaf.version, before);
    assert_no_error(tl_params_error(now));
    tl_params_free(now);
    tl_params_free(untouched);
    scratch_remove(&s);
}

START_TEST(files_that_do_not_fit_change_nothing) {
    tl_safetensors_item missing[] = {WEIGHT, BIAS};
    assert_refused(loaders[_i], missing, 2,
                   "no tensor \"scale\", expected one of shape []; the model must be made with");
    tl_safetensors_item renamed[] = {WEIGHT, ITEM("linear.bais", .rank = 1, .dim = {3}, .stride = {1}),
                                     SCALE};
    assert_refused(loaders[_i], renamed, 3, "no tensor \"linear.bias\", expected one of shape [3]");
    tl_safetensors_item more[] = {WEIGHT, BIAS, SCALE,
                                  ITEM("norm.weight", .rank = 1, .dim = {4}, .stride = {1})};
    assert_refused(loaders[_i], more, 4,
                   "tensor \"norm.weight\" [4] has no parameter in this model; the model must be made with");
    tl_safetensors_item turned[] = {ITEM("linear.weight", .rank = 2, .dim = {2, 3}, .stride = {3, 1}), BIAS,
                                    SCALE};
    assert_refused(loaders[_i], turned, 3, "tensor \"linear.weight\" has shape [2,3], expected [3,2]");
    tl_safetensors_item ranked[] = {WEIGHT, BIAS, ITEM("scale", .rank = 1, .dim = {1}, .stride = {1})};
    assert_refused(loaders[_i], ranked, 3, "tensor \"scale\" has shape [1], expected []");
    assert_refused(loaders[_i], NULL, 0, "no tensor \"linear.weight\", expected one of shape [3,2]");
}
END_TEST

/* The last tensor, not the first, cannot be read; none of the earlier ones may have been copied. */
START_TEST(a_dtype_that_cannot_be_read_changes_nothing) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "whole.safetensors");
    char bytes[512] = {0};
    int n = snprintf(bytes + 8, sizeof bytes - 8,
                     "{\"linear.weight\":{\"dtype\":\"F32\",\"shape\":[3,2],\"data_offsets\":[0,24]},"
                     "\"linear.bias\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[24,36]},"
                     "\"scale\":{\"dtype\":\"I32\",\"shape\":[],\"data_offsets\":[36,40]}}");
    bytes[0] = (char)(n & 255);
    put_file(path, bytes, 8 + (size_t)n + 40);
    tl_params *now = model(1), *untouched = model(1);
    tl_error error = {""};
    ck_assert(!loaders[_i](now, path, &error));
    assert_contains(error.message, "tensor \"scale\" has dtype I32, expected F64, F32, F16 or BF16");
    ck_assert(same(now, untouched));
    tl_error_clear(&error);
    ck_assert(!loaders[_i](now, scratch_path(&s, "missing"), &error));
    assert_contains(error.message, "check the path");
    ck_assert(same(now, untouched));
    tl_params_free(now);
    tl_params_free(untouched);
    scratch_remove(&s);
}
END_TEST

/* An empty set draws no values, since they will be overwritten. Later loads are all or nothing again. */
START_TEST(an_empty_set_is_filled_from_a_file) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "model.safetensors");
    tl_params *a = model(1), *b = tl_params_new_empty(), *other = model(2);
    add_parameters(b);
    tl_error error = {""};
    for (int i = 0; i < 3; i++)
        for (long j = 0; j < tl_numel(tl_param_value(tl_params_at(b, i))); j++)
            ck_assert(tl_param_value(tl_params_at(b, i)).data[j] == 0);
    ck_assert(tl_params_empty(b) && !tl_params_empty(a) && !tl_params_empty(NULL));
    ck_assert_msg(tl_params_save(a, path, NULL, 0, &error), "%s", error.message);
    ck_assert_msg(loaders[_i](b, path, &error), "%s", error.message);
    ck_assert(same(a, b));
    ck_assert(!tl_params_empty(b));
    ck_assert_msg(tl_params_save(other, path, NULL, 0, &error), "%s", error.message);
    ck_assert_msg(loaders[_i](b, path, &error), "%s", error.message);
    ck_assert(same(other, b));
    tl_params_free(a);
    tl_params_free(b);
    tl_params_free(other);
    scratch_remove(&s);
}
END_TEST

START_TEST(failed_sets_are_neither_saved_nor_loaded) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "model.safetensors");
    tl_error error = {""};
    tl_params *params = model(1);
    tl_params_add(params, "scale", TL_SHAPE(1), (tl_init){TL_INIT_ZEROS, 0});
    ck_assert(!tl_params_save(params, path, NULL, 0, &error));
    assert_contains(error.message, "not written: params: there is a parameter \"scale\" already");
    tl_error_clear(&error);
    ck_assert(!loaders[_i](params, path, &error));
    assert_contains(error.message, "not read: params: there is a parameter \"scale\" already");
    tl_params_free(params);
    tl_error_clear(&error);
    ck_assert(!tl_params_save(NULL, path, NULL, 0, &error));
    assert_contains(error.message, "out of memory");
    tl_error_clear(&error);
    ck_assert(!loaders[_i](NULL, path, &error));
    assert_contains(error.message, "out of memory");
    ck_assert_int_eq(count_files(s.folder), 0);
    scratch_remove(&s);
}
END_TEST

START_TEST(a_transformer_round_trips) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "model.safetensors");
    tl_error error = {""};
    tl_transformer_config config = {.src_vocab = 20,
                                    .tgt_vocab = 20,
                                    .tie = TL_TIE_ALL,
                                    .d_model = 8,
                                    .heads = 2,
                                    .layers = 2,
                                    .d_ff = 16};
    tl_params *a = tl_params_new(1), *b = tl_params_new(2);
    tl_transformer_init(a, "", &config);
    tl_transformer_init(b, "", &config);
    ck_assert_msg(tl_params_save(a, path, NULL, 0, &error), "%s", error.message);
    ck_assert_msg(loaders[_i](b, path, &error), "%s", error.message);
    ck_assert_int_gt(tl_params_count(a), 50);
    ck_assert(same(a, b));
    tl_safetensors *file = tl_safetensors_open(path, &error);
    const tl_safetensors_entry *e = tl_safetensors_find(file, "encoder.layers.1.self_attn.in_proj_weight");
    ck_assert(e && tl_shape_equal(e->shape, TL_SHAPE(24, 8)));
    tl_safetensors_close(file);
    tl_params *c = tl_params_new(3);
    config.layers = 3;
    tl_transformer_init(c, "", &config);
    ck_assert(!tl_params_load(c, path, &error));
    assert_contains(error.message, "no tensor \"encoder.layers.2.");
    tl_params_free(a);
    tl_params_free(b);
    tl_params_free(c);
    scratch_remove(&s);
}
END_TEST

/* The values are the file's pages: writing to values does not change the file, and changing the file does not change
 * values. */
START_TEST(a_mapped_file_is_left_alone) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "model.safetensors");
    tl_params *a = model(1), *b = _i ? tl_params_new_empty() : model(2), *other = model(3);
    if (_i) add_parameters(b);
    tl_error error = {""};
    ck_assert_msg(tl_params_save(a, path, NULL, 0, &error), "%s", error.message);
    const tl_real *before = tl_param_value(tl_params_at(b, 0)).data;
    ck_assert_msg(tl_params_map(b, path, &error), "%s", error.message);
    ck_assert(same(a, b));
    ck_assert(!tl_params_empty(b));
    ck_assert_ptr_ne(tl_param_value(tl_params_at(b, 0)).data, before);
    char *bytes = NULL, *again = NULL;
    size_t size, size_again;
    ck_assert(tl_file_read(path, &bytes, &size, &error));
    tl_param_value(tl_params_at(b, 0)).data[1] += 1;
    ck_assert(tl_file_read(path, &again, &size_again, &error));
    ck_assert(size == size_again && memcmp(bytes, again, size) == 0);
    tl_param_value(tl_params_at(b, 0)).data[1] -= 1;
    ck_assert_msg(tl_params_save(other, path, NULL, 0, &error), "%s", error.message); /* replaces the file */
    ck_assert(tl_param_value(tl_params_at(b, 1)).data[0] == tl_param_value(tl_params_at(a, 1)).data[0]);
    ck_assert_msg(tl_params_map(b, path, &error), "%s", error.message); /* maps the new file */
    ck_assert(same(other, b));
    /* replaces the file that it has mapped */
    ck_assert_msg(tl_params_save(b, path, NULL, 0, &error), "%s", error.message);
    ck_assert_msg(tl_params_load(a, path, &error), "%s", error.message);
    ck_assert(same(a, b));
    free(bytes);
    free(again);
    tl_params_free(a);
    tl_params_free(b);
    tl_params_free(other);
    scratch_remove(&s);
}
END_TEST

/* Parameters added later have memory of their own; a training step writes to all. */
START_TEST(a_mapped_set_grows_and_learns) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "model.safetensors");
    tl_params *a = model(1), *b = tl_params_new_empty();
    add_parameters(b);
    tl_error error = {""};
    ck_assert_msg(tl_params_save(a, path, NULL, 0, &error), "%s", error.message);
    ck_assert_msg(tl_params_map(b, path, &error), "%s", error.message);
    tl_param *added[2] = {tl_params_add(a, "more", TL_SHAPE(50), (tl_init){TL_INIT_ONES, 0}),
                          tl_params_add(b, "more", TL_SHAPE(50), (tl_init){TL_INIT_ONES, 0})};
    tl_params *both[] = {a, b};
    for (int k = 0; k < 2; k++) {
        tl_tape *tape = tl_tape_new();
        tl_var y = tl_scalar(tape, 0);
        for (int i = 0; i < tl_params_count(both[k]); i++) {
            tl_var w = tl_use(tape, tl_params_at(both[k], i));
            y = tl_add(y, tl_mean(tl_scale(w, i + 1), TL_ALL_AXES, false));
        }
        ck_assert_msg(tl_backward(y), "%s", tl_tape_error(tape));
        tl_adam *adam = tl_adam_new(both[k], &(tl_adam_config){0});
        ck_assert(tl_adam_step(adam, 0.1));
        tl_adam_free(adam);
        tl_tape_free(tape);
    }
    ck_assert(same(a, b));
    ck_assert(tl_param_value(added[1]).data[7] != 1);
    tl_params_free(a);
    tl_params_free(b);
    scratch_remove(&s);
}
END_TEST

/* If the header's length is no multiple of 4, the numbers are not aligned, so they are loaded instead of mapped. */
START_TEST(numbers_that_lie_askew_are_loaded) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "model.safetensors");
    tl_params *a = model(1), *b = model(2);
    tl_error error = {""};
    char *bytes, *moved;
    size_t size;
    ck_assert_msg(tl_params_save(a, path, NULL, 0, &error), "%s", error.message);
    ck_assert(tl_file_read(path, &bytes, &size, &error));
    const size_t header = (unsigned char)bytes[0] + 256u * (unsigned char)bytes[1];
    must((moved = malloc(size + 1)) != NULL);
    memcpy(moved, bytes, 8 + header);
    moved[8 + header] = ' ';
    memcpy(moved + 8 + header + 1, bytes + 8 + header, size - 8 - header);
    moved[0] = (char)((header + 1) & 255), moved[1] = (char)((header + 1) >> 8);
    put_file(path, moved, size + 1);
    const tl_real *before = tl_param_value(tl_params_at(b, 0)).data;
    ck_assert_msg(tl_params_map(b, path, &error), "%s", error.message);
    ck_assert(same(a, b));
    ck_assert_ptr_eq(tl_param_value(tl_params_at(b, 0)).data, before);
    free(bytes);
    free(moved);
    tl_params_free(a);
    tl_params_free(b);
    scratch_remove(&s);
}
END_TEST

/* ---- prefixes of PyTorch's wrappers ---- */

static void add_transformer(tl_params *p, const char *name) {
    tl_transformer_init(
        p, name,
        &(tl_transformer_config){
            .src_vocab = 9, .tgt_vocab = 9, .d_model = 4, .heads = 2, .layers = 1, .d_ff = 6});
}
static void add_gru(tl_params *p, const char *name) {
    tl_seq2seq_init(p, name, &(tl_seq2seq_config){.src_vocab = 9, .tgt_vocab = 9, .d_model = 4});
}
static void add_lstm(tl_params *p, const char *name) {
    tl_seq2seq_init(p, name,
                    &(tl_seq2seq_config){.src_vocab = 9,
                                         .tgt_vocab = 9,
                                         .d_model = 4,
                                         .kind = TL_LSTM,
                                         .bidirectional = true,
                                         .score = TL_ADDITIVE});
}
static void add_classifier(tl_params *p, const char *name) {
    tl_classifier_init(
        p, name,
        &(tl_classifier_config){.vocab = 9, .classes = 3, .d_model = 4, .heads = 2, .layers = 1, .d_ff = 6});
}
static void add_gpt(tl_params *p, const char *name) {
    tl_gpt_init(p, name, &(tl_gpt_config){.vocab = 9, .d_model = 4, .heads = 2, .layers = 1, .max_len = 5});
}
static void (*const models[])(tl_params *p, const char *name) = {add_transformer, add_gru, add_lstm,
                                                                 add_classifier, add_gpt};
enum { MODELS = sizeof models / sizeof *models };
static const char *const wrappings[] = {"module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."};
enum { WRAPPINGS = sizeof wrappings / sizeof *wrappings };

/* Puts a prefix before the names of all tensors of the file except the last `bare` ones. */
static void wrap(const char *path, const char *wrapping, long bare) {
    content c = content_of(path);
    for (long i = 0; i < c.count - bare; i++) {
        char name[sizeof c.names[0]];
        snprintf(name, sizeof name, "%s%.100s", wrapping, c.names[i]);
        strcpy(c.names[i], name);
    }
    content_write(&c, path);
}

START_TEST(every_model_comes_out_of_its_wrappers) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "model.safetensors");
    for (int k = 0; k < MODELS * WRAPPINGS; k++) {
        tl_params *a = tl_params_new(1), *b = k % 2 ? tl_params_new(2) : tl_params_new_empty();
        tl_error error = {""};
        models[k / WRAPPINGS](a, ""), models[k / WRAPPINGS](b, "");
        ck_assert_msg(tl_params_save(a, path, NULL, 0, &error), "%s", error.message);
        wrap(path, wrappings[k % WRAPPINGS], 0);
        ck_assert(!tl_params_are_saved(a, path)); /* the names are different */
        ck_assert_msg(loaders[_i](b, path, &error), "%s", error.message);
        ck_assert_msg(same(a, b), "model %d, %s", k / WRAPPINGS, wrappings[k % WRAPPINGS]);
        tl_params_free(a);
        tl_params_free(b);
    }
    scratch_remove(&s);
}
END_TEST

/* A prefix that not all names have is not a wrapper's. A model's own names may begin with such a prefix. */
START_TEST(names_that_only_look_wrapped) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "model.safetensors");
    tl_params *a = model(1), *b = model(2), *untouched = model(2), *own = tl_params_new(3),
              *other = tl_params_new(4);
    tl_error error = {""};
    ck_assert(tl_params_save(a, path, NULL, 0, &error));
    wrap(path, "module.", 1);
    ck_assert(!loaders[_i](b, path, &error));
    assert_contains(error.message, "no tensor \"linear.weight\", expected one of shape [3,2]");
    ck_assert(same(b, untouched));
    tl_error_clear(&error);
    ck_assert(tl_params_save(a, path, NULL, 0, &error));
    wrap(path, "modules.", 0);
    ck_assert(!loaders[_i](b, path, &error));
    tl_error_clear(&error);
    add_gru(own, "module"), add_gru(other, "module");
    ck_assert(tl_params_save(own, path, NULL, 0, &error));
    ck_assert_msg(loaders[_i](other, path, &error), "%s", error.message);
    ck_assert(same(own, other));
    tl_params_free(a), tl_params_free(b), tl_params_free(untouched), tl_params_free(own),
        tl_params_free(other);
    scratch_remove(&s);
}
END_TEST

/* A file that limits a model does so under the names in the file. */
START_TEST(wrapped_files_bound_models) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "model.safetensors");
    tl_error error = {""};
    for (int k = 0; k <= WRAPPINGS + 1;
         k++) { /* with the prefix, without it, and without it but with a parameter of such a name */
        tl_params *a = tl_params_new(1), *b = tl_params_new_empty(), *larger = tl_params_new_empty();
        const char *name = k > WRAPPINGS ? "module" : "";
        add_transformer(a, name);
        ck_assert(tl_params_save(a, path, NULL, 0, &error));
        if (k < WRAPPINGS) wrap(path, wrappings[k], 0);
        tl_safetensors *file = tl_safetensors_open(path, &error);
        ck_assert(tl_params_expect(b, file, "") && tl_params_expect(larger, file, ""));
        add_transformer(b, name);
        assert_no_error(tl_params_error(b));
        tl_params_add(larger, k > WRAPPINGS ? "module.src_embedding.weight" : "src_embedding.weight",
                      TL_SHAPE(9, 5), (tl_init){0});
        assert_contains(tl_params_error(larger), "has shape [9,4], expected [9,5]");
        ck_assert_msg(tl_params_map(b, path, &error), "%s", error.message);
        ck_assert(same(a, b));
        tl_safetensors_close(file);
        tl_params_free(a), tl_params_free(b), tl_params_free(larger);
    }
    scratch_remove(&s);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, every_model_comes_out_of_its_wrappers, 0, LOADERS);
    tcase_add_loop_test(tc, names_that_only_look_wrapped, 0, LOADERS);
    tcase_add_test(tc, wrapped_files_bound_models);
    tcase_add_test(tc, are_saved);
    tcase_add_loop_test(tc, save_and_load, 0, LOADERS);
    tcase_add_loop_test(tc, either_precision_is_read, 0, LOADERS);
    tcase_add_loop_test(tc, files_that_do_not_fit_change_nothing, 0, LOADERS);
    tcase_add_loop_test(tc, a_dtype_that_cannot_be_read_changes_nothing, 0, LOADERS);
    tcase_add_loop_test(tc, an_empty_set_is_filled_from_a_file, 0, LOADERS);
    tcase_add_loop_test(tc, failed_sets_are_neither_saved_nor_loaded, 0, LOADERS);
    tcase_add_loop_test(tc, a_transformer_round_trips, 0, LOADERS);
    tcase_add_loop_test(tc, a_mapped_file_is_left_alone, 0, 2);
    tcase_add_test(tc, a_mapped_set_grows_and_learns);
    tcase_add_test(tc, numbers_that_lie_askew_are_loaded);
}
TL_TEST_MAIN("io: parameters in files")
