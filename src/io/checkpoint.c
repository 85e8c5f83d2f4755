/* Checkpoints: one safetensors file with everything that training needs to continue as if it had never stopped.
 *
 *     model.<name>, adam.m.<name>, adam.v.<name>    for every parameter: its value and Adam's two moments
 *     metadata: format, version, state (a configuration as text), adam.steps (of the optimiser), and
 *     adam.steps.<name> for every parameter: how many updates it has had
 *
 * Saving and loading use the same list of parts, which point into the live objects. Loading checks everything first,
 * reads into memory of its own, and copies at the end, when nothing can fail any more. */
#include "complain.h"
#include "dtype.h"
#include "fitting.h"

#include "tapeloom/io.h"
#include "tapeloom/nn.h"
#include "tapeloom/optim.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT "tapeloom-checkpoint"
#define VERSION "1"
#define STEPS "adam.steps"
enum { TENSORS = 3 };                /* per parameter */
#define MOST_STEPS (LONG_MAX / 1024) /* more updates than anybody can make, and far from an overflow */

typedef struct parts {
    int params;
    tl_safetensors_item *items; /* TENSORS per parameter */
    struct {
        const char *key;
        long *steps;
    } * counts;  /* one per parameter */
    char *texts; /* the names above */
} parts;

static void parts_free(parts *p) {
    free(p->items);
    free(p->counts);
    free(p->texts);
}

static const char *add_text(char **next, const char *prefix, const char *name) {
    char *text = *next;
    *next += sprintf(text, "%s%s", prefix, name) + 1;
    return text;
}

/* Lists the parts. `what` is for errors: the file is "written" or "read". */
static bool list_parts(parts *p, const char *path, const char *what, const tl_params *params, tl_adam *adam,
                       tl_error *error) {
    char file[TL_SHOWN];
    tl_shown_path(path, file);
    *p = (parts){.params = tl_params_count(params)};
    const char *broken = tl_params_error(params);
    if (!broken) broken = tl_adam_error(adam);
    if (broken) return tl_error_set(error, "%s: not %s: %s", file, what, broken);
    size_t count = (size_t)p->params, room = 1;
    for (int i = 0; i < p->params; i++)
        room += 4 * (strlen(tl_params_at(params, i)->leaf.name) + sizeof STEPS ".");
    p->items = malloc((count * TENSORS + 1) * sizeof *p->items);
    p->counts = malloc((count + 1) * sizeof *p->counts);
    p->texts = malloc(room);
    if (!p->items || !p->counts || !p->texts)
        return tl_fail_memory(error, "making a list of what belongs to", path);
    char *next = p->texts;
    tl_safetensors_item *item = p->items;
    for (int i = 0; i < p->params; i++) {
        const tl_param *param = tl_params_at(params, i);
        const char *name = param->leaf.name;
        tl_adam_state s = tl_adam_state_of(adam, param);
        if (!s.steps)
            return tl_error_set(error, "%s: not %s: %s", file, what,
                                tl_adam_error(adam)
                                    ? tl_adam_error(adam)
                                    : "Adam was made for another set of parameters; give the one it updates");
        *item++ =
            (tl_safetensors_item){add_text(&next, "model.", name), tl_param_value(param), TL_DTYPE_REAL};
        *item++ = (tl_safetensors_item){add_text(&next, "adam.m.", name), s.m, TL_DTYPE_REAL};
        *item++ = (tl_safetensors_item){add_text(&next, "adam.v.", name), s.v, TL_DTYPE_REAL};
        p->counts[i].key = add_text(&next, STEPS ".", name);
        p->counts[i].steps = s.steps;
    }
    return true;
}

/* ---- saving ---- */

static bool write_parts(const parts *p, const char *path, long steps, const char *state, tl_error *error) {
    tl_safetensors_pair *pairs = malloc(((size_t)p->params + 4) * sizeof *pairs);
    char(*numbers)[TL_NUMBER_TEXT] = malloc(((size_t)p->params + 1) * sizeof *numbers);
    bool ok = pairs && numbers;
    if (ok) {
        long n = 0;
        pairs[n++] = (tl_safetensors_pair){"format", FORMAT};
        pairs[n++] = (tl_safetensors_pair){"version", VERSION};
        pairs[n++] = (tl_safetensors_pair){"state", state};
        snprintf(numbers[p->params], TL_NUMBER_TEXT, "%ld", steps);
        pairs[n++] = (tl_safetensors_pair){STEPS, numbers[p->params]};
        for (int i = 0; i < p->params; i++) {
            snprintf(numbers[i], TL_NUMBER_TEXT, "%ld", *p->counts[i].steps);
            pairs[n++] = (tl_safetensors_pair){p->counts[i].key, numbers[i]};
        }
        ok = tl_safetensors_write(path, p->items, (long)p->params * TENSORS, pairs, n, error);
    } else {
        tl_fail_memory(error, "writing", path);
    }
    free(pairs);
    free(numbers);
    return ok;
}

bool tl_checkpoint_save(const char *path, const tl_params *params, tl_adam *adam, tl_config *state,
                        tl_error *error) {
    char file[TL_SHOWN];
    parts p;
    bool ok = list_parts(&p, path, "written", params, adam, error);
    char *text = ok ? tl_config_text(state) : NULL;
    if (ok && !text)
        ok = tl_error_set(error, "%s: not written: %s", tl_shown_path(path, file), tl_config_error(state));
    ok = ok && write_parts(&p, path, tl_adam_steps(adam), text, error);
    free(text);
    parts_free(&p);
    return ok;
}

/* ---- loading ---- */

