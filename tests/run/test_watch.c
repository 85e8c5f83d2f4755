/* Watching a training: names, bins and entropies by themselves; every number of a row against separate loops; that
 * it changes no bit, in any program; that a resumed run has the rows of one that never stopped; the page. */
#define _XOPEN_SOURCE 700
#include "fixture.h"

#include "base/buffer.h"
#include "run/training.h"
#include "run/watch.h"

#include <math.h>

static scratch here;
static void enter(void) { here = quiet_scratch(); }
static void leave(void) { scratch_remove(&here); }

static const char *in_here(const char *name) {
    static char path[16][1024];
    static int next;
    next = (next + 1) % 16;
    snprintf(path[next], sizeof path[next], "%s/%s", here.folder, name);
    return path[next];
}

/* ---- plain functions ---- */

START_TEST(groups) {
    static const char *const names[][2] = {
        {"encoder.layers.0.self_attn.in_proj_weight", "encoder.layers.0.self"},
        {"decoder.layers.11.multihead_attn.out_proj.bias", "decoder.layers.11.cross"},
        {"decoder.layers.1.self_attn.score_weight", "decoder.layers.1.self"},
        {"encoder.layers.2.linear2.weight", "encoder.layers.2.feed_forward"},
        {"decoder.layers.2.norm3.bias", "decoder.layers.2.norms"},
        {"encoder.norm.weight", "encoder.norm"},
        {"src_embedding.weight", "encoder.embedding"},
        {"tgt_embedding.weight", "decoder.embedding"},
        {"encoder_positions.weight", "encoder.positions"},
        {"decoder.distances.weight", "decoder.positions"},
        {"patch_projection.weight", "encoder.embedding"},
        {"output.weight", "output"},
        {"transformer.wte.weight", "decoder.embedding"},
        {"transformer.wpe.weight", "decoder.positions"},
        {"transformer.h.3.attn.c_attn.weight", "decoder.layers.3.self"},
        {"transformer.h.3.mlp.c_proj.bias", "decoder.layers.3.feed_forward"},
        {"transformer.h.10.ln_2.weight", "decoder.layers.10.norms"},
        {"transformer.ln_f.bias", "decoder.norm"},
        {"lm_head.weight", "output"},
        {"encoder.weight_ih_l0_reverse", "encoder"},
        {"attention.in_proj_weight", "decoder.layers.0.cross"},
        {"readout.weight", "readout"},
        {"embedding.weight", "encoder.embedding"},
        {"head.bias", "output"},
        {"encoder.layers.0.gadget.weight", "encoder.layers.0.gadget"},
        {"encoder.layers.x.norm1.weight", "encoder"},
        {"mine", "mine"}};
    char group[TL_WATCH_NAME];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        ck_assert_str_eq(tl_watch_group(names[i][0], group), names[i][1]);
}
END_TEST

START_TEST(bins) {
    static const char *const texts[] = {"0",    "1",     "2",     "3",     "4-5",   "6-7",
                                        "8-11", "12-15", "16-23", "24-31", "32-47", "48-63"};
    char text[TL_WATCH_NAME];
    for (int bin = 0; bin < 12; bin++) {
        long first = 0, last;
        ck_assert_str_eq(tl_watch_bin_text(bin, text), texts[bin]);
        if (sscanf(text, "%ld-%ld", &first, &last) == 1) last = first;
        ck_assert_int_eq(tl_watch_bin(first), bin);
        ck_assert_int_eq(tl_watch_bin(last), bin);
        ck_assert_int_eq(tl_watch_bins(first), bin);
        ck_assert_int_eq(tl_watch_bins(last + 1), bin + 1);
    }
    ck_assert_int_eq(tl_watch_bins(0), 0);
    ck_assert_str_eq(tl_watch_bin_text(tl_watch_bin(1023), text), "768-1023");
}
END_TEST

static void assert_near(double value, double expected, double within) {
    ck_assert_msg(fabs(value - expected) <= within * fmax(1, fabs(expected)), "%.17g, should be %.17g", value,
                  expected);
}

