/* Updates of the training step over ranks, and apart from them what an update's time consists of: for bench/scaling, which starts
 * this program under mpirun. Every rank runs the same requests with one thread; rank 0 prints rows of CSV:
 *
 *     CASE,QUANTITY,VALUE            seconds, a number or numbers; "T1/8/2" are T1, 8 sentences, 2 shares
 */
#define _POSIX_C_SOURCE 200809L
#include "configurations.h"

#include "ranks/ranks.h"
#include "tensor/map.h"

#include <math.h>
#include <unistd.h>

#define USAGE                                                                                              \
 "ranks REQUEST [, REQUEST …], each of\n"                                                                \
 "    probe SECONDS                          of the ranks' connection: latency, bytes, and their memory\n" \
 "    parts T0|T1|T2|T3 SECONDS [sentences=N]              what an update is made of, each by itself\n"    \
 "    update T0|T1|T2|T3 SECONDS [sentences=N] [shares=G] [accumulate=A]          by tl_train, as it is"

typedef struct bench { /* a model, kept from one request to the next */
    tl_ranks *ranks;
    configuration c;
    tl_batch batch;
    tl_params *params;
    tl_transformer model;
    tl_tape *tape;
    long step;
} bench;

static void model_end(bench *b) {
    tl_tape_free(b->tape);
    tl_params_free(b->params);
    free((void *)b->batch.src);
    *b = (bench){.ranks = b->ranks};
}

/* Of the request's model, with its batch: the same on all ranks, whose parameters then stay the same also where nothing is exchanged. */
static bool model_begin(bench *b, const request *r) {
    const configuration *named = configuration_of(word_of(r, 1, "T1"));
    if (!named) return false;
    configuration c = *named;
    c.sentences = number_of(r, "sentences", c.sentences);
    if (c.sentences < 1) return refuse("sentences are 1 or more, not", option_of(r, "sentences", ""));
    if (b->params && !strcmp(b->c.name, c.name) && b->c.sentences == c.sentences) return true;
    model_end(b);
    const tl_transformer_config config = model_of(&c);
    *b = (bench){.ranks = b->ranks,
                 .c = c,
                 .batch = random_batch(&c, 0),
                 .params = tl_params_new(1),
                 .tape = tl_tape_new()};
    b->model = tl_transformer_init(b->params, "", &config);
    return b->batch.src && !tl_params_error(b->params);
}

/* ---- one thing measured by all ranks at the same time ---- */

static bool row(const bench *b, const char *which, const char *quantity, double value) {
    if (tl_ranks_lead(b->ranks)) printf("%s,%s,%.6g\n", which, quantity, value);
    return true;
}

static bool meet(bench *b, tl_error *error) {
    char all[1024], mine = 0;
    return tl_ranks_gather(b->ranks, &mine, all, 1, error);
}

static double counts; /* seconds of a work's run that count; 0: all of it */

/* The median of what rank 0's clock says, over as many runs as the seconds hold, 3 at least, after one that does not count. */
static double timed(bench *b, bool (*work)(bench *, tl_error *), double seconds, tl_error *error) {
    static double times[MOST_TIMES];
    double begun = now(), took;
    bool more = true;
    int n = -1;
    if (!meet(b, error)) return 0;
    while (more) {
        const double t = now();
        counts = 0;
        if (!work(b, error)) return 0;
        took = counts > 0 ? counts : now() - t;
        if (n >= 0) times[n] = took;
        if (n++ < 0) begun = now();
        more = n < 3 || (n < MOST_TIMES && now() - begun < seconds);
        if (!tl_ranks_broadcast(b->ranks, &more, sizeof more, error)) return 0;
    }
    qsort(times, (size_t)n, sizeof *times, by_size);
    return times[n / 2];
}

/* ---- probe: the connection ---- */

enum { PROBE = 1 << 22, PIECE = 1 << 17 }; /* numbers */
static tl_real *streamed_out, *streamed_in;
static long streamed; /* numbers of each: what a model's exchange has, in as many slices as there are ranks */

