/* Plans an epoch: shuffles sentences, sorts them by length, cuts them into batches, shuffles the batches.
 *
 * The length of a sentence is that of its longer side, because only this decides how many sentences fit into the
 * budget. A batch of similar lengths wastes about 6 % on padding, and sentences of one length can meet in any
 * combination. The sorted lengths are the same in every epoch. So the cuts and the number of batches are the same too;
 * only the sentences in the batches change. */
#include "batch_plan.h"
#include "base/memory.h"

bool tl_batch_plan_init(tl_batch_plan *plan, const tl_corpus *corpus) {
    long n = plan->sentences = tl_corpus_size(corpus);
    size_t longs = (size_t)n + 1;
    plan->length = calloc(longs, sizeof(long));
    plan->order = calloc(longs, sizeof(long));
    plan->scratch = calloc(longs, sizeof(long));
    plan->cut = calloc(longs, sizeof(long));
    plan->visit = calloc(longs, sizeof(long));
    if (!plan->length || !plan->order || !plan->scratch || !plan->cut || !plan->visit) return false;
    for (long i = 0; i < n; i++) {
        long source, target;
        tl_corpus_ids(corpus, TL_SOURCE, i, &source);
        tl_corpus_ids(corpus, TL_TARGET, i, &target);
        plan->length[i] = 1 + (source > target ? source : target);
        if (plan->length[i] > plan->longest) plan->longest = plan->length[i];
    }
    plan->bucket = calloc((size_t)plan->longest + 2, sizeof(long));
    return plan->bucket != NULL;
}

void tl_batch_plan_free(tl_batch_plan *plan) {
    free(plan->length);
    free(plan->order);
    free(plan->scratch);
    free(plan->bucket);
    free(plan->cut);
    free(plan->visit);
    *plan = (tl_batch_plan){0};
}

/* Counting sort by length; sentences of equal length keep their order. */
static void sort_by_length(tl_batch_plan *p) {
    memset(p->bucket, 0, ((size_t)p->longest + 2) * sizeof(long));
    for (long i = 0; i < p->sentences; i++) p->bucket[p->length[i] + 1]++;
    for (long length = 1; length <= p->longest; length++) p->bucket[length] += p->bucket[length - 1];
    memcpy(p->scratch, p->order, (size_t)p->sentences * sizeof(long));
    for (long i = 0; i < p->sentences; i++) p->order[p->bucket[p->length[p->scratch[i]]]++] = p->scratch[i];
}

/* Cuts batches: each takes the next sentences as long as they fit. */
static void cut_to_budget(tl_batch_plan *p, const tl_batches_config *config) {
    p->batches = 0;
    for (long from = 0, to; from < p->sentences; from = to) {
        long longest = p->length[p->order[from]];
        for (to = from + 1; to < p->sentences; to++) {
            long length = p->length[p->order[to]], rows = to - from + 1;
            if (length < longest) length = longest;
            if (rows > config->tokens / length || (config->max_sentences > 0 && rows > config->max_sentences))
                break;
            longest = length;
        }
        p->cut[p->batches++] = from;
    }
    p->cut[p->batches] = p->sentences;
}

void tl_batch_plan_epoch(tl_batch_plan *plan, const tl_batches_config *config, long epoch) {
    bool shuffled = config->order == TL_SHUFFLED;
    tl_rng_key key = tl_rng_key_mix(tl_rng_key_of(config->seed, "batches"), (uint64_t)epoch);
    for (long i = 0; i < plan->sentences; i++) plan->order[i] = i;
    if (shuffled) tl_rng_shuffle(tl_rng_key_mix(key, 0), plan->sentences, plan->order);
    if (config->order != TL_IN_ORDER) sort_by_length(plan);
    cut_to_budget(plan, config);
    for (long b = 0; b < plan->batches; b++) plan->visit[b] = b;
    if (shuffled) tl_rng_shuffle(tl_rng_key_mix(key, 1), plan->batches, plan->visit);
}