START_TEST(entropies) {
    tl_real uniform[12], one[4] = {0, 1, 0, 0}, none[3] = {0}, half[4] = {0.5, 9, 0.5, 9},
                         some[3] = {0.75, 0.25, 0}, shares[3] = {1.5, 0.5, 0};
    for (int i = 0; i < 12; i++) uniform[i] = (tl_real)(1.0 / 12);
    assert_near(tl_watch_entropy(uniform, 12, 1), log(12), 1e-6);
    ck_assert(tl_watch_entropy(one, 4, 1) == 0);
    ck_assert(tl_watch_entropy(none, 3, 1) == -1);
    ck_assert(tl_watch_entropy(none, 0, 1) == -1);
    assert_near(tl_watch_entropy(half, 2, 2), log(2), 1e-6);
    assert_near(tl_watch_entropy(some, 3, 1), -0.75 * log(0.75) - 0.25 * log(0.25), 1e-6);
    assert_near(tl_watch_entropy(shares, 3, 1), tl_watch_entropy(some, 3, 1), 1e-6);
}
END_TEST

START_TEST(sums) {
    tl_real x[37], y[37];
    for (int i = 0; i < 37; i++) x[i] = (tl_real)(i * 0.25 - 3), y[i] = (tl_real)(2 - i * 0.5);
    for (int n = 0; n <= 37; n++) {
        double squares = 0, distance = 0;
        for (int i = 0; i < n; i++) {
            squares += (double)x[i] * (double)x[i];
            distance += (double)(x[i] - y[i]) * (double)(x[i] - y[i]);
        }
        /* multiples of a quarter: sums are exact in every order */
        ck_assert(tl_watch_squares(x, n) == squares);
        ck_assert(tl_watch_distance(x, y, n) == distance);
    }
}
END_TEST

/* ---- runs ---- */

static tl_run_settings pairs(void) {
    tl_run_settings s = small_settings();
    s.model.dropout = s.model.attention_dropout = 0.2;
    s.training.label_smoothing = 0.1;
    return s;
}
static tl_run_settings accumulating(void) {
    tl_run_settings s = pairs();
    s.training.accumulate = 3;
    s.training.shares = 2;
    s.training.batch_tokens = 24;
    s.model.layers = 2;
    s.model.tie = "none";
    return s;
}
static tl_run_settings recurrent(void) {
    tl_run_settings s = small_settings();
    s.model.model = "gru";
    s.model.preset = NULL;
    s.model.d_ff = 0;
    s.model.heads = 2;
    s.model.dropout = 0.2;
    return s;
}
static tl_run_settings lm(void) {
    tl_run_settings s = tl_run_settings_of_program("lm");
    s.lm.made = "en";
    s.data.sentences = 40;
    s.lm.context = 12;
    s.lm.batch = 4;
    s.model = (tl_model_settings){.preset = "toy", .d_model = 8, .heads = 2, .layers = 2, .dropout = 0.2};
    s.training.steps = 8;
    s.validation.validate_every = 4;
    return s;
}
static tl_run_settings classifying(void) {
    tl_run_settings s = tl_run_settings_of_program("classify");
    s.data.task = "agreement";
    s.data.sentences = 60;
    s.model.d_model = 8;
    s.model.heads = 2;
    s.model.layers = 2;
    s.model.dropout = 0.2;
    s.classify.pretrain = 4;
    s.training.batch_tokens = 128;
    s.training.steps = 8;
    s.validation.validate_every = 4;
    return s;
}
static tl_run_settings captioning(void) {
    tl_run_settings s = tl_run_settings_of_program("caption");
    s.caption.pictures = 40;
    s.caption.batch = 8;
    s.caption.encoder_layers = s.caption.decoder_layers = 1;
    s.model.d_model = 8;
    s.model.heads = 2;
    s.model.dropout = 0.2;
    s.training.steps = 8;
    s.validation.validate_every = 4;
    return s;
}

typedef struct kind_of_run {
    tl_run_settings (*settings)(void);
    int streams, heads;    /* columns of rms and entropy */
    const char *some[4];   /* some columns that must be there */
    bool words;            /* loss by position */
    const char *folder[2]; /* folders of tables; NULL: no second one */
} kind_of_run;
static const kind_of_run kinds[] = {
    {pairs,
     4,
     6,
     {"gradient.encoder.embedding", "update.decoder.layers.0.cross", "rms.encoder.layers.0.residual",
      "entropy.decoder.layers.0.cross.1"},
     true,
     {"", NULL}},
    {accumulating,
     6,
     12,
     {"gradient.output", "update.decoder.layers.1.norms", "rms.decoder.embedding", "loss.8-11"},
     true,
     {"", NULL}},
    {recurrent,
     4,
     2,
     {"gradient.encoder", "update.decoder", "rms.decoder.layers.0.residual",
      "entropy.decoder.layers.0.cross.1"},
     true,
     {"", NULL}},
    {lm,
     3,
     4,
     {"gradient.decoder.layers.1.feed_forward", "update.decoder.norm", "rms.decoder.layers.1.residual",
      "entropy.decoder.layers.1.self.0"},
     true,
     {"", NULL}},
    {classifying,
     3,
     4,
     {"gradient.output", "update.encoder.layers.1.self", "rms.encoder.layers.1.residual",
      "entropy.encoder.layers.1.self.1"},
     false,
     {"", "/pretraining"}},
    {captioning,
     4,
     6,
     {"gradient.encoder.embedding", "update.encoder.positions", "rms.encoder.layers.0.residual",
      "entropy.encoder.layers.0.self.1"},
     true,
     {"", NULL}}};
