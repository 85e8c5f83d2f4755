/* Everything that this room asks of a model: making it (by its program), the loss of a batch, and a search. */
#include "programs.h"

#include <stdlib.h>
#include <string.h>

static void make_tape(tl_run *run) {
    const tl_training_settings *s = &run->settings.training;
    tl_matmul_precision precision = TL_HIGHEST;
    tl_matmul_precision_of(s->matmul_precision, &precision);
    run->tape = tl_tape_new();
    tl_tape_set_seed(run->tape, (uint64_t)s->seed);
    tl_tape_set_matmul_precision(run->tape, precision);
}

static bool make(tl_run *run) {
    const tl_run_program *program = tl_run_program_of(run->settings.program, &run->error);
    if (!program) return false;
    run->model = program->make(run);
    if (!run->model) return false;
    make_tape(run);
    const char *wrong = tl_params_error(run->params);
    if (!wrong) wrong = tl_tape_error(run->tape);
    return wrong ? tl_error_set(&run->error, "%s", wrong) : true;
}

bool tl_run_make_model(tl_run *run) {
    run->params = tl_params_new((uint64_t)run->settings.training.seed);
    return make(run);
}

static bool make_from_file(tl_run *run, const tl_safetensors *file, const char *prefix) {
    if (file) tl_params_expect(run->params, file, prefix);
    const bool ok = make(run);
    tl_params_set_guard(run->params, NULL, NULL);
    return ok;
}

bool tl_run_make_empty_model(tl_run *run, const tl_safetensors *file, const char *prefix) {
    run->params = tl_params_new_empty();
    return make_from_file(run, file, prefix);
}

bool tl_run_make_initial_model(tl_run *run, const tl_safetensors *file, const char *prefix) {
    run->params = tl_params_new((uint64_t)run->settings.training.seed);
    return make_from_file(run, file, prefix);
}

/* ---- loss ---- */

tl_var tl_run_batch_loss(tl_run *run, const tl_batch *batch, const tl_loss_options *options,
                         tl_loss_report *report, const tl_model_maps *maps) {
    tl_model_maps room;
    if (!maps) maps = tl_run_acting_maps(run, &room);
    return tl_model_loss(run->model, run->tape, batch, options, report, maps);
}

void tl_loss_report_add(tl_loss_report *all, const tl_loss_report *one) {
    all->nll += one->nll;
    all->count += one->count;
    all->correct += one->correct;
}

bool tl_run_add_loss(tl_run *run, const tl_batch *batch, tl_loss_report *all) {
    tl_loss_report own = {0};
    tl_tape_reset(run->tape);
    if (!tl_ok(tl_run_batch_loss(run, batch, NULL, &own, NULL)))
        return tl_error_set(&run->error, "%s", tl_tape_error(run->tape));
    tl_loss_report_add(all, &own);
    return true;
}

void tl_quality_of_loss(tl_quality *q, const tl_loss_report *all) {
    if (!all->count) return;
    q->loss = all->nll / (double)all->count;
    q->accuracy = (double)all->correct / (double)all->count;
}

tl_var tl_run_loss(tl_run *run, const tl_batch *batch, const tl_model_maps *maps) {
    if (!tl_run_has_model(run)) return (tl_var){.index = -1};
    if (!batch) return tl_run_lacks(run, "the batch"), (tl_var){.index = -1};
    tl_var loss = tl_run_batch_loss(run, batch, NULL, NULL, maps);
    if (!tl_ok(loss)) tl_error_set(&run->error, "%s", tl_tape_error(run->tape));
    return loss;
}

/* ---- search ---- */

/* A translation has at most ratio·(source tokens) + MOST_EXTRA tokens; the ratio is larger if words become
 * characters. */
enum { MOST_EXTRA = 10 };
static double ratio_of(const tl_run *run) {
    const tl_text_settings *s = &run->settings.text;
    return !strcmp(s->tgt_units, "chars") && strcmp(s->src_units, "chars") ? 12 : 2;
}

