/* Hides some words of each sentence, for a model to predict (Devlin et al. 2019, 3.1). Each word has its own random
 * numbers in the streams of its sentence. So a choice does not depend on other sentences, on padding, or on other
 * choices. */
#include "model.h"

#include "tapeloom/op.h"

enum stream { CHOSEN, BECOMES, RANDOM_WORD };

static tl_masking with_defaults(const tl_masking *given) {
    tl_masking o = given ? *given : (tl_masking){0};
    if (!o.mask_id) o.mask_id = (int)o.vocab;
    if (o.share == 0) o.share = 0.15;
    if (o.masked == 0 && o.random == 0) o.masked = 0.8, o.random = 0.1;
    return o;
}

static bool check_options(tl_tape *tape, const tl_masking *o) {
    if (o->vocab <= TL_SPECIALS || o->vocab > INT32_MAX - 1)
        tl_tape_fail(tape, "masked tokens: vocab is %ld, should be more than the %d ids that are no words",
                     o->vocab, TL_SPECIALS);
    else if (o->mask_id < 0)
        tl_tape_fail(tape, "masked tokens: mask_id is %d, should be an id, or 0 for vocab", o->mask_id);
    else if (!(o->share >= 0 && o->share <= 1))
        tl_tape_fail(tape, "masked tokens: share is %g, should be in 0 … 1", o->share);
    else if (!(o->masked >= 0 && o->random >= 0 && o->masked + o->random <= 1))
        tl_tape_fail(tape,
                     "masked tokens: masked is %g and random %g: should be 0 or more, and 1 at most together",
                     o->masked, o->random);
    else
        return true;
    return false;
}

static bool check_batch(tl_tape *tape, const tl_batch *batch, const tl_masking *o) {
    if (!tl_model_batch(tape, batch)) return false;
    if (!batch->src || !batch->src_lengths)
        return tl_tape_fail(tape, "masked tokens: the batch has no src or no src_lengths"), false;
    if (tl_shape_numel(TL_SHAPE(batch->sentences, batch->src_len)) < 0)
        return tl_tape_fail(tape,
                            "masked tokens: a batch of %ld sentences, %ld long, is more than memory can hold",
                            batch->sentences, batch->src_len),
               false;
    for (long b = 0; b < batch->sentences; b++) {
        const long length = batch->src_lengths[b];
        if (length < 0 || length > batch->src_len)
            return tl_tape_fail(
                       tape,
                       "masked tokens: src_lengths[%ld] is %ld, should be 0 … %ld, what the batch is long", b,
                       length, batch->src_len),
                   false;
        for (long t = 0; t < length; t++)
            if (batch->src[b * batch->src_len + t] < 0 || batch->src[b * batch->src_len + t] >= o->vocab)
                return tl_tape_fail(tape, "masked tokens: id %d of sentence %ld is outside 0 … %ld",
                                    batch->src[b * batch->src_len + t], b, o->vocab - 1),
                       false;
    }
    return true;
}

static int instead(const tl_masking *o, tl_rng_key key, uint64_t place, int word) {
    const double u = tl_rng_uniform(tl_rng_key_mix(key, BECOMES), place);
    if (u < o->masked) return o->mask_id;
    if (u >= o->masked + o->random) return word;
    return TL_SPECIALS + (int)tl_rng_below(tl_rng_key_mix(key, RANDOM_WORD), place, o->vocab - TL_SPECIALS);
}

/* Writes sentence b into src with words masked, and into out the chosen words. Returns how many were chosen. */
static long mask(const tl_masking *o, tl_rng_key key, const tl_batch *batch, long b, int *src, int *out) {
    const tl_rng_key of_choice = tl_rng_key_mix(key, CHOSEN);
    long count = 0;
    for (long t = 0; t < batch->src_len; t++) {
        const int word = batch->src[b * batch->src_len + t];
        const bool chosen = t < batch->src_lengths[b] && word >= TL_SPECIALS && word != batch->pad &&
                            tl_rng_uniform(of_choice, (uint64_t)t) < o->share;
        src[t] = chosen ? instead(o, key, (uint64_t)t, word) : word;
        out[t] = chosen ? word : batch->pad;
        count += chosen;
    }
    return count;
}

static bool mask_all(tl_tape *tape, const tl_batch *batch, const tl_masking *o, tl_batch *masked) {
    const size_t ids = (size_t)(batch->sentences * batch->src_len);
    int *src = tl_tape_memory(tape, (ids + 1) * sizeof *src);
    int *out = tl_tape_memory(tape, (ids + 1) * sizeof *out);
    if (!src || !out) return false;
    const tl_rng_key key = tl_rng_key_mix(tl_rng_key_of(o->seed, "masked tokens"), (uint64_t)o->step);
    *masked = *batch;
    masked->tgt_tokens = 0;
    for (long b = 0; b < batch->sentences; b++)
        masked->tgt_tokens += mask(o, tl_rng_key_mix(key, (uint64_t)(batch->index ? batch->index[b] : b)),
                                   batch, b, src + b * batch->src_len, out + b * batch->src_len);
    masked->src = src;
    masked->tgt_in = NULL;
    masked->tgt_out = out;
    masked->tgt_len = batch->src_len;
    masked->tgt_lengths = batch->src_lengths;
    return true;
}

bool tl_mask_tokens(tl_tape *tape, const tl_batch *batch, const tl_masking *options, tl_batch *masked) {
    const tl_masking o = with_defaults(options);
    tl_batch result = {0}; /* masked may be the batch itself */
    const bool ok = tape && !tl_tape_error(tape) && check_options(tape, &o) && check_batch(tape, batch, &o) &&
                    mask_all(tape, batch, &o, &result);
    if (masked) *masked = result;
    return ok;
}
