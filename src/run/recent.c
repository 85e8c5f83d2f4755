/* The weights of the last validations, and their mean. They are removed only once a checkpoint that does not need them is
 * written. */
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
    if (!tl_make_dirs(tl_path_in(path, t->config->dir, "recent"), t->error) ||
        !tl_params_save(t->config->params, recent_path(path, t, t->now.recents), NULL, 0, t->error))
        return false;
    t->now.recents++;
    return true;
}

void tl_recent_forget(tl_training *t) {
    char path[TL_PATH];
    tl_loop_state *now = &t->now;
    while (now->recents > t->config->validation->average) {
        tl_file_remove(recent_path(path, t, 0), NULL);
        memmove(now->recent, now->recent + 1, (size_t)--now->recents * sizeof *now->recent);
    }
}

bool tl_recent_average(const tl_training *t) {
    char path[TL_MOST_RECENT][TL_PATH], out[TL_PATH];
    const char *paths[TL_MOST_RECENT];
    const int average = (int)t->config->validation->average;
    int first = t->now.recents > average ? t->now.recents - average : 0;
    for (int i = first; i < t->now.recents; i++) paths[i - first] = recent_path(path[i - first], t, i);
    if (t->now.recents == first) return true;
    return tl_params_average(paths, t->now.recents - first,
                             tl_path_in(out, t->config->dir, "average.safetensors"), NULL, 0, t->error);
}
