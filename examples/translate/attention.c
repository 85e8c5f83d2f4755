/* translate attention: a sentence's cross-attention drawn with characters: a row for each target token, a column for
 * each source token, darker where the decoder attended while it wrote the token.
 *
 *              the      cat    sleeps      .     <eos>
 *     le       ██       ·
 *     chat     ·        ██
 * */
#include "program.h"

#include <stdlib.h>
#include <string.h>

typedef struct picture {
    long rows, columns;
    char **row, **column; /* [rows], [columns] labels, made harmless */
    double *share;        /* [rows,columns] */
} picture;

/* ---- drawing ---- */

static void print_padded(FILE *out, const char *text, long width) {
    fputs(text, out);
    for (long used = tl_text_columns(text); used < width; used++) fputc(' ', out);
}

static long widest(char *const *texts, long count, long least) {
    for (long i = 0; i < count; i++)
        if (tl_text_columns(texts[i]) > least) least = tl_text_columns(texts[i]);
    return least;
}

static void draw(const picture *p, FILE *out) {
    long left = widest(p->row, p->rows, 2) + 2;
    fprintf(out, "  ");
    print_padded(out, "", left);
    for (long c = 0; c < p->columns; c++) print_padded(out, p->column[c], tl_text_columns(p->column[c]) + 2);
    fputc('\n', out);
    for (long r = 0; r < p->rows; r++) {
        long blank = 0; /* no white space after a row's last shade */
        fprintf(out, "  ");
        fputs(p->row[r], out);
        blank += left - tl_text_columns(p->row[r]);
        for (long c = 0; c < p->columns; c++) {
            const char *s = shade_of(p->share[r * p->columns + c], true);
            long width = tl_text_columns(p->column[c]) + 2;
            if (*s) print_padded(out, "", blank), fputs(s, out), blank = 0;
            blank += width - (*s ? tl_text_columns(s) : 0);
        }
        fputc('\n', out);
    }
}

/* ---- computing the picture ---- */

/* Weights of one layer: of one head, or the mean over all. probs [1,H,T,S] */
static void fill(picture *p, tl_tensor probs, long head) {
    long heads = probs.dim[1];
    for (long h = 0; h < heads; h++) {
        if (head && h != head - 1) continue;
        for (long i = 0; i < p->rows * p->columns; i++) {
            long t = i / p->columns, s = i % p->columns;
            double value = probs.data[h * probs.stride[1] + t * probs.stride[2] + s * probs.stride[3]];
            p->share[i] += head ? value : value / (double)heads;
        }
    }
}

/* Runs the decoder over what was written, shifted by one, and takes the cross-attention's maps. */
static bool look(tl_run *run, picture *p, const int *src, const int *written, long layer, long head) {
    const long layers = tl_run_model(run)->attentions[TL_CROSS];
    tl_tape *tape = tl_run_tape(run);
    int src_length = (int)p->columns, length = (int)p->rows;
    int *read = calloc((size_t)length, sizeof *read);
    tl_attention_maps *maps = calloc((size_t)layers, sizeof *maps);
    p->share = calloc((size_t)(p->rows * p->columns), sizeof *p->share);
    bool ok = read && maps && p->share;
    if (ok) {
        *read = TL_BOS;
        memcpy(read + 1, written, (size_t)(length - 1) * sizeof *read);
        tl_batch batch = {.sentences = 1,
                          .src_len = src_length,
                          .tgt_len = length,
                          .src = src,
                          .tgt_in = read,
                          .tgt_out = written,
                          .src_lengths = &src_length,
                          .tgt_lengths = &length,
                          .pad = TL_PAD};
        bool was = tl_tape_set_grad(tape, false);
        ok = tl_ok(tl_run_loss(run, &batch, &(tl_model_maps){.cross = maps}));
        if (ok) fill(p, tl_value(maps[layer ? layer - 1 : layers - 1].probs), head);
        tl_tape_set_grad(tape, was);
    }
    free(read);
    free(maps);
    return ok;
}

static bool name(const tl_run *run, picture *p, const int *src, const int *written) {
    p->row = calloc((size_t)p->rows, sizeof *p->row);
    p->column = calloc((size_t)p->columns, sizeof *p->column);
    if (!p->row || !p->column) return false;
    bool ok = true;
    for (long i = 0; i < p->rows; i++)
        ok &= !!(p->row[i] = tl_shown_text(tl_vocab_token(tl_run_vocab(run, TL_TARGET), written[i])));
    for (long i = 0; i < p->columns; i++)
        ok &= !!(p->column[i] = tl_shown_text(tl_vocab_token(tl_run_vocab(run, TL_SOURCE), src[i])));
    return ok;
}

