/* Measures updates of training over ranks and, separately, the parts that an update's time consists of. bench/scaling
 * starts it with mpirun. Every rank runs the same requests with one thread; rank 0 prints rows of CSV:
 *
 *     CASE,QUANTITY,VALUE            CASE "T1/8/2" is T1 with 8 sentences and 2 shares; times are in seconds */
#define _POSIX_C_SOURCE 200809L
#include "configurations.h"

#include "ranks/ranks.h"
#include "tensor/map.h"

#include <math.h>
#include <unistd.h>

#define USAGE                                                                                        \
 "ranks REQUEST [, REQUEST …], each of\n"                                                          \
 "    probe SECONDS                          the connection: latency, meeting, time for a byte\n"    \
 "    parts T0|T1|T2|T3 SECONDS [sentences=N]              the parts of an update, each by itself\n" \
 "    update T0|T1|T2|T3 SECONDS [sentences=N] [shares=G] [accumulate=A]   whole updates, by tl_train"

/* The model is kept from one request to the next. */
typedef struct bench {
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

/* Makes the request's model and its batch. They are equal on all ranks, so parameters stay equal even where nothing is
 * exchanged. */
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

/* ---- measuring on all ranks at the same time ---- */

static bool row(const bench *b, const char *which, const char *quantity, double value) {
    if (tl_ranks_lead(b->ranks)) printf("%s,%s,%.6g\n", which, quantity, value);
    return true;
}

static bool meet(bench *b, tl_error *error) {
    char all[1024], mine = 0;
    return tl_ranks_gather(b->ranks, &mine, all, 1, error);
}

/* Set by work of which only a part is to be timed: the seconds of that part. 0: all of it. */
static double counts;

/* The median time of `work` on rank 0's clock, over as many runs as fit into the seconds, at least 3, after one run
 * that is not counted. */
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

/* Numbers that probe exchanges, and numbers in a message. */
enum { PROBE = 1 << 22, PIECE = 1 << 17 };
/* Each has `streamed` numbers, as many as the model's parameters, in one slice for each rank. */
static tl_real *streamed_out, *streamed_in;
static long streamed;

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

/* Every rank sends a slice to each other rank and receives one from each, in messages of the same size as in
 * training. */
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

/* An exchange as in an update: waits as long as a share is computed, then streams, meets and gathers. The wait matters:
 * without it the connection's queues would stay full, and it would be slower. */
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

/* Prints the seconds for a byte if so many numbers are exchanged and a share takes so many seconds. (Long streams are
 * slower than short ones.) */
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

/* ---- parts: the computation of each rank, until all ranks are done; and the exchange alone ---- */

static tl_adam *adam;

static bool forward_backward(bench *b, tl_error *error) {
    tl_tape_reset(b->tape);
    tl_tape_set_training(b->tape, ++b->step);
    tl_zero_grad(b->params); /* as at the beginning of each share */
    const tl_var loss =
        tl_model_loss(&b->model.model, b->tape, &b->batch,
                      &(tl_loss_options){.label_smoothing = 0.1, .reduction = TL_REDUCE_SUM}, NULL, NULL);
    if (!tl_backward(loss)) return tl_error_set(error, "%s", tl_tape_error(b->tape));
    tl_clip_grad_norm(b->params, 0); /* as in training, where it checks that gradients are finite */
    return meet(b, error);
}

/* What every rank does after the exchange, as in src/run/update.c. */
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
    long batches, updates; /* updates that are counted; -1 before the first, which is not */
    double seconds, begun, last, times[MOST_TIMES];
} clocked;

static bool next(void *data) { return ((clocked *)data)->batches++, true; }

/* The first update of a request is not counted. */
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

/* After the seconds, but not before two updates are counted. */
static bool stop(void *data) {
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
    return (void)data, (void)quality, (void)written, true; /* never called: training stops before */
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
    if (n < 0) return true; /* this is not rank 0 */
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