enum { KINDS = sizeof kinds / sizeof *kinds };

static void keep_values(void *run, const tl_training_plan *plan) {
    (void)plan;
    tl_tape_set_give_back(tl_run_tape(run), false);
}

/* Trains, and returns the largest memory of its tape, with values recycled or kept during the step. */
static size_t train_so(const char *name, const tl_run_settings *s, bool gives_back) {
    tl_run *run = tl_run_new(in_here(name), s);
    const tl_events keeps = {.context = run, .started = keep_values};
    if (!gives_back) tl_run_tell(run, &keeps);
    ck_assert_msg(tl_run_train(run, true, NULL) == TL_ENDED, "%s", tl_run_error(run));
    const size_t peak = tl_tape_stats_of(tl_run_tape(run)).peak;
    tl_run_free(run);
    return peak;
}
static size_t train(const char *name, const tl_run_settings *s) { return train_so(name, s, true); }

static void go_on(const char *name, long steps, long watch) {
    tl_error error = {""};
    tl_run *run = tl_run_open(in_here(name), &(tl_run_choice){.weights = "none"}, &error);
    ck_assert_msg(run != NULL, "%s", error.message);
    tl_run_settings_of(run)->training.steps = steps;
    tl_run_settings_of(run)->training.watch = watch;
    ck_assert_msg(tl_run_train(run, false, NULL) == TL_ENDED, "%s", tl_run_error(run));
    tl_run_free(run);
}

static void assert_same(const char *a, const char *b) {
    size_t size[2];
    char *bytes[2] = {get_file(in_here(a), &size[0]), get_file(in_here(b), &size[1])};
    ck_assert_msg(size[0] == size[1] && !memcmp(bytes[0], bytes[1], size[0]), "%s is not %s", a, b);
    free(bytes[0]);
    free(bytes[1]);
}

/* ---- tables ---- */

enum { COLUMNS = 128, ROWS = 16, CELL = 64 };
typedef struct table {
    int columns, rows;
    char name[COLUMNS][CELL], cell[ROWS][COLUMNS][CELL];
} table;

static table *read_table(const char *file) {
    static table t;
    char *text = get_file(in_here(file), NULL), *line = text;
    t.rows = -1;
    for (; *line; line = strchr(line, '\n') + 1, t.rows++)
        for (t.columns = 0; *line != '\n'; t.columns++) {
            const size_t size = strcspn(line, ",\n");
            char *to = t.rows < 0 ? t.name[t.columns] : t.cell[t.rows][t.columns];
            ck_assert(size < CELL && t.columns < COLUMNS && t.rows < ROWS);
            snprintf(to, CELL, "%.*s", (int)size, line);
            line += size;
            if (*line == ',' && line[1] == '\n') t.cell[t.rows < 0 ? 0 : t.rows][++t.columns][0] = 0;
            if (*line == ',') line++;
        }
    free(text);
    return &t;
}

static int column(const table *t, const char *name) {
    for (int c = 0; c < t->columns; c++)
        if (!strcmp(t->name[c], name)) return c;
    ck_abort_msg("no column %s", name);
    return -1;
}

static double number(const table *t, int row, const char *name) {
    const char *cell = t->cell[row][column(t, name)];
    ck_assert_msg(*cell, "%s is empty", name);
    return strtod(cell, NULL);
}

static int count_columns(const table *t, const char *begins) {
    int count = 0;
    for (int c = 0; c < t->columns; c++) count += !strncmp(t->name[c], begins, strlen(begins));
    return count;
}

/* Groups hold each parameter's gradient once, and none from an earlier update or stage. */
static void check_norm(const table *t, int row) {
    double squares = 0;
    for (int c = 0; c < t->columns; c++)
        if (!strncmp(t->name[c], "gradient.", 9)) squares += pow(strtod(t->cell[row][c], NULL), 2);
    assert_near(sqrt(squares), number(t, row, "gradient_norm"), 1e-6);
}

