/* Error rates of the alignments that cross-attention makes: for each layer, head and step, by weights and by norms,
 * with <eos> and without. */
#include "claim_aligns.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- links ---- */

long aligns_links(tl_tensor words, bool end, tl_link *links) {
    const long count = tl_head_links(words, links);
    long kept = 0;
    for (long i = 0; i < count; i++)
        if (!end || links[i].source != words.dim[1] - 1) links[kept++] = links[i];
    return kept;
}

long aligns_same_place(long targets, long sources, tl_link *links) {
    for (long t = 0; sources > 0 && t < targets; t++)
        links[t] = (tl_link){.source = (int)(t < sources ? t : sources - 1), .target = (int)t};
    return sources > 0 ? targets : 0;
}

/* The source word at the middle of the target word, with both sentences scaled to the same length. */
long aligns_same_share(long targets, long sources, tl_link *links) {
    for (long t = 0; sources > 0 && t < targets; t++)
        links[t] = (tl_link){.source = (int)((2 * t + 1) * sources / (2 * targets)), .target = (int)t};
    return sources > 0 ? targets : 0;
}

double aligns_by_chance(long true_links, long sources) {
    return sources > 0 ? (double)true_links / (double)sources : 0;
}

long aligns_at_most(const tl_link *truth, long true_count, long targets) {
    long most = 0;
    for (long t = 0; t < targets; t++) {
        bool has = false;
        for (long k = 0; k < true_count; k++) has |= truth[k].target == t;
        most += has;
    }
    return most;
}

/* ---- counting ---- */

enum { OUTPUT, INPUT, STEPS };    /* a word's row: where it is written, or where it is read, one later */
enum { WEIGHTS, NORMS, BY };      /* what is compared in a row */
enum { WITH_END, OF_WORDS, END }; /* may <eos> have the largest? */

typedef tl_alignment_errors errors_of[BY][STEPS][END];

typedef struct counting {
    tl_run *run;
    tl_set *set;
    long layers, heads;
    errors_of *errors; /* [layers,heads+1]; the last one is the mean of all heads */
    tl_alignment_errors same_place, same_share, most;
    double chance; /* right links by chance */
    /* memory for one sentence: */
    long longest; /* words or tokens, on either side */
    tl_real *words;
    tl_link *links;
    long *word;
} counting;

static bool fail(counting *c, const char *why) {
    tl_tape_fail(tl_run_tape(c->run), "alignments: %s", why);
    return false;
}

/* The source's tokens with <eos> as an additional last word; c->word is its memory. */
static tl_tokens with_end(const counting *c, const tl_tokens *src) {
    tl_tokens all = *src;
    all.word = c->word;
    all.words = src->words + 1;
    for (long i = 0; i < src->count; i++) c->word[i] = src->word[i] < 0 ? src->words : src->word[i];
    return all;
}

/* Adds a map [tokens written, tokens of the source] of one head or of all. Row i belongs to the word that is written
 * there, and to the word that is read there, which is the one before. */
static void add_map(counting *c, tl_tensor map, const tl_sentence *s, const tl_link *truth, long true_count,
                    tl_alignment_errors errors[STEPS][END]) {
    const tl_tokens all = with_end(c, &s->src), *rows[STEPS] = {&s->written, &s->read};
    for (int step = 0; step < STEPS; step++)
        for (int end = 0; end < END; end++) {
            const tl_tokens *columns = end == WITH_END ? &all : &s->src;
            const tl_tensor words = tl_tensor_of(c->words, TL_SHAPE(s->written.words, columns->words));
            tl_words_of(map, rows[step], columns, words);
            const long count = aligns_links(words, end == WITH_END, c->links);
            tl_alignment_errors_add(&errors[step][end], c->links, count, truth, true_count);
        }
}

static bool add_attention(counting *c, const tl_seen_attention *a, long b, const tl_sentence *s,
                          const tl_link *truth, long true_count) {
    for (long h = -1; h < c->heads; h++) {
        errors_of *errors = &c->errors[a->layer * (c->heads + 1) + (h < 0 ? c->heads : h)];
        for (int by = 0; by < BY; by++) {
            const tl_quantity q = by == WEIGHTS ? TL_SEE_A : h < 0 ? TL_SEE_NORM : TL_SEE_HEAD_NORM;
            const tl_tensor map = tl_seen_map(a, q, b, h, s, false, tl_run_tape(c->run));
            if (!map.data) return false;
            add_map(c, map, s, truth, true_count, (*errors)[by]);
        }
    }
    return true;
}

/* What does not depend on the model. */
static void add_baselines(counting *c, const tl_sentence *s, const tl_link *truth, long count) {
    const long t = s->written.words, n = s->src.words;
    tl_alignment_errors_add(&c->same_place, c->links, aligns_same_place(t, n, c->links), truth, count);
    tl_alignment_errors_add(&c->same_share, c->links, aligns_same_share(t, n, c->links), truth, count);
    c->chance += aligns_by_chance(count, n);
    c->most.found += t, c->most.sure += count, c->most.both += aligns_at_most(truth, count, t);
}

