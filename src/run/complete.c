/* A training loop's settings before it begins. A program may have filled in only two fields of the struct, so 0 and
 * NULL are replaced by the defaults that train.h documents. Impossible settings are refused here, before they end in
 * a division by 0 or a step in the wrong direction. */
#include "training.h"

#include "tapeloom/run.h"

#include <math.h>
#include <string.h>

void tl_training_settings_fill(tl_training_settings *s) {
    if (!s->schedule) s->schedule = "inverse-sqrt";
    if (!s->matmul_precision) s->matmul_precision = "highest";
    if (!s->batch_tokens) s->batch_tokens = 4096;
    if (!s->accumulate) s->accumulate = 1;
    if (s->shares == 1) s->shares = 0; /* 0 and 1 mean the same; config.txt has one form */
}

bool tl_training_settings_check(const tl_training_settings *s, tl_error *error) {
    const long batches = s->accumulate ? s->accumulate : 1;
    if (s->shares > batches)
        return tl_error_set(error,
                            "--shares %ld: an update consists of %ld batch%s (--accumulate), too few for a "
                            "share each: give fewer shares, or accumulate more",
                            s->shares, batches, batches == 1 ? "" : "es");
    if (s->warmup_from >= 0 && isfinite(s->warmup_from)) return true;
    return tl_error_set(error, "training: warmup_from is %g, should be 0 or more, and finite",
                        s->warmup_from);
}

/* The best model is chosen by the loss or by the task's own score. */
static bool check_best_by(tl_complete_config *c, tl_error *error) {
    const char *score = c->config.task->score, *by = c->validation.best_by;
    if (!by || !score || !strcmp(by, "loss") || !strcmp(by, score)) return true;
    return tl_error_set(error, "training: best_by is \"%s\", should be \"loss\" or \"%s\"", by, score);
}

bool tl_train_complete(tl_complete_config *to, const tl_train_config *config, tl_error *error) {
    *to = (tl_complete_config){*config, *config->training, *config->validation};
    to->config.training = &to->training;
    to->config.validation = &to->validation;
    tl_validation_settings numbers = to->validation;
    numbers.best_by = NULL; /* its row allows only translate's names */
    if (!tl_options_check(tl_training_options, &to->training, error) ||
        !tl_options_check(tl_validation_options, &numbers, error) ||
        !tl_training_settings_check(&to->training, error) || !check_best_by(to, error))
        return false;
    if (numbers.average > TL_MOST_RECENT)
        return tl_error_set(error, "--average %ld: at most %d are possible", numbers.average, TL_MOST_RECENT);
    tl_training_settings_fill(&to->training);
    if (!to->validation.best_by)
        to->validation.best_by = to->config.task->score ? to->config.task->score : "loss";
    return true;
}