/* For every kind of run, with dropout: the same weights with and without watching; the right columns in the tables;
 * no files without. */
START_TEST(changes_no_bit) {
    const kind_of_run *k = &kinds[_i];
    tl_run_settings s = k->settings();
    const size_t peak = train("plain", &s), kept = train_so("kept", &s, false);
    s.training.watch = 2;
    const size_t watched = train("watched", &s);
    /* the values of the update before are freed first; those that maps show are kept */
    ck_assert_uint_lt(peak, kept);
    ck_assert_uint_le(watched, kept + kept / 10);
    assert_same("plain/last.safetensors", "kept/last.safetensors");
    assert_same("plain/model.safetensors", "watched/model.safetensors");
    assert_same("plain/last.safetensors", "watched/last.safetensors");
    ck_assert(!tl_file_is_there(in_here("plain/watch.csv")) &&
              !tl_file_is_there(in_here("plain/watch.html")));
    char *config[2] = {get_file(in_here("plain/config.txt"), NULL),
                       get_file(in_here("watched/config.txt"), NULL)};
    ck_assert(!strstr(config[0], "watch") && strstr(config[1], "watch = 2\n"));
    free(config[0]), free(config[1]);
    for (int f = 0; f < 2 && k->folder[f]; f++) {
        char file[64];
        snprintf(file, sizeof file, "watched%s/watch.html", k->folder[f]);
        ck_assert(tl_file_is_there(in_here(file)));
        snprintf(file, sizeof file, "watched%s/watch.csv", k->folder[f]);
        const table *t = read_table(file);
        ck_assert_int_eq(t->rows, f ? 2 : 4);
        ck_assert_int_eq(count_columns(t, "rms."), k->streams);
        ck_assert_int_eq(count_columns(t, "entropy."), k->heads);
        ck_assert_int_eq(count_columns(t, "loss.") > 0, k->words);
        ck_assert_int_eq(count_columns(t, "gradient."), count_columns(t, "update."));
        for (int row = 0; row < t->rows; row++) {
            ck_assert_int_eq((long)number(t, row, "step"), 2 * (row + 1));
            check_norm(t, row);
            for (int c = 0; c < t->columns; c++) {
                /* no target is that long */
                if (!*t->cell[row][c] && !strncmp(t->name[c], "loss.", 5)) continue;
                if (!*t->cell[row][c] && f && !strncmp(t->name[c], "update.output", 13)) continue;
                ck_assert_msg(*t->cell[row][c] && isfinite(strtod(t->cell[row][c], NULL)), "%s: %s: \"%s\"",
                              file, t->name[c], t->cell[row][c]);
            }
            for (int i = 0; i < 4 && !f; i++)
                if (strncmp(k->some[i], "loss.", 5)) ck_assert(number(t, row, k->some[i]) > 0);
        }
    }
}
END_TEST

/* ---- the numbers of a row ---- */

/* Sides of different lengths, so that they cannot be confused. */
static const char *const lines[][2] = {{"the dog sleeps", "le chien dort"},
                                       {"the cat sleeps", "le chat ne dort pas"},
                                       {"the big black dog eats", "il mange"},
                                       {"the cat eats", "le chat mange"},
                                       {"the black dog sleeps", "le chien noir dort"},
                                       {"the black cat eats", "le chat noir mange"}};
enum { LINES = sizeof lines / sizeof *lines };

static void check_parameters(const table *t, tl_run *before, tl_run *after) {
    double norm = 0;
    for (int c = 0; c < t->columns; c++) {
        const bool gradient = !strncmp(t->name[c], "gradient.", 9);
        if (!gradient && strncmp(t->name[c], "update.", 7)) continue;
        double moved = 0, size = 0;
        for (int i = 0; i < tl_params_count(tl_run_params(before)); i++) {
            const tl_leaf *a = &tl_params_at(tl_run_params(before), i)->leaf,
                          *b = &tl_params_at(tl_run_params(after), i)->leaf;
            char group[TL_WATCH_NAME];
            ck_assert_str_eq(a->name, b->name);
            if (strcmp(tl_watch_group(a->name, group), strchr(t->name[c], '.') + 1)) continue;
            for (long e = 0; e < tl_numel(a->value); e++) {
                const double w = (double)a->value.data[e], d = (double)b->value.data[e] - w;
                moved += gradient ? (double)a->grad[e] * (double)a->grad[e] : d * d;
                size += w * w;
            }
        }
        if (gradient) norm += moved;
        assert_near(number(t, 0, t->name[c]), gradient ? sqrt(moved) : sqrt(moved / size), 1e-4);
    }
    assert_near(number(t, 0, "gradient_norm"), sqrt(norm), 1e-4);
}

