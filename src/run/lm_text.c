/* Between running text and ids:
 *
 *     line ──pre-tokens──▶ tokens ──vocabulary──▶ ids, <eos> for the line's end          chars, words
 *     text ──byte-level byte pairs──▶ ids                                                bpe
 *
 * A text's ids begin with the start id (tl_lm_start), which is read but not predicted. */
#include "base/buffer.h"
#include "base/memory.h"
#include "events.h"
#include "lm.h"

#include <stdlib.h>
#include <string.h>

static const char end_of_text[] = "<|endoftext|>";
static const char *const specials[] = {end_of_text, NULL};

/* ---- special ids ---- */

int tl_lm_start(const tl_run *run) {
    if (run->byte_bpe) return tl_byte_bpe_special(run->byte_bpe, end_of_text);
    return run->settings.lm.lines ? TL_BOS : TL_EOS;
}

int tl_lm_end(const tl_run *run) {
    return run->byte_bpe ? tl_byte_bpe_special(run->byte_bpe, end_of_text) : TL_EOS;
}

long tl_lm_vocab_size(const tl_run *run) {
    return run->byte_bpe ? tl_byte_bpe_size(run->byte_bpe) : tl_vocab_size(run->vocab[TL_TARGET]);
}

/* ---- from text to ids ---- */

static bool no_memory(tl_run *run) { return tl_error_set(&run->error, "out of memory for a text"); }

bool tl_lm_add_id(tl_run *run, int id, tl_lm_text *t, size_t *room) {
    if (!TL_RESERVE(t->ids, *room, (size_t)t->count + 1)) return no_memory(run);
    t->ids[t->count++] = id;
    return true;
}

static char *cut(tl_run *run, const char *line, size_t size) {
    const bool words = !strcmp(run->settings.text.units, "words");
    char *copy = malloc(size + 1);
    if (!copy) return no_memory(run), NULL;
    memcpy(copy, line, size);
    copy[size] = 0;
    char *tokens = tl_pretokens_cut(words ? TL_PRETOKENS_WORDS : TL_PRETOKENS_CHARACTERS, copy);
    if (!tokens) no_memory(run);
    free(copy);
    return tokens;
}

static bool add_bytes(tl_run *run, const char *bytes, size_t size, tl_lm_text *t, size_t *room) {
    const long count = tl_byte_bpe_encode(run->byte_bpe, bytes, size, NULL, 0);
    if (count < 0 || !TL_RESERVE(t->ids, *room, (size_t)(t->count + count + 1))) return no_memory(run);
    tl_byte_bpe_encode(run->byte_bpe, bytes, size, t->ids + t->count, count);
    t->count += count;
    return true;
}

bool tl_lm_add_line(tl_run *run, const char *line, size_t size, tl_lm_text *t, size_t *room) {
    if (run->byte_bpe) return add_bytes(run, line, size, t, room);
    char *tokens = cut(run, line, size);
    if (!tokens) return false;
    const tl_vocab *vocab = run->vocab[TL_TARGET];
    const long count = tl_vocab_encode(vocab, tokens, NULL, 0);
    bool ok = TL_RESERVE(t->ids, *room, (size_t)(t->count + count + 1));
    if (ok) tl_vocab_encode(vocab, tokens, t->ids + t->count, count);
    for (long i = 0; ok && i < count; i++) t->unknown += t->ids[t->count + i] == TL_UNK;
    if (ok) t->count += count;
    free(tokens);
    return ok || no_memory(run);
}

static long lines_of(const char *bytes, size_t size) {
    long lines = 0;
    for (const char *at = bytes, *stop = bytes + size;
         at < stop && (at = memchr(at, '\n', (size_t)(stop - at))); at++)
        lines++;
    return lines + (size && bytes[size - 1] != '\n');
}

/* All lines as one text, or each line as a text. A last line that the file does not end gets no line end, unless
 * lines are texts. */
static bool add_lines(tl_run *run, const char *bytes, size_t size, tl_lm_text *t, size_t *room) {
    const bool lines = run->settings.lm.lines;
    size_t texts = 0;
    long done = 0;
    for (const char *line = bytes, *stop = bytes + size, *end; line < stop; line = end + 1) {
        end = memchr(line, '\n', (size_t)(stop - line));
        const bool whole = end != NULL;
        if (!end) end = stop;
        if (lines) {
            if (end == line) continue; /* an empty line: nothing to learn */
            if (!TL_RESERVE(t->starts, texts, (size_t)t->texts + 2)) return no_memory(run);
            t->starts[t->texts++] = t->count;
            if (!tl_lm_add_id(run, tl_lm_start(run), t, room)) return false;
        }
        if (!tl_lm_add_line(run, line, (size_t)(end - line), t, room)) return false;
        if ((lines || whole) && !tl_lm_add_id(run, tl_lm_end(run), t, room)) return false;
        t->bytes += end - line + (lines || whole);
        TL_TELL(run->events, work_done, ++done, 0);
    }
    if (t->texts) t->starts[t->texts] = t->count;
    return true;
}

