/* GPT-2's files without PyTorch: both layouts are written and recognised; names and tied outputs are accepted in every
 * form; sizes are read; a file that is no GPT-2's, or another model's, is refused with a message and changes
 * nothing. */
#define _XOPEN_SOURCE 700
#include "content.h"
#include "refuse.h"

static const tl_gpt_config sizes = {
    .vocab = 11, .d_model = 4, .heads = 2, .layers = 2, .d_ff = 10, .max_len = 7};

static tl_gpt make(tl_params *params, const tl_gpt_config *config) {
    tl_gpt m = tl_gpt_init(params, "", config);
    assert_no_error(tl_params_error(params));
    for (int i = 0; i < tl_params_count(params);
         i++) { /* with zeros and ones, missing tensors would go unnoticed */
        tl_tensor v = tl_param_value(tl_params_at(params, i));
        for (long k = 0; k < tl_numel(v); k++) v.data[k] += (tl_real)(0.5 * sin((double)(7 * k + i)));
    }
    tl_params_changed(params);
    return m;
}

static bool same(tl_params *a, tl_params *b) {
    bool all = tl_params_count(a) == tl_params_count(b);
    for (int i = 0; all && i < tl_params_count(a); i++) {
        const tl_tensor x = tl_param_value(tl_params_at(a, i)), y = tl_param_value(tl_params_at(b, i));
        all = tl_numel(x) == tl_numel(y) && !memcmp(x.data, y.data, (size_t)tl_numel(x) * sizeof *x.data);
    }
    return all;
}

/* ---- both layouts ---- */

static bool lies(const char *path, const char *name, tl_shape shape) {
    tl_safetensors *file = tl_safetensors_open(path, NULL);
    const tl_safetensors_entry *e = tl_safetensors_find(file, name);
    const bool ok = e && tl_shape_equal(e->shape, shape);
    tl_safetensors_close(file);
    return ok;
}

static tl_real number_in(const char *path, const char *name, long row, long column) {
    content c = content_of(path);
    const tl_tensor t = c.items[at(&c, name)].tensor;
    const tl_real found = t.data[row * t.dim[1] + column];
    for (long i = 0; i < c.count; i++) free(c.items[i].tensor.data);
    return found;
}

static bool says_format(const char *path) { /* older releases of transformers require it */
    tl_safetensors *file = tl_safetensors_open(path, NULL);
    const char *format = tl_safetensors_metadata(file, "format");
    const bool ok = format && !strcmp(format, "pt");
    tl_safetensors_close(file);
    return ok;
}

/* Tied or not, with biases or not; in a parameter set of its own or with other parameters. */
START_TEST(layouts_round_trip) {
    scratch s = scratch_new();
    tl_error error = {""};
    for (int k = 0; k < 8; k++) {
        const tl_gpt_layout layout = k & 1 ? TL_GPT_NANOGPT : TL_GPT_HUGGING_FACE;
        tl_gpt_config config = sizes, found = {.heads = 2, .dropout = 0.5, .no_feed_forward = true};
        config.untied = k & 2, config.no_bias = k & 4;
        char *path = join(s.folder, "file");
        tl_params *a = tl_params_new(1), *b = k & 4 ? tl_params_new_empty() : tl_params_new(2);
        tl_gpt from = make(a, &config);
        ck_assert_msg(tl_gpt_save(&from, path, layout, &error), "%s", error.message);
        ck_assert(
            lies(path, "transformer.h.1.attn.c_attn.weight", k & 1 ? TL_SHAPE(12, 4) : TL_SHAPE(4, 12)));
        ck_assert(lies(path, "transformer.h.1.mlp.c_proj.weight", k & 1 ? TL_SHAPE(4, 10) : TL_SHAPE(10, 4)));
        ck_assert(lies(path, "lm_head.weight", TL_SHAPE(11, 4)) == (config.untied || (k & 1)));
        ck_assert(says_format(path));
        /* square: its shape does not show the layout */
        const tl_real *square = tl_param_value(from.h[0].attn.out_proj.weight).data;
        ck_assert(number_in(path, "transformer.h.0.attn.c_proj.weight", 1, 2) == square[k & 1 ? 6 : 9]);
        ck_assert_msg(tl_gpt_read_config(path, &found, &error), "%s", error.message);
        ck_assert(found.vocab == 11 && found.d_model == 4 && found.d_ff == 10 && found.layers == 2);
        ck_assert(found.max_len == 7 && found.positions == TL_LEARNED && !found.no_feed_forward);
        ck_assert(found.untied == config.untied && found.no_bias == config.no_bias);
        ck_assert(found.heads == 2 && found.dropout == 0.5);
        tl_gpt to = tl_gpt_init(b, "", &found);
        ck_assert_msg(tl_gpt_load(&to, path, &error), "%s", error.message);
        ck_assert_msg(same(a, b), "layout %d", k);
        ck_assert(!tl_params_empty(b));
        free(path);
        tl_params_free(a);
        tl_params_free(b);
    }
    scratch_remove(&s);
}
END_TEST

