/* Greedy decoding with key/value caches. Sentences have the configuration's length; their translations have as many
 * words, or as many as the request says (with random weights <eos> never wins). */
#include "configurations.h"

typedef struct decoding {
    const configuration *c;
    long sentences, words;
    int *src, *lengths;
    tl_params *params;
    tl_transformer model;
    tl_tape *tape;
} decoding;

static void decoding_end(decoding *d) {
    tl_tape_free(d->tape);
    tl_params_free(d->params);
    free(d->src);
    *d = (decoding){0};
}

static bool decoding_begin(decoding *d, const configuration *c, long sentences, long words) {
    if (d->c == c && d->sentences == sentences && d->words == words) return true;
    decoding_end(d);
    long ids = sentences * c->length;
    tl_transformer_config config = model_of(c);
    *d = (decoding){.c = c, .sentences = sentences, .words = words};
    d->src = calloc((size_t)(ids + sentences), sizeof *d->src);
    if (!d->src) return false;
    d->lengths = d->src + ids;
    random_words(d->src, ids, c->vocab, 0);
    for (long b = 0; b < sentences; b++) d->lengths[b] = (int)c->length;
    d->params = tl_params_new(1);
    d->tape = tl_tape_new();
    /* As translate does: weights are packed once for all batches. */
    tl_tape_set_reuse_weights(d->tape, true);
    d->model = tl_transformer_init(d->params, "", &config);
    return true;
}

static bool decode(void *data) {
    decoding *d = data;
    /* max_ratio is almost 0, so max_extra alone is the number of words. */
    tl_search_options options = {.beam = 1, .eos = -1, .max_ratio = 1e-9, .max_extra = d->words};
    const tl_batch source = {
        .sentences = d->sentences, .src_len = d->c->length, .src = d->src, .src_lengths = d->lengths};
    tl_search_result result;
    tl_tape_reset(d->tape);
    if (!tl_search(&d->model.model, d->tape, &source, &options, &result))
        return refuse("decode:", tl_tape_error(d->tape));
    d->words = result.lengths[0];
    return true;
}

static bool answer(const request *r) {
    static decoding d;
    const configuration *c = configuration_of(word_of(r, 0, "T1"));
    long sentences = strtol(word_of(r, 2, "1"), NULL, 10), words = c ? number_of(r, "words", c->length) : 0;
    if (!c || sentences < 1 || words < 1 || !decoding_begin(&d, c, sentences, words)) return false;
    if (!set_precision(d.tape, r)) return false;
    set_threads(r);
    timing t = measure(decode, &d, seconds_of(r, 4), 1);
    if (!t.runs) return false;
    double B = (double)sentences, T = (double)d.words, D = (double)c->d_model;
    /* Self-attention of a word only sees the words before it: half of what forward_flop counts. */
    print_timing(t, forward_flop(c, B, (double)c->length, T) - 2 * c->layers * B * T * T * D);
    printf(", \"tokens\": %ld, \"tok_s\": %.0f, \"build\": \"%s\"}\n", sentences * d.words,
           (double)(sentences * d.words) / t.median, tl_build_text());
    return true;
}

int main(int argc, char **argv) {
    return serve(
        argc, argv,
        "decode [T0|T1|T2|T3] [seconds] [sentences] [words=N] [precision=highest|high|medium] [threads=N]",
        answer);
}