static bool ping_pong(bench *b, tl_error *error) {
    char byte = 0;
    const int own = tl_ranks_number(b->ranks);
    for (int turn = 0; turn < 2; turn++) {
        if (own == turn && !tl_ranks_send(b->ranks, !turn, 0, &byte, 1, error)) return false;
        if (own == !turn && !tl_ranks_receive(b->ranks, turn, 0, &byte, 1, error)) return false;
        if (!tl_ranks_wait(b->ranks, error)) return false;
    }
    return true;
}

static long slice(const bench *b) { return streamed / tl_ranks_count(b->ranks); }

/* Every rank sends a slice to each other one, and gets one of each, in messages as the fold has them. */
static bool stream(bench *b, tl_error *error) {
    const int own = tl_ranks_number(b->ranks), count = tl_ranks_count(b->ranks);
    for (int turn = 0; turn < 2; turn++)
        for (int other = 0; other < count; other++)
            for (long done = 0; other != own && done < slice(b); done += PIECE) {
                const long at = other * slice(b) + done, left = slice(b) - done, tag = done / PIECE;
                const size_t bytes = (size_t)(left < PIECE ? left : PIECE) * sizeof(tl_real);
                const bool ok =
                    turn ? tl_ranks_send(b->ranks, other, (int)tag, streamed_out + at, bytes, error)
                         : tl_ranks_receive(b->ranks, other, (int)tag, streamed_in + at, bytes, error);
                if (!ok) return false;
            }
    return tl_ranks_wait(b->ranks, error);
}

/* An exchange as an update has it: behind a share's time, in which nothing travels, a stream; then a meeting and a gather. A connection
 * that is never at rest is another one: its queues stay full. */
static double share_time;

static bool exchange(bench *b, double *streams, double *gathers, tl_error *error) {
    const double begun = now();
    while (now() - begun < share_time)
        ;
    const double streamed_from = now();
    if (!stream(b, error)) return false;
    *streams = now() - streamed_from;
    if (!meet(b, error)) return false;
    const double gathered_from = now();
    const bool ok = tl_ranks_gather(b->ranks, streamed_in + tl_ranks_number(b->ranks) * slice(b), streamed_in,
                                    (size_t)slice(b) * sizeof(tl_real), error);
    *gathers = now() - gathered_from;
    return ok;
}
static bool stream_counts(bench *b, tl_error *error) {
    double other;
    return exchange(b, &counts, &other, error);
}
static bool gather_counts(bench *b, tl_error *error) {
    double other;
    return exchange(b, &other, &counts, error);
}

/* Seconds of a byte where so many numbers are exchanged, by shares of so many seconds: long streams are not as fast as short ones. */
static bool bytes(bench *b, const char *which, long numbers, double share, double seconds, tl_error *error) {
    const double others = tl_ranks_count(b->ranks) - 1;
    if (others < 1) return true;
    share_time = share;
    streamed = numbers < PROBE ? numbers : PROBE;
    streamed_out = calloc((size_t)streamed, sizeof *streamed_out);
    streamed_in = calloc((size_t)streamed, sizeof *streamed_in);
    if (!streamed_out || !streamed_in) return tl_error_set(error, "out of memory for a stream");
    const double sent = others * (double)slice(b) * sizeof(tl_real);
    row(b, which, "send_byte", timed(b, stream_counts, seconds, error) / sent);
    row(b, which, "gather_byte", timed(b, gather_counts, seconds, error) / sent);
    free(streamed_out);
    free(streamed_in);
    return !tl_failed(error);
}

static bool probe(bench *b, const request *r, tl_error *error) {
    const double seconds = strtod(word_of(r, 1, "0.3"), NULL);
    if (tl_ranks_count(b->ranks) < 2) return true;
    row(b, "probe", "latency", timed(b, ping_pong, seconds, error) / 2);
    row(b, "probe", "meeting", timed(b, meet, seconds, error));
    return bytes(b, "probe", PROBE, 0.1, seconds, error);
}

/* ---- parts: what every rank does alone, which lasts until all of them are through if it takes long; and its exchange alone ---- */

static tl_adam *adam;