static bool make_room(counting *c, const tl_sentences *all) {
    long longest = 1;
    for (long b = 0; b < all->count; b++) {
        const tl_sentence *s = &all->sentence[b];
        if (s->src.count > longest) longest = s->src.count;
        if (s->written.count > longest) longest = s->written.count;
    }
    if (longest <= c->longest) return true;
    free(c->words), free(c->links), free(c->word);
    c->words = malloc((size_t)(longest * (longest + 1)) * sizeof *c->words);
    c->links = malloc((size_t)longest * sizeof *c->links);
    c->word = malloc((size_t)longest * sizeof *c->word);
    c->longest = c->words && c->links && c->word ? longest : 0;
    return c->longest || fail(c, "out of memory");
}

static bool add_sentences(counting *c, const tl_sentences *all, long first) {
    tl_seen seen;
    const tl_look_options options = {.no_grad = true, .norms = true};
    bool ok =
        make_room(c, all) && tl_look(tl_run_model(c->run), tl_run_tape(c->run), &all->batch, &options, &seen);
    for (long b = 0; ok && b < all->count; b++) {
        long count;
        const tl_link *truth = tl_set_alignment(c->set, first + b, &count);
        if (!truth) continue;
        add_baselines(c, &all->sentence[b], truth, count);
        for (int k = 0; ok && k < seen.count; k++)
            if (seen.attention[k].kind == TL_CROSS)
                ok = add_attention(c, &seen.attention[k], b, &all->sentence[b], truth, count);
    }
    return ok;
}

enum { AT_ONCE = 25 };

static bool count_set(counting *c, const job *j) {
    const long size = tl_set_count(c->set);
    bool ok = true;
    for (long i = 0; ok && i < size; i += AT_ONCE) {
        const char *source[AT_ONCE], *target[AT_ONCE];
        const long n = size - i < AT_ONCE ? size - i : AT_ONCE;
        for (long k = 0; k < n; k++)
            source[k] = tl_set_source(c->set, i + k), target[k] = tl_set_target(c->set, i + k);
        tl_sentences all = {0};
        ok = !job_stopped(j) && tl_sentences_of(c->run, source, target, n, &all) && add_sentences(c, &all, i);
        tl_sentences_free(&all);
    }
    return ok;
}

/* ---- numbers ---- */

static double percent(const tl_alignment_errors *errors) { return 100 * tl_alignment_error_rate(errors); }

static void put_layer(const counting *c, const job *j, numbers *out, long layer, int by) {
    static const char *const names[STEPS][END] = {{"output step", "output step of words"},
                                                  {"input step", "input step of words"}};
    char arm[2 * NAME_SIZE], what[2 * NAME_SIZE];
    snprintf(arm, sizeof arm, "%s by %s", j->arm.name, by == WEIGHTS ? "weights" : "norms");
    for (long h = 0; h <= c->heads; h++)
        for (int step = 0; step < STEPS; step++)
            for (int end = 0; end < END; end++) {
                const int length = snprintf(what, sizeof what, "%s", names[step][end]);
                if (h < c->heads) snprintf(what + length, sizeof what - (size_t)length, " head %ld", h);
                numbers_add(out, arm, j->seed, what, (double)layer + 1,
                            percent(&c->errors[layer * (c->heads + 1) + h][by][step][end]));
            }
}

static void put_all(const counting *c, const job *j, numbers *out) {
    for (int by = 0; by < BY; by++)
        for (long layer = 0; layer < c->layers; layer++) put_layer(c, j, out, layer, by);
    put(out, j, "diagonal", 0, fmin(percent(&c->same_place), percent(&c->same_share)));
    put(out, j, "chance", 0, 100 - 200 * c->chance / (double)(c->most.found + c->most.sure));
    put(out, j, "least", 0, percent(&c->most));
}

static bool measure(counting *c, const job *j, numbers *out, tl_error *error) {
    tl_quality q;
    const long most = budget_of(j->study, 500, 200, 10);
    if (!job_quality(c->run, most, false, &q, error)) return false;
    const tl_run_settings *settings = tl_run_settings_of(c->run);
    c->layers = settings->model.layers;
    c->heads = settings->model.heads;
    c->errors = calloc((size_t)(c->layers * (c->heads + 1)), sizeof *c->errors);
    c->set = tl_set_new(c->run, &(tl_set_options){.most = most});
    const bool ok = c->errors && c->set && count_set(c, j);
    if (ok) {
        put(out, j, "loss", 0, q.loss);
        put_all(c, j, out);
    }
    return ok || tl_error_set(error, "%s", tl_run_error(c->run) ? tl_run_error(c->run) : "interrupted");
}

bool aligns_measure(const job *j, numbers *out, tl_error *error) {
    counting c = {.run = job_open(j, j->arm.stops[j->arm.number], error)};
    if (!c.run) return false;
    const bool ok = measure(&c, j, out, error);
    tl_set_free(c.set);
    tl_run_free(c.run);
    free(c.errors);
    free(c.words);
    free(c.links);
    free(c.word);
    return ok;
}
