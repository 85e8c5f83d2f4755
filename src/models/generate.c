/* Continues a text with a model that has no source, word by word, for any length.
 *
 * The model sees the text through a window of at most `context` ids. A state reads what is in the window at once
 * (tl_model_read), then each new word. When the window is full, its last half is read again by a new state in the same
 * memory. So memory does not grow, and each state computes what the model would compute for a text that begins where
 * the window begins. */
#include "model.h"
#include "sample.h"
#include "state.h"

#include "tapeloom/op.h"
#include "tensor/rows.h"

#include <math.h>
#include <string.h>

typedef struct writing {
    const tl_model *model;
    tl_tape *tape;
    const tl_generate_options *options;
    long vocab, context;
    int *window;              /* [context] the last ids of the text, which the model reads */
    long length;              /* how many ids are in the window */
    long written;             /* words written so far */
    uint8_t *forbidden, *end; /* [vocab] 1: forbidden, or ends the text; NULL: no such word */
    tl_sample_room room;
    bool over;
} writing;

/* ---- options ---- */

static bool check_ids(const writing *w, const char *what, const int *ids, long count) {
    if (count < 0 || (count > 0 && !ids))
        return tl_tape_fail(w->tape, "generate: %ld %s%s: give an array and its length", count, what,
                            ids ? "" : " at NULL"),
               false;
    for (long i = 0; i < count; i++)
        if (ids[i] < 0 || ids[i] >= w->vocab)
            return tl_tape_fail(w->tape, "generate: id %d among the %s: there are words 0 … %ld", ids[i],
                                what, w->vocab - 1),
                   false;
    return true;
}

static bool check_sizes(const writing *w) {
    const tl_generate_options *o = w->options;
    if (w->model->attentions[TL_ENCODER_SELF] || w->model->attentions[TL_CROSS])
        tl_tape_fail(w->tape, "generate: a %s reads a source: tl_search writes what it says of one",
                     w->model->kind->name);
    else if (o->prompt_length == 0)
        tl_tape_fail(w->tape, "generate: the prompt is empty: the model must read one id at least");
    else if (o->most < 1)
        tl_tape_fail(w->tape, "generate: most is %ld, should be 1 or more words", o->most);
    else if (w->context < 1 || w->context > w->model->max_len)
        tl_tape_fail(w->tape,
                     "generate: context is %ld, should be 1 … %ld, the model's max_len (0 means that)",
                     w->context, w->model->max_len);
    else if (!o->wrote)
        tl_tape_fail(w->tape, "generate: wrote is NULL: give a function to be told the words");
    else if (o->greedy && (o->temperature != 0 || o->top_k != 0 || o->top_p != 0))
        tl_tape_fail(
            w->tape,
            "generate: temperature, top_k and top_p are for samples: leave them 0, or `greedy` false");
    return !tl_tape_error(w->tape);
}

static bool check(const writing *w) {
    const tl_generate_options *o = w->options;
    return check_sizes(w) && check_ids(w, "prompt's words", o->prompt, o->prompt_length) &&
           check_ids(w, "words that end the text", o->ends, o->ends_count) &&
           check_ids(w, "forbidden words", o->forbidden, o->forbidden_count) &&
           tl_check_sampling(w->tape, "generate", &(tl_sampling){o->temperature, o->top_k, o->top_p});
}

/* [vocab] 1 for each of these ids, 0 elsewhere; NULL if there are none. */
static uint8_t *marks(const writing *w, const int *ids, int count) {
    uint8_t *is = count > 0 ? tl_zeroed(w->tape, (size_t)w->vocab) : NULL;
    for (int i = 0; is && i < count; i++) is[ids[i]] = 1;
    return is;
}

/* ---- the window ---- */

/* Appends ids to the window. If it would overflow, only the last half window of the text stays. */
static void add(writing *w, const int *ids, long count) {
    const long half = w->context > 1 ? w->context / 2 : 1;
    if (count > w->context) ids += count - half, count = half;
    if (count > w->context - w->length) {
        const long kept = half > count ? half - count : 0;
        memmove(w->window, w->window + w->length - kept, (size_t)kept * sizeof *ids);
        w->length = kept;
    }
    memcpy(w->window + w->length, ids, (size_t)count * sizeof *ids);
    w->length += count;
}

/* ---- a word ---- */

static int most_likely(const writing *w, const tl_real *logits) {
    if (!w->forbidden) {
        double nll;
        return (int)tl_row_arg_max(logits, w->vocab, &nll);
    }
    int best = -1;
    for (int v = 0; v < w->vocab; v++)
        if (!w->forbidden[v] && logits[v] > (best < 0 ? -(tl_real)INFINITY : logits[best])) best = v;
    return best;
}

