/* Batches of a corpus. The state is only a position (epoch, batch). The batch at a position depends only on the corpus,
 * the seed and the budget, so saving two numbers is enough to continue. */
#include "batch_plan.h"
#include "corpus.h"
#include "base/memory.h"

#include <limits.h>

struct tl_batches {
    tl_error error;
    const tl_corpus *corpus;
    long changes; /* the corpus's count of changes when the batches were made */
    tl_batches_config config;
    tl_batch_plan plan; /* of epoch at.epoch, if planned */
    bool planned;
    tl_batches_position at;
    int *src, *tgt_in, *tgt_out; /* [rows,longest] of the largest possible batch */
    int *src_lengths, *tgt_lengths;
    long *index;
};

void tl_batches_free(tl_batches *batches) {
    if (!batches) return;
    tl_batch_plan_free(&batches->plan);
    free(batches->src);
    free(batches->tgt_in);
    free(batches->tgt_out);
    free(batches->src_lengths);
    free(batches->tgt_lengths);
    free(batches->index);
    free(batches);
}

const char *tl_batches_error(const tl_batches *batches) {
    if (!batches) return "batches: out of memory";
    return tl_failed(&batches->error) ? batches->error.message : NULL;
}

static bool check(tl_error *error, const tl_corpus *corpus, const tl_batches_config *config) {
    if (tl_corpus_error(corpus)) return tl_error_set(error, "%s", tl_corpus_error(corpus));
    if (corpus->pairs == 0)
        return tl_error_set(
            error, "batches: found a corpus without sentences, expected at least one: fill it first");
    if (!corpus->encoded)
        return tl_error_set(error, "batches: found a corpus without ids, expected an encoded one: call "
                                   "tl_corpus_encode after filling it");
    if (config->tokens < 0 || config->max_sentences < 0)
        return tl_error_set(
            error, "batches: found tokens %ld and max_sentences %ld, expected 0 (the default) or more",
            config->tokens, config->max_sentences);
    if (config->order != TL_SHUFFLED && config->order != TL_BY_LENGTH && config->order != TL_IN_ORDER)
        return tl_error_set(error,
                            "batches: found order %d, expected TL_SHUFFLED, TL_BY_LENGTH or TL_IN_ORDER",
                            (int)config->order);
    return true;
}

/* Takes memory for the largest batch that the budget allows. */
static bool make_rooms(tl_batches *b) {
    const tl_batch_plan *plan = &b->plan;
    long most = plan->sentences, tokens = b->config.tokens;
    if (b->config.max_sentences > 0 && b->config.max_sentences < most) most = b->config.max_sentences;
    size_t ids = tokens / plan->longest < most ? (size_t)tokens : (size_t)most * (size_t)plan->longest;
    /* a sentence alone in its batch may exceed the budget */
    if (ids < (size_t)plan->longest) ids = (size_t)plan->longest;
    b->src = malloc(ids * sizeof(int));
    b->tgt_in = malloc(ids * sizeof(int));
    b->tgt_out = malloc(ids * sizeof(int));
    b->src_lengths = malloc((size_t)most * sizeof(int));
    b->tgt_lengths = malloc((size_t)most * sizeof(int));
    b->index = malloc((size_t)most * sizeof(long));
    return b->src && b->tgt_in && b->tgt_out && b->src_lengths && b->tgt_lengths && b->index;
}

static void plan_epoch(tl_batches *b) {
    if (!b->planned) tl_batch_plan_epoch(&b->plan, &b->config, b->at.epoch);
    b->planned = true;
}

tl_batches *tl_batches_new(const tl_corpus *corpus, const tl_batches_config *config) {
    tl_batches *b = calloc(1, sizeof *b);
    if (!b) return NULL;
    if (config) b->config = *config;
    if (!check(&b->error, corpus, &b->config)) return b;
    if (b->config.tokens == 0) b->config.tokens = 4096;
    b->corpus = corpus;
    b->changes = corpus->changes;
    if (!tl_batch_plan_init(&b->plan, corpus) || !make_rooms(b))
        tl_error_set(&b->error,
                     "batches: out of memory for %ld sentences and a budget of %ld tokens: lower it",
                     b->plan.sentences, b->config.tokens);
    else
        plan_epoch(b);
    return b;
}

