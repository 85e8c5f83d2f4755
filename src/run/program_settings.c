/* Checks that the settings of all programs share. */
#include "program_settings.h"

bool tl_sizes_within(const tl_size_limit *sizes, size_t count, tl_error *error) {
    for (size_t i = 0; i < count; i++)
        if (sizes[i].value > sizes[i].most)
            return tl_error_set(error, "--%s %ld: at most %ld are possible", sizes[i].option, sizes[i].value,
                                sizes[i].most);
    return true;
}

bool tl_none_said(const tl_foreign *rows, size_t count, tl_error *error) {
    for (size_t i = 0; i < count; i++)
        if (rows[i].said) return tl_error_set(error, "--%s: %s", rows[i].option, rows[i].why);
    return true;
}

bool tl_heads_fit(const tl_model_settings *m, long width, bool rotary, tl_error *error) {
    if (width % m->heads)
        return tl_error_set(error,
                            "--d-model %ld does not split into --heads %ld: choose heads that divide it",
                            m->d_model, m->heads);
    if (rotary && width / m->heads % 2)
        return tl_error_set(
            error,
            "rotary positions turn pairs of columns, but of --d-model %ld each of --heads %ld has %ld: "
            "choose them so that it is even",
            m->d_model, m->heads, width / m->heads);
    return true;
}

bool tl_max_vocab_fits(const tl_text_settings *s, tl_error *error) {
    if (!s->max_vocab || s->max_vocab > TL_SPECIALS) return true;
    return tl_error_set(error,
                        "--max-vocab %ld: %d entries are <pad>, <bos>, <eos> and <unk> already: give more, "
                        "or 0 for no limit",
                        s->max_vocab, TL_SPECIALS);
}

void tl_training_end_fill(tl_training_settings *s) {
    if (!s->steps && !s->epochs && s->minutes <= 0) s->epochs = 10;
    tl_training_settings_fill(s);
}