/* Is this a checkpoint, of a known version? */
static bool check_format(const tl_safetensors *in, const char *file, tl_error *error) {
    const char *format = tl_safetensors_metadata(in, "format"),
               *version = tl_safetensors_metadata(in, "version");
    char shown[TL_SHOWN];
    if (!format || strcmp(format, FORMAT) != 0)
        return tl_error_set(error,
                            "%s: metadata \"format\" is \"%s\", expected \"" FORMAT
                            "\"; this is no checkpoint: give one that training has saved",
                            file, format ? tl_shown(format, strlen(format), 40, shown) : "");
    if (!version || strcmp(version, VERSION) != 0)
        return tl_error_set(error,
                            "%s: metadata \"version\" is \"%s\", expected \"" VERSION
                            "\"; use the release of Tapeloom that wrote it, or a newer one",
                            file, version ? tl_shown(version, strlen(version), 40, shown) : "");
    return true;
}

/* The tensor must have the dtype of tl_real: loading does not round. */
static bool is_exact(const tl_safetensors_entry *e, const char *file, const char *name, tl_error *error) {
    if (e->dtype == tl_dtype_resolve(TL_DTYPE_REAL)) return true;
    bool other = e->dtype == TL_DTYPE_F32 || e->dtype == TL_DTYPE_F64;
    return tl_error_set(error, "%s: tensor \"%s\" has dtype %s, expected %s: going on would not be exact; %s",
                        file, name, tl_dtype_name(e->dtype), tl_dtype_name(TL_DTYPE_REAL),
                        !other                     ? "give a checkpoint that training has saved"
                        : e->dtype == TL_DTYPE_F64 ? "use the program built with PRECISION=double"
                                                   : "use the program built with PRECISION=float");
}

static bool read_count(const tl_safetensors *in, const char *file, const char *key, long *count,
                       tl_error *error) {
    const char *text = tl_safetensors_metadata(in, key);
    char name[TL_SHOWN], shown[TL_SHOWN];
    if (text && tl_long_parse(text, count) && *count >= 0 && *count <= MOST_STEPS) return true;
    return tl_error_set(
        error,
        "%s: metadata \"%s\" is \"%s\", expected a number of steps; the file is damaged: load an "
        "earlier checkpoint",
        file, tl_shown(key, strlen(key), 80, name), text ? tl_shown(text, strlen(text), 40, shown) : "");
}

static tl_config *read_state(const tl_safetensors *in, const char *file, tl_error *error) {
    const char *text = tl_safetensors_metadata(in, "state");
    char name[TL_SHOWN + 16];
    snprintf(name, sizeof name, "%s: state,", file);
    if (text) return tl_config_parse(text, strlen(text), name, error);
    tl_error_set(error, "%s: no metadata \"state\", expected the program's; load an earlier checkpoint",
                 file);
    return NULL;
}

tl_safetensors *tl_checkpoint_open(const char *path, tl_error *error) {
    char shown[TL_SHOWN];
    tl_safetensors *file = tl_safetensors_open(path, error);
    if (!file || check_format(file, tl_shown_path(path, shown), error)) return file;
    tl_safetensors_close(file);
    return NULL;
}

/* What was read but not copied yet. */
typedef struct loaded {
    tl_real *values; /* all tensors, one after the other */
    long *counts;    /* of each parameter, then of the optimiser */
    tl_config *state;
} loaded;

static void loaded_free(loaded *l) {
    free(l->values);
    free(l->counts);
}

static bool read_all(loaded *l, const parts *p, tl_safetensors *in, const char *path, tl_error *error) {
    char file[TL_SHOWN];
    tl_shown_path(path, file);
    if (!check_format(in, file, error) ||
        !tl_file_fits(in, p->items, (long)p->params * TENSORS, is_exact, NULL, file, error))
        return false;
    size_t numbers = 1;
    for (long i = 0; i < (long)p->params * TENSORS; i++) numbers += (size_t)tl_numel(p->items[i].tensor);
    l->counts = malloc(((size_t)p->params + 1) * sizeof *l->counts);
    l->values = malloc(numbers * sizeof *l->values);
    if (!l->counts || !l->values) return tl_fail_memory(error, "reading", path);
    for (int i = 0; i <= p->params; i++)
        if (!read_count(in, file, i < p->params ? p->counts[i].key : STEPS, &l->counts[i], error))
            return false;
    tl_real *next = l->values;
    for (long i = 0; i < (long)p->params * TENSORS; i++) {
        tl_tensor to = tl_tensor_of(next, tl_shape_of(p->items[i].tensor));
        if (!tl_safetensors_read(in, p->items[i].name, to, error)) return false;
        next += tl_numel(to);
    }
    l->state = read_state(in, file, error); /* the last step that can fail */
    return l->state != NULL;
}

static void apply_loaded(const loaded *l, const parts *p, tl_params *params, tl_adam *adam) {
    const tl_real *next = l->values;
    for (long i = 0; i < (long)p->params * TENSORS; i++) {
        tl_tensor to = p->items[i].tensor; /* contiguous */
        memcpy(to.data, next, (size_t)tl_numel(to) * sizeof *next);
        next += tl_numel(to);
    }
    for (int i = 0; i < p->params; i++) *p->counts[i].steps = l->counts[i];
    tl_adam_set_steps(adam, l->counts[p->params]);
    tl_params_changed(params);
}

tl_config *tl_checkpoint_load(const char *path, tl_params *params, tl_adam *adam, tl_error *error) {
    parts p;
    loaded l = {.values = NULL};
    tl_safetensors *in = NULL;
    if (list_parts(&p, path, "read", params, adam, error)) in = tl_safetensors_open(path, error);
    if (in && read_all(&l, &p, in, path, error)) apply_loaded(&l, &p, params, adam);
    tl_safetensors_close(in);
    loaded_free(&l);
    parts_free(&p);
    return l.state;
}