static bool forward_backward(bench *b, tl_error *error) {
    tl_tape_reset(b->tape);
    tl_tape_set_training(b->tape, ++b->step);
    tl_zero_grad(b->params); /* each share begins so */
    const tl_var loss =
        tl_model_loss(&b->model.model, b->tape, &b->batch,
                      &(tl_loss_options){.label_smoothing = 0.1, .reduction = TL_REDUCE_SUM}, NULL, NULL);
    if (!tl_backward(loss)) return tl_error_set(error, "%s", tl_tape_error(b->tape));
    tl_clip_grad_norm(b->params, 0); /* is it finite? */
    return meet(b, error);
}

/* What follows the exchange: as src/run/update.c has it. */
static bool replicated(bench *b, tl_error *error) {
    tl_scale_grad(b->params, 1e-3);
    tl_clip_grad_norm(b->params, 1);
    if (!tl_adam_step(adam, 1e-5)) return tl_error_set(error, "%s", tl_adam_error(adam));
    return meet(b, error);
}

static bool zero(bench *b, tl_error *error) {
    (void)error;
    tl_zero_grad(b->params);
    return true;
}

static tl_real *copy_from, *copy_to;
static long copied;

static bool copy(bench *b, tl_error *error) {
    (void)b, (void)error;
    memcpy(copy_to, copy_from, (size_t)copied * sizeof *copy_to);
    return true;
}

static bool add(bench *b, tl_error *error) {
    (void)b, (void)error;
    const tl_shape shape = TL_SHAPE(copied);
    tl_tensor_accumulate(tl_tensor_of(copy_to, shape), tl_tensor_of(copy_from, shape));
    return true;
}

static bool parts(bench *b, const request *r, tl_error *error) {
    char which[64];
    const double seconds = strtod(word_of(r, 2, "1"), NULL);
    if (!model_begin(b, r)) return tl_error_set(error, "no model");
    copied = tl_params_numel(b->params);
    snprintf(which, sizeof which, "%s/%ld", b->c.name, b->c.sentences);
    adam = tl_adam_new(b->params, &(tl_adam_config){.beta2 = 0.98});
    copy_from = calloc((size_t)copied, sizeof *copy_from);
    copy_to = calloc((size_t)copied, sizeof *copy_to);
    if (!adam || !copy_from || !copy_to) return tl_error_set(error, "out of memory for parts");
    row(b, which, "params", (double)copied);
    row(b, which, "flop",
        3 * forward_flop(&b->c, (double)b->c.sentences, (double)b->c.length, (double)b->c.length));
    const double share = timed(b, forward_backward, seconds, error);
    row(b, which, "forward_backward", share);
    row(b, which, "tape_bytes", (double)tl_tape_stats_of(b->tape).reserved);
    row(b, which, "replicated", timed(b, replicated, seconds / 4, error));
    row(b, which, "zero", timed(b, zero, seconds / 8, error));
    row(b, which, "copy", timed(b, copy, seconds / 8, error));
    row(b, which, "add", timed(b, add, seconds / 8, error));
    tl_adam_free(adam);
    free(copy_from);
    free(copy_to);
    return bytes(b, which, copied, share, seconds, error);
}

/* ---- update: the training loop ---- */

typedef struct clocked {
    bench *b;
    long batches, updates; /* updates: that are counted; -1 before the first */
    double seconds, begun, last, times[MOST_TIMES];
} clocked;

static bool next(void *data) { return ((clocked *)data)->batches++, true; }

/* The first update of a turn does not count. */
static void updated(void *data, long step, double mean, double read) {
    clocked *k = data;
    const double t = now();
    (void)step, (void)mean, (void)read;
    if (k->updates < 0)
        k->begun = t;
    else if (k->updates < MOST_TIMES)
        k->times[k->updates] = t - k->last;
    k->updates++;
    k->last = t;
}

static bool stop(void *data) { /* two are counted, and as many as the seconds hold */
    const clocked *k = data;
    return k->updates >= 2 && (now() - k->begun >= k->seconds || k->updates == MOST_TIMES);
}

