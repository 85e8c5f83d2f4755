/* A language model writes, and the callback gets its text as soon as it is final. A token alone does not determine
 * its text: a word's token may join the next one to it, and a byte pair may end inside a character. So of a line
 * only the text that all continuations share is passed on, and of bytes only whole characters. */
#include "base/buffer.h"
#include "events.h"
#include "lm.h"

#include <stdlib.h>
#include <string.h>

typedef struct writer {
    tl_run *run;
    const tl_lm_write_options *options;
    tl_buffer tokens; /* chars, words: tokens of the current line */
    /* their text if the line ended here; or bytes that have not been passed on yet */
    tl_buffer text;
    size_t told; /* how much of `text` has been passed on */
    bool ended;  /* the callback returned false */
    bool later;  /* a prompt's line goes on: its text is passed on with its last tokens */
} writer;

static bool pass_on(writer *w, const char *piece, size_t size) {
    if (size && !w->ended && w->options->tell) w->ended = !w->options->tell(w->options->to, piece, size);
    return !w->ended;
}

/* ---- bytes ---- */

/* How many bytes at the end begin a character without completing it. */
static size_t unfinished_bytes(const char *bytes, size_t size) {
    for (size_t back = 1; back <= 3 && back <= size; back++) {
        const unsigned char c = (unsigned char)bytes[size - back];
        if ((c & 0xC0) == 0x80) continue;
        const size_t need = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
        return need > back ? back : 0;
    }
    return 0;
}

static bool take_bytes(writer *w, int id, bool last) {
    size_t size = 0;
    const char *bytes = last ? "" : tl_byte_bpe_token(w->run->byte_bpe, id, &size);
    if (!tl_buffer_add(&w->text, bytes, size)) return false;
    const size_t whole = w->text.size - (last ? 0 : unfinished_bytes(w->text.text, w->text.size));
    pass_on(w, w->text.text, whole);
    memmove(w->text.text, w->text.text + whole, w->text.size - whole + 1);
    w->text.size -= whole;
    return true;
}

/* ---- lines of tokens ---- */

/* Passes on the part of a line that cannot change: the beginning that its text now shares with its text before. If
 * called again without a new token, passes on the whole line. */
static bool pass_on_line(writer *w) {
    const bool words = !strcmp(w->run->settings.text.units, "words");
    char *line = tl_pretokens_join(words ? TL_PRETOKENS_WORDS : TL_PRETOKENS_CHARACTERS,
                                   w->tokens.text ? w->tokens.text : "");
    if (!line) return false;
    const size_t size = strlen(line);
    size_t same = 0;
    while (same < size && same < w->text.size && line[same] == w->text.text[same]) same++;
    while (same > 0 && same < size && ((unsigned char)line[same] & 0xC0) == 0x80) same--;
    if (same > w->told) {
        pass_on(w, line + w->told, same - w->told);
        w->told = same;
    }
    w->text.size = 0;
    const bool ok = tl_buffer_add(&w->text, line, size);
    free(line);
    return ok;
}

static bool end_line(writer *w) {
    const bool ok = pass_on_line(w);
    pass_on(w, "\n", 1);
    w->tokens.size = w->text.size = w->told = 0;
    if (w->tokens.text) w->tokens.text[0] = 0;
    return ok;
}

static bool take_token(writer *w, int id) {
    if (id == TL_EOS) return end_line(w);
    return (!w->tokens.size || tl_buffer_text(&w->tokens, " ")) &&
           tl_buffer_text(&w->tokens, tl_vocab_token(w->run->vocab[TL_TARGET], id)) &&
           (w->later || pass_on_line(w));
}

static bool take(writer *w, int id) {
    const bool ok = w->run->byte_bpe ? take_bytes(w, id, false) : take_token(w, id);
    return ok || tl_error_set(&w->run->error, "out of memory for a text");
}

/* ---- the prompt ---- */

/* The prompt's ids, after the start id. The text continues, so the last line has no end. */
static bool encode_prompt(tl_run *run, const char *prompt, tl_lm_text *t) {
    size_t room = 0;
    const char *line = prompt, *end;
    const int start = tl_lm_start(run);
    if (start >= 0 && !tl_lm_add_id(run, start, t, &room)) return false;
    for (; !run->byte_bpe && (end = strchr(line, '\n')); line = end + 1) {
        if (run->settings.lm.lines)
            return tl_error_set(&run->error,
                                "each line is a text by itself to this model: give one line as a prompt");
        if (!tl_lm_add_line(run, line, (size_t)(end - line), t, &room) ||
            !tl_lm_add_id(run, tl_lm_end(run), t, &room))
            return false;
    }
    if (*line && !tl_lm_add_line(run, line, strlen(line), t, &room)) return false;
    return t->count > 0 ||
           tl_error_set(&run->error, "these byte pairs have no token that begins a text: give a prompt");
}

