/* translate attention: a sentence's cross-attention as a picture of characters, a row for each target token, a column for
 * each source token, darker where the decoder looked while it wrote the token.
 *
 *              the      cat    sleeps      .     <eos>
 *     le       ██       ·
 *     chat     ·        ██
 */
#include "run.h"

#include <stdlib.h>
#include <string.h>

typedef struct picture {
    long rows, columns;
    const char **row, **column; /* [rows], [columns] labels */
    double *share;              /* [rows,columns] */
} picture;

/* ---- drawing ---- */

static void print_padded(FILE *out, const char *text, long width) {
    fputs(text, out);
    for (long used = tl_text_columns(text); used < width; used++) fputc(' ', out);
}

static const char *shade(double share) {
    static const struct {
        double from;
        const char *text;
    } shades[] = {{0.8, "██"}, {0.5, "▓▓"}, {0.25, "▒▒"}, {0.1, "░░"}, {0.03, "·"}};
    for (size_t i = 0; i < sizeof shades / sizeof *shades; i++)
        if (share >= shades[i].from) return shades[i].text;
    return "";
}

static long widest(const char *const *texts, long count, long least) {
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
        long blank = 0; /* no white space behind a row's last shade */
        fprintf(out, "  ");
        fputs(p->row[r], out);
        blank += left - tl_text_columns(p->row[r]);
        for (long c = 0; c < p->columns; c++) {
            const char *s = shade(p->share[r * p->columns + c]);
            long width = tl_text_columns(p->column[c]) + 2;
            if (*s) print_padded(out, "", blank), fputs(s, out), blank = 0;
            blank += width - (*s ? tl_text_columns(s) : 0);
        }
        fputc('\n', out);
    }
}

/* ---- what is drawn ---- */

/* Shares of one layer: of one head, or the mean over all. probs [1,H,T,S] */
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

static bool look(run *r, picture *p, const int *src, const int *written) {
    const settings *s = &r->settings;
    long layers = r->model.decoder.layers, layer = s->layer ? s->layer - 1 : layers - 1;
    int src_length = (int)p->columns, length = (int)p->rows;
    int *read = calloc((size_t)length, sizeof *read); /* what the decoder reads: one token late */
    tl_attention_maps *maps = calloc((size_t)layers, sizeof *maps);
    p->share = calloc((size_t)(p->rows * p->columns), sizeof *p->share);
    bool ok = read && maps && p->share;
    if (ok) {
        *read = TL_BOS;
        memcpy(read + 1, written, (size_t)(length - 1) * sizeof *read);
        bool was = tl_tape_set_grad(r->tape, false);
        tl_tape_set_training(r->tape, 0);
        const tl_batch batch = {.sentences = 1,
                                .src_len = src_length,
                                .tgt_len = length,
                                .src = src,
                                .tgt_in = read,
                                .src_lengths = &src_length,
                                .tgt_lengths = &length};
        tl_var memory = tl_transformer_encode(&r->model, r->tape, &batch, NULL);
        tl_transformer_decode(&r->model, r->tape, &batch, memory, &(tl_model_maps){.cross = maps});
        ok = tl_ok(maps[layer].probs);
        if (ok) fill(p, tl_value(maps[layer].probs), s->head);
        tl_tape_set_grad(r->tape, was);
    }
    if (!ok)
        tl_error_set(&r->error, "%s",
                     tl_tape_error(r->tape) ? tl_tape_error(r->tape) : "out of memory for a map");
    free(read);
    free(maps);
    return ok;
}

static bool name(run *r, picture *p, const int *src, const int *written) {
    p->row = calloc((size_t)p->rows, sizeof *p->row);
    p->column = calloc((size_t)p->columns, sizeof *p->column);
    if (!p->row || !p->column) return tl_error_set(&r->error, "out of memory for a map");
    for (long i = 0; i < p->rows; i++) p->row[i] = tl_vocab_token(r->target, written[i]);
    for (long i = 0; i < p->columns; i++) p->column[i] = tl_vocab_token(r->source, src[i]);
    return true;
}

/* Ids of the line's tokens and <eos>, to free(). */
static int *ids_of(run *r, const char *line, long *length) {
    char *tokens = text_cut(r, TL_SOURCE, line);
    int *ids = NULL;
    *length = 1;
    if (tokens) {
        *length = tl_vocab_encode(r->source, tokens, NULL, 0) + 1;
        ids = malloc((size_t)*length * sizeof *ids);
        if (ids) ids[tl_vocab_encode(r->source, tokens, ids, *length - 1)] = TL_EOS;
    }
    free(tokens);
    if (!ids) tl_error_set(&r->error, "out of memory for a sentence");
    if (*length <= LONGEST_SENTENCE + 1) return ids;
    tl_error_set(&r->error, "a sentence has %ld tokens, and a model reads at most %d: cut it", *length - 1,
                 LONGEST_SENTENCE);
    free(ids);
    return NULL;
}

bool draw_attention(run *r, const char *source, FILE *out) {
    picture p = {0};
    int *src = ids_of(r, source, &p.columns);
    if (src && p.columns > 1) { /* a blank line has no picture */
        tl_search_result g;
        int length = (int)p.columns;
        tl_tape_reset(r->tape);
        const tl_batch source = {.sentences = 1, .src_len = length, .src = src, .src_lengths = &length};
        if (tl_search(
                &r->model.model, r->tape, &source,
                &(tl_search_options){.beam = 1, .max_ratio = target_ratio(r), .max_extra = TARGET_EXTRA},
                &g)) {
            p.rows = g.lengths[0] + (g.lengths[0] < g.capacity && g.ids[g.lengths[0]] == TL_EOS);
            if (p.rows && name(r, &p, src, g.ids) && look(r, &p, src, g.ids)) draw(&p, out);
        } else
            tl_error_set(&r->error, "%s", tl_tape_error(r->tape));
    }
    free(src);
    free(p.row);
    free(p.column);
    free(p.share);
    return !tl_failed(&r->error);
}

static bool check_place(run *r) {
    long layer = r->settings.layer, layers = r->model.decoder.layers;
    long head = r->settings.head, heads = r->model.config.heads;
    if (layer > layers)
        return tl_error_set(&r->error, "--layer %ld: the decoder has %ld: give 1 … %ld, or 0 for the last",
                            layer, layers, layers);
    if (head > heads)
        return tl_error_set(&r->error, "--head %ld: a layer has %ld: give 1 … %ld, or 0 for the mean of all",
                            head, heads, heads);
    return true;
}

int command_attention(settings *s) {
    run r = {.settings = *s};
    tl_corpus *lines = NULL;
    if (run_load(&r, s->model) && check_place(&r)) lines = read_lines(&r);
    for (long i = 0; i < tl_corpus_size(lines) && !tl_failed(&r.error); i++) {
        const char *line = tl_corpus_sentence(lines, TL_SOURCE, i);
        printf("%s%s\n\n", i ? "\n" : "", line);
        draw_attention(&r, line, stdout);
    }
    int status = tl_failed(&r.error) ? fail_with(r.error.message) : 0;
    tl_corpus_free(lines);
    run_free(&r);
    return status;
}
