/* bpe learn, and bpe vocab, which counts the same words. */
#define _XOPEN_SOURCE 700 /* clock_gettime */
#include "program.h"

#include <stdlib.h>
#include <time.h>

enum { PATIENCE = 2 }; /* seconds until a progress bar appears */

typedef struct watch {
    tl_progress progress;
    double begin;
    bool shown;
} watch;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void show(void *context, long merge) {
    watch *w = context;
    if (!w->shown && now() - w->begin > PATIENCE) {
        w->shown = true;
        w->progress.first = merge;
        tl_progress_start(&w->progress);
    }
    if (w->shown) tl_progress_update(&w->progress, merge, 0, 0);
}

static int write_codes(const tl_bpe *bpe, const settings *s) {
    if (tl_bpe_error(bpe)) return fail_with(tl_bpe_error(bpe));
    char *text = tl_bpe_text(bpe, NULL);
    if (!text) return fail_with("out of memory for the codes");
    tl_put_text(text, stdout);
    free(text);
    if (tl_bpe_merges(bpe) < s->merges && !s->quiet)
        fprintf(stderr, "bpe: %ld merges and no more: no other pair is seen %ld times\n", tl_bpe_merges(bpe),
                s->min_frequency);
    return 0;
}

int run_learn(const settings *s) {
    input in;
    watch w = {.progress = {.out = s->quiet ? NULL : stderr,
                            .total = s->merges,
                            .label = "learning",
                            .unit = "merge",
                            .no_loss = true},
               .begin = now()};
    tl_bpe_config config = {
        .merges = s->merges, .min_frequency = s->min_frequency, .progress = show, .context = &w};
    tl_bpe_words *words = count_words(&in, s);
    if (!words) return fail_with(in.error.message);
    tl_bpe *bpe = tl_bpe_learn(words, &config);
    if (w.shown) tl_progress_finish(&w.progress);
    int status = write_codes(bpe, s);
    tl_bpe_free(bpe);
    tl_bpe_words_free(words);
    return status;
}

int run_vocab(const settings *s) {
    input in;
    tl_bpe_words *words = count_words(&in, s);
    if (!words) return fail_with(in.error.message);
    char *text = tl_bpe_words_text(words, NULL);
    if (text) tl_put_text(text, stdout);
    int status = text ? 0 : fail_with("out of memory for the list of words");
    free(text);
    tl_bpe_words_free(words);
    return status;
}
