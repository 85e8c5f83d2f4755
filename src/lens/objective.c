/* What is differentiated, a loss or a number of one token: as a var, and in words. */
#include "lens.h"

#include "tapeloom/op.h"

#include <string.h>

static const tl_objective the_loss = {0};

/* ---- as a var ---- */

static bool of_classes(const tl_model *model) { return !model->kind->begin; }

static const int *targets_of(const tl_model *model, const tl_batch *batch) {
    return of_classes(model) ? batch->labels : batch->tgt_out;
}

int tl_true_token(const tl_model *model, const tl_batch *batch, const tl_objective *o) {
    const int *targets = targets_of(model, batch);
    return targets ? targets[o->sentence * (of_classes(model) ? 1 : batch->tgt_len) + o->position] : -1;
}

/* -log p summed over all targets, without smoothing. */
static tl_var nll(const tl_model *model, tl_tape *tape, const tl_batch *batch, const tl_model_maps *maps) {
    const tl_loss_options options = {
        .reduction = TL_REDUCE_SUM, .ignore = !of_classes(model), .ignore_id = batch->pad};
    if (!targets_of(model, batch))
        return tl_tape_fail(tape, "the batch has no targets: give tgt_out, or labels");
    tl_var logits = model->kind->logits(model, model->kind->hidden(model, tape, batch, maps));
    return tl_cross_entropy(logits, targets_of(model, batch), &options, NULL);
}

static bool token_is(const tl_model *model, tl_tape *tape, int token) {
    if (token >= 0 && token < model->tgt_vocab) return true;
    tl_tape_fail(tape, "objective: token %d: the model writes 0 … %ld", token, model->tgt_vocab - 1);
    return false;
}

/* Do the sentence and the position exist, and which token is the true one? */
static bool is_there(const tl_model *model, tl_tape *tape, const tl_batch *batch, const tl_objective *o,
                     int *token) {
    const long words = of_classes(model) ? 1 : batch->tgt_len;
    if (o->sentence < 0 || o->sentence >= batch->sentences || o->position < 0 || o->position >= words)
        return tl_tape_fail(tape,
                            "objective: word %ld of sentence %ld, but there are %ld sentences of %ld words",
                            o->position, o->sentence, batch->sentences, words),
               false;
    if (o->token < 0 && !targets_of(model, batch))
        return tl_tape_fail(tape, "objective: the true token, but the batch has no targets"), false;
    *token = o->token < 0 ? tl_true_token(model, batch, o) : o->token;
    return token_is(model, tape, *token) && (o->other < 0 || token_is(model, tape, o->other));
}

static tl_var column(tl_var row, int token) { return tl_slice(row, -1, token, token + 1); }

static tl_var of_token(const tl_model *model, tl_tape *tape, const tl_batch *batch, const tl_model_maps *maps,
                       const tl_objective *o) {
    int token;
    if (!is_there(model, tape, batch, o, &token)) return (tl_var){.tape = tape, .index = -1};
    tl_var hidden = tl_slice(model->kind->hidden(model, tape, batch, maps), 0, o->sentence, o->sentence + 1);
    if (!of_classes(model)) hidden = tl_slice(hidden, 1, o->position, o->position + 1);
    tl_var row = model->kind->logits(model, hidden);
    if (o->kind == TL_OF_LOG_P) row = tl_log_softmax(row, -1);
    tl_var y = column(row, token);
    if (o->other >= 0) y = tl_sub(y, column(row, o->other));
    return tl_sum(y, TL_ALL_AXES, false);
}

tl_var tl_objective_var(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                        const tl_model_maps *maps, const tl_objective *objective) {
    static const tl_loss_options sum = {.reduction = TL_REDUCE_SUM};
    if (!objective) objective = &the_loss;
    if (!model || !model->kind || !batch)
        return tl_tape_fail(tape, "objective: the model or the batch is NULL");
    switch (objective->kind) {
    case TL_OF_LOSS:
        return tl_model_loss(model, tape, batch, &sum, NULL, maps);
    case TL_OF_NLL:
        return nll(model, tape, batch, maps);
    default:
        return of_token(model, tape, batch, maps, objective);
    }
}

/* ---- in words ---- */

static const char *token_text(tl_sentences *names, const tl_objective *o, int token, char to[32]) {
    const tl_sentence *s =
        names && o->sentence >= 0 && o->sentence < names->count ? &names->sentence[o->sentence] : NULL;
    if (token < 0 && s && o->position >= 0 && o->position < s->written.count)
        return s->written.text[o->position];
    if (s && names->token) {
        const char *text = names->token(names, token);
        if (text) return text;
    }
    if (token < 0)
        snprintf(to, 32, "the true token");
    else
        snprintf(to, 32, "#%d", token);
    return to;
}

char *tl_objective_name(const tl_objective *objective, tl_sentences *names, char *to, size_t size) {
    const tl_objective *o = objective ? objective : &the_loss;
    const char *what = o->kind == TL_OF_LOG_P ? "log p" : "logit";
    const unsigned long word = (unsigned long)o->position + 1; /* unsigned: position may be LONG_MAX */
    char first[32], second[32];
    if (!to) return NULL;
    if (o->kind == TL_OF_LOSS)
        snprintf(to, size, "the loss as it is trained, summed over the words");
    else if (o->kind == TL_OF_NLL)
        snprintf(to, size, "-log p of the targets, summed");
    else if (o->other >= 0)
        snprintf(to, size, "%s of \"%s\" minus %s of \"%s\" (word %lu)", what,
                 token_text(names, o, o->token, first), what, token_text(names, o, o->other, second), word);
    else
        snprintf(to, size, "%s of \"%s\" (word %lu)", what, token_text(names, o, o->token, first), word);
    return to;
}

char *tl_objective_text(const tl_objective *objective, tl_sentences *names, char *to, size_t size) {
    const tl_objective *o = objective ? objective : &the_loss;
    const bool loss = o->kind == TL_OF_LOSS || o->kind == TL_OF_NLL;
    if (!to || !size) return to;
    snprintf(to, size, "L = ");
    tl_objective_name(o, names, to + strlen(to), size - strlen(to));
    snprintf(to + strlen(to), size - strlen(to), "; a positive gradient %s",
             loss            ? "makes it worse"
             : o->other >= 0 ? "favours the first"
                             : "makes it likelier");
    return to;
}