static int choose(const writing *w, const tl_real *logits) {
    const tl_generate_options *o = w->options;
    if (o->greedy) return most_likely(w, logits);
    return tl_sample_word(logits, w->vocab, w->forbidden, &(tl_sampling){o->temperature, o->top_k, o->top_p},
                          tl_sample_chance(o->seed, 0, o->number, o->prompt_length + w->written), &w->room);
}

static bool write_word(writing *w, const tl_real *logits) {
    const tl_generate_options *o = w->options;
    const tl_row_softmax z = tl_row_softmax_of(logits, w->vocab);
    const double log_sum = log((double)z.sum);
    if (!isfinite(log_sum))
        return tl_tape_fail(w->tape,
                            "generate: the model's logits for word %ld hold NaN or infinity; are its weights "
                            "sound?",
                            w->written + 1),
               false;
    const int word = choose(w, logits);
    if (word < 0)
        return tl_tape_fail(w->tape,
                            "generate: there is nothing left to write as word %ld: every word is forbidden, "
                            "or has no probability",
                            w->written + 1),
               false;
    w->written++;
    const bool on = o->wrote(o->to, word, ((double)logits[word] - (double)z.max) - log_sum);
    w->over = !on || w->written == o->most || (w->end && w->end[word]);
    add(w, &word, 1);
    return true;
}

/* ---- the text ---- */

/* Reads the window, then writes words until the window is full or the text is over. */
static bool write_window(writing *w) {
    const long most = w->options->most - w->written, room = w->context - w->length;
    const tl_mark mark = tl_tape_mark(w->tape);
    tl_model_state *state =
        tl_model_begin(w->model, w->tape, &(tl_batch){.sentences = 1},
                       &(tl_model_state_options){.capacity = w->length + (most < room ? most : room),
                                                 .no_cache = w->options->no_cache,
                                                 .intervene = w->options->intervene});
    for (long read = 0; state && !w->over && read < w->length;) {
        const tl_mark step = tl_tape_mark(w->tape);
        tl_var logits = tl_model_read(state, w->window + read, w->length - read);
        read = w->length;
        if (!tl_ok(logits) || !write_word(w, tl_value(logits).data)) return false;
        tl_tape_release(w->tape, step);
    }
    tl_tape_release(w->tape, mark);
    return state && !tl_tape_error(w->tape);
}

/* Makes the window smaller if the whole text fits into less. */
static bool set_context(writing *w) {
    const tl_generate_options *o = w->options;
    if (w->context > o->prompt_length && o->most < w->context - o->prompt_length)
        w->context = o->prompt_length + o->most;
    if (tl_shape_numel(TL_SHAPE(w->context)) >= 0) return true;
    tl_tape_fail(w->tape, "generate: a context of %ld is more than memory can hold", w->context);
    return false;
}

static bool run(writing *w) {
    const tl_generate_options *o = w->options;
    if (!check(w) || !set_context(w)) return false;
    w->window = tl_tape_memory(w->tape, (size_t)w->context * sizeof *w->window);
    w->room.words = tl_tape_memory(w->tape, (size_t)w->vocab * sizeof *w->room.words);
    w->room.weights = tl_tape_memory(w->tape, (size_t)w->vocab * sizeof *w->room.weights);
    w->forbidden = marks(w, o->forbidden, o->forbidden_count);
    w->end = marks(w, o->ends, o->ends_count);
    if (tl_tape_error(w->tape)) return false;
    add(w, o->prompt, o->prompt_length);
    bool ok = true;
    while (ok && !w->over) ok = write_window(w);
    return ok;
}

bool tl_generate(const tl_model *model, tl_tape *tape, const tl_generate_options *options) {
    if (!tape || tl_tape_error(tape) || !tl_model_made(model, tape) || !tl_model_writes(model, tape))
        return false;
    if (!options) return tl_tape_fail(tape, "generate: the options are NULL: give a prompt at least"), false;
    writing w = {.model = model,
                 .tape = tape,
                 .options = options,
                 .vocab = model->tgt_vocab,
                 .context = options->context ? options->context : model->max_len};
    const tl_mark mark = tl_tape_mark(tape);
    const bool grad = tl_tape_set_grad(tape, false), reused = tl_tape_set_reuse_weights(tape, true);
    const long training = tl_tape_set_training(tape, 0);
    const bool ok = run(&w);
    tl_tape_set_grad(tape, grad);
    tl_tape_set_reuse_weights(tape, reused);
    tl_tape_set_training(tape, training);
    tl_tape_release(tape, mark);
    return ok;
}
