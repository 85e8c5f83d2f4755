/* Unknown words: listing them, and replacing <unk>. A word is what people call so: with byte pairs all pieces up to
 * the one without @@, with characters everything up to the next space. So what is listed or copied can be read. */
#include "unknown.h"
#include "words.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "base/names.h"
#include "base/quote.h"
#include "events.h"

#include <stdlib.h>
#include <string.h>

/* ---- listing ---- */

enum { SHOWN = 5 };

typedef struct unknown {
    long words;         /* seen so far, repetitions included */
    tl_names different; /* each once; the texts belong to `text` */
    char **text;        /* [different.count] */
    size_t room;
} unknown;

/* A double space that no line had before is no word, and whoever writes <unk> does so on purpose. */
static bool is_word(const char *text) {
    size_t size;
    return tl_text_token(text, strlen(text), &size) && strcmp(text, "<unk>");
}

/* Counts a word and takes over its text. False when out of memory. */
static bool count(unknown *u, char *word) {
    const bool counts = is_word(word), is_new = counts && tl_names_find(&u->different, word) < 0;
    const size_t n = u->different.count;
    u->words += counts;
    if (is_new && TL_RESERVE(u->text, u->room, n + 1) && tl_names_add(&u->different, word, (long)n)) {
        u->text[n] = word;
        return true;
    }
    free(word);
    return !is_new;
}

static bool look_at(tl_run *run, const tl_corpus *encoded, tl_side side, long i, unknown *u) {
    long length, last = -1;
    tl_line l = {.count = 0};
    const int *ids = tl_corpus_ids(encoded, side, i, &length);
    bool any = false;
    for (long t = 0; t < length; t++) any |= ids[t] == TL_UNK;
    if (!any) return true;
    bool ok = tl_line_read(run, side, tl_corpus_sentence(encoded, side, i), &l);
    for (long t = 0; ok && t < length && t < l.count; t++) {
        if (ids[t] != TL_UNK || l.tokens[t].word == last) continue;
        char *word = tl_line_word(run, side, &l, t);
        ok = word && count(u, word);
        last = l.tokens[t].word;
    }
    free(l.tokens);
    return ok || tl_error_set(&run->error, "out of memory for unknown words");
}

static void warn(const tl_run *run, tl_side side, const unknown *u) {
    char text[TL_ERROR_MAX];
    const long different = (long)u->different.count;
    const bool whole = !strcmp(tl_units_of(&run->settings, side), "words");
    const char *which = run->labels ? "" : side == TL_SOURCE ? "source " : "target ";
    int used = snprintf(text, sizeof text, "%ld word%s %s the %svocabulary lacks, read as <unk>", u->words,
                        u->words == 1 ? "" : "s", whole ? "that" : "with parts that", which);
    if (different < u->words)
        used += snprintf(text + used, sizeof text - (size_t)used, "; %ld different", different);
    for (long i = 0; i < different && i < SHOWN; i++) {
        char quoted[TL_QUOTED];
        used += snprintf(text + used, sizeof text - (size_t)used, "%s%s", i ? ", " : ": ",
                         tl_quote(u->text[i], strlen(u->text[i]), quoted));
    }
    if (different > SHOWN)
        snprintf(text + used, sizeof text - (size_t)used, " and %ld more", different - SHOWN);
    TL_TELL(run->events, warning, text);
}

long tl_run_tell_unknown_of(tl_run *run, const tl_corpus *encoded, tl_side side) {
    unknown u = {.words = 0};
    bool ok = tl_run_usable(run);
    for (long i = 0; ok && i < tl_corpus_size(encoded); i++) ok = look_at(run, encoded, side, i, &u);
    if (ok && u.words) warn(run, side, &u);
    for (size_t i = 0; i < u.different.count; i++) free(u.text[i]);
    free(u.text);
    tl_names_free(&u.different);
    return ok ? u.words : 0;
}

long tl_run_tell_unknown(tl_run *run, const tl_corpus *encoded) {
    return tl_run_tell_unknown_of(run, encoded, TL_SOURCE);
}

/* ---- replacing ---- */

/* The source token with the largest mean weight over heads while word t was written; ties go to the first. */
static long best_source(const tl_said *said, long t, long tokens) {
    const tl_tensor c = said->cross;
    long best = 0;
    double most = -1;
    for (long s = 0; s < tokens && s < c.dim[2]; s++) {
        double sum = 0;
        for (long h = 0; h < c.dim[0]; h++)
            sum += (double)c.data[h * c.stride[0] + t * c.stride[1] + s * c.stride[2]];
        if (sum > most) most = sum, best = s;
    }
    return best;
}

static bool same_kind(const tl_run *run) {
    const tl_run_settings *s = &run->settings;
    return strcmp(tl_units_of(s, TL_SOURCE), "chars") && strcmp(tl_units_of(s, TL_TARGET), "chars") &&
           !strcmp(tl_pretokenize_of(s, TL_SOURCE), tl_pretokenize_of(s, TL_TARGET));
}

/* Adds the source word as a token of the target, with its marks if they mean the same on both sides. */
static bool add_word(tl_run *run, const tl_line *source, long s, tl_buffer *to) {
    const tl_token *t = source->tokens;
    if (!same_kind(run)) {
        char *word = tl_line_word(run, TL_SOURCE, source, s);
        if (word) tl_buffer_text(to, word);
        free(word);
        return word != NULL;
    }
    while (s > 0 && t[s - 1].word == t[s].word) s--;
    for (const long word = t[s].word; s < source->count && t[s].word == word; s++)
        tl_buffer_add(to, t[s].text, t[s].size - (tl_token_goes_on(t[s]) ? 2 : 0));
    return true;
}

static bool add_tokens(tl_run *run, const tl_said *said, const tl_line *source, tl_buffer *to) {
    const tl_vocab *vocab = run->vocab[TL_TARGET];
    long last = -1; /* the word that replaced the token before */
    bool ok = true;
    for (long t = 0; ok && t < said->length; t++) {
        const int id = said->ids[t];
        if (id == TL_PAD || id == TL_BOS) continue;
        const long s = id == TL_UNK && source->count ? best_source(said, t, source->count) : -1;
        const long word = s < 0 ? -1 : source->tokens[s].word;
        if (word >= 0 && word == last) continue;
        if (to->size) tl_buffer_text(to, " ");
        if (word < 0)
            tl_buffer_text(to, tl_vocab_token(vocab, id));
        else
            ok = add_word(run, source, s, to);
        last = word;
    }
    return ok;
}

char *tl_run_replace_unknown(tl_run *run, const tl_said *said) {
    tl_line source;
    tl_buffer tokens = {0};
    if (!tl_line_read(run, TL_SOURCE, said->source, &source)) return NULL;
    tl_buffer_add(&tokens, "", 0);
    const bool ok = add_tokens(run, said, &source, &tokens) && !tokens.failed;
    free(source.tokens);
    if (ok) return tokens.text;
    tl_error_set(&run->error, "out of memory for a translation");
    tl_buffer_free(&tokens);
    return NULL;
}