static bool usable(tl_batches *b) {
    if (tl_batches_error(b)) return false;
    if (b->corpus->changes != b->changes)
        return tl_error_set(&b->error,
                            "batches: the corpus has changed since tl_batches_new: make new batches");
    return true;
}

/* Writes a row: `front` (if not negative), the ids, `back` (if not negative), then padding up to `width`. */
static void fill_row(int *row, long width, int front, const int *ids, long count, int back) {
    long used = 0;
    if (front >= 0) row[used++] = front;
    for (long i = 0; i < count; i++) row[used++] = ids[i];
    if (back >= 0) row[used++] = back;
    while (used < width) row[used++] = TL_PAD;
}

static void fill(tl_batches *b, const long *sentence, long rows, tl_batch *out) {
    tl_batch batch = {.sentences = rows,
                      .src = b->src,
                      .tgt_in = b->tgt_in,
                      .tgt_out = b->tgt_out,
                      .src_lengths = b->src_lengths,
                      .tgt_lengths = b->tgt_lengths,
                      .index = b->index,
                      .pad = TL_PAD};
    for (long r = 0; r < rows; r++) {
        long source, target;
        tl_corpus_ids(b->corpus, TL_SOURCE, sentence[r], &source);
        tl_corpus_ids(b->corpus, TL_TARGET, sentence[r], &target);
        b->index[r] = sentence[r];
        b->src_lengths[r] = (int)(source + 1);
        b->tgt_lengths[r] = (int)(target + 1);
        batch.src_tokens += source + 1;
        batch.tgt_tokens += target + 1;
        if (batch.src_len < source + 1) batch.src_len = source + 1;
        if (batch.tgt_len < target + 1) batch.tgt_len = target + 1;
    }
    for (long r = 0; r < rows; r++) {
        long source, target;
        const int *x = tl_corpus_ids(b->corpus, TL_SOURCE, sentence[r], &source);
        const int *y = tl_corpus_ids(b->corpus, TL_TARGET, sentence[r], &target);
        fill_row(b->src + r * batch.src_len, batch.src_len, -1, x, source, TL_EOS);
        fill_row(b->tgt_in + r * batch.tgt_len, batch.tgt_len, TL_BOS, y, target, -1);
        fill_row(b->tgt_out + r * batch.tgt_len, batch.tgt_len, -1, y, target, TL_EOS);
    }
    *out = batch;
}

bool tl_batches_next(tl_batches *b, tl_batch *batch) {
    if (!usable(b)) return false;
    if (!batch) return tl_error_set(&b->error, "batches: found no batch to fill (NULL), expected a tl_batch");
    plan_epoch(b);
    if (b->at.batch == b->plan.batches) {
        if (b->at.epoch == LONG_MAX)
            return tl_error_set(&b->error, "batches: found epoch %ld at its end, and no number for another",
                                b->at.epoch);
        b->at = (tl_batches_position){b->at.epoch + 1, 0};
        b->planned = false;
        return false;
    }
    const long *cut = &b->plan.cut[b->plan.visit[b->at.batch++]];
    fill(b, b->plan.order + cut[0], cut[1] - cut[0], batch);
    return true;
}

tl_batches_position tl_batches_tell(const tl_batches *b) { return b ? b->at : (tl_batches_position){0, 0}; }

bool tl_batches_seek(tl_batches *b, tl_batches_position position) {
    if (!usable(b)) return false;
    if (position.epoch < 0 || position.batch < 0 || position.batch > b->plan.batches)
        return tl_error_set(
            &b->error,
            "batches: found the position epoch %ld, batch %ld, expected batch 0 to %ld: corpus "
            "or token budget are not those of the saved run; use the same",
            position.epoch, position.batch, b->plan.batches);
    if (position.epoch != b->at.epoch) b->planned = false;
    b->at = position;
    return true;
}

long tl_batches_per_epoch(const tl_batches *b) { return tl_batches_error(b) ? 0 : b->plan.batches; }
