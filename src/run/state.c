/* Training state to and from a checkpoint: text in the file's metadata, beside weights and moments. */
#include "paths.h"
#include "training.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char checkpoint_file[] = "checkpoint.safetensors";

/* ---- to and from text ---- */

typedef enum {
    A_LONG,   /* 0 or more */
    A_AMOUNT, /* the same, with fractions */
    A_DOUBLE, /* finite */
    A_BOOL
} kind;
static const struct field {
    const char *key; /* NULL: "best." and the score's name */
    kind kind;
    size_t offset;
} fields[] = {{"step", A_LONG, offsetof(tl_loop_state, at.step)},
              {"epoch", A_LONG, offsetof(tl_loop_state, at.epoch)},
              {"position.epoch", A_LONG, offsetof(tl_loop_state, position.epoch)},
              {"position.batch", A_LONG, offsetof(tl_loop_state, position.batch)},
              {"seconds", A_AMOUNT, offsetof(tl_loop_state, at.seconds)},
              {"loss", A_DOUBLE, offsetof(tl_loop_state, loss)},
              {"tokens", A_AMOUNT, offsetof(tl_loop_state, tokens)},
              {"busy", A_AMOUNT, offsetof(tl_loop_state, busy)},
              {"updates", A_LONG, offsetof(tl_loop_state, updates)},
              {"due", A_BOOL, offsetof(tl_loop_state, due)},
              {"validations", A_LONG, offsetof(tl_loop_state, at.validations)},
              {"waited", A_LONG, offsetof(tl_loop_state, at.waited)},
              {"best.step", A_LONG, offsetof(tl_loop_state, at.best_step)},
              {NULL, A_DOUBLE, offsetof(tl_loop_state, at.best_score)},
              {"best.loss", A_DOUBLE, offsetof(tl_loop_state, at.best_loss)}};
enum { FIELDS = sizeof fields / sizeof *fields, KEY = 96 };

/* The key; NULL: the field is not stored, because there is no score. */
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
        if (fields[i].kind == A_DOUBLE || fields[i].kind == A_AMOUNT)
            tl_config_set_double(c, key, *(const double *)at);
        if (fields[i].kind == A_BOOL) tl_config_set_bool(c, key, *(const bool *)at);
    }
    for (int i = 0, used = 0; i < now->recents; i++)
        used += snprintf(text + used, sizeof text - (size_t)used, "%s%ld", i ? " " : "", now->recent[i]);
    tl_config_set_string(c, "recent", text);
    snprintf(text, sizeof text, "%016" PRIx64, now->fingerprint);
    tl_config_set_string(c, "fingerprint", text);
    return c;
}

/* A file may say anything: values that the loop cannot have written are refused. */
static bool is_possible(kind kind, const void *at) {
    const double number = kind == A_AMOUNT || kind == A_DOUBLE ? *(const double *)at : 0;
    if (kind == A_LONG) return *(const long *)at >= 0 && *(const long *)at <= TL_MOST_COUNT;
    return isfinite(number) && (kind != A_AMOUNT || number >= 0);
}

static bool fail(tl_config *c, const char *key, const char *expected, tl_error *error) {
    return tl_error_set(error,
                        "the checkpoint's state: %s = \"%s\": expected %s; the file is damaged: put back an "
                        "earlier one, or train anew",
                        key, tl_config_string(c, key, ""), expected);
}

static bool read_field(const struct field *field, const char *key, void *at, tl_config *c, tl_error *error) {
    static const char *const expected[] = {[A_LONG] = "a whole number from 0 up that can be counted to",
                                           [A_AMOUNT] = "a number from 0 up",
                                           [A_DOUBLE] = "a number",
                                           [A_BOOL] = "true or false"};
    if (!tl_config_has(c, key)) return tl_error_set(error, "the checkpoint's state lacks \"%s\"", key);
    if (field->kind == A_LONG) *(long *)at = tl_config_long(c, key, 0);
    if (field->kind == A_AMOUNT || field->kind == A_DOUBLE) *(double *)at = tl_config_double(c, key, 0);
    if (field->kind == A_BOOL) *(bool *)at = tl_config_bool(c, key, false);
    return is_possible(field->kind, at) || fail(c, key, expected[field->kind], error);
}

/* Reads "3 6 9": updates in ascending order, none later than the current step. */
static bool read_recent(tl_loop_state *now, tl_config *c, tl_error *error) {
    const char *text = tl_config_string(c, "recent", "");
    while (*text) {
        char *end;
        const long step = strtol(text, &end, 10), before = now->recents ? now->recent[now->recents - 1] : 0;
        if (*text < '0' || *text > '9' || (*end && *end != ' ') || step <= before || step > now->at.step ||
            now->recents > TL_MOST_RECENT)
            return fail(c, "recent", "updates in ascending order, at most the last one", error);
        now->recent[now->recents++] = step;
        text = *end ? end + 1 : end;
    }
    return true;
}

static bool from_text(tl_loop_state *now, const char *score, tl_config *c, tl_error *error) {
    char own[KEY];
    *now = (tl_loop_state){0};
    for (int i = 0; i < FIELDS; i++) {
        const char *key = key_of(&fields[i], score, own);
        if (key && !read_field(&fields[i], key, (char *)now + fields[i].offset, c, error)) return false;
    }
    const tl_training_state *at = &now->at;
    if (at->best_step > at->step) return fail(c, "best.step", "an update that has been", error);
    if (at->waited > at->validations) return fail(c, "waited", "at most all validations", error);
    if (now->updates > at->step) return fail(c, "updates", "at most all updates", error);
    if (!read_recent(now, c, error)) return false;
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
    bool there;
    if (!tl_file_look(tl_path_in(path, t->config->dir, checkpoint_file), &there, t->error)) return false;
    if (!there)
        return tl_error_set(t->error,
                            "%s is not there: training has not come to its first validation, or the file was "
                            "removed; start again as at first, with train --overwrite if a model is there",
                            path);
    tl_config *text = tl_checkpoint_load(path, t->config->params, t->adam, t->error);
    bool ok = text && from_text(&t->now, t->config->task->score, text, t->error);
    tl_config_free(text);
    return ok;
}

bool tl_training_state_read(const char *dir, const char *score, tl_training_state *state, tl_error *error) {
    char path[TL_PATH];
    tl_loop_state now;
    bool there;
    if (!dir || !state)
        return tl_error_set(error, "the state of a training: give a folder, and a place to put it");
    if (!tl_file_look(tl_path_in(path, dir, checkpoint_file), &there, error) || !there) return false;
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
