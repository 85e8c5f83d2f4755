#include "state.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char checkpoint_file[] = "checkpoint.safetensors";

/* ---- to and from text ---- */

typedef enum { A_LONG, A_DOUBLE, A_BOOL } kind;
static const struct field {
    const char *key;
    kind kind;
    size_t offset;
} fields[] = {{"step", A_LONG, offsetof(state, step)},
              {"epoch", A_LONG, offsetof(state, epoch)},
              {"position.epoch", A_LONG, offsetof(state, position.epoch)},
              {"position.batch", A_LONG, offsetof(state, position.batch)},
              {"seconds", A_DOUBLE, offsetof(state, seconds)},
              {"loss", A_DOUBLE, offsetof(state, loss)},
              {"tokens", A_DOUBLE, offsetof(state, tokens)},
              {"busy", A_DOUBLE, offsetof(state, busy)},
              {"updates", A_LONG, offsetof(state, updates)},
              {"due", A_BOOL, offsetof(state, due)},
              {"validations", A_LONG, offsetof(state, validations)},
              {"waited", A_LONG, offsetof(state, waited)},
              {"best.step", A_LONG, offsetof(state, best_step)},
              {"best.bleu", A_DOUBLE, offsetof(state, best_bleu)},
              {"best.loss", A_DOUBLE, offsetof(state, best_loss)}};
enum { FIELDS = sizeof fields / sizeof *fields };

static tl_config *to_text(const state *now) {
    tl_config *c = tl_config_new();
    char text[(MOST_RECENT + 1) * 21 + 32] = "";
    for (int i = 0; i < FIELDS; i++) {
        const void *at = (const char *)now + fields[i].offset;
        if (fields[i].kind == A_LONG) tl_config_set_long(c, fields[i].key, *(const long *)at);
        if (fields[i].kind == A_DOUBLE) tl_config_set_double(c, fields[i].key, *(const double *)at);
        if (fields[i].kind == A_BOOL) tl_config_set_bool(c, fields[i].key, *(const bool *)at);
    }
    for (int i = 0, used = 0; i < now->recents; i++)
        used += snprintf(text + used, sizeof text - (size_t)used, "%s%ld", i ? " " : "", now->recent[i]);
    tl_config_set_string(c, "recent", text);
    snprintf(text, sizeof text, "%016" PRIx64, now->fingerprint);
    tl_config_set_string(c, "fingerprint", text);
    return c;
}

static bool from_text(state *now, tl_config *c, tl_error *error) {
    *now = (state){0};
    for (int i = 0; i < FIELDS; i++) {
        void *at = (char *)now + fields[i].offset;
        if (!tl_config_has(c, fields[i].key))
            return tl_error_set(error, "the checkpoint's state lacks \"%s\"", fields[i].key);
        if (fields[i].kind == A_LONG) *(long *)at = tl_config_long(c, fields[i].key, 0);
        if (fields[i].kind == A_DOUBLE) *(double *)at = tl_config_double(c, fields[i].key, 0);
        if (fields[i].kind == A_BOOL) *(bool *)at = tl_config_bool(c, fields[i].key, false);
    }
    const char *recent = tl_config_string(c, "recent", "");
    for (char *end; now->recents <= MOST_RECENT; recent = end) {
        long step = strtol(recent, &end, 10);
        if (end == recent) break;
        now->recent[now->recents++] = step;
    }
    now->fingerprint = strtoull(tl_config_string(c, "fingerprint", ""), NULL, 16);
    return tl_config_error(c) ? tl_error_set(error, "the checkpoint's state: %s", tl_config_error(c)) : true;
}

/* ---- to and from files ---- */

bool state_save(const state *now, run *r, tl_adam *adam) {
    char path[PATH_SIZE];
    tl_config *text = to_text(now);
    bool ok = tl_checkpoint_save(run_path(path, r->settings.out, checkpoint_file), r->params, adam, text,
                                 &r->error);
    tl_config_free(text);
    return ok;
}

bool state_load(state *now, run *r, tl_adam *adam) {
    char path[PATH_SIZE];
    FILE *there = fopen(run_path(path, r->settings.out, checkpoint_file), "rb");
    if (!there)
        return tl_error_set(&r->error,
                            "%s is not there: training has not come to its first validation, or the file was "
                            "removed; start again with train --overwrite",
                            path);
    fclose(there);
    tl_config *text = tl_checkpoint_load(path, r->params, adam, &r->error);
    bool ok = text && from_text(now, text, &r->error);
    tl_config_free(text);
    return ok;
}

bool state_peek(state *now, const char *dir, tl_error *error) {
    char path[PATH_SIZE];
    FILE *there = fopen(run_path(path, dir, checkpoint_file), "rb");
    if (!there) return false;
    fclose(there);
    tl_safetensors *file = tl_safetensors_open(path, error);
    const char *text = tl_safetensors_metadata(file, "state");
    tl_config *config = text ? tl_config_parse(text, strlen(text), path, error) : NULL;
    if (file && !text) tl_error_set(error, "%s: not a checkpoint: its metadata has no \"state\"", path);
    bool ok = config && from_text(now, config, error);
    tl_config_free(config);
    tl_safetensors_close(file);
    return ok;
}

/* ---- recent weights ---- */

char *recent_path(char path[PATH_SIZE], const char *dir, long step) {
    snprintf(path, PATH_SIZE, "%s/recent/step-%ld.safetensors", dir, step);
    return path;
}

bool recent_add(state *now, run *r) {
    char path[PATH_SIZE];
    if (!r->settings.average) return true;
    if (!tl_make_dirs(run_path(path, r->settings.out, "recent"), &r->error) ||
        !tl_params_save(r->params, recent_path(path, r->settings.out, now->step), NULL, 0, &r->error))
        return false;
    now->recent[now->recents++] = now->step;
    return true;
}

void recent_forget(state *now, const run *r) {
    char path[PATH_SIZE];
    while (now->recents > r->settings.average) {
        remove(recent_path(path, r->settings.out, now->recent[0]));
        memmove(now->recent, now->recent + 1, (size_t)--now->recents * sizeof *now->recent);
    }
}

bool recent_average(const state *now, run *r) {
    char path[MOST_RECENT][PATH_SIZE], out[PATH_SIZE];
    const char *paths[MOST_RECENT];
    int first = now->recents > r->settings.average ? now->recents - (int)r->settings.average : 0;
    for (int i = first; i < now->recents; i++)
        paths[i - first] = recent_path(path[i - first], r->settings.out, now->recent[i]);
    if (now->recents == first) return true;
    return tl_params_average(paths, now->recents - first,
                             run_path(out, r->settings.out, "average.safetensors"), NULL, 0, &r->error);
}