START_TEST(one_model_of_several_in_a_set) {
    scratch s = scratch_new();
    tl_error error = {""};
    const char *path = scratch_path(&s, "file");
    tl_params *a = tl_params_new(1), *b = tl_params_new(2);
    tl_gpt from = make(a, &sizes);
    tl_gpt first = tl_gpt_init(b, "one", &sizes), second = tl_gpt_init(b, "two.deep", &sizes);
    ck_assert(tl_gpt_save(&from, path, TL_GPT_HUGGING_FACE, &error));
    ck_assert_msg(tl_gpt_load(&second, path, &error), "%s", error.message);
    const tl_tensor original = tl_param_value(from.h[1].mlp.linear2.weight);
    const size_t bytes = (size_t)tl_numel(original) * sizeof(tl_real);
    ck_assert(!memcmp(original.data, tl_param_value(second.h[1].mlp.linear2.weight).data, bytes));
    ck_assert(memcmp(original.data, tl_param_value(first.h[1].mlp.linear2.weight).data, bytes));
    const char *again = scratch_path(&s, "again");
    ck_assert(tl_gpt_save(&second, again, TL_GPT_HUGGING_FACE, &error));
    size_t x, y;
    char *p = get_file(path, &x), *q = get_file(again, &y);
    ck_assert(x == y && !memcmp(p, q, x));
    free(p), free(q);
    tl_params_free(a);
    tl_params_free(b);
    scratch_remove(&s);
}
END_TEST

/* Prefixes that all names of a file may have. */
static const char *const prefixes[] = {"", "module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."};
enum { PREFIXES = sizeof prefixes / sizeof *prefixes };
START_TEST(names_as_they_come) {
    scratch s = scratch_new();
    tl_error error = {""};
    const char *path = scratch_path(&s, "file");
    tl_params *a = tl_params_new(1);
    tl_gpt from = make(a, &sizes);
    for (int k = 0; k < 8;
         k++) { /* names without "transformer.", mask buffers, the tied matrix only under the output's name */
        ck_assert(tl_gpt_save(&from, path, _i % 2 ? TL_GPT_NANOGPT : TL_GPT_HUGGING_FACE, &error));
        content c = content_of(path);
        if (k & 4) {
            if (_i % 2) drop(&c, "lm_head.weight");
            strcpy(c.names[at(&c, "transformer.wte.weight")], "lm_head.weight");
        }
        if (k & 2) {
            content_add(&c, "transformer.h.0.attn.bias", TL_SHAPE(1, 1, 7, 7));
            content_add(&c, "transformer.h.1.attn.masked_bias", TL_SCALAR_SHAPE);
        }
        for (long i = 0; i < c.count; i++) {
            char name[sizeof c.names[0]];
            const char *rest = c.names[i];
            if ((k & 1) && !strncmp(rest, "transformer.", 12)) rest += 12;
            snprintf(name, sizeof name, "%s%.80s", prefixes[_i], rest);
            strcpy(c.names[i], name);
        }
        content_write(&c, path);
        tl_gpt_config found = {.heads = 2};
        tl_params *b = tl_params_new(2);
        ck_assert_msg(tl_gpt_read_config(path, &found, &error), "%s", error.message);
        ck_assert(found.vocab == 11 && found.layers == 2 && !found.untied);
        tl_gpt to = tl_gpt_init(b, "", &found);
        ck_assert_msg(tl_gpt_load(&to, path, &error), "%s", error.message);
        ck_assert_msg(same(a, b), "prefix %s, case %d", prefixes[_i], k);
        tl_params_free(b);
    }
    tl_params_free(a);
    scratch_remove(&s);
}
END_TEST