static void check_stream(const table *t, const char *name, tl_tensor x, const int *lengths) {
    double sum = 0, count = 0;
    for (long b = 0; b < x.dim[0]; b++)
        for (long i = 0; i < lengths[b]; i++)
            for (long d = 0; d < x.dim[2]; d++, count++) {
                const double v = (double)tl_item(tl_at(x, b, i, d));
                sum += v * v;
            }
    assert_near(number(t, 0, name), sqrt(sum / count), 1e-4);
}

static void check_head(const table *t, const char *name, tl_tensor p, long h, const int *rows) {
    double sum = 0, count = 0;
    for (long b = 0; b < p.dim[0]; b++)
        for (long i = 0; i < rows[b]; i++, count++)
            for (long j = 0; j < p.dim[3]; j++) {
                const double w = (double)tl_item(tl_at(p, b, h, i, j));
                if (w > 0) sum -= w * log(w);
            }
    assert_near(number(t, 0, name), sum / count, 1e-4);
}

static void check_losses(const table *t, tl_tensor losses, const int *lengths) {
    const char *const names[] = {"loss.0", "loss.1", "loss.2", "loss.3", "loss.4-5"};
    const long edge[] = {0, 1, 2, 3, 4, 6};
    for (int bin = 0; bin < 5; bin++) {
        double sum = 0, count = 0;
        for (long b = 0; b < losses.dim[0]; b++)
            for (long i = edge[bin]; i < edge[bin + 1] && i < lengths[b]; i++, count++)
                sum += (double)tl_item(tl_at(losses, b, i));
        assert_near(number(t, 0, names[bin]), sum / count, 1e-4);
    }
    ck_assert_str_eq(t->cell[0][column(t, "loss.6-7")], "");
}

