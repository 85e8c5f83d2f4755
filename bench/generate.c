/* Sampling with tl_gpt: reads a prompt of 64 ids at once and samples 192 words, for one text (tl_generate) or for many
 * texts of the same prompt at once (tl_search). */
#include "language.h"

enum { LONGEST = 256 };

typedef struct writing {
    language of;
    int prompt[LENGTH];
    long texts;
    uint64_t seed;
} writing;

static bool wrote(void *count, int word, double log_p) {
    (void)word, (void)log_p;
    ++*(long *)count;
    return true;
}

static bool write_one(writing *w) {
    long count = 0;
    const tl_generate_options options = {.prompt = w->prompt,
                                         .prompt_length = LENGTH,
                                         .most = LONGEST - LENGTH,
                                         .seed = ++w->seed,
                                         .wrote = wrote,
                                         .to = &count};
    if (!tl_generate(&w->of.model.model, w->of.tape, &options))
        return refuse("generate:", tl_tape_error(w->of.tape));
    return count == LONGEST - LENGTH || refuse("generate:", "it wrote a wrong number of words");
}

static bool write_many(writing *w) {
    const tl_batch one = {.sentences = 1};
    const tl_search_options options = {.sample = true,
                                       .nbest = (int)w->texts,
                                       .seed = ++w->seed,
                                       .bos = -1,
                                       .eos = -1,
                                       .any_word = true,
                                       .forced = w->prompt,
                                       .forced_length = LENGTH,
                                       .max_extra = LONGEST};
    tl_search_result result;
    tl_tape_reset(w->of.tape);
    return tl_search(&w->of.model.model, w->of.tape, &one, &options, &result) ||
           refuse("generate:", tl_tape_error(w->of.tape));
}

static bool write_texts(void *data) {
    writing *w = data;
    return w->texts > 1 ? write_many(w) : write_one(w);
}

static bool answer(const request *r) {
    static writing w;
    if (!w.of.params) {
        w.of = language_new(LONGEST);
        language_words(w.prompt, LENGTH);
        /* Weights are packed once for all texts. */
        tl_tape_set_reuse_weights(w.of.tape, true);
    }
    w.texts = strtol(word_of(r, 2, "1"), NULL, 10);
    if (w.texts < 1 || w.texts > TL_BEAM_MOST) return refuse("a number of texts, not", word_of(r, 2, "1"));
    if (!set_precision(w.of.tape, r)) return false;
    set_threads(r);
    timing t = measure(write_texts, &w, seconds_of(r, 4), 1);
    if (!t.runs) return false;
    const long words = w.texts * (LONGEST - LENGTH);
    print_timing(t, 0);
    printf(", \"tokens\": %ld, \"params\": %ld, \"build\": \"%s\"}\n", words, tl_params_numel(w.of.params),
           tl_build_text());
    return true;
}

int main(int argc, char **argv) {
    return serve(argc, argv, "generate [gpt] [seconds] [texts] [precision=highest|high|medium] [threads=N]",
                 answer);
}
