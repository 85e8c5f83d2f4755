/* attend flow: which input a word came from, by several methods. Each is a function of the library (tapeloom/flow.h)
 * shown under its own name. A method that the model does not allow is left out, with the reason. */
#include "flow.h"

#include <stdlib.h>
#include <string.h>

/* clang-format off */
const tl_option flow_options[] = {
    SUBJECT_ROWS,
    SENTENCE_ROWS,
    WORD_ROWS(flow.asked),
    ROW("of", TEXT, flow.asked.of, "logit|log-p", "what of the word is explained"),
    ROW("method", TEXT, flow.method, "NAME[,NAME]",
        "of rollout, max-flow, chefer, gradient-input, integrated, tau (default: all that the model allows)"),
    ROW("layer", TEXT, flow.layer, "N", "rollout and max-flow up to this layer, tau of this layer, from 0 (default: the last)"),
    ROW("head", TEXT, flow.head, "N", "tau of this head of the layer, from 0, or of the mean of all"),
    ROW("words", FLAG, flow.words, NULL, "subwords of one word as one row: their sum"),
    ROW("csv", TEXT, flow.csv, "FILE", "write the numbers there too"),
    COMMON_ROWS,
    TL_OPTIONS_END};
/* clang-format on */

static const struct {
    const char *name, *title, *claim;
} methods[FLOW_METHODS] = {
    [ROLLOUT] = {"rollout", "rollout",
                 "weights multiplied through the layers: shares, no gradient (Abnar & Zuidema 2020)"},
    [MAX_FLOW] = {"max-flow", "max-flow",
                  "the same weights as pipes: the most that fits through, no gradient (the same)"},
    [CHEFER] = {"chefer", "chefer",
                "weights times their gradients, positive parts alone (Chefer et al. 2021)"},
    [GRADIENT_INPUT] = {"gradient-input", "grad x input",
                        "signed, first order: exact if the model were linear (Shrikumar et al. 2016)"},
    [INTEGRATED] = {"integrated", "integrated",
                    "signed shares of what the input's content changes (Sundararajan et al. 2017)"},
    [TAU] = {"tau", "tau", "do weights and gradients rank positions alike? (Jain & Wallace 2019)"}};

const char *flow_name(flow_method m) { return methods[m].name; }
const char *flow_title(flow_method m) { return methods[m].title; }
const char *flow_claim(flow_method m) { return methods[m].claim; }

/* ---- which methods ---- */

/* Reads --method's names; false, and a message, for a name that does not exist. */
static bool choose(flow *f, tl_error *error) {
    const char *at = f->s->flow.method;
    for (int m = 0; m < FLOW_METHODS; m++) f->wanted[m] = !at;
    while (at) {
        const size_t length = strcspn(at, ",");
        int m = 0;
        while (m < FLOW_METHODS &&
               (strlen(methods[m].name) != length || strncmp(methods[m].name, at, length)))
            m++;
        if (m == FLOW_METHODS)
            return tl_error_set(
                error,
                "--method %.*s: there is none of that name: give some of rollout, max-flow, chefer, "
                "gradient-input, integrated, tau, with commas between",
                (int)(length > 40 ? 40 : length), at);
        f->wanted[m] = true;
        at = at[length] ? at + length + 1 : NULL;
    }
    return true;
}

static int attentions(const tl_model *model) {
    int count = 0;
    for (int kind = 0; kind < TL_ATTENTION_KINDS; kind++) count += model->attentions[kind];
    return count;
}

/* Are there layers without attention, such as the states of a recurrent side? */
static bool mixes_without_attention(const tl_model *model) {
    return (model->depths[TL_ENCODER] > 1 && !model->attentions[TL_ENCODER_SELF]) ||
           (model->depths[TL_DECODER] > 1 && !model->attentions[TL_DECODER_SELF]);
}

static void leave_out(flow *f) {
    const char *why = !attentions(f->model) ? "the model has no attention"
                      : mixes_without_attention(f->model)
                          ? "recurrent states mix the words, and no weights show how"
                          : NULL;
    f->left_out[ROLLOUT] = f->left_out[MAX_FLOW] = f->left_out[CHEFER] = why;
    f->left_out[TAU] = attentions(f->model) ? NULL : "the model has no attention";
}

