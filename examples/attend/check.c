/* attend check: the gates that a model must pass (tl_measure_batch, tl_gates_judge). */
#include "program.h"

#include <string.h>

enum { USUAL = 200, TOKENS = 1024, OVERFIT_SENTENCES = 8 };

/* clang-format off */
const tl_option check_options[] = {
    SUBJECT_ROWS,
    ROW("test", TEXT, test, "FILE",
        "sentences to measure on, as evaluate takes them (default: held-out ones of the run's own)"),
    ROW("most", LONG, most, "N", "at most so many of them (0: 200)"),
    ROW("overfit", LONG, check.overfit, "N",
        "also learn one batch of 8 by heart, from the weights before training, in so many steps (0: not tried; 200 will do)"),
    ROW("seed", LONG, check.seed, "N", "of the other orders that words are put into"),
    COMMON_ROWS,
    TL_OPTIONS_END};
/* clang-format on */

/* The same model before training; NULL, without a message, if there is none (its weights came from elsewhere). */
static tl_run *open_fresh(settings *s) {
    tl_error error = {""};
    settings fresh = *s;
    fresh.fresh = true;
    return s->pair ? open_subject(&fresh)
                   : tl_run_open(s->common.model, &(tl_run_choice){.weights = "initial"}, &error);
}

static bool measure(settings *s, tl_run *run, tl_run *fresh, tl_set *set, tl_measured *m) {
    const tl_run_settings *of = tl_run_settings_of(run);
    const tl_measure_options options = {.label_smoothing = of->training.label_smoothing,
                                        .seed = (uint64_t)s->check.seed,
                                        .fresh = fresh ? tl_run_model(fresh) : NULL,
                                        .fresh_tape = fresh ? tl_run_tape(fresh) : NULL};
    const tl_classifier *classifier = tl_run_classifier(run);
    bar b;
    tl_batch batch;
    *m = tl_measured_of(tl_run_model(run), !s->fresh && !s->pair,
                        !of->model.normaliser || strcmp(of->model.normaliser, "sigmoid"));
    m->bag = classifier && classifier->config.kind == TL_CLASSIFY_AVERAGE;
    bool ok = true;
    bar_begin(&b, s, "measuring", "sentence");
    while (ok && tl_set_next(set, &batch)) {
        ok = tl_measure_batch(m, tl_run_model(run), tl_run_tape(run), &batch, &options);
        if (ok) bar_step(&b, m->sentences, tl_set_count(set));
    }
    bar_end(&b);
    return ok && !tl_run_error(run);
}

static bool overfit(settings *s, tl_run *fresh, tl_measured *m) {
    tl_set *set = tl_set_new(fresh, &(tl_set_options){.file = s->test, .most = OVERFIT_SENTENCES});
    tl_batch batch;
    bar b;
    bar_begin(&b, s, "overfitting", "step");
    const bool ok = set && tl_set_next(set, &batch) &&
                    tl_measure_overfit(m, tl_run_model(fresh), tl_run_tape(fresh), &batch, s->check.overfit,
                                       bar_step, &b);
    bar_end(&b);
    tl_set_free(set);
    return ok;
}

static int print_gates(const tl_measured *m) {
    static const char *const verdicts[] = {
        [TL_GATE_PASSED] = "ok", [TL_GATE_FAILED] = "FAILED", [TL_GATE_NOT_ASKED] = "-"};
    tl_gate gates[TL_GATES];
    const int failed = tl_gates_judge(m, gates);
    int asked = 0;
    for (int i = 0; i < TL_GATES; i++) {
        printf("%-7s %-31s ", verdicts[gates[i].verdict], gates[i].name);
        tl_show(gates[i].measured, stdout);
        printf("\n");
        asked += gates[i].verdict != TL_GATE_NOT_ASKED;
        if (gates[i].verdict == TL_GATE_FAILED) printf("        what it usually means: %s\n", gates[i].means);
    }
    if (failed)
        printf("%d of %d gates failed.\n", failed, asked);
    else
        printf("All %d gates passed.\n", asked);
    return failed != 0;
}

static int check(settings *s, tl_run *run, tl_run *fresh) {
    tl_error error = {""};
    tl_measured m;
    tl_set *set = tl_set_new(
        run, &(tl_set_options){.file = s->test, .most = s->most ? s->most : USUAL, .batch_tokens = TOKENS});
    const bool ok = set && measure(s, run, fresh, set, &m);
    int status = 1;
    if (!ok || (s->check.overfit && fresh && !overfit(s, fresh, &m))) {
        status_of(tl_run_error(run) ? run : fresh, &error);
    } else {
        print_subject("", s);
        printf("%ld sentences (", m.sentences);
        tl_show(tl_set_name(set), stdout);
        printf("), %.0f targets, %.3f nats each\n", m.tokens, m.nll / m.tokens);
        status = print_gates(&m);
    }
    tl_set_free(set);
    return status;
}

int command_check(settings *s) {
    listener l;
    tl_run *run = open_subject(s);
    if (!run) return 1;
    listen_to(&l, s, run);
    tl_run *fresh = open_fresh(s);
    const int status = check(s, run, fresh);
    tl_run_free(fresh);
    tl_run_free(run);
    return status;
}