START_TEST(gelu_is_chosen) {
    tl_gpt_config config = sizes;
    tl_params *params = tl_params_new(1);
    ck_assert_int_eq(tl_gpt_init(params, "a", &config).h[1].mlp.activation, TL_GELU_TANH);
    config.gelu_erf = true;
    ck_assert_int_eq(tl_gpt_init(params, "b", &config).h[1].mlp.activation, TL_GELU);
    tl_params_free(params);
}
END_TEST

/* ---- what is refused ---- */

#define T "transformer."
static void attn_of_another_shape(content *c) { replace(c, T "h.0.attn.c_attn.weight", TL_SHAPE(4, 11)); }
static void attn_a_vector(content *c) { reshape(c, T "h.0.attn.c_attn.weight", TL_SHAPE(48)); }
static void attn_empty(content *c) { replace(c, T "h.0.attn.c_attn.weight", TL_SHAPE(0, 0)); }
static void attn_wider(content *c) { replace(c, T "h.0.attn.c_attn.weight", TL_SHAPE(6, 18)); }
static void mixed(content *c) { reshape(c, T "h.1.attn.c_attn.weight", TL_SHAPE(12, 4)); }
static void fc_the_other_way(content *c) { reshape(c, T "h.1.mlp.c_fc.weight", TL_SHAPE(10, 4)); }
static void no_layer_1(content *c) { drop(c, T "h.1."); }
static void no_layer_0(content *c) { drop(c, T "h.0."); }
static void no_norm(content *c) { drop(c, T "h.1.ln_2.weight"); }
static void no_bias_there(content *c) { drop(c, T "h.0.mlp.c_proj.bias"); }
static void no_wte(content *c) { drop(c, T "wte.weight"); }
static void head_alone(content *c) { strcpy(c->names[at(c, T "wte.weight")], "lm_head.weight"); }
static void no_wpe(content *c) { drop(c, T "wpe.weight"); }
static void other_vocab(content *c) { replace(c, T "wte.weight", TL_SHAPE(13, 4)); }
static void longer(content *c) { replace(c, T "wpe.weight", TL_SHAPE(9, 4)); }
static void wpe_a_vector(content *c) { reshape(c, T "wpe.weight", TL_SHAPE(28)); }
static void another_layer(content *c) { content_add(c, T "h.2.ln_1.weight", TL_SHAPE(4)); }
static void unknown(content *c) { content_add(c, T "h.0.attn.rotary", TL_SHAPE(4)); }
static void almost_a_mask(content *c) { content_add(c, T "h.0.mlp.bias", TL_SHAPE(4)); }
static void own_head(content *c) { content_add(c, "lm_head.weight", TL_SHAPE(11, 4)); }
static void head_of_another_shape(content *c) { content_add(c, "lm_head.weight", TL_SHAPE(4, 11)); }
static void head_unwrapped(content *c) { /* not all names have the prefix, so it is none */
    for (long i = 0; i < c->count; i++)
        memmove(c->names[i] + 7, c->names[i], strlen(c->names[i]) + 1), memcpy(c->names[i], "module.", 7);
    own_head(c);
}
static void nothing(content *c) {
    for (long i = 0; i < c->count; i++) free(c->items[i].tensor.data);
    c->count = 0;
}