/* The kind of attention that has the written token's row; --layer counts its layers. */
static tl_attention_kind compared(const tl_model *model) {
    if (model->attentions[TL_CROSS]) return TL_CROSS;
    return model->attentions[TL_DECODER_SELF] ? TL_DECODER_SELF : TL_ENCODER_SELF;
}

/* Reads a number of the command line, 0 … count-1. */
static bool read_number(const char *option, const char *text, long count, const char *otherwise, int *number,
                        tl_error *error) {
    char *end;
    const long n = strtol(text, &end, 10);
    *number = (int)n;
    return (*text >= '0' && *text <= '9' && !*end && n < count) ||
           tl_error_set(error, "--%s %s: say %s0 … %ld", option, text, otherwise, count - 1);
}

static bool choose_place(flow *f, tl_error *error) {
    const tl_attention_kind kind = compared(f->model);
    const int layers = f->model->attentions[kind];
    const settings *s = f->s;
    f->layer = f->head = -1;
    if (!layers) return true;
    if (s->flow.layer && !read_number("layer", s->flow.layer, layers, "", &f->layer, error)) return false;
    if (strcmp(s->flow.head, "mean") &&
        !read_number("head", s->flow.head, f->model->heads, "mean, or ", &f->head, error))
        return false;
    tl_attention_name(f->model, kind, f->layer < 0 ? layers - 1 : f->layer, f->attention);
    return true;
}

/* ---- measuring ---- */

static bool out_of_memory(tl_error *error) { return tl_error_set(error, "out of memory for what flows"); }

static double *room_for(flow *f, flow_method m) {
    return f->value[m] = calloc((size_t)(f->sources + f->targets) + 1, sizeof *f->value[m]);
}

/* Takes row `row` of both sides, from of_source [rows,S] and of_target [rows,T]. */
static void take_row(const flow *f, const tl_flow_layers *l, const double *of_source, const double *of_target,
                     long row, double *to) {
    for (long j = 0; j < l->sources; j++) to[j] = of_source[row * l->sources + j];
    for (long j = 0; j < l->targets && f->targets; j++) to[f->sources + j] = of_target[row * l->targets + j];
}

/* Computes rollout, max-flow and relevance from a look. */
static bool by_weights(flow *f, const tl_seen *seen) {
    const long row = f->sentences.batch.tgt_in ? f->objective.position : 0;
    tl_flow_layers *a = tl_flow_layers_of(seen, 0, TL_FLOW_WEIGHTS),
                   *grads = tl_flow_layers_of(seen, 0, TL_FLOW_RELEVANCE);
    const long rows = a ? tl_flow_rows(a) : 0, places = a ? a->sources + a->targets : 0;
    double *source = calloc((size_t)(rows * places) + 1, sizeof *source);
    double *target = source ? source + rows * (a ? a->sources : 0) : NULL;
    bool ok = a && grads && source;
    f->sources = a ? a->sources : 0;
    f->targets = a && !a->replaces ? a->targets : 0;
    if (ok && f->wanted[ROLLOUT]) {
        ok = room_for(f, ROLLOUT) && tl_attention_rollout(a, f->layer + 1, source, target);
        if (ok) take_row(f, a, source, target, row, f->value[ROLLOUT]);
    }
    if (ok && f->wanted[MAX_FLOW]) {
        ok = room_for(f, MAX_FLOW) && tl_attention_max_flow(a, f->layer + 1, row, source, target);
        if (ok) take_row(f, a, source, target, 0, f->value[MAX_FLOW]);
    }
    if (ok && f->wanted[CHEFER]) {
        ok = room_for(f, CHEFER) && tl_relevance(grads, source, target);
        if (ok) take_row(f, grads, source, target, row, f->value[CHEFER]);
        /* subtract the 1 that relevance begins with: it says nothing about attention */
        if (ok && (f->targets || !a->decoder_layers))
            f->value[CHEFER][(f->targets ? f->sources : 0) + row] -= 1;
    }
    free(source);
    tl_flow_layers_free(a);
    tl_flow_layers_free(grads);
    return ok;
}

static bool look_at_weights(flow *f, tl_error *error) {
    const bool any = f->wanted[ROLLOUT] || f->wanted[MAX_FLOW] || f->wanted[CHEFER];
    tl_seen seen;
    if (f->left_out[ROLLOUT] || !any) return true;
    if (!tl_look(f->model, tl_run_tape(f->run), &f->sentences.batch,
                 &(tl_look_options){.objective = f->objective}, &seen))
        return false;
    f->objective_value = seen.value;
    return by_weights(f, &seen) || out_of_memory(error);
}

