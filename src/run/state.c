/* Where training stands, to and from a checkpoint: text in the metadata of its file, beside weights and moments. */
#include "paths.h"
#include "training.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char checkpoint_file[] = "checkpoint.safetensors";

/* ---- to and from text ---- */

typedef enum { A_LONG, A_DOUBLE, A_BOOL } kind;
static const struct field {
    const char *key; /* NULL: "best." and the score's name */
    kind kind;
    size_t offset;
} fields[] = {{"step", A_LONG, offsetof(tl_loop_state, at.step)},
              {"epoch", A_LONG, offsetof(tl_loop_state, at.epoch)},
              {"position.epoch", A_LONG, offsetof(tl_loop_state, position.epoch)},
              {"position.batch", A_LONG, offsetof(tl_loop_state, position.batch)},
              {"seconds", A_DOUBLE, offsetof(tl_loop_state, at.seconds)},
              {"loss", A_DOUBLE, offsetof(tl_loop_state, loss)},
              {"tokens", A_DOUBLE, offsetof(tl_loop_state, tokens)},
              {"busy", A_DOUBLE, offsetof(tl_loop_state, busy)},
              {"updates", A_LONG, offsetof(tl_loop_state, updates)},
              {"due", A_BOOL, offsetof(tl_loop_state, due)},
              {"validations", A_LONG, offsetof(tl_loop_state, at.validations)},
              {"waited", A_LONG, offsetof(tl_loop_state, at.waited)},
              {"best.step", A_LONG, offsetof(tl_loop_state, at.best_step)},
              {NULL, A_DOUBLE, offsetof(tl_loop_state, at.best_score)},
              {"best.loss", A_DOUBLE, offsetof(tl_loop_state, at.best_loss)}};
enum { FIELDS = sizeof fields / sizeof *fields, KEY = 96 };

/* NULL: the field is not kept, as there is no score. */
static const char *key_of(const struct field *field, const char *score, char key[KEY]) {
    if (field->key) return field->key;
    if (!score) return NULL;
    snprintf(key, KEY, "best.%s", score);
    return key;
}

static tl_config *to_text(const tl_loop_state *now, const char *score) {
    tl_config *c = tl_config_new();
    char text[(TL_MOST_RECENT + 1) * 21 + 32] = "", own[KEY];
    for (int i = 0; i < FIELDS; i++) {
        const void *at = (const char *)now + fields[i].offset;
        const char *key = key_of(&fields[i], score, own);
        if (!key) continue;
        if (fields[i].kind == A_LONG) tl_config_set_long(c, key, *(const long *)at);
        if (fields[i].kind == A_DOUBLE) tl_config_set_double(c, key, *(const double *)at);
        if (fields[i].kind == A_BOOL) tl_config_set_bool(c, key, *(const bool *)at);
    }
    for (int i = 0, used = 0; i < now->recents; i++)
        used += snprintf(text + used, sizeof text - (size_t)used, "%s%ld", i ? " " : "", now->recent[i]);
    tl_config_set_string(c, "recent", text);
    snprintf(text, sizeof text, "%016" PRIx64, now->fingerprint);
    tl_config_set_string(c, "fingerprint", text);
    return c;
}

static bool from_text(tl_loop_state *now, const char *score, tl_config *c, tl_error *error) {
    char own[KEY];
    *now = (tl_loop_state){0};
    for (int i = 0; i < FIELDS; i++) {
        void *at = (char *)now + fields[i].offset;
        const char *key = key_of(&fields[i], score, own);
        if (!key) continue;
        if (!tl_config_has(c, key)) return tl_error_set(error, "the checkpoint's state lacks \"%s\"", key);
        if (fields[i].kind == A_LONG) *(long *)at = tl_config_long(c, key, 0);
        if (fields[i].kind == A_DOUBLE) *(double *)at = tl_config_double(c, key, 0);
        if (fields[i].kind == A_BOOL) *(bool *)at = tl_config_bool(c, key, false);
    }
    const char *recent = tl_config_string(c, "recent", "");
    for (char *end; now->recents <= TL_MOST_RECENT; recent = end) {
        long step = strtol(recent, &end, 10);
        if (end == recent) break;
        now->recent[now->recents++] = step;
    }
    now->fingerprint = strtoull(tl_config_string(c, "fingerprint", ""), NULL, 16);
    return tl_config_error(c) ? tl_error_set(error, "the checkpoint's state: %s", tl_config_error(c)) : true;
}

/* ---- to and from files ---- */

bool tl_state_save(tl_training *t) {
    char path[TL_PATH];
    tl_config *text = to_text(&t->now, t->config->task->score);
    bool ok = tl_checkpoint_save(tl_path_in(path, t->config->dir, checkpoint_file), t->config->params,
                                 t->adam, text, t->error);
    tl_config_free(text);
    return ok;
}

bool tl_state_load(tl_training *t) {
    char path[TL_PATH];
    if (tl_file_is_missing(tl_path_in(path, t->config->dir, checkpoint_file)))
        return tl_error_set(t->error,
                            "%s is not there: training has not come to its first validation, or the file was "
                            "removed; start again with train --overwrite",
                            path);
    tl_config *text = tl_checkpoint_load(path, t->config->params, t->adam, t->error);
    bool ok = text && from_text(&t->now, t->config->task->score, text, t->error);
    tl_config_free(text);
    return ok;
}

bool tl_training_state_read(const char *dir, const char *score, tl_training_state *state, tl_error *error) {
    char path[TL_PATH];
    tl_loop_state now;
    if (!dir || !state || tl_file_is_missing(tl_path_in(path, dir, checkpoint_file))) return false;
    tl_safetensors *file = tl_safetensors_open(path, error);
    const char *text = tl_safetensors_metadata(file, "state");
    tl_config *config = text ? tl_config_parse(text, strlen(text), path, error) : NULL;
    if (file && !text) tl_error_set(error, "%s: not a checkpoint: its metadata has no \"state\"", path);
    bool ok = config && from_text(&now, score, config, error);
    if (ok) *state = now.at;
    tl_config_free(config);
    tl_safetensors_close(file);
    return ok;
}