static const struct {
    void (*change)(content *c);
    const char *load, *sizes; /* error messages; NULL: it is read */
} wrong[] = {
    {attn_of_another_shape,
     "\"transformer.h.0.attn.c_attn.weight\" has shape [4,11], expected [D,3D] (Hugging Face's layout) or "
     "[3D,D] "
     "(nanoGPT's)",
     "has shape [4,11], expected [D,3D]"},
    {attn_a_vector, "has shape [48], expected [D,3D]", "has shape [48], expected [D,3D]"},
    {attn_empty, "has shape [0,0], expected [D,3D]", "has shape [0,0], expected [D,3D]"},
    {attn_wider, "has shape [6,18], expected [4,12]; the model must be made",
     "\"transformer.wte.weight\" has shape [11,4], expected shape [11,6]"},
    {mixed,
     "\"transformer.h.1.attn.c_attn.weight\" lies [out,in], as in nanoGPT's layout, but that of layer 0 "
     "[in,out], as "
     "in Hugging Face's; write the file anew",
     "lies [out,in]"},
    {fc_the_other_way, "\"transformer.h.1.mlp.c_fc.weight\" has shape [10,4], expected [4,10]",
     "\"transformer.h.1.mlp.c_fc.weight\" has shape [10,4], expected shape [4,10]"},
    {no_layer_1, "no tensor \"transformer.h.1.ln_1.weight\", expected one of shape [4]", NULL},
    {no_layer_0, "found no tensor \"transformer.h.0.attn.c_attn.weight\", which every GPT-2's file has",
     "found no tensor \"transformer.h.0.attn.c_attn.weight\""},
    {no_norm, "no tensor \"transformer.h.1.ln_2.weight\"",
     "\"transformer.h.1.ln_2.weight\" is not there, expected shape [4]"},
    {no_bias_there, "no tensor \"transformer.h.0.mlp.c_proj.bias\"",
     "\"transformer.h.0.mlp.c_proj.bias\" is not there"},
    {no_wte, "no tensor \"transformer.wte.weight\"", "found no tensor \"transformer.wte.weight\""},
    {no_wpe, "no tensor \"transformer.wpe.weight\"", "found no tensor \"transformer.wpe.weight\""},
    {other_vocab, "\"transformer.wte.weight\" has shape [13,4], expected [11,4]; the model must be made",
     NULL},
    {longer, "\"transformer.wpe.weight\" has shape [9,4], expected [7,4]", NULL},
    {wpe_a_vector, "\"transformer.wpe.weight\" has shape [28], expected [7,4]",
     "\"transformer.wpe.weight\" has shape [28], expected rows and columns"},
    {another_layer, "\"transformer.h.2.ln_1.weight\" [4] has no parameter in this model", NULL},
    {unknown, "\"transformer.h.0.attn.rotary\" [4] has no parameter in this model", NULL},
    {almost_a_mask, "\"transformer.h.0.mlp.bias\" [4] has no parameter in this model", NULL},
    {own_head,
     "\"lm_head.weight\" and \"transformer.wte.weight\" differ, so the output has a matrix of its own; make "
     "the "
     "model with .untied = true",
     NULL},
    {head_of_another_shape, "\"lm_head.weight\": found shape [4,11], expected [11,4]",
     "\"lm_head.weight\": found shape [4,11], expected [11,4]"},
    {head_unwrapped, "found no tensor \"h.0.attn.c_attn.weight\"",
     "found no tensor \"h.0.attn.c_attn.weight\""},
    {nothing, "found no tensor \"h.0.attn.c_attn.weight\"", "found no tensor \"h.0.attn.c_attn.weight\""}};
enum { WRONG = sizeof wrong / sizeof *wrong };

START_TEST(files_that_do_not_fit_change_nothing) {
    scratch s = scratch_new();
    tl_error error = {""};
    const char *path = scratch_path(&s, "file");
    tl_params *a = tl_params_new(1), *b = tl_params_new(2), *untouched = tl_params_new(2);
    tl_gpt from = make(a, &sizes), to = make(b, &sizes);
    make(untouched, &sizes);
    ck_assert(tl_gpt_save(&from, path, TL_GPT_HUGGING_FACE, &error));
    content c = content_of(path);
    wrong[_i].change(&c);
    content_write(&c, path);
    ck_assert(!tl_gpt_load(&to, path, &error));
    assert_contains(error.message, wrong[_i].load);
    assert_contains(error.message, "/file: ");
    ck_assert(same(b, untouched));
    tl_error_clear(&error);
    tl_gpt_config found = {.vocab = 1, .layers = 77};
    const bool read = tl_gpt_read_config(path, &found, &error);
    if (wrong[_i].sizes) {
        ck_assert(!read && found.layers == 77 && found.vocab == 1 && found.d_model == 0);
        assert_contains(error.message, wrong[_i].sizes);
    } else
        ck_assert_msg(read && found.d_model == 4, "%s", error.message);
    tl_params_free(a);
    tl_params_free(b);
    tl_params_free(untouched);
    scratch_remove(&s);
}
END_TEST