static bool add_lines_with_events(tl_run *run, const char *bytes, size_t size, tl_lm_text *t, size_t *room) {
    TL_TELL(run->events, work_began, TL_WORK_CUTTING, lines_of(bytes, size));
    const bool ok = add_lines(run, bytes, size, t, room);
    TL_TELL_THAT(run->events, work_ended);
    return ok;
}

static bool check_text(tl_run *run, const char *bytes, size_t size) {
    const char *nul = memchr(bytes, 0, size);
    if (run->settings.lm.lines && tl_lm_end(run) < 0)
        return tl_error_set(&run->error,
                            "these byte pairs have no %s to end a line with: add it to vocab.json, or leave "
                            "--lines out",
                            end_of_text);
    if (!nul || run->byte_bpe) return true;
    return tl_error_set(&run->error,
                        "the text has a zero byte at %zu: it is no text; --units bpe takes any bytes",
                        (size_t)(nul - bytes));
}

bool tl_lm_encode(tl_run *run, const char *bytes, size_t size, tl_lm_text *text) {
    size_t room = 0;
    if (text) *text = (tl_lm_text){0};
    if (!tl_run_usable(run)) return false;
    if (!text || !bytes) return tl_run_lacks(run, text ? "the text" : "the place for a text's ids");
    if (!run->byte_bpe && !run->vocab[TL_TARGET])
        return tl_error_set(&run->error,
                            "the run in %s has no vocabulary yet: train it, or open one that is trained",
                            run->dir);
    if (!size) return true;
    if (!check_text(run, bytes, size)) return false;
    if (run->settings.lm.lines) return add_lines_with_events(run, bytes, size, text, &room);
    if (tl_lm_start(run) >= 0 && !tl_lm_add_id(run, tl_lm_start(run), text, &room)) return false;
    if (!run->byte_bpe) return add_lines_with_events(run, bytes, size, text, &room);
    text->bytes = (long)size;
    return add_bytes(run, bytes, size, text, &room);
}

/* ---- from ids to text ---- */

static char *decoded_bytes(const tl_run *run, const int *ids, long count) {
    const size_t size = tl_byte_bpe_decode(run->byte_bpe, ids, count, NULL, 0) + 1;
    char *text = malloc(size);
    if (text) tl_byte_bpe_decode(run->byte_bpe, ids, count, text, size);
    return text;
}

/* The text of one line's ids, without its line end. */
static char *decoded_line(const tl_run *run, const int *ids, long count) {
    const bool words = !strcmp(run->settings.text.units, "words");
    const size_t size = tl_vocab_decode(run->vocab[TL_TARGET], ids, count, NULL, 0) + 1;
    char *tokens = malloc(size), *line = NULL;
    if (tokens) {
        tl_vocab_decode(run->vocab[TL_TARGET], ids, count, tokens, size);
        line = tl_pretokens_join(words ? TL_PRETOKENS_WORDS : TL_PRETOKENS_CHARACTERS, tokens);
    }
    free(tokens);
    return line;
}

char *tl_lm_decode(tl_run *run, const int *ids, long count) {
    tl_buffer text = {0};
    if (run->byte_bpe) {
        char *bytes = decoded_bytes(run, ids, count);
        if (!bytes) no_memory(run);
        return bytes;
    }
    for (long from = 0, to; from < count; from = to + 1) {
        for (to = from; to < count && ids[to] != TL_EOS;) to++;
        char *line = decoded_line(run, ids + from, to - from);
        if (line) tl_buffer_add(&text, line, strlen(line));
        if (to < count) tl_buffer_add(&text, "\n", 1);
        text.failed |= !line;
        free(line);
    }
    tl_buffer_add(&text, "", 0);
    if (!text.failed) return text.text;
    tl_buffer_free(&text);
    no_memory(run);
    return NULL;
}

void tl_lm_text_free(tl_lm_text *text) {
    if (!text) return;
    free(text->ids);
    free(text->starts);
    *text = (tl_lm_text){0};
}

/* ---- learning from a text ---- */

static void show_merge(void *context, long merge) {
    const tl_run *run = context;
    TL_TELL(run->events, work_done, merge, 0);
}

static bool learn_pairs(tl_run *run, const char *bytes, size_t size) {
    const long merges = run->settings.text.merges;
    TL_TELL(run->events, work_began, TL_WORK_MERGES, merges);
    run->byte_bpe = tl_byte_bpe_learn(
        bytes, size,
        &(tl_byte_bpe_config){
            .merges = merges, .specials = specials, .progress = show_merge, .context = run});
    TL_TELL_THAT(run->events, work_ended);
    return !tl_byte_bpe_error(run->byte_bpe) ||
           tl_error_set(&run->error, "%s", tl_byte_bpe_error(run->byte_bpe));
}