/* Ids of the line's tokens and <eos>; the caller frees them. */
static int *ids_of(tl_run *run, const char *line, long *length, tl_error *error) {
    const tl_vocab *vocab = tl_run_vocab(run, TL_SOURCE);
    char *tokens = tl_run_cut(run, TL_SOURCE, line);
    int *ids = NULL;
    *length = 1;
    if (tokens) {
        *length = tl_vocab_encode(vocab, tokens, NULL, 0) + 1;
        ids = malloc((size_t)*length * sizeof *ids);
        if (ids) ids[tl_vocab_encode(vocab, tokens, ids, *length - 1)] = TL_EOS;
    }
    free(tokens);
    if (!ids) tl_error_set(error, "out of memory for a sentence");
    return ids;
}

/* The number of tokens of a line that is too long for the model; 0 if it is not. */
static long too_long(tl_run *run, const char *line) {
    char *tokens = tl_run_cut(run, TL_SOURCE, line);
    const long length = tokens ? tl_vocab_encode(tl_run_vocab(run, TL_SOURCE), tokens, NULL, 0) : 0;
    free(tokens);
    return length > TL_LONGEST_SENTENCE ? length : 0;
}

bool draw_attention(tl_run *run, const char *source, long layer, long head, tl_error *error) {
    picture p = {0};
    tl_search_result found;
    int *src = ids_of(run, source, &p.columns, error), length = (int)p.columns;
    tl_batch batch = {.sentences = 1, .src_len = length, .src = src, .src_lengths = &length, .pad = TL_PAD};
    tl_tape_reset(tl_run_tape(run));
    if (src && length > 1 && tl_run_search(run, &batch, NULL, &found)) { /* a blank line has no picture */
        const int *written = found.ids;
        p.rows = found.lengths[0];
        if (p.rows < found.capacity && written[p.rows] == TL_EOS) p.rows++;
        if (p.rows && name(run, &p, src, written) && look(run, &p, src, written, layer, head))
            draw(&p, stdout);
        else if (p.rows && !tl_run_error(run))
            tl_error_set(error, "out of memory for a map");
    }
    free(src);
    for (long i = 0; p.row && i < p.rows; i++) free(p.row[i]);
    for (long i = 0; p.column && i < p.columns; i++) free(p.column[i]);
    free(p.row);
    free(p.column);
    free(p.share);
    return !tl_failed(error) && !tl_run_error(run);
}

static bool check_place(const settings *s, const tl_run *run, tl_error *error) {
    const tl_model *model = tl_run_model(run);
    const long layers = model->attentions[TL_CROSS],
               heads = tl_model_heads(model, TL_CROSS, (int)(s->layer ? s->layer : layers) - 1);
    if (!layers)
        return tl_error_set(error, "the model has no attention (--attention none): there is nothing to draw");
    if (s->layer > layers)
        return tl_error_set(error, "--layer %ld: the decoder has %ld: give 1 … %ld, or 0 for the last",
                            s->layer, layers, layers);
    if (!heads)
        return tl_error_set(error, "the decoder's layer %ld has lost all its heads: there is nothing to draw",
                            s->layer ? s->layer : layers);
    if (s->head > heads)
        return tl_error_set(error, "--head %ld: a layer has %ld: give 1 … %ld, or 0 for the mean of all",
                            s->head, heads, heads);
    return true;
}

/* Draws every line except those that are too long, which are reported; returns how many these are. */
static long draw_lines(const settings *s, tl_run *run, const tl_corpus *lines, tl_error *error) {
    long left_out = 0;
    for (long i = 0; i < tl_corpus_size(lines) && !tl_failed(error) && !tl_run_error(run); i++) {
        const char *line = tl_corpus_sentence(lines, TL_SOURCE, i);
        const long tokens = too_long(run, line);
        if (tokens)
            fprintf(stderr,
                    "translate: warning: line %ld has %ld tokens, and a model reads at most %d: it is left "
                    "out; cut "
                    "it into sentences\n",
                    i + 1, tokens, TL_LONGEST_SENTENCE);
        left_out += tokens > 0;
        if (tokens) continue;
        print_line(i ? "\n" : "", line, "\n\n");
        draw_attention(run, line, s->layer, s->head, error);
    }
    return left_out;
}

int command_attention(settings *s) {
    tl_error error = {""};
    tl_run *run = open_run(s);
    if (!run) return 1;
    long none = 0;
    tl_corpus *lines = check_place(s, run, &error) ? read_lines(s, run, &none, &error) : NULL;
    const long left_out = draw_lines(s, run, lines, &error);
    int status = status_of(run, &error);
    if (!status && left_out) status = 1;
    tl_corpus_free(lines);
    tl_run_free(run);
    return status;
}
