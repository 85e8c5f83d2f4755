/* Names of tokens, and the words that they belong to. A token keeps the line's text even if the vocabulary lacks it. */
#include "sentences.h"

#include "run/words.h"

#include <stdlib.h>
#include <string.h>

const char *tl_sentence_token(tl_sentences *all, int id) {
    tl_run *run = all->run;
    size_t size;
    if (run->labels) return tl_labels_name(run->labels, id);
    if (!run->byte_bpe && (id < 0 || id >= tl_vocab_size(run->vocab[TL_TARGET]))) return NULL;
    if (!run->byte_bpe) return tl_vocab_token(run->vocab[TL_TARGET], id);
    const char *bytes = tl_byte_bpe_token(run->byte_bpe, id, &size);
    return bytes ? tl_sentences_copy(run, all, bytes, size) : NULL;
}

int tl_sentence_pad(const tl_run *run) { return run->byte_bpe ? -1 : TL_PAD; }

static bool room_for(tl_run *run, tl_sentences *all, long count, tl_tokens *tokens) {
    *tokens = (tl_tokens){.count = count};
    tokens->text = tl_sentences_take(run, all, (size_t)(count + 1) * sizeof *tokens->text);
    tokens->id = tl_sentences_take(run, all, (size_t)(count + 1) * sizeof *tokens->id);
    tokens->word = tl_sentences_take(run, all, (size_t)(count + 1) * sizeof *tokens->word);
    return tokens->text && tokens->id && tokens->word;
}

/* Numbers words again from 0, without the spaces between characters. */
static void number(tl_tokens *t, const tl_line *line) {
    long last = -1;
    for (long i = 0; i < t->count; i++) {
        t->word[i] = -1;
        if (i >= line->count || tl_token_is_space(line->tokens[i])) continue;
        if (line->tokens[i].word != last) last = line->tokens[i].word, t->words++;
        t->word[i] = t->words - 1;
    }
}

/* line: tokens with single spaces between them; ids: theirs, perhaps followed by <eos>. */
bool tl_tokens_of_line(tl_run *run, tl_sentences *all, tl_side side, const char *text, const int *ids,
                       long count, tl_tokens *tokens) {
    tl_line line = {0};
    const bool ok = tl_line_read(run, side, text, &line) && room_for(run, all, count, tokens);
    for (long i = 0; ok && i < count; i++) {
        const tl_token *t = i < line.count ? &line.tokens[i] : NULL;
        tokens->id[i] = ids[i];
        tokens->text[i] = t ? tl_sentences_copy(run, all, t->text, t->size)
                            : tl_vocab_token(tl_run_vocab(run, side), ids[i]);
        if (!tokens->text[i]) break;
    }
    if (ok) number(tokens, &line);
    free(line.tokens);
    return ok && !tl_failed(&run->error);
}

/* ---- running text ---- */

static bool is_blank(const char *text) {
    return !strcmp(text, "\xE2\x96\x81") || text[strspn(text, " \t\n\r")] == 0; /* ▁ */
}

/* For ids that a language model reads: a word begins after blanks or, with byte pairs, with a space. */
bool tl_tokens_of_text(tl_run *run, tl_sentences *all, const int *ids, long count, tl_tokens *tokens) {
    if (!room_for(run, all, count, tokens)) return false;
    const bool words = !run->byte_bpe && strcmp(run->settings.text.units, "chars");
    bool inside = false; /* inside a word */
    for (long i = 0; i < count; i++) {
        const char *text = tl_sentence_token(all, ids[i]);
        tokens->id[i] = ids[i];
        tokens->text[i] = text ? text : "";
        tokens->word[i] = -1;
        const bool special = run->byte_bpe ? tl_byte_bpe_special(run->byte_bpe, tokens->text[i]) == ids[i]
                                           : ids[i] < TL_SPECIALS && ids[i] != TL_UNK;
        if (special || is_blank(tokens->text[i])) {
            inside = false;
            continue;
        }
        if (words || !inside || strchr(" \n\t", tokens->text[i][0])) tokens->words++;
        tokens->word[i] = tokens->words - 1;
        inside = true;
    }
    return !tl_failed(&run->error);
}

/* Tokens without ids, each a word: patches, or a class. */
bool tl_tokens_plain(tl_run *run, tl_sentences *all, const char *const *texts, long count,
                     tl_tokens *tokens) {
    if (!room_for(run, all, count, tokens)) return false;
    for (long i = 0; i < count; i++) {
        tokens->text[i] = texts[i];
        tokens->id[i] = -1;
        tokens->word[i] = i;
    }
    tokens->words = count;
    return true;
}