static tl_var loss(void *data, bool sum) {
    const bench *b = ((clocked *)data)->b;
    return tl_model_loss(
        &b->model.model, b->tape, &b->batch,
        &(tl_loss_options){.label_smoothing = 0.1, .reduction = sum ? TL_REDUCE_SUM : TL_REDUCE_MEAN}, NULL,
        NULL);
}
static long tokens(void *data) { return ((clocked *)data)->b->batch.tgt_tokens; }
static long per_epoch(void *data) { return (void)data, 1 << 30; }
static tl_batches_position tell(void *data) { return (tl_batches_position){0, ((clocked *)data)->batches}; }
static bool seek(void *data, tl_batches_position position) { return (void)data, (void)position, true; }
static bool validate(void *data, tl_quality *quality, tl_translations *written) {
    return (void)data, (void)quality, (void)written, true; /* it is stopped before */
}

static bool update(bench *b, const request *r, tl_error *error) {
    static clocked k;
    char which[64], folder[] = "/dev/shm/tapeloom-ranks.XXXXXX", remove[64];
    const long shares = number_of(r, "shares", 1), accumulate = number_of(r, "accumulate", shares);
    if (!model_begin(b, r)) return tl_error_set(error, "no model");
    const bool made = mkdtemp(folder) != NULL;
    k = (clocked){.b = b, .updates = -1, .seconds = strtod(word_of(r, 2, "1"), NULL)};
    const tl_training_settings training = {.steps = 1 << 30,
                                           .accumulate = accumulate,
                                           .shares = shares,
                                           .lr = 1e-5,
                                           .schedule = "constant",
                                           .beta2 = 0.98,
                                           .clip = 1};
    const tl_validation_settings validation = {.validate_every = 1 << 30};
    const tl_events events = {.context = &k, .stop = stop, .updated = updated};
    const tl_task task = {.context = &k,
                          .next = next,
                          .loss = loss,
                          .tokens = tokens,
                          .per_epoch = per_epoch,
                          .tell = tell,
                          .seek = seek,
                          .validate = validate};
    const tl_train_config config = {.dir = folder,
                                    .params = b->params,
                                    .tape = b->tape,
                                    .training = &training,
                                    .validation = &validation,
                                    .task = &task,
                                    .events = tl_ranks_lead(b->ranks) ? &events : NULL,
                                    .ranks = b->ranks};
    const tl_ending ending =
        made ? tl_train(&config, NULL, error) : (tl_error_set(error, "%s cannot be made", folder), TL_FAILED);
    snprintf(remove, sizeof remove, "rm -rf %s", folder);
    if (made && system(remove)) return tl_error_set(error, "%s is left", folder);
    if (ending == TL_FAILED) return false;
    const long n = k.updates;
    if (n < 0) return true; /* not rank 0 */
    qsort(k.times, (size_t)n, sizeof *k.times, by_size);
    snprintf(which, sizeof which, "%s/%ld/%ld", b->c.name, b->c.sentences, shares);
    row(b, which, "update", k.times[n / 2]);
    return row(b, which, "update_least", k.times[0]) && row(b, which, "updates", (double)n);
}

/* ---- requests ---- */

static bool answer(bench *b, const request *r, tl_error *error) {
    static const struct {
        const char *name;
        bool (*run)(bench *, const request *, tl_error *);
    } all[] = {{"probe", probe}, {"parts", parts}, {"update", update}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!strcmp(word_of(r, 0, ""), all[i].name)) return all[i].run(b, r, error);
    return tl_error_set(error, "there are probe, parts and update, and no \"%s\"", word_of(r, 0, ""));
}

int main(int argc, char **argv) {
    static request r;
    static bench b;
    tl_error error = {""};
    if (argc < 2 || !strcmp(argv[1], "--help")) return printf("usage: %s\n", USAGE) < 0;
    bool ok = tl_kernels_check_name(&error) && (b.ranks = tl_ranks_begin(&error)) != NULL;
    tl_set_threads(1);
    for (int i = 1; ok && i <= argc; i++) {
        if (i < argc && strcmp(argv[i], ",") != 0) {
            add_word(&r, argv[i]);
            continue;
        }
        ok = answer(&b, &r, &error) && !tl_failed(&error);
        r.words = r.options = 0;
        if (tl_ranks_lead(b.ranks)) fflush(stdout);
    }
    if (!ok) fprintf(stderr, "bench/ranks: %s\n", error.message);
    model_end(&b);
    tl_ranks_end(b.ranks, !ok);
    return !ok;
}
