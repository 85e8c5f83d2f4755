/* All that this room asks of a model: to be made, the loss of a batch, and a search. Another family of models takes the
 * Transformer's place here. */
#include "run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static tl_tie tie_of(const char *text) {
    return !strcmp(text, "all") ? TL_TIE_ALL : !strcmp(text, "target") ? TL_TIE_TARGET : TL_TIE_NONE;
}

static void make_tape(tl_run *run) {
    const tl_training_settings *s = &run->settings.training;
    tl_matmul_precision precision = TL_HIGHEST;
    tl_matmul_precision_of(s->matmul_precision, &precision);
    run->tape = tl_tape_new();
    tl_tape_seed(run->tape, (uint64_t)s->seed);
    tl_tape_set_matmul_precision(run->tape, precision);
}

bool tl_run_make_model(tl_run *run, bool with_weights) {
    const tl_model_settings *s = &run->settings.model;
    run->params = with_weights ? tl_params_new((uint64_t)run->settings.training.seed) : tl_params_new_empty();
    run->transformer = tl_transformer_init(
        run->params, "",
        &(tl_transformer_config){.src_vocab = tl_vocab_size(run->vocab[TL_SOURCE]),
                                 .tgt_vocab = tl_vocab_size(run->vocab[TL_TARGET]),
                                 .tie = tie_of(s->tie),
                                 .d_model = s->d_model,
                                 .d_ff = s->d_ff,
                                 .heads = (int)s->heads,
                                 .layers = (int)s->layers,
                                 .max_len = TL_LONGEST_SENTENCE + 1,
                                 .activation = !strcmp(s->activation, "gelu") ? TL_GELU : TL_RELU,
                                 .positions = !strcmp(s->positions, "learned") ? TL_LEARNED : TL_SINUSOIDAL,
                                 .pre_norm = s->pre_norm,
                                 .no_final_norm = s->no_final_norm,
                                 .dropout = s->dropout,
                                 .attention_dropout = s->attention_dropout,
                                 .activation_dropout = s->activation_dropout,
                                 .label_smoothing = run->settings.training.label_smoothing});
    make_tape(run);
    const char *wrong = tl_params_error(run->params);
    if (!wrong && !run->tape) wrong = "out of memory for a tape";
    return wrong ? tl_error_set(&run->error, "%s", wrong) : true;
}

/* ---- loss ---- */

tl_var tl_run_batch_loss(tl_run *run, const tl_batch *batch, tl_loss_options *options,
                         tl_transformer_maps *maps) {
    return tl_transformer_loss_with(&run->transformer, run->tape, batch, options, maps);
}

tl_var tl_run_loss(tl_run *run, const tl_batch *batch, tl_transformer_maps *maps) {
    if (!tl_run_has_model(run) || !batch) return (tl_var){.index = -1};
    tl_var loss = tl_run_batch_loss(run, batch, NULL, maps);
    if (!tl_ok(loss)) tl_error_set(&run->error, "%s", tl_tape_error(run->tape));
    return loss;
}

/* ---- search ---- */

/* A translation has at most ratio·(source tokens) + MOST_EXTRA tokens: more where each word becomes characters. */
enum { MOST_EXTRA = 10 };
static double ratio_of(const tl_run *run) {
    const tl_text_settings *s = &run->settings.text;
    return !strcmp(s->tgt_units, "chars") && strcmp(s->src_units, "chars") ? 12 : 2;
}

/* The score that beam search gives the same hypothesis: its <eos> counts, if it came to one. */
static double ranked(const tl_greedy_result *g, long i, double length_penalty) {
    long length = g->lengths[i];
    bool ended = length < g->capacity && g->ids[i * g->capacity + length] == TL_EOS;
    return g->score[i] / pow((double)(length + ended), length_penalty);
}

static bool search_greedily(tl_run *run, const tl_batch *b, const tl_translate_options *o,
                            tl_hypotheses *found) {
    tl_greedy_result g;
    tl_greedy_options options = {
        .bos = TL_BOS, .eos = TL_EOS, .max_ratio = ratio_of(run), .max_extra = MOST_EXTRA};
    if (!tl_transformer_greedy(&run->transformer, run->tape, b->src, b->sentences, b->src_len, b->src_lengths,
                               &options, &g))
        return tl_error_set(&run->error, "%s", tl_tape_error(run->tape));
    double *scores = realloc(run->ranked, (size_t)b->sentences * sizeof *scores);
    if (!scores) return tl_error_set(&run->error, "out of memory for %ld translations", b->sentences);
    run->ranked = scores;
    for (long i = 0; i < b->sentences; i++) scores[i] = ranked(&g, i, o->length_penalty);
    *found = (tl_hypotheses){b->sentences, 1, g.capacity, g.ids, g.lengths, scores};
    return true;
}

static bool search_beam(tl_run *run, const tl_batch *b, const tl_translate_options *o, tl_hypotheses *found) {
    tl_beam_result g;
    tl_beam_options options = {.bos = TL_BOS,
                               .eos = TL_EOS,
                               .beam = (int)o->beam,
                               .nbest = o->nbest ? (int)o->beam : 1,
                               .max_ratio = ratio_of(run),
                               .max_extra = MOST_EXTRA,
                               .length_penalty = o->length_penalty};
    if (!tl_transformer_beam(&run->transformer, run->tape, b->src, b->sentences, b->src_len, b->src_lengths,
                             &options, &g))
        return tl_error_set(&run->error, "%s", tl_tape_error(run->tape));
    *found = (tl_hypotheses){g.sentences, g.nbest, g.capacity, g.ids, g.lengths, g.score};
    return true;
}

bool tl_run_search(tl_run *run, const tl_batch *batch, const tl_translate_options *options,
                   tl_hypotheses *found) {
    const tl_translate_options greedy = {.beam = 1};
    if (!options) options = &greedy;
    if (!tl_run_has_model(run) || !batch || !found) return false;
    return options->beam > 1 ? search_beam(run, batch, options, found)
                             : search_greedily(run, batch, options, found);
}