START_TEST(numbers_of_a_row) {
    tl_run_settings s = pairs();
    char text[1024] = "";
    for (int i = 0; i < LINES; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s\t%s\n", lines[i][0], lines[i][1]);
    put_text(in_here("pairs.tsv"), text);
    s.data.task = NULL;
    s.data.train = s.data.valid = in_here("pairs.tsv");
    s.text.units = "words";
    s.text.min_count = 1;
    s.model.dropout = s.model.attention_dropout = 0;
    s.model.d_model = s.model.d_ff = 16;
    s.training.batch_tokens = 4096; /* all in one batch */
    s.training.steps = s.training.watch = 1;
    s.training.warmup = 0;
    s.training.clip = 0.01; /* gradients are measured before clipping */
    train("run", &s);
    tl_error error = {""};
    s.training.lr = s.training.watch = 0; /* the initial weights */
    train("initial", &s);
    s.training.lr = 0.01;
    tl_run *run = tl_run_open(in_here("initial"), &(tl_run_choice){.weights = "last"}, &error),
           *last = tl_run_open(in_here("run"), &(tl_run_choice){.weights = "last"}, &error);
    ck_assert_msg(run && last, "%s", error.message);
    const char *source[LINES], *target[LINES];
    for (int i = 0; i < LINES; i++) source[i] = lines[i][0], target[i] = lines[i][1];
    tl_batch batch;
    must(tl_run_batch(run, source, target, LINES, &batch));
    tl_tape *tape = tl_run_tape(run);
    tl_model_maps maps = tl_model_maps_new(tl_run_model(run), tape, false);
    tl_zero_grad(tl_run_params(run));
    const tl_var loss = tl_run_loss(run, &batch, &maps),
                 each = tl_model_loss(tl_run_model(run), tape, &batch,
                                      &(tl_loss_options){.reduction = TL_REDUCE_NONE}, NULL, NULL);
    must_msg(tl_ok(each) && tl_backward(loss), "%s", tl_run_error(run));
    const table *t = read_table("run/watch.csv");
    assert_near(number(t, 0, "loss"), (double)tl_item(tl_value(loss)), 1e-5);
    assert_near(number(t, 0, "learning_rate"), s.training.lr, 1e-12);
    check_parameters(t, run, last);
    for (int d = 0; d < 2; d++) {
        check_stream(t, d ? "rms.encoder.layers.0.residual" : "rms.encoder.embedding",
                     tl_value(maps.stream[TL_ENCODER][d].stream), batch.src_lengths);
        check_stream(t, d ? "rms.decoder.layers.0.residual" : "rms.decoder.embedding",
                     tl_value(maps.stream[TL_DECODER][d].stream), batch.tgt_lengths);
    }
    for (int h = 0; h < 2; h++) {
        char name[64];
        snprintf(name, sizeof name, "entropy.encoder.layers.0.self.%d", h);
        check_head(t, name, tl_value(maps.encoder_self[0].probs), h, batch.src_lengths);
        snprintf(name, sizeof name, "entropy.decoder.layers.0.self.%d", h);
        check_head(t, name, tl_value(maps.decoder_self[0].probs), h, batch.tgt_lengths);
        snprintf(name, sizeof name, "entropy.decoder.layers.0.cross.%d", h);
        check_head(t, name, tl_value(maps.cross[0].probs), h, batch.tgt_lengths);
    }
    check_losses(t, tl_value(each), batch.tgt_lengths);
    tl_run_free(run);
    tl_run_free(last);
}
END_TEST

/* A batch that is looked at in parts gives the same as a whole; rows are long, so that a part has few. */
START_TEST(parts_of_a_batch) {
    tl_run_settings s = lm();
    s.lm.context = 300;
    s.lm.batch = 8;
    s.training.steps = 1;
    train("run", &s);
    tl_error error = {""};
    tl_run *run = tl_run_open(in_here("run"), NULL, &error);
    ck_assert_msg(run != NULL, "%s", error.message);
    const tl_model *m = tl_run_model(run);
    enum { B = 8, T = 300 };
    static int in[B * T], said[B * T], lengths[B];
    for (int b = 0; b < B; b++) {
        lengths[b] = T - 30 * b;
        for (int i = 0; i < T; i++) {
            in[b * T + i] = (int)(4 + (b * 7 + i * 3) % (m->tgt_vocab - 4));
            said[b * T + i] = i < lengths[b] ? (int)(4 + (b * 5 + i) % (m->tgt_vocab - 4)) : TL_PAD;
        }
    }
    const tl_batch all = {
        .sentences = B, .tgt_len = T, .tgt_in = in, .tgt_out = said, .tgt_lengths = lengths, .pad = TL_PAD};
    const int columns = tl_watch_columns(m);
    tl_watch_mean whole[64] = {{0, 0}}, one[64] = {{0, 0}};
    ck_assert_int_le(columns, 64);
    tl_batch few = all; /* as many sentences as a part has */
    few.sentences = 3;
    tl_tape_reset(tl_run_tape(run));
    must(tl_watch_batch(m, tl_run_tape(run), &few, one));
    const size_t peak = tl_tape_stats_of(tl_run_tape(run)).peak;
    memset(one, 0, sizeof one);
    must(tl_watch_batch(m, tl_run_tape(run), &all, whole));
    ck_assert_uint_le(tl_tape_stats_of(tl_run_tape(run)).peak, peak + 4096);
    for (int b = 0; b < B; b++) {
        const tl_batch row = {.sentences = 1,
                              .tgt_len = T,
                              .tgt_in = in + b * T,
                              .tgt_out = said + b * T,
                              .tgt_lengths = lengths + b,
                              .pad = TL_PAD};
        must(tl_watch_batch(m, tl_run_tape(run), &row, one));
    }
    for (int c = 0; c < columns; c++) {
        ck_assert(whole[c].count == one[c].count && whole[c].count > 0);
        assert_near(whole[c].sum, one[c].sum, 1e-12);
    }
    /* positions without a target have no loss and are in no mean */
    char name[TL_WATCH_NAME];
    int first = 0;
    while (strcmp(tl_watch_column(m, first, name), "loss.0")) first++;
    said[0] = TL_PAD;
    memset(one, 0, sizeof one);
    must(tl_watch_batch(m, tl_run_tape(run), &all, one));
    ck_assert(whole[first].count == B && one[first].count == B - 1);
    tl_run_free(run);
}
END_TEST

/* The same with pictures, which are a tensor of their own. */
START_TEST(parts_of_pictures) {
    tl_run_settings s = captioning();
    tl_error error = {""};
    tl_run *run = tl_run_fresh(&s, &error);
    ck_assert_msg(run != NULL, "%s", error.message);
    const tl_model *m = tl_run_model(run);
    tl_set *set = tl_set_new(run, &(tl_set_options){.most = 40});
    tl_batch all;
    tl_watch_mean whole[64] = {{0, 0}}, one[64] = {{0, 0}};
    must(tl_set_next(set, &all) && all.sentences == 40 && tl_watch_columns(m) <= 64);
    must(tl_watch_batch(m, tl_run_tape(run), &all, whole));
    for (long b = 0; b < all.sentences; b++) {
        tl_batch row = all;
        row.sentences = 1;
        row.pictures = tl_tensor_slice(all.pictures, 0, b, b + 1);
        row.tgt_in += b * all.tgt_len, row.tgt_out += b * all.tgt_len, row.tgt_lengths += b;
        must(tl_watch_batch(m, tl_run_tape(run), &row, one));
    }
    for (int c = 0; c < tl_watch_columns(m); c++) {
        ck_assert(whole[c].count == one[c].count);
        assert_near(whole[c].sum, one[c].sum, 1e-12);
    }
    tl_set_free(set);
    tl_run_free(run);
}
END_TEST

/* ---- resuming ---- */

START_TEST(goes_on) {
    tl_run_settings s = kinds[_i].settings();
    s.training.watch = 3; /* not a divisor of the step at which it stops */
    s.classify.pretrain = 0;
    train("run", &s);
    ck_assert_int_eq(rename(in_here("run"), in_here("whole")), 0);
    s.training.steps = 4;
    train("run", &s);
    go_on("run", 8, 3);
    assert_same("run/watch.csv", "whole/watch.csv");
    assert_same("run/watch.html", "whole/watch.html");
    assert_same("run/last.safetensors", "whole/last.safetensors");
}
END_TEST

static void add_row(const char *file) {
    const table *t = read_table(file);
    char *text = get_file(in_here(file), NULL), *more = malloc(strlen(text) + 4096);
    strcpy(more, text);
    strcat(more, "999");
    for (int c = 1; c < t->columns; c++) strcat(more, ",1");
    strcat(more, "\n");
    put_text(in_here(file), more);
    free(text), free(more);
}

/* The page exists after each validation, and in a run that was stopped before one. */
typedef struct heard {
    long pages, validations, stop_at;
    bool stop;
} heard;
static bool is_stopped(void *context) { return ((heard *)context)->stop; }
static void updated(void *context, long step, double loss, double tokens) {
    heard *h = context;
    (void)loss, (void)tokens;
    h->stop |= step == h->stop_at;
}
static void validated(void *context) {
    heard *h = context;
    h->validations++;
    h->pages += tl_file_is_there(in_here("run/watch.html"));
}

START_TEST(when_it_is_drawn) {
    tl_run_settings s = pairs();
    s.training.watch = 1;
    for (int stopped = 0; stopped < 2; stopped++) {
        heard h = {.stop_at = stopped ? 3 : 0};
        const tl_events events = {
            .context = &h, .stop = is_stopped, .updated = updated, .validation_over = validated};
        tl_run *run = tl_run_new(in_here("run"), &s);
        tl_run_tell(run, &events);
        const tl_ending ending = tl_run_train(run, true, NULL);
        ck_assert_msg(ending == (stopped ? TL_INTERRUPTED : TL_ENDED), "%s", tl_run_error(run));
        ck_assert_int_eq(h.validations, stopped ? 0 : 2);
        ck_assert_int_eq(h.pages, h.validations);
        char *page = get_file(in_here("run/watch.html"), NULL);
        assert_contains(page, stopped ? "\n[3," : "\n[8,");
        free(page);
        tl_run_free(run);
    }
    /* it is also restored if nothing is left to do */
    tl_error error = {""};
    go_on("run", s.training.steps, 1);
    ck_assert_int_eq(remove(in_here("run/watch.html")), 0);
    tl_run *run = tl_run_open(in_here("run"), &(tl_run_choice){.weights = "none"}, &error);
    ck_assert_msg(run != NULL, "%s", error.message);
    ck_assert_int_eq(tl_run_train(run, false, NULL), TL_FAILED);
    assert_contains(tl_run_error(run), "there is nothing left to do");
    ck_assert(tl_file_is_there(in_here("run/watch.html")));
    tl_run_free(run);
}
END_TEST

/* Rows later than the checkpoint are removed, also if watching is off now; a folder that is used anew keeps none. */
START_TEST(later_rows) {
    tl_run_settings s = pairs();
    s.training.watch = 2;
    train("run", &s);
    for (long watch = 0; watch < 2; watch++) {
        add_row("run/watch.csv");
        ck_assert_int_eq((long)number(read_table("run/watch.csv"), 4, "step"), 999);
        go_on("run", 9 + watch, watch);
        const table *t = read_table("run/watch.csv");
        ck_assert_int_eq(t->rows, 4 + (int)watch);
        ck_assert_int_eq((long)number(t, t->rows - 1, "step"), watch ? 10 : 8);
    }
    s.training.watch = 0;
    train("run", &s);
    ck_assert(!tl_file_is_there(in_here("run/watch.csv")) && !tl_file_is_there(in_here("run/watch.html")));
    s = classifying();
    s.training.watch = 2;
    train("run", &s);
    ck_assert(tl_file_is_there(in_here("run/pretraining/watch.csv")));
    s.training.watch = 0;
    train("run", &s);
    ck_assert(!tl_file_is_there(in_here("run/pretraining/watch.csv")) &&
              !tl_file_is_there(in_here("run/pretraining/watch.html")));
}
END_TEST

/* A run watched at every update has a table longer than any vocabulary, and can still be resumed. */
START_TEST(later_rows_of_many) {
    enum { ROW = 1 << 20, COUNT = 70 };
    char *text = malloc((size_t)ROW * COUNT + 16), *to = text + sprintf(text, "step,loss\n");
    for (int i = 0; i < COUNT; i++) to += sprintf(to, "%d,%0*d\n", i, ROW - 10, 7);
    put_text(in_here("watch.csv"), text);
    tl_error error = {""};
    must_msg(tl_rows_trim(in_here("watch.csv"), 0, &error), "%s", error.message);
    char *left = get_file(in_here("watch.csv"), NULL);
    text[strlen("step,loss\n") + ROW - 7] = 0;
    ck_assert(!strcmp(left, text));
    free(text), free(left);
}
END_TEST

/* ---- the page ---- */

START_TEST(page) {
    tl_buffer page = {0};
    must(tl_watch_page("</script><b>&\"\x1b[31m", "step,loss,gradient.a\n1,2.5,-1e-07\n2,,nan\n3,0.5,inf\n",
                       &page));
    assert_contains(page.text, "<title>&#60;/script>&#60;b>&#38;\"\\x1b[31m</title>");
    assert_contains(page.text,
                    "{\"title\":\"\\u003c/script>\\u003cb>\\u0026\\\"\\\\x1b[31m\",\"each\":1,"
                    "\"columns\":[\"step\",\"loss\",\"gradient.a\"],\n\"rows\":[\n[1,2.5,-1e-07],\n"
                    "[2,null,null],\n[3,0.5,null]]}");
    ck_assert(!strstr(page.text, "@DATA@") && !strstr(page.text, "src=\"") && !strstr(page.text, "href="));
    tl_buffer_free(&page);
    must(tl_watch_page("r", "step\n", &page));
    assert_contains(page.text, "\"rows\":[]}");
    tl_buffer_free(&page);
    must(!tl_watch_page("r", "step", &page));
    tl_buffer_free(&page);
}
END_TEST

/* A table too long for a page: every n-th row is shown, the first one included, and at most 8 MiB. */
START_TEST(long_page) {
    enum { ROW = 100, COUNT = 200000 };
    char *csv = malloc((size_t)ROW * COUNT + 16), *to = csv + sprintf(csv, "step,loss\n");
    for (int i = 0; i < COUNT; i++) to += sprintf(to, "%08d,%0*d\n", i, ROW - 10, 7);
    tl_buffer page = {0};
    must(tl_watch_page("r", csv, &page));
    ck_assert_int_lt((long)page.size, 9 << 20);
    assert_contains(page.text, "\"each\":3,");
    assert_contains(page.text, "\n[00000000,");
    assert_contains(page.text, "\n[00000003,");
    ck_assert_ptr_null(strstr(page.text, "\n[00000001,"));
    tl_buffer_free(&page);
    free(csv);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_checked_fixture(tc, enter, leave);
    tcase_add_test(tc, groups);
    tcase_add_test(tc, bins);
    tcase_add_test(tc, entropies);
    tcase_add_test(tc, sums);
    tcase_add_loop_test(tc, changes_no_bit, 0, KINDS);
    tcase_add_test(tc, numbers_of_a_row);
    tcase_add_test(tc, parts_of_a_batch);
    tcase_add_test(tc, parts_of_pictures);
    tcase_add_loop_test(tc, goes_on, 0, KINDS);
    tcase_add_test(tc, when_it_is_drawn);
    tcase_add_test(tc, later_rows);
    tcase_add_test(tc, later_rows_of_many);
    tcase_add_test(tc, page);
    tcase_add_test(tc, long_page);
}

TL_TEST_MAIN("run: what is watched")
