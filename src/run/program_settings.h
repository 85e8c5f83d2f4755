/* What the settings of all programs share: rows over a tl_run_settings, and checks. */
#ifndef TL_RUN_PROGRAM_SETTINGS_H
#define TL_RUN_PROGRAM_SETTINGS_H

#include "run.h"
#include "training.h"

#define TL_ROW(name, kind, field, takes, help) TL_OPTION(tl_run_settings, field, name, kind, takes, help)
#define TL_ROW_ANEW(name, kind, field, takes, help) \
 TL_OPTION_ANEW(tl_run_settings, field, name, kind, takes, help)

/* The last row of each config.txt. */
#define TL_DEMO_ROW                                        \
 TL_OPTION_RARE(tl_run_settings, demo, "demo", FLAG, NULL, \
                "a demo has made it, and the next one may replace it")

/* The functions below return false, and a sentence in error, for settings that are not possible. */

/* An upper limit of a size. Larger ones are a mistake, or an attack on memory: a folder and its settings may come
 * from anywhere. */
typedef struct tl_size_limit {
    const char *option;
    long value, most;
} tl_size_limit;
bool tl_sizes_within(const tl_size_limit *sizes, size_t count, tl_error *error);
#define TL_SIZES_WITHIN(sizes, error) tl_sizes_within(sizes, sizeof(sizes) / sizeof *(sizes), error)

/* A setting that was given but has no effect. It is refused, since whoever gives it expects one. */
typedef struct tl_foreign {
    bool said;
    const char *option, *why;
} tl_foreign;
bool tl_none_said(const tl_foreign *rows, size_t count, tl_error *error);
#define TL_NONE_SAID(rows, error) tl_none_said(rows, sizeof(rows) / sizeof *(rows), error)

/* Do heads divide the width (d_model, or twice that)? With rotary positions: has each head an even number of
 * columns? */
bool tl_heads_fit(const tl_model_settings *model, long width, bool rotary, tl_error *error);
/* Has the vocabulary room for more than the special entries? */
bool tl_max_vocab_fits(const tl_text_settings *text, tl_error *error);
/* Fills in train.h's defaults; without any limit training ends after ten epochs. */
void tl_training_end_fill(tl_training_settings *training);

#endif
