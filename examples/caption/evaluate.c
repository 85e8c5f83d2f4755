/* caption evaluate: how many captions are right, and where the decoder attends while it reads a true caption: how
 * often the patch that a colour or shape names gets the largest weight. */
#include "program.h"

#include <stdlib.h>
#include <string.h>

/* Where the largest weight of a word is, by layer and head; head `heads` is the mean of all. */
typedef enum where { AT_IT, AT_THE_OTHER, BESIDE_IT, BESIDE_THE_OTHER, ELSEWHERE, PLACES } where;
typedef struct counts {
    int layers, heads;
    long words;
    long *at; /* [layers,heads+1,PLACES] */
} counts;

static long *at(const counts *c, int layer, int head) {
    return c->at + ((long)layer * (c->heads + 1) + head) * PLACES;
}

/* ---- where one word attends ---- */

static bool are_adjacent(int a, int b) {
    const int side = TL_PICTURE_SIDE;
    return abs(a / side - b / side) <= 1 && abs(a % side - b % side) <= 1;
}

/* `it` is the patch that the word names, `other` the other figure's patch or -1. */
static where place_of(int most, int it, int other) {
    if (most == it) return AT_IT;
    if (most == other) return AT_THE_OTHER;
    if (are_adjacent(most, it)) return BESIDE_IT;
    return other >= 0 && are_adjacent(most, other) ? BESIDE_THE_OTHER : ELSEWHERE;
}

/* probs [B,H,T,S]: the patch with the largest weight in row t of picture b; ties go to the first. */
static int most_of(tl_tensor probs, long b, long t, int head, int heads) {
    int most = 0;
    double best = -1;
    for (int p = 0; p < TL_PICTURE_PATCHES; p++) {
        double share = 0;
        for (int h = 0; h < heads; h++)
            if (head == heads || head == h) share += (double)tl_item(tl_at(probs, b, h, t, p));
        if (share > best) best = share, most = p;
    }
    return most;
}

static void count_picture(counts *c, const tl_model_maps *maps, long b, const tl_link *links, long count) {
    for (long k = 0; k < count; k++) {
        int other = -1;
        for (long j = 0; j < count; j++)
            if (links[j].source != links[k].source) other = links[j].source;
        for (int l = 0; l < c->layers; l++)
            for (int h = 0; h <= c->heads; h++) {
                const int most = most_of(tl_value(maps->cross[l].probs), b, links[k].target, h, c->heads);
                at(c, l, h)[place_of(most, links[k].source, other)]++;
            }
        c->words++;
    }
}

/* ---- all of them ---- */

enum { AT_ONCE = 50 };

static bool count_batch(counts *c, tl_run *run, const tl_corpus *scenes, long first, long count) {
    tl_batch batch;
    tl_tape *tape = tl_run_tape(run);
    tl_tape_reset(tape);
    if (!tl_caption_batch(run, scenes, first, count, &batch)) return false;
    const bool was = tl_tape_set_grad(tape, false);
    const tl_model_maps maps = tl_model_maps_new(tl_run_model(run), tape, false);
    const bool ok = tl_ok(tl_run_loss(run, &batch, &maps));
    for (long b = 0; ok && b < batch.sentences; b++) {
        long links;
        const tl_link *link = tl_corpus_alignment(scenes, batch.index[b], &links);
        count_picture(c, &maps, b, link, links);
    }
    tl_tape_set_grad(tape, was);
    return ok;
}

static bool count_all(counts *c, tl_run *run, const tl_corpus *scenes) {
    const long size = tl_corpus_size(scenes), each = size % AT_ONCE ? 1 : AT_ONCE;
    bool ok = true;
    for (long i = 0; ok && i < size; i += each) ok = count_batch(c, run, scenes, i, each);
    return ok;
}

static void print_counts(const counts *c) {
    printf("\nWhere the decoder looked most at %ld colour and shape words (the true captions read), in per "
           "cent:\n"
           "                  at it   at the other   beside it   beside the other   elsewhere\n",
           c->words);
    for (int l = 0; l < c->layers; l++)
        for (int i = 0; i <= c->heads; i++) {
            const int h = i ? i - 1 : c->heads;
            const long *n = at(c, l, h);
            char who[32];
            snprintf(who, sizeof who, i ? "  head %d" : "layer %d, mean", i ? i : l + 1);
            printf("%-16s %6.1f %14.1f %11.1f %18.1f %11.1f\n", who,
                   100.0 * (double)n[AT_IT] / (double)c->words,
                   100.0 * (double)n[AT_THE_OTHER] / (double)c->words,
                   100.0 * (double)n[BESIDE_IT] / (double)c->words,
                   100.0 * (double)n[BESIDE_THE_OTHER] / (double)c->words,
                   100.0 * (double)n[ELSEWHERE] / (double)c->words);
        }
}

static bool look(tl_run *run, const tl_corpus *scenes) {
    const tl_model *model = tl_run_model(run);
    counts c = {.layers = model->attentions[TL_CROSS], .heads = model->heads};
    c.at = calloc((size_t)c.layers * ((size_t)c.heads + 1) * PLACES, sizeof *c.at);
    const bool ok = c.at && count_all(&c, run, scenes);
    if (!c.at) fail_with("out of memory");
    if (ok && c.words) print_counts(&c);
    free(c.at);
    return ok;
}

/* ---- captions ---- */

static void show_wrong(const tl_corpus *scenes, const tl_translations *t, long count) {
    for (long i = 0; i < t->count && count > 0; i++) {
        const char *truth = tl_corpus_sentence(scenes, TL_TARGET, i);
        if (!strcmp(t->text[i], truth)) continue;
        printf("  picture %ld\n", i);
        print_line("    it says  ", t->text[i], "\n");
        print_line("    true     ", truth, "\n");
        count--;
    }
}

/* Makes, scores and returns the scenes; the caller frees them. NULL on failure. */
static tl_corpus *score(tl_run *run, tl_pictures_part part, long first, long count, const char *what,
                        long wrong, tl_error *error) {
    tl_quality q;
    tl_translations t;
    tl_corpus *scenes = tl_caption_scenes(run, part, first, count);
    if (!all_well(run, scenes != NULL, error) || !tl_caption_measure(run, scenes, &q, &t)) {
        tl_corpus_free(scenes);
        return NULL;
    }
    printf("%s: %ld of %ld captions are right to the last word (%.1f %%); loss %.4f, accuracy %.2f %%\n",
           what, q.exact, q.sentences, q.score, q.loss, 100 * q.accuracy);
    show_wrong(scenes, &t, wrong);
    tl_translations_free(&t);
    return scenes;
}

bool evaluate(const settings *s, tl_run *run, tl_error *error) {
    const long count = s->count ? s->count : 1000,
               after = tl_run_settings_of(run)->caption.pictures + TL_CAPTION_VALIDATED;
    tl_corpus *known =
        score(run, TL_PICTURES_TRAIN, after, count, "Pictures like those of training", 0, error);
    tl_corpus *held = known ? score(run, TL_PICTURES_HELD_OUT, 0, count,
                                    "Pictures with combinations that training never has", s->wrong, error)
                            : NULL;
    const bool ok = held && (!leads() || look(run, held)); /* only rank 0 looks */
    tl_corpus_free(known);
    tl_corpus_free(held);
    return ok;
}

int command_evaluate(settings *s) {
    tl_error error = {""};
    listener l;
    tl_run *run = open_run(s);
    if (!run) return 1;
    listen_to(&l, s, run);
    const bool ok = evaluate(s, run, &error);
    const int status = status_of(run, &error);
    tl_run_free(run);
    return status ? status : !ok;
}