static bool keep(flow *f, flow_method m, tl_input_shares *a, tl_error *error) {
    /* other methods must have found the same positions */
    bool ok = f->sources + f->targets == 0 || (f->sources == a->sources && f->targets == a->targets) ||
              tl_error_set(error, "weights are of %ld and %ld places, inputs of %ld and %ld", f->sources,
                           f->targets, a->sources, a->targets);
    f->sources = a->sources;
    f->targets = a->targets;
    f->objective_value = a->value;
    ok = ok && (room_for(f, m) || out_of_memory(error));
    if (ok) memcpy(f->value[m], a->source, (size_t)(a->sources + a->targets) * sizeof *a->source);
    tl_input_shares_free(a);
    return ok;
}

static bool by_gradients(flow *f, tl_error *error) {
    tl_input_shares a;
    if (f->wanted[GRADIENT_INPUT] &&
        !(tl_input_grads(f->model, tl_run_tape(f->run), &f->sentences.batch, &f->objective, NULL, &a) &&
          keep(f, GRADIENT_INPUT, &a, error)))
        return false;
    if (!f->wanted[INTEGRATED]) return true;
    bar b;
    bar_begin(&b, f->s, "integrated gradients, at most", "step");
    const bool ok =
        tl_integrated_grads(f->model, tl_run_tape(f->run), &f->sentences.batch, &f->objective,
                            &(tl_path_options){.progress = bar_step, .context = &b}, &a, &f->path);
    bar_end(&b);
    return ok && keep(f, INTEGRATED, &a, error);
}

static bool correlate(flow *f, tl_error *error) {
    if (!f->wanted[TAU] || f->left_out[TAU]) return true;
    f->words = f->sentences.batch.tgt_in ? f->sentences.sentence[0].written.count : 1;
    f->taus = calloc((size_t)f->words + 1, sizeof *f->taus);
    if (!f->taus) return out_of_memory(error);
    bar b;
    bool ok = true;
    bar_begin(&b, f->s, "tau", "word");
    bar_step(&b, 0, f->words);
    for (long word = 0; ok && word < f->words; word++) {
        tl_objective objective = {.kind = f->objective.kind, .position = word, .token = -1, .other = -1};
        if (word == f->objective.position) objective = f->objective;
        ok = tl_grad_taus_of(f->model, tl_run_tape(f->run), &f->sentences.batch, &objective, f->attention,
                             f->head, &f->taus[word]);
        if (ok && word == f->objective.position) f->objective_value = f->taus[word].value;
        bar_step(&b, word + 1, f->words);
    }
    bar_end(&b);
    return ok;
}

/* Is there a method that was asked for and that the model allows? */
static bool has_possible_method(const flow *f, tl_error *error) {
    const char *why = NULL;
    for (int m = 0; m < FLOW_METHODS; m++) {
        if (f->wanted[m] && !f->left_out[m]) return true;
        if (f->wanted[m]) why = f->left_out[m];
    }
    return tl_error_set(error, "--method %s: %s; gradient-input and integrated are there for every model",
                        f->s->flow.method, why);
}

int command_flow(settings *s) {
    tl_error error = {""};
    flow f = {.s = s};
    if (!choose(&f, &error)) return usage_with("flow", error.message);
    if (!(f.run = open_subject(s))) return 1;
    f.model = tl_run_model(f.run);
    leave_out(&f);
    const bool ok = has_possible_method(&f, &error) && choose_place(&f, &error) &&
                    read_sentence(s, f.run, &f.sentences) &&
                    read_asked(&s->flow.asked, &f.sentences, &f.objective, &error) &&
                    look_at_weights(&f, &error) && by_gradients(&f, &error) && correlate(&f, &error);
    if (ok && show_flow(&f, &error) && s->flow.csv) write_flow(&f, &error);
    const int status = status_of(f.run, &error);
    for (int m = 0; m < FLOW_METHODS; m++) free(f.value[m]);
    free(f.taus);
    tl_sentences_free(&f.sentences);
    tl_run_free(f.run);
    return status;
}
