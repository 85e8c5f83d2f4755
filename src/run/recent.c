/* The weights of the last validations, and their mean. A file is removed only after a checkpoint that does not need
 * it was written. */
#include "events.h"
#include "names.h"
#include "paths.h"
#include "training.h"

#include <string.h>

static char *recent_path(char path[TL_PATH], const tl_training *t, int i) {
    snprintf(path, TL_PATH, "%s/recent/step-%ld.safetensors", t->config->dir, t->now.recent[i]);
    return path;
}

bool tl_recent_add(tl_training *t) {
    char path[TL_PATH];
    if (!t->config->validation->average) return true;
    t->now.recent[t->now.recents] = t->now.at.step;
    if (t->leads &&
        (!tl_make_dirs(tl_path_in(path, t->config->dir, "recent"), t->error) ||
         !tl_params_save(t->config->params, recent_path(path, t, t->now.recents), NULL, 0, t->error)))
        return false;
    t->now.recents++;
    return true;
}

void tl_recent_forget(tl_training *t) {
    char path[TL_PATH];
    tl_loop_state *now = &t->now;
    while (now->recents > t->config->validation->average) {
        /* no reason to end: the file is only in the way, and tl_recent_tidy removes it */
        tl_error wrong = {""};
        if (t->leads && !tl_file_remove(recent_path(path, t, 0), &wrong))
            TL_TELL(t->config->events, warning, wrong.message);
        memmove(now->recent, now->recent + 1, (size_t)--now->recents * sizeof *now->recent);
    }
}

static bool forget_unknown(void *context, const char *name) {
    const tl_training *t = context;
    char path[TL_PATH];
    long step;
    bool known = !tl_is_recent(name, &step);
    for (int i = 0; i < t->now.recents; i++) known |= t->now.recent[i] == step;
    if (known) return true;
    snprintf(path, sizeof path, "%s/recent/%s", t->config->dir, name);
    return tl_file_remove(path, t->error);
}

bool tl_recent_tidy(tl_training *t) {
    char path[TL_PATH];
    tl_recent_forget(t);
    return tl_folder_each(tl_path_in(path, t->config->dir, "recent"), forget_unknown, t, t->error);
}

/* The files that are averaged: the last ones. */
typedef struct group {
    char path[TL_MOST_RECENT][TL_PATH];
    const char *paths[TL_MOST_RECENT];
    int count;
} group;

static void last_ones(group *g, const tl_training *t) {
    const int average = (int)t->config->validation->average;
    const int first = t->now.recents > average ? t->now.recents - average : 0;
    g->count = t->now.recents - first;
    for (int i = 0; i < g->count; i++) g->paths[i] = recent_path(g->path[i], t, first + i);
}

bool tl_recent_average(const tl_training *t) {
    group g;
    char out[TL_PATH];
    last_ones(&g, t);
    return !g.count ||
           tl_params_average(g.paths, g.count, tl_path_in(out, t->config->dir, "average.safetensors"), NULL,
                             0, t->error);
}

bool tl_recent_average_is_saved(const tl_training *t) {
    group g;
    char out[TL_PATH];
    last_ones(&g, t);
    return !g.count || tl_params_average_is_saved(g.paths, g.count,
                                                  tl_path_in(out, t->config->dir, "average.safetensors"));
}