static void warn_of_unknown(tl_run *run, const tl_lm_text *prompt) {
    char text[128];
    snprintf(text, sizeof text, "the model does not know %ld token%s of the prompt, and reads <unk> instead",
             prompt->unknown, prompt->unknown == 1 ? "" : "s");
    if (prompt->unknown) TL_TELL(run->events, warning, text);
}

/* ---- writing ---- */

static bool is_end(const writer *w, int id) {
    return (w->run->settings.lm.lines || w->run->byte_bpe) && id == tl_lm_end(w->run);
}

static bool on_token(void *to, int id, double log_p) {
    writer *w = to;
    (void)log_p;
    return is_end(w, id) || (take(w, id) && !w->ended);
}

/* Ids without text: a vocabulary's special ids, and rows of the embedding after the last token. The caller frees
 * them. */
static int *ids_without_text(tl_run *run, int *count) {
    static const int special[] = {TL_PAD, TL_BOS, TL_UNK};
    const long tokens = tl_lm_vocab_size(run), rows = run->gpt.config.vocab;
    int *ids = malloc((size_t)(rows - tokens + 3) * sizeof *ids);
    *count = 0;
    for (int i = 0; ids && !run->byte_bpe && i < 3; i++) ids[(*count)++] = special[i];
    for (long id = tokens; ids && id < rows; id++) ids[(*count)++] = (int)id;
    if (!ids) tl_error_set(&run->error, "out of memory for a text");
    return ids;
}

static bool generate(writer *w, const tl_lm_text *prompt) {
    tl_run *run = w->run;
    const tl_lm_write_options *o = w->options;
    const int end = tl_lm_end(run);
    const bool ends = end >= 0 && is_end(w, end);
    int count, *never = ids_without_text(run, &count);
    tl_model_maps room;
    if (!never) return false;
    const tl_generate_options options = {.prompt = prompt->ids,
                                         .prompt_length = prompt->count,
                                         .most = o->tokens ? o->tokens : 500,
                                         .context = run->settings.lm.context,
                                         .ends = ends ? &end : NULL,
                                         .ends_count = ends,
                                         .forbidden = count ? never : NULL,
                                         .forbidden_count = count,
                                         .greedy = o->greedy,
                                         .temperature = o->temperature,
                                         .top_k = (int)o->top_k,
                                         .top_p = o->top_p,
                                         .seed = (uint64_t)o->seed,
                                         .number = o->number,
                                         .intervene = tl_run_acting_maps(run, &room),
                                         .wrote = on_token,
                                         .to = w};
    const bool ok = tl_generate(run->model, run->tape, &options) ||
                    tl_error_set(&run->error, "%s", tl_tape_error(run->tape));
    free(never);
    return ok;
}

/* The first id of a prompt is the start id, which is no part of the text. Passing on a line's text joins all its tokens,
 * so it is done only at the last two of each line, which need it; at every token it would take time that grows with the
 * square of the line's length. */
static bool pass_on_prompt(writer *w, const tl_lm_text *prompt) {
    const int *ids = prompt->ids;
    for (long i = tl_lm_start(w->run) >= 0; i < prompt->count; i++) {
        w->later = i + 2 < prompt->count && ids[i + 1] != TL_EOS && ids[i + 2] != TL_EOS;
        if (!take(w, ids[i])) return false;
    }
    return true;
}

bool tl_lm_write(tl_run *run, const tl_lm_write_options *options) {
    static const tl_lm_write_options usual = {.prompt = NULL};
    if (!tl_run_has_model(run)) return false;
    if (!tl_run_gpt(run))
        return tl_error_set(&run->error, "the run in %s is one of %s, which has no language model", run->dir,
                            tl_run_program_name(run));
    writer w = {.run = run, .options = options ? options : &usual};
    tl_lm_text prompt = {0};
    const char *text = w.options->prompt ? w.options->prompt : "";
    bool ok = encode_prompt(run, text, &prompt);
    if (ok) warn_of_unknown(run, &prompt);
    ok = ok && pass_on_prompt(&w, &prompt) && (w.ended || generate(&w, &prompt));
    if (ok) ok = run->byte_bpe ? take_bytes(&w, 0, true) : pass_on_line(&w);
    if (!ok) tl_error_set(&run->error, "out of memory for a text");
    tl_lm_text_free(&prompt);
    tl_buffer_free(&w.tokens);
    tl_buffer_free(&w.text);
    return ok;
}