static bool count_lines(tl_run *run, const char *bytes, size_t size, tl_vocab_counts *counts) {
    long done = 0;
    bool ok = true;
    TL_TELL(run->events, work_began, TL_WORK_CUTTING, lines_of(bytes, size));
    for (const char *line = bytes, *stop = bytes + size, *end; ok && line < stop; line = end + 1) {
        end = memchr(line, '\n', (size_t)(stop - line));
        if (!end) end = stop;
        char *tokens = cut(run, line, (size_t)(end - line));
        ok = tokens && tl_vocab_counts_add(counts, tokens);
        free(tokens);
        TL_TELL(run->events, work_done, ++done, 0);
    }
    TL_TELL_THAT(run->events, work_ended);
    return ok || no_memory(run);
}

static bool learn_vocabulary(tl_run *run, const char *bytes, size_t size) {
    const tl_text_settings *s = &run->settings.text;
    tl_vocab_counts *counts = tl_vocab_counts_new();
    if (check_text(run, bytes, size) && count_lines(run, bytes, size, counts)) {
        tl_vocab *vocab =
            tl_vocab_new(counts, &(tl_vocab_config){.min_count = s->min_count, .max_size = s->max_vocab});
        run->vocab[TL_SOURCE] = run->vocab[TL_TARGET] = vocab;
        if (tl_vocab_error(vocab)) tl_error_set(&run->error, "%s", tl_vocab_error(vocab));
        if (!tl_failed(&run->error) && tl_vocab_size(vocab) == TL_SPECIALS)
            tl_error_set(&run->error,
                         "nothing is seen --min-count %ld times in the text: lower it, or give more text",
                         s->min_count);
    }
    tl_vocab_counts_free(counts);
    return !tl_failed(&run->error);
}

/* ---- saving and loading ---- */

static bool read_pairs(tl_run *run, const char *dir) {
    char vocab_path[TL_PATH], merges_path[TL_PATH];
    char *vocab = NULL, *merges = NULL;
    tl_byte_bpe_files files = {.vocab_name = tl_path_in(vocab_path, dir, "vocab.json"),
                               .merges_name = tl_path_in(merges_path, dir, "merges.txt"),
                               .specials = specials};
    bool ok = tl_file_read_regular(vocab_path, TL_WORDS_MOST, &vocab, &files.vocab_size, &run->error) &&
              tl_file_read_regular(merges_path, TL_WORDS_MOST, &merges, &files.merges_size, &run->error);
    if (ok && !strstr(vocab, end_of_text)) files.specials = NULL; /* the vocabulary may lack it */
    files.vocab = vocab;
    files.merges = merges;
    if (ok) {
        run->byte_bpe = tl_byte_bpe_parse(&files);
        if (tl_byte_bpe_error(run->byte_bpe))
            ok = tl_error_set(&run->error, "%s", tl_byte_bpe_error(run->byte_bpe));
    }
    free(vocab);
    free(merges);
    return ok;
}

bool tl_lm_learn(tl_run *run, const char *bytes, size_t size) {
    const char *tokenizer = run->settings.lm.tokenizer;
    if (!tl_lm_is_bpe(run)) return learn_vocabulary(run, bytes, size);
    if (!tokenizer) return learn_pairs(run, bytes, size);
    if (strlen(tokenizer) > TL_LONGEST_DIR)
        return tl_error_set(&run->error,
                            "--tokenizer: a folder with a name of %zu bytes: choose one of at most %d",
                            strlen(tokenizer), TL_LONGEST_DIR);
    return read_pairs(run, tokenizer);
}

bool tl_lm_save_text(tl_run *run) {
    size_t size = 0;
    if (!run->byte_bpe) return tl_run_save_vocab(run, run->vocab[TL_TARGET], "vocab.txt");
    char *vocab = tl_byte_bpe_vocab_text(run->byte_bpe, &size);
    if (!tl_run_save_file(run, vocab, size, "vocab.json")) return false;
    char *merges = tl_byte_bpe_merges_text(run->byte_bpe, &size);
    return tl_run_save_file(run, merges, size, "merges.txt");
}

bool tl_lm_load_text(tl_run *run) {
    if (tl_lm_is_bpe(run)) return read_pairs(run, run->dir);
    tl_run_file file = {.size = 0};
    if (tl_run_read_file(run, "vocab.txt", &file))
        run->vocab[TL_SOURCE] = run->vocab[TL_TARGET] = tl_run_parse_vocab(run, &file);
    tl_run_free_file(&file);
    return !tl_failed(&run->error);
}
