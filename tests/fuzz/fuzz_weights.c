/* Files of weights for a model that is there: parameters (loaded, mapped, expected, averaged), checkpoints, GPT-2's
 * files. A file that does not fit changes nothing; one that does is read as it stands. */
#include "tensors.h"

#include <tapeloom.h>

int tl_fuzz_weights(const uint8_t *bytes, size_t size);

static tl_params *params_of_sizes(bool empty, long in, long out) {
    tl_params *params = empty ? tl_params_new_empty() : tl_params_new(1);
    tl_linear_init(params, "a", &(tl_linear_config){.in = in, .out = out});
    tl_params_add(params, "b.weight", TL_SHAPE(2, 1, 2), (tl_init){TL_INIT_ONES, 0});
    FUZZ_MUST(!tl_params_error(params), "%s", tl_params_error(params));
    return params;
}

static tl_params *params_of(bool empty) { return params_of_sizes(empty, 2, 3); }

/* Does the file have a tensor for each parameter, whatever a wrapper has put before its name, of its shape? */
static void check_fitting(const tl_params *params, const char *path) {
    tl_error error = {""};
    tl_safetensors *file = tl_safetensors_open(path, &error);
    FUZZ_MUST(file, "%s", error.message);
    for (int i = 0; i < tl_params_count(params); i++) {
        const tl_param *p = tl_params_at(params, i);
        bool fits = false;
        for (long k = 0; k < tl_safetensors_count(file); k++) {
            const tl_safetensors_entry *e = tl_safetensors_at(file, k);
            const size_t size = strlen(e->name), own = strlen(p->leaf.name);
            fits |= size >= own && !strcmp(e->name + size - own, p->leaf.name) &&
                    tl_shape_equal(e->shape, tl_shape_of(p->leaf.value));
        }
        FUZZ_MUST(fits, "the file has no %s of this shape", p->leaf.name);
    }
    tl_safetensors_close(file);
}

/* FNV-1a over all values. */
static uint64_t state_of(const tl_params *params) {
    uint64_t hash = 14695981039346656037u;
    for (int i = 0; i < tl_params_count(params); i++) {
        const tl_tensor t = tl_param_value(tl_params_at(params, i));
        for (size_t k = 0; k < (size_t)tl_numel(t) * sizeof *t.data; k++)
            hash = (hash ^ ((const unsigned char *)t.data)[k]) * 1099511628211u;
    }
    return hash;
}

static void check_parameters(const char *path, bool mapped) {
    tl_error error = {""};
    tl_params *params = params_of(false);
    const uint64_t before = state_of(params);
    const bool ok = mapped ? tl_params_map(params, path, &error) : tl_params_load(params, path, &error);
    fuzz_outcome(ok, &error);
    FUZZ_MUST(ok || state_of(params) == before, "a failure that changes weights");
    if (ok) { /* written and read again: the same numbers */
        check_fitting(params, path);
        const char *written = fuzz_path("again.safetensors");
        tl_params *other = params_of(true);
        FUZZ_MUST(tl_params_save(params, written, NULL, 0, &error) && tl_params_load(other, written, &error),
                  "%s", error.message);
        FUZZ_MUST(state_of(params) == state_of(other) && tl_params_are_saved(params, written),
                  "other weights");
        tl_params_free(other);
    }
    tl_params_free(params);
}

/* A model whose sizes a stranger chooses may only be as large as the file. */
static void check_expected(const char *path) {
    tl_error error = {""};
    tl_safetensors *file = tl_safetensors_open(path, &error);
    if (!file) return;
    tl_params *params = tl_params_new_empty();
    FUZZ_MUST(tl_params_expect(params, file, ""), "%s", tl_params_error(params));
    tl_linear_init(params, "a", &(tl_linear_config){.in = 2, .out = 3});
    if (tl_params_error(params))
        fuzz_message(tl_params_error(params));
    else
        FUZZ_MUST(tl_safetensors_find(file, "a.weight") && tl_safetensors_find(file, "a.bias"),
                  "not expected");
    tl_params_free(params);
    tl_safetensors_close(file);
}

static void check_average(const char *path) {
    tl_error error = {""};
    const char *const paths[] = {path, path}, *out = fuzz_path("average.safetensors");
    const bool ok = tl_params_average(paths, 2, out, NULL, 0, &error);
    fuzz_outcome(ok, &error);
    if (ok) FUZZ_MUST(tl_params_average_is_saved(paths, 2, out), "the mean is not what was written");
}

