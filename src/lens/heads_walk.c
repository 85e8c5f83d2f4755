/* One pass over a set: a look at each batch with the gradients of its summed loss; numbers of every head are added
 * sentence by sentence. Since the loss is a sum, a sentence's gradients do not depend on the other sentences of its
 * batch. Padding rows and columns are cut off first. So batching changes only the order of sums. */
#include "heads_share.h"
#include "lens.h"

#include <math.h>
#include <stdlib.h>

/* ---- what one batch adds ---- */

typedef struct walk {
    tl_run *run;
    tl_set *set;
    bool per_token;
    tl_heads_found *found;
    tl_sentences sentences; /* the batch's sentences, if true alignments are known */
    /* memory for one sentence of one attention */
    bool *sees, *row_is_end, *column_is_end;
    tl_link *links;
    tl_real *words;
} walk;

/* Marks the <eos> that end a sentence. In running text <eos> stands for a line end, which is text, and is not
 * marked. */
static void find_ends(const tl_seen *seen, const tl_seen_attention *a, long b, long rows, long columns,
                      walk *w) {
    const tl_batch *batch = &seen->batch;
    const long before = a->kind == TL_DECODER_SELF ? 0 : a->keys - batch->src_len;
    const bool ends = !tl_seen_is_pooling(seen, a) && (batch->src || batch->pictures.data);
    for (long j = 0; j < columns; j++)
        w->column_is_end[j] = a->kind != TL_DECODER_SELF && batch->src && j >= before &&
                              batch->src[b * batch->src_len + j - before] == TL_EOS;
    for (long i = 0; i < rows; i++)
        w->row_is_end[i] = a->kind == TL_ENCODER_SELF
                               ? w->column_is_end[i]
                               : ends && batch->tgt_out[b * batch->tgt_len + i] == TL_EOS;
}

static bool add_habits(walk *w, const tl_seen *seen, const tl_seen_attention *a, long b, long first) {
    const long rows = tl_seen_real_rows(seen, a, b), columns = tl_seen_real_columns(seen, a, b);
    find_ends(seen, a, b, rows, columns, w);
    for (long h = 0; h < a->heads; h++) {
        for (long i = 0; i < rows; i++)
            for (long j = 0; j < columns; j++)
                w->sees[i * columns + j] = tl_mask_shows(&a->mask, b, h, i, j, a->queries, a->keys);
        const tl_head_map map = {
            .weights = tl_tensor_slice(tl_seen_rows_of(a->weights, b, h, rows), 1, 0, columns),
            .sees = w->sees,
            .row_is_end = w->row_is_end,
            .column_is_end = a->kind != TL_DECODER_SELF && seen->batch.src ? w->column_is_end : NULL,
            .no_places = tl_seen_is_pooling(seen, a) || (a->kind == TL_CROSS && seen->batch.pictures.data)};
        if (!tl_head_sums_add(w->found->habits[first + h], &map))
            return tl_heads_fail(w->run, "out of memory for what a head does");
    }
    return true;
}

static void add_context(walk *w, const tl_seen *seen, const tl_seen_attention *a, long b, long first) {
    const long rows = tl_seen_real_rows(seen, a, b);
    for (long h = 0; h < a->heads; h++) {
        const tl_tensor c = tl_seen_rows_of(a->context, b, h, rows);
        double *sum = w->found->context + (first + h) * w->found->width;
        for (long t = 0; t < rows; t++)
            for (long d = 0; d < c.dim[1]; d++) sum[d] += (double)c.data[t * c.stride[0] + d * c.stride[1]];
        w->found->rows[first + h] += rows;
        w->found->widths[first + h] = c.dim[1];
    }
}

static void add_alignment(walk *w, const tl_seen *seen, const tl_seen_attention *a, long b, long first) {
    long count;
    const tl_link *truth = tl_set_alignment(w->set, seen->batch.index[b], &count);
    if (!truth || a->kind != TL_CROSS || tl_seen_is_pooling(seen, a)) return;
    const tl_sentence *sentence = &w->sentences.sentence[b];
    const long rows = tl_seen_real_rows(seen, a, b), columns = tl_seen_real_columns(seen, a, b);
    const tl_tensor words = tl_tensor_of(w->words, TL_SHAPE(sentence->written.words, sentence->src.words));
    for (long h = 0; h < a->heads; h++) {
        tl_words_of(tl_tensor_slice(tl_seen_rows_of(a->weights, b, h, rows), 1, 0, columns),
                    &sentence->written, &sentence->src, words);
        const long links = tl_head_links(words, w->links);
        tl_alignment_errors_add(&w->found->alignment[first + h], w->links, links, truth, count);
    }
}

/* Adds what does not depend on the order of sums. */
static bool add_maps(walk *w, const tl_seen *seen, long b) {
    long first = 0;
    for (int k = 0; k < seen->count && w->found->habits; first += seen->attention[k++].heads) {
        if (!add_habits(w, seen, &seen->attention[k], b, first)) return false;
        add_alignment(w, seen, &seen->attention[k], b, first);
    }
    w->found->sentences++;
    return true;
}

static void add_numbers(walk *w, const tl_seen *seen, long b) {
    tl_heads_found *f = w->found;
    long first = 0;
    for (int k = 0; k < seen->count; first += seen->attention[k++].heads) {
        const tl_seen_attention *a = &seen->attention[k];
        /* without context_grads no gradient reaches the attention, and the importance is 0 */
        for (long h = 0; h < a->heads && a->context_grads.data; h++)
            f->importance[first + h] += fabs(tl_seen_gate_grad(seen, a, b, h, w->per_token));
        if (f->habits) add_context(w, seen, a, b, first);
    }
}

/* ---- memory ---- */

