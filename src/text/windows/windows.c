/* Windows of a text. As with batches of a corpus, the state is only a position (epoch, batch). The batch at a position
 * depends only on the texts, the length and the seed.
 *
 * A window of n tokens uses n+1 ids: n that are read, and the one after each of them. Windows of one text overlap by
 * one id: the last target of one is the first id that the next one reads. So every id except the first of a text is a
 * target exactly once. */
#include "base/memory.h"

#include "tapeloom/text.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

typedef struct window {
    long from, length; /* reads ids from … from+length-1 */
    long text;
} window;

struct tl_windows {
    tl_error error;
    const int *ids;
    tl_windows_config config;
    window *window; /* [windows] in the order of the texts */
    long windows, batches;
    long room;   /* with one text: how far its windows can be shifted */
    long shift;  /* in this epoch */
    long *order; /* [windows] their order in this epoch */
    bool planned;
    tl_batches_position at;
    int *tgt_in, *tgt_out, *lengths; /* [batch,length], [batch] */
    long *index;
};

void tl_windows_free(tl_windows *w) {
    if (!w) return;
    free(w->window);
    free(w->order);
    free(w->tgt_in);
    free(w->tgt_out);
    free(w->lengths);
    free(w->index);
    free(w);
}

const char *tl_windows_error(const tl_windows *w) {
    if (!w) return "windows: out of memory";
    return tl_failed(&w->error) ? w->error.message : NULL;
}

/* ---- laying out windows ---- */

static bool check(tl_windows *w, const int *ids, long count) {
    const tl_windows_config *c = &w->config;
    if (!ids || count < 2)
        return tl_error_set(
            &w->error,
            "windows: found a text of %ld tokens, expected at least 2: one to read and one to "
            "foretell",
            ids ? count : 0);
    if (c->length < 1 || c->batch < 1 || c->length > INT_MAX || c->batch > INT_MAX / c->length)
        return tl_error_set(&w->error,
                            "windows: found length %ld and batch %ld, expected at least 1 of each, and less "
                            "than %d ids in a batch",
                            c->length, c->batch, INT_MAX);
    if (!!c->starts != (c->texts > 0))
        return tl_error_set(&w->error, "windows: found %ld texts, and %s say where they begin", c->texts,
                            c->starts ? "starts that" : "no starts that");
    for (long t = 0; c->starts && t < c->texts; t++)
        if (c->starts[t] < 0 || c->starts[t + 1] - c->starts[t] < 2 || c->starts[t + 1] > count)
            return tl_error_set(&w->error,
                                "windows: found text %ld from id %ld to %ld of %ld, expected two ids or more",
                                t, c->starts[t], c->starts[t + 1], count);
    return true;
}

static long windows_of(long ids, long length) { return (ids - 1 + length - 1) / length; }

static void lay(tl_windows *w, long text, long from, long to) {
    for (; from < to - 1; from += w->config.length) {
        const long left = to - 1 - from, length = left < w->config.length ? left : w->config.length;
        w->window[w->windows++] = (window){from, length, text};
    }
}

/* Lays out one text for shuffling: windows of equal length and, if the text is long enough, room to shift them. */
static void lay_stream(tl_windows *w, long count) {
    const long length = w->config.length, whole = (count - 1) / length;
    lay(w, 0, 0, count);
    if (!w->config.shuffled || whole < 1) return;
    w->windows = whole > 1 ? whole - 1 : 1;
    w->room = count - 1 - w->windows * length;
}

static long count_windows(const tl_windows *w, long count) {
    const tl_windows_config *c = &w->config;
    long windows = 0;
    if (!c->starts) return windows_of(count, c->length);
    for (long t = 0; t < c->texts; t++) windows += windows_of(c->starts[t + 1] - c->starts[t], c->length);
    return windows;
}

static bool lay_all(tl_windows *w, long count) {
    const tl_windows_config *c = &w->config;
    const size_t most = (size_t)count_windows(w, count), ids = (size_t)(c->batch * c->length);
    w->window = malloc(most * sizeof *w->window);
    w->order = malloc(most * sizeof *w->order);
    w->tgt_in = malloc(ids * sizeof *w->tgt_in);
    w->tgt_out = malloc(ids * sizeof *w->tgt_out);
    w->lengths = malloc((size_t)c->batch * sizeof *w->lengths);
    w->index = malloc((size_t)c->batch * sizeof *w->index);
    if (!w->window || !w->order || !w->tgt_in || !w->tgt_out || !w->lengths || !w->index)
        return tl_error_set(&w->error, "windows: out of memory for %zu windows", most);
    if (!c->starts) lay_stream(w, count);
    for (long t = 0; c->starts && t < c->texts; t++) lay(w, t, c->starts[t], c->starts[t + 1]);
    w->batches = (w->windows + c->batch - 1) / c->batch;
    return true;
}