static void check_checkpoint(const char *path) {
    tl_error error = {""};
    tl_params *params = params_of(false);
    tl_adam *adam = tl_adam_new(params, NULL);
    const uint64_t before = state_of(params);
    tl_config *state = tl_checkpoint_load(path, params, adam, &error);
    fuzz_outcome(state != NULL, &error);
    FUZZ_MUST(state || (state_of(params) == before && tl_adam_steps(adam) == 0),
              "a failure that changes something");
    if (state) {
        check_fitting(params, path);
        const char *written = fuzz_path("again.safetensors");
        FUZZ_MUST(tl_checkpoint_save(written, params, adam, state, &error), "%s", error.message);
        tl_params *other = params_of(false);
        tl_adam *its = tl_adam_new(other, NULL);
        tl_config *again = tl_checkpoint_load(written, other, its, &error);
        FUZZ_MUST(again && state_of(other) == state_of(params) && tl_adam_steps(its) == tl_adam_steps(adam),
                  "%s", error.message);
        tl_config_free(again);
        tl_adam_free(its);
        tl_params_free(other);
    }
    tl_config_free(state);
    tl_adam_free(adam);
    tl_params_free(params);
}

static const tl_gpt_config small = {
    .vocab = 3, .d_model = 2, .heads = 1, .layers = 1, .max_len = 2, .d_ff = 2};

static void check_gpt(const char *path) {
    tl_error error = {""};
    tl_gpt_config config = small;
    const bool read = tl_gpt_read_config(path, &config, &error);
    fuzz_outcome(read, &error);
    if (!read) FUZZ_MUST(!memcmp(&config, &small, sizeof config), "a failure that changes the sizes");
    for (int own = 0; own < 1 + read; own++) {
        tl_params *params = own ? tl_params_new_empty() : tl_params_new(3);
        tl_gpt model = tl_gpt_init(params, "", own ? &config : &small);
        error = (tl_error){""};
        const uint64_t before = state_of(params);
        const bool ok = !tl_params_error(params) && tl_gpt_load(&model, path, &error);
        if (!tl_params_error(params)) {
            fuzz_outcome(ok, &error);
            FUZZ_MUST(ok || own || state_of(params) == before, "a failure that changes weights");
        } else
            fuzz_message(tl_params_error(params));
        if (ok)
            for (int layout = 0; layout < 2; layout++) {
                const char *written = fuzz_path("gpt.safetensors");
                FUZZ_MUST(tl_gpt_save(&model, written, (tl_gpt_layout)layout, &error), "%s", error.message);
                tl_gpt_config again = config;
                FUZZ_MUST(tl_gpt_read_config(written, &again, &error), "%s", error.message);
                FUZZ_MUST(tl_gpt_load(&model, written, &error), "%s", error.message);
            }
        tl_params_free(params);
    }
}

int tl_fuzz_weights(const uint8_t *bytes, size_t size) {
    fuzz_bytes in = fuzz_bytes_of(bytes, size);
    const unsigned choice = fuzz_byte(&in);
    fuzz_part file = fuzz_tensors(&in, choice);
    const char *path = fuzz_file("w.safetensors", file.bytes, file.size);
    switch (choice / 2 % 8) {
    case 0:
    case 1:
        check_parameters(path, choice & 2);
        break;
    case 2:
        check_expected(path);
        break;
    case 3:
        check_average(path);
        break;
    case 4:
    case 5:
        check_checkpoint(path);
        break;
    default:
        check_gpt(path);
    }
    free(file.bytes);
    return 0;
}

static void seeds(tl_fuzz_put *put, void *context) {
    tl_error error = {""};
    tl_params *params = params_of(false);
    tl_adam *adam = tl_adam_new(params, NULL);
    tl_config *state = tl_config_new();
    tl_config_set_long(state, "step", 3);
    const char *path = fuzz_path("seed.safetensors");
    FUZZ_MUST(tl_params_save(params, path, NULL, 0, &error), "%s", error.message);
    for (unsigned choice = 0; choice < 8; choice += 2) fuzz_put_tensors(put, context, choice, path);
    FUZZ_MUST(tl_checkpoint_save(path, params, adam, state, &error), "%s", error.message);
    fuzz_put_tensors(put, context, 8, path);
    tl_config_free(state);
    tl_adam_free(adam);
    tl_params_free(params);
    params = params_of_sizes(false, 3, 2); /* a file that does not fit */
    FUZZ_MUST(tl_params_save(params, path, NULL, 0, &error), "%s", error.message);
    for (unsigned choice = 0; choice < 8; choice += 2) fuzz_put_tensors(put, context, choice, path);
    tl_params_free(params);
    for (int layout = 0; layout < 2; layout++) {
        params = tl_params_new(3);
        tl_gpt model = tl_gpt_init(params, "", &small);
        FUZZ_MUST(tl_gpt_save(&model, path, (tl_gpt_layout)layout, &error), "%s", error.message);
        fuzz_put_tensors(put, context, 12, path);
        tl_params_free(params);
    }
    fuzz_put_header(put, context, 0,
                    "{\"module.a.weight\":{\"dtype\":\"F64\",\"shape\":[3,2],\"data_offsets\":[0,48]},"
                    "\"module.a.bias\":{\"dtype\":\"F16\",\"shape\":[3],\"data_offsets\":[48,54]},"
                    "\"module.b.weight\":{\"dtype\":\"F32\",\"shape\":[2,1,2],\"data_offsets\":[54,70]}}",
                    70);
}

TL_FUZZ(weights, "io: files of parameters, checkpoints, GPT-2's files, means of files");
