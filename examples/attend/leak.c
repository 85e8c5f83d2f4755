/* attend leak: no output depends on a later word, or on padding (tl_leak_check). */
#include "program.h"

/* clang-format off */
const tl_option leak_options[] = {
    SUBJECT_ROWS,
    SENTENCE_ROWS,
    BATCH_ROW,
    COMMON_ROWS,
    TL_OPTIONS_END};
/* clang-format on */

static void print_line_of(bool ok, const char *what) { printf("%-7s %-10s ", ok ? "ok" : "FAILED", what); }

static void print_causal(const tl_leak_report *r) {
    print_line_of(!r->values && r->felt, "values");
    if (r->values)
        printf("another word at j changes the output at an earlier i in %ld of %ld pairs: first of sentence "
               "%ld, j %ld, i %ld, in %s "
               "(by %.2g)\n",
               r->values, r->pairs, r->value.sentence + 1, r->value.from + 1, r->value.to + 1,
               r->value.where[0] ? r->value.where : "the output", r->value.size);
    else
        printf("another word at j changes no bit of an output at i < j: %ld pairs; at i >= j it is felt from "
               "%ld positions\n",
               r->pairs, r->felt);
    print_line_of(!r->gradients && r->felt_gradients, "gradients");
    if (r->gradients)
        printf("dL_i/dx_j is not 0 for a j > i in %ld of %ld pairs: first of sentence %ld, j %ld, i %ld, as "
               "large as %.2g\n",
               r->gradients, r->pairs, r->gradient.sentence + 1, r->gradient.from + 1, r->gradient.to + 1,
               r->gradient.size);
    else
        printf("dL_i/dx_j is exactly 0 for every j > i: %ld pairs; for j <= i it is not, of %ld positions' "
               "losses\n",
               r->pairs, r->felt_gradients);
}

static void print_report(const tl_leak_report *r) {
    if (r->causal)
        print_causal(r);
    else
        printf("-       causality  this model reads its whole sentence before it says anything: nothing must "
               "be causal there\n");
    if (!r->padding) {
        printf("-       padding    not tried: a sentence is as long as the model can read\n");
        return;
    }
    print_line_of(!r->padding_felt, "padding");
    if (r->padding_felt)
        printf("%ld outputs change with what stands in the %s's padding\n", r->padding_felt, r->padding_side);
    else
        printf("two columns of it, filled with anything, change no bit of an output (%s)\n",
               r->padding == 2 ? "source and target"
               : r->causal     ? "target"
                               : "source");
}

/* Did the check run to its end, whatever it found? */
static bool is_complete(const tl_leak_report *r) {
    return r->ok || r->values || r->gradients || r->padding_felt || r->felt;
}

static int look(settings *s, tl_run *run, tl_sentences *sentences) {
    tl_leak_report r;
    bar b;
    bar_begin(&b, s, "looking for leaks", "pass");
    const bool ok = tl_leak_check(tl_run_model(run), tl_run_tape(run), &sentences->batch, bar_step, &b, &r);
    bar_end(&b);
    if (!ok && !is_complete(&r)) return fail_with(r.error.message);
    print_subject("", s);
    printf("%ld sentence%s, %ld positions at most\n", sentences->count, sentences->count == 1 ? "" : "s",
           r.causal ? sentences->batch.tgt_len : sentences->batch.src_len);
    print_report(&r);
    return ok ? 0 : fail_with(r.error.message);
}

int command_leak(settings *s) { return with_several(s, 1, look); }