START_TEST(models_that_do_not_fit_change_nothing) {
    scratch s = scratch_new();
    tl_error error = {""};
    const char *path = scratch_path(&s, "file");
    tl_params *a = tl_params_new(1);
    tl_gpt from = make(a, &sizes);
    ck_assert(tl_gpt_save(&from, path, TL_GPT_HUGGING_FACE, &error));
    tl_gpt_config untied = sizes, rotary = sizes, bare = sizes, less = sizes, plain = sizes, other = sizes,
                  sigmoid = sizes;
    untied.untied = bare.no_feed_forward = plain.no_bias = true, rotary.positions = TL_ROTARY;
    less.layers = 1, other.d_model = 6, sigmoid.normaliser = TL_SIGMOID;
    const struct {
        const tl_gpt_config *config;
        const char *load, *save;
    } cases[] = {
        {&untied, "no tensor \"lm_head.weight\", expected one of shape [11,4]", NULL},
        {&rotary,
         "file: not read: a GPT-2 has learned positions and feed-forward, this model has positions of kind "
         "rotary; tl_params_save and tl_params_load are for any model",
         "file: not written: a GPT-2 has learned positions"},
        {&sigmoid,
         "file: not read: a GPT-2's attention has softmax, this model's has sigmoid; tl_params_save",
         "file: not written: a GPT-2's attention has softmax"},
        {&bare, "this model has no feed-forward; tl_params_save", "this model has no feed-forward"},
        {&less, "\"transformer.h.1.attn.c_attn.bias\" [12] has no parameter in this model", NULL},
        {&plain, "has no parameter in this model", NULL},
        {&other, "has shape [11,4], expected [11,6]", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_params *b = tl_params_new(2), *untouched = tl_params_new(2);
        tl_gpt to = make(b, cases[i].config);
        make(untouched, cases[i].config);
        ck_assert(!tl_gpt_load(&to, path, &error));
        assert_contains(error.message, cases[i].load);
        tl_error_clear(&error);
        ck_assert(same(b, untouched));
        const char *out = scratch_path(&s, "out");
        ck_assert_int_eq(tl_gpt_save(&to, out, TL_GPT_NANOGPT, &error), !cases[i].save);
        if (cases[i].save) assert_contains(error.message, cases[i].save + 6);
        ck_assert_int_eq(access(out, F_OK), cases[i].save ? -1 : 0);
        if (!cases[i].save) remove(out);
        tl_error_clear(&error);
        tl_params_free(b);
        tl_params_free(untouched);
    }
    content c = content_of(path); /* an output that is stored once is tied */
    head_alone(&c);
    content_write(&c, path);
    tl_params *b = tl_params_new(2);
    tl_gpt to = make(b, &untied);
    ck_assert(!tl_gpt_load(&to, path, &error));
    assert_contains(error.message, "no tensor \"transformer.wte.weight\"");
    tl_error_clear(&error);
    tl_params_free(b);
    ck_assert(!tl_gpt_save(&from, path, (tl_gpt_layout)2, &error));
    assert_contains(error.message, "not written: there is no layout number 2; say TL_GPT_HUGGING_FACE");
    tl_error_clear(&error);
    from.config.layers = 3; /* not as tl_gpt_init has made it */
    ck_assert(!tl_gpt_save(&from, path, TL_GPT_NANOGPT, &error));
    assert_contains(error.message, "the model's parameters hold no \"transformer.h.2.ln_1.weight\"");
    tl_error_clear(&error);
    from.config.layers = 2, from.config.d_ff = 11;
    ck_assert(!tl_gpt_load(&from, path, &error));
    assert_contains(error.message, "the model's parameters hold no \"transformer.h.0.mlp.c_fc.weight\"");
    tl_error_clear(&error);
    tl_params_fail(a, "broken");
    ck_assert(!tl_gpt_load(&from, path, &error));
    assert_contains(error.message, "not read: broken");
    tl_params_free(a);
    scratch_remove(&s);
}
END_TEST

/* Changes the dtype of one tensor, in the header's text, to another of the same size. */
START_TEST(numbers_of_another_kind_change_nothing) {
    static const char *const names[] = {"transformer.h.1.ln_1.bias", "lm_head.weight"};
    scratch s = scratch_new();
    tl_error error = {""};
    const char *path = scratch_path(&s, "file");
    tl_params *a = tl_params_new(1), *untouched = tl_params_new(1);
    tl_gpt m = make(a, &sizes);
    make(untouched, &sizes);
    ck_assert(tl_gpt_save(&m, path, TL_GPT_NANOGPT, &error));
    size_t size;
    char *bytes = get_file(path, &size), *text = bytes + 8;
    char *name = strstr(text, names[_i]), *dtype = strstr(name, "\"dtype\":\"F");
    dtype[9] = 'I';
    put_file(path, bytes, size);
    ck_assert(!tl_gpt_load(&m, path, &error));
    assert_contains(error.message, names[_i]);
    assert_contains(error.message, "expected F64, F32, F16 or BF16");
    ck_assert(same(a, untouched));
    free(bytes);
    tl_params_free(a);
    tl_params_free(untouched);
    scratch_remove(&s);
}
END_TEST

START_TEST(every_request_for_memory_is_refused_once) {
    if (!CAN_REFUSE) {
        TL_SKIP("requests for memory cannot be refused in this build");
        return;
    }
    scratch s = scratch_new();
    tl_error error = {""};
    const char *path = scratch_path(&s, "file"), *out = scratch_path(&s, "out");
    tl_params *a = tl_params_new(1), *b = tl_params_new(2), *untouched = tl_params_new(2);
    tl_gpt from = make(a, &sizes), to = make(b, &sizes);
    make(untouched, &sizes);
    ck_assert(tl_gpt_save(&from, path, TL_GPT_NANOGPT, &error));
    for (long n = 0;; n++) {
        must(n < 500);
        const long before = alive;
        tl_gpt_config found = {.layers = 77};
        refuse_after(n, false);
        const bool ok = _i == 0   ? tl_gpt_load(&to, path, &error)
                        : _i == 1 ? tl_gpt_read_config(path, &found, &error)
                                  : tl_gpt_save(&from, out, TL_GPT_HUGGING_FACE, &error);
        if (!grant_again()) {
            ck_assert_msg(ok && n > 2, "%s", error.message);
            break;
        }
        must_msg(!ok && (strstr(error.message, "out of memory") || strstr(error.message, "annot allocate")),
                 "request %ld: \"%s\"", n, error.message);
        must_msg(alive == before, "request %ld: %ld pieces are left", n, alive - before);
        must(same(b, untouched) && found.layers == 77);
        if (strstr(error.message, "cannot make sure of")) remove(out);
        must_msg(access(out, F_OK) != 0, "request %ld: a file is left", n);
        tl_error_clear(&error);
    }
    tl_params_free(a);
    tl_params_free(b);
    tl_params_free(untouched);
    scratch_remove(&s);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, layouts_round_trip);
    tcase_add_test(tc, one_model_of_several_in_a_set);
    tcase_add_loop_test(tc, names_as_they_come, 0, PREFIXES);
    tcase_add_test(tc, gelu_is_chosen);
    tcase_add_loop_test(tc, files_that_do_not_fit_change_nothing, 0, WRONG);
    tcase_add_test(tc, models_that_do_not_fit_change_nothing);
    tcase_add_loop_test(tc, numbers_of_another_kind_change_nothing, 0, 2);
    tcase_add_loop_test(tc, every_request_for_memory_is_refused_once, 0, 3);
}
TL_TEST_MAIN("io: GPT-2's files")