tl_windows *tl_windows_new(const int *ids, long count, const tl_windows_config *config) {
    tl_windows *w = calloc(1, sizeof *w);
    if (!w) return NULL;
    if (config) w->config = *config;
    w->ids = ids;
    if (check(w, ids, count)) lay_all(w, count);
    return w;
}

/* ---- batches ---- */

static void plan(tl_windows *w) {
    if (w->planned) return;
    const tl_rng_key key = tl_rng_key_mix(tl_rng_key_of(w->config.seed, "windows"), (uint64_t)w->at.epoch);
    for (long i = 0; i < w->windows; i++) w->order[i] = i;
    if (w->config.shuffled) {
        tl_rng_shuffle(tl_rng_key_mix(key, 0), w->windows, w->order);
        w->shift = (long)tl_rng_below(tl_rng_key_mix(key, 1), 0, (uint64_t)w->room + 1);
    }
    w->planned = true;
}

static void fill_row(int *row, const int *ids, long length, long width, int pad) {
    memcpy(row, ids, (size_t)length * sizeof *row);
    for (long i = length; i < width; i++) row[i] = pad;
}

static void fill(tl_windows *w, const long *order, long rows, tl_batch *batch) {
    const int pad = w->config.pad;
    *batch = (tl_batch){.sentences = rows,
                        .tgt_in = w->tgt_in,
                        .tgt_out = w->tgt_out,
                        .tgt_lengths = w->lengths,
                        .index = w->index,
                        .pad = pad};
    for (long r = 0; r < rows; r++) {
        const window *one = &w->window[order[r]];
        w->lengths[r] = (int)one->length;
        w->index[r] = one->text;
        batch->tgt_tokens += one->length;
        if (batch->tgt_len < one->length) batch->tgt_len = one->length;
    }
    for (long r = 0; r < rows; r++) {
        const window *one = &w->window[order[r]];
        const int *ids = w->ids + one->from + w->shift;
        /* the model reads padding too, so it must be an id */
        fill_row(w->tgt_in + r * batch->tgt_len, ids, one->length, batch->tgt_len, pad < 0 ? 0 : pad);
        fill_row(w->tgt_out + r * batch->tgt_len, ids + 1, one->length, batch->tgt_len, pad);
    }
}

bool tl_windows_next(tl_windows *w, tl_batch *batch) {
    if (tl_windows_error(w)) return false;
    if (!batch) return tl_error_set(&w->error, "windows: found no batch to fill (NULL), expected a tl_batch");
    if (w->at.batch == w->batches) {
        if (w->at.epoch == LONG_MAX)
            return tl_error_set(&w->error, "windows: found epoch %ld at its end, and no number for another",
                                w->at.epoch);
        w->at = (tl_batches_position){w->at.epoch + 1, 0};
        w->planned = false;
        return false;
    }
    plan(w);
    const long from = w->at.batch++ * w->config.batch, left = w->windows - from;
    fill(w, w->order + from, left < w->config.batch ? left : w->config.batch, batch);
    return true;
}

tl_batches_position tl_windows_tell(const tl_windows *w) { return w ? w->at : (tl_batches_position){0, 0}; }

bool tl_windows_seek(tl_windows *w, tl_batches_position position) {
    if (tl_windows_error(w)) return false;
    if (position.epoch < 0 || position.batch < 0 || position.batch > w->batches)
        return tl_error_set(
            &w->error,
            "windows: found the position epoch %ld, batch %ld, expected batch 0 to %ld: text, "
            "window or batch are not those of the saved run; use the same",
            position.epoch, position.batch, w->batches);
    if (position.epoch != w->at.epoch) w->planned = false;
    w->at = position;
    return true;
}

long tl_windows_per_epoch(const tl_windows *w) { return tl_windows_error(w) ? 0 : w->batches; }