static void free_room(walk *w) {
    free(w->sees);
    free(w->row_is_end);
    free(w->column_is_end);
    free(w->links);
    free(w->words);
    tl_sentences_free(&w->sentences);
    w->sees = w->row_is_end = w->column_is_end = NULL;
    w->links = NULL;
    w->words = NULL;
    w->sentences = (tl_sentences){0};
}

/* Makes memory that is large enough for any sentence of the batch. */
static bool make_room(walk *w, const tl_batch *batch) {
    const size_t most = 2 + (size_t)(batch->src_len > batch->tgt_len ? batch->src_len : batch->tgt_len);
    w->sees = malloc(most * most * sizeof *w->sees);
    w->row_is_end = calloc(most, sizeof *w->row_is_end);
    w->column_is_end = calloc(most, sizeof *w->column_is_end);
    w->links = malloc(most * sizeof *w->links);
    w->words = malloc(most * most * sizeof *w->words);
    return (w->sees && w->row_is_end && w->column_is_end && w->links && w->words) ||
           tl_heads_fail(w->run, "out of memory");
}

/* Reads the batch's sentences with their tokens, if one has a true alignment. */
static bool read_sentences(walk *w, const tl_batch *batch) {
    long known = 0, count;
    for (long b = 0; b < batch->sentences; b++)
        known += tl_set_alignment(w->set, batch->index[b], &count) != NULL;
    if (!known) return true;
    const char **lines = malloc(2 * (size_t)batch->sentences * sizeof *lines);
    if (!lines) return tl_heads_fail(w->run, "out of memory for the sentences of a batch");
    for (long b = 0; b < batch->sentences; b++) {
        lines[b] = tl_set_source(w->set, batch->index[b]);
        lines[batch->sentences + b] = tl_set_target(w->set, batch->index[b]);
    }
    const bool ok = tl_sentences_of(w->run, lines, lines + batch->sentences, batch->sentences, &w->sentences);
    free(lines);
    return ok;
}

/* ---- the pass ---- */

/* Fills in the rows' kinds, layers and names; false if their number is another one. */
static bool name_heads(const tl_seen *seen, tl_heads_found *f) {
    long count = 0;
    for (int k = 0; k < seen->count; k++) count += seen->attention[k].heads;
    if (count != f->count) return false;
    for (int k = 0, i = 0; f->row && k < seen->count; k++)
        for (int h = 0; h < seen->attention[k].heads; h++, i++) {
            f->row[i].kind = seen->attention[k].kind;
            f->row[i].layer = seen->attention[k].layer;
            f->row[i].head = h;
            snprintf(f->row[i].attention, sizeof f->row[i].attention, "%s", seen->attention[k].name);
        }
    return true;
}

/* Memory for the sums of contexts, once their width is known. */
static bool contexts_have_room(walk *w, const tl_seen *seen) {
    tl_heads_found *f = w->found;
    if (!f->habits || f->context) return true;
    for (int k = 0; k < seen->count; k++)
        if (seen->attention[k].context.dim[3] > f->width) f->width = seen->attention[k].context.dim[3];
    f->context = calloc((size_t)(f->count * f->width) + 1, sizeof *f->context);
    return f->context || tl_heads_fail(w->run, "out of memory for the heads' means");
}

static bool look_at(walk *w, const tl_batch *batch, tl_seen *seen) {
    if (w->found->habits && !read_sentences(w, batch)) return false;
    if (!make_room(w, batch) || !tl_look(tl_run_model(w->run), tl_run_tape(w->run), batch, NULL, seen))
        return false;
    if (!name_heads(seen, w->found)) return tl_heads_fail(w->run, "the model has other heads than it says");
    if (!contexts_have_room(w, seen)) return false;
    for (long b = 0; b < batch->sentences; b++)
        if (!add_maps(w, seen, b)) return false;
    return true;
}

/* ok: success so far. */
static bool add_batch(walk *w, const tl_batch *batch, tl_heads_round *round, bool ok) {
    tl_seen seen;
    ok = ok && !round->over && look_at(w, batch, &seen);
    ok = tl_heads_round_take_over(round, ok);
    for (long b = 0; ok && b < batch->sentences; b++) add_numbers(w, &seen, b);
    tl_heads_round_hand_on(round, ok);
    free_room(w);
    return ok;
}

/* Asks only rank 0. */
static bool report_progress(tl_heads_round *round, const tl_heads_options *o, long done, long total) {
    if (!o || !o->progress || !tl_ranks_lead(round->pass.ranks)) return true;
    if (!o->progress(o->context, "looking at heads", done, total)) round->pass.stopped = true;
    return !round->pass.stopped;
}

bool tl_heads_walk(tl_run *run, tl_set *set, const tl_heads_options *options, tl_heads_found *found) {
    walk w = {.run = run, .set = set, .per_token = options && options->per_token, .found = found};
    tl_heads_round round = tl_heads_round_begin(run, found, tl_set_left(set));
    tl_batch batch;
    const long total = tl_set_count(set);
    long done = 0;
    bool ok = report_progress(&round, options, 0, total);
    for (long i = 0; i < round.batches; i++) { /* all batches, because other ranks may wait for the sums */
        const bool there = tl_set_next(set, &batch);
        ok = ok && there;
        if (tl_pass_mine(&round.pass, there ? &batch : NULL)) ok = add_batch(&w, &batch, &round, ok);
        if (ok) ok = report_progress(&round, options, done += batch.sentences, total);
    }
    tl_set_next(set, &batch); /* returns false at the end, so that the next pass starts anew */
    if (!tl_heads_round_end(&round) || tl_run_error(run)) return false;
    return found->sentences > 0 || tl_heads_fail(run, "found no sentence to look at, expected one or more");
}