long tl_run_beam(tl_run *run, const tl_translate_options *options) {
    const long beam = options->beam ? options->beam : TL_BEAM_DEFAULT;
    if (beam >= 1 && beam <= TL_BEAM_MOST) return beam;
    tl_error_set(&run->error, "a beam of %ld: should be 1 … %d, or 0 for %d", options->beam, TL_BEAM_MOST,
                 TL_BEAM_DEFAULT);
    return 0;
}

static bool options_fit(tl_run *run, const tl_translate_options *o) {
    const long most = 2147483647;
    const int layers = run->model->attentions[TL_CROSS];
    if ((o->align || o->align_heads) && o->replace_unknown)
        return tl_error_set(&run->error,
                            "alignments are of the words that the model wrote: they do not go together "
                            "with replacing <unk>");
    if (o->replace_unknown && layers < 1)
        return tl_error_set(&run->error,
                            "the model has no attention that would say which word stands in the place of "
                            "<unk>: leave replace_unknown out");
    if ((o->align || o->align_heads) && (layers < 1 || o->align_layer < 0 || o->align_layer > layers))
        return tl_error_set(&run->error,
                            "alignment of layer %ld: the decoder has %d that look at the source%s",
                            o->align_layer, layers, layers ? ": give 1, 2, …, or 0 for the last" : "");
    const long layer = o->align_layer ? o->align_layer : layers;
    if ((o->align || o->align_heads || o->replace_unknown) &&
        !tl_model_heads(run->model, TL_CROSS, (int)layer - 1))
        return tl_error_set(&run->error,
                            "the decoder's layer %ld has lost all heads that looked at the source: where it "
                            "looked cannot be told",
                            layer);
    if (o->no_repeat_ngram <= most && o->top_k <= most && o->no_repeat_ngram >= 0 && o->top_k >= 0)
        return true;
    return tl_error_set(&run->error, "no_repeat_ngram is %ld and top_k %ld: should be 0 … %ld",
                        o->no_repeat_ngram, o->top_k, most);
}

/* How many words each sentence's search is forced to begin with: its target without <eos>. The caller frees it. */
static int *forced_lengths(tl_run *run, const tl_batch *batch) {
    int *lengths = batch->sentences > 0 && batch->tgt_out && batch->tgt_lengths
                       ? malloc((size_t)batch->sentences * sizeof *lengths)
                       : NULL;
    for (long b = 0; lengths && b < batch->sentences; b++) lengths[b] = batch->tgt_lengths[b] - 1;
    if (!lengths)
        tl_error_set(&run->error, "prefixes: the batch has no targets to begin with, or no memory is left");
    return lengths;
}

bool tl_run_search(tl_run *run, const tl_batch *source, const tl_translate_options *options,
                   tl_search_result *found) {
    static const tl_translate_options greedy = {.beam = 1};
    if (!tl_run_has_model(run)) return false;
    if (!source || !found) return tl_run_lacks(run, source ? "the place for what is found" : "the batch");
    if (!options) options = &greedy;
    const int beam = (int)tl_run_beam(run, options);
    tl_model_maps room;
    int *forced = NULL;
    if (!beam || !options_fit(run, options) || (options->prefixes && !(forced = forced_lengths(run, source))))
        return false;
    const tl_search_options search = {.beam = beam,
                                      .nbest = options->nbest ? beam : 1,
                                      .max_ratio = ratio_of(run),
                                      .max_extra = MOST_EXTRA,
                                      .maps =
                                          options->replace_unknown || options->align || options->align_heads,
                                      .length_penalty = options->length_penalty,
                                      .no_repeat_ngram = (int)options->no_repeat_ngram,
                                      .sample = options->sample,
                                      .temperature = options->temperature,
                                      .top_k = (int)options->top_k,
                                      .top_p = options->top_p,
                                      .seed = (uint64_t)options->seed,
                                      .numbers = source->index,
                                      .forced = forced ? source->tgt_out : NULL,
                                      .forced_length = forced ? source->tgt_len : 0,
                                      .forced_lengths = forced,
                                      .intervene = tl_run_acting_maps(run, &room)};
    const bool ok = tl_search(run->model, run->tape, source, &search, found);
    free(forced);
    return ok || tl_error_set(&run->error, "%s", tl_tape_error(run->tape));
}
