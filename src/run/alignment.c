/* From cross-attention between tokens to shares between words: a source word gets the sum over its tokens, a target
 * word the mean over its tokens. */
#include "run.h"
#include "words.h"

#include <stdlib.h>

void tl_alignment_free(tl_alignment *a) {
    if (!a) return;
    free(a->share);
    *a = (tl_alignment){0};
}

/* ---- links ---- */

/* The source word with the largest share of target word t; -1: all its shares are 0. */
static long best_source(const tl_alignment *a, long t) {
    long best = -1;
    double most = 0;
    for (long s = 0; s < a->sources; s++)
        if (a->share[t * a->sources + s] > most) most = a->share[t * a->sources + s], best = s;
    return best;
}

long tl_alignment_links(const tl_alignment *a, tl_link *links) {
    long count = 0;
    if (!a || !links || !a->share) return 0;
    for (long t = 0; t < a->targets; t++) {
        const long source = best_source(a, t);
        long at = source < 0 ? 0 : count++;
        if (source < 0) continue;
        for (; at > 0 && links[at - 1].source > source; at--) links[at] = links[at - 1];
        links[at] = (tl_link){.source = (int)source, .target = (int)t};
    }
    return count;
}

/* ---- shares ---- */

/* Numbers a line's words again without those that are spaces, which get -1. Returns how many words remain. */
static long number_words(tl_line *line) {
    long words = 0, last = -1;
    for (long i = 0; i < line->count; i++) {
        tl_token *t = &line->tokens[i];
        if (tl_token_is_space(*t)) {
            t->word = -1;
            continue;
        }
        if (t->word != last) last = t->word, words++;
        t->word = words - 1;
    }
    return words;
}

/* The weight of target token t on source token s; with a heads axis, the mean over heads. */
static double given(tl_tensor map, long t, long s) {
    if (map.rank == 2) return (double)map.data[t * map.stride[0] + s * map.stride[1]];
    double sum = 0;
    for (long h = 0; h < map.dim[0]; h++)
        sum += (double)map.data[h * map.stride[0] + t * map.stride[1] + s * map.stride[2]];
    return sum / (double)map.dim[0];
}

/* How many tokens the word of token t has. */
static long tokens_in_word(const tl_line *line, long t) {
    long count = 0;
    for (long i = 0; i < line->count; i++) count += line->tokens[i].word == line->tokens[t].word;
    return count;
}

static bool fill(tl_run *run, tl_alignment *a, tl_line *source, tl_line *target, tl_tensor map) {
    *a = (tl_alignment){.targets = number_words(target), .sources = number_words(source)};
    a->share = calloc((size_t)(a->targets * a->sources) + 1, sizeof *a->share);
    if (!a->share) return tl_error_set(&run->error, "out of memory for an alignment");
    const long queries = map.dim[map.rank - 2], keys = map.dim[map.rank - 1];
    for (long t = 0; t < target->count && t < queries; t++) {
        if (target->tokens[t].word < 0) continue;
        double *row = a->share + target->tokens[t].word * a->sources;
        const double tokens = (double)tokens_in_word(target, t);
        for (long s = 0; s < source->count && s < keys; s++)
            if (source->tokens[s].word >= 0) row[source->tokens[s].word] += given(map, t, s) / tokens;
    }
    return true;
}

bool tl_run_align(tl_run *run, const char *source, const char *target, tl_tensor map,
                  tl_alignment *alignment) {
    tl_line from = {0}, to = {0};
    if (alignment) *alignment = (tl_alignment){0};
    if (!tl_run_usable(run)) return false;
    if (!alignment) return tl_run_lacks(run, "the place for an alignment");
    if (!source || !target || !map.data || map.rank < 2 || map.rank > 3)
        return tl_error_set(&run->error, "an alignment wants two lines of tokens and a map [T,S] or [H,T,S]");
    const bool ok = tl_line_read(run, TL_SOURCE, source, &from) &&
                    tl_line_read(run, TL_TARGET, target, &to) && fill(run, alignment, &from, &to, map);
    free(from.tokens);
    free(to.tokens);
    return ok;
}
