/* What the headers promise of objects after a failure: a training step, decoding, and every loader, in one process.
 * Each request for memory, and each file call, fails in turn, once and from then on, on a fresh object. A call that
 * has failed says why; the same object, its error cleared, then does what an undisturbed one does, to the bit. Started
 * by sweep.c with the preloaded library (preload.c):
 *     parts RUN FOLDER [N]       RUN: a translator's folder; FOLDER: the world; at most N calls of each kind
 * Prints a line for each part; status 1 if something is wrong. */
#define _GNU_SOURCE /* dlsym */
#include "faults.h"

#include <tapeloom.h>

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static tl_faults *said;
static const char *run_dir, *world;
static char path[1024];
static const char *in_world(const char *name) {
    snprintf(path, sizeof path, "%s/%s", world, name);
    return path;
}

/* What a part has computed. */
static uint64_t result;
static void take(const void *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) result = (result ^ ((const unsigned char *)bytes)[i]) * 1099511628211u;
}
static void take_text(const char *text) { take(text ? text : "", text ? strlen(text) + 1 : 1); }
static void take_values(const tl_params *params) {
    for (long i = 0; i < tl_params_count(params); i++) {
        const tl_tensor t = tl_param_value(tl_params_at((tl_params *)params, i));
        take(t.data, (size_t)tl_numel(t) * sizeof(tl_real));
    }
}

/* ---- parts ---- */

/* `begin` makes a fresh object, undisturbed; `act` uses it and takes its results: false, and an error, on failure.
 * `clear` makes it usable again. All but `act` may be NULL. */
typedef struct part {
    const char *name;
    void *(*begin)(void);
    bool (*act)(void *object, tl_error *error);
    void (*clear)(void *object);
    void (*end)(void *object);
} part;

typedef struct learner {
    tl_params *params;
    tl_transformer model;
    tl_adam *adam;
    tl_tape *tape;
} learner;

static tl_params *small_model(tl_transformer *model) {
    tl_params *params = tl_params_new(1);
    *model = tl_transformer_init(params, "",
                                 &(tl_transformer_config){.src_vocab = 11,
                                                          .tgt_vocab = 13,
                                                          .d_model = 8,
                                                          .heads = 2,
                                                          .layers = 1,
                                                          .d_ff = 8,
                                                          .dropout = 0.1});
    return params;
}
static void *begin_step(void) {
    learner *l = calloc(1, sizeof *l);
    l->params = small_model(&l->model);
    l->adam = tl_adam_new(l->params, NULL);
    l->tape = tl_tape_new();
    return l;
}
static bool step(void *object, tl_error *error) {
    learner *l = object;
    static const int src[] = {4, 5, 6, 7, 8, 0}, in[] = {1, 4, 5, 1, 6, 0}, out[] = {4, 5, 2, 6, 2, 0};
    static const int lengths[] = {3, 2};
    const tl_batch batch = {.sentences = 2,
                            .src_len = 3,
                            .tgt_len = 3,
                            .src = src,
                            .tgt_in = in,
                            .tgt_out = out,
                            .src_lengths = lengths,
                            .tgt_lengths = lengths,
                            .src_tokens = 5,
                            .tgt_tokens = 5};
    const uint64_t kept = result;
    take_values(l->params);
    const uint64_t before = result;
    tl_tape_reset(l->tape);
    tl_zero_grad(l->params);
    tl_tape_set_training(l->tape, 1);
    const tl_var loss = tl_transformer_loss(&l->model, l->tape, &batch);
    const bool stepped =
        tl_backward(loss) && tl_clip_grad_norm(l->params, 1) > 0 && tl_adam_step(l->adam, 0.01);
    if (!stepped) {
        const char *why = tl_tape_error(l->tape) ? tl_tape_error(l->tape) : tl_adam_error(l->adam);
        result = kept;
        take_values(l->params);
        if (result != before)
            return tl_error_set(error, "CHANGED: a step that has failed has changed parameters");
        return tl_error_set(error, "%s", why ? why : "");
    }
    const tl_real value = tl_item(tl_value(loss));
    result = kept;
    take(&value, sizeof value);
    take_values(l->params);
    return true;
}
static void clear_step(void *object) { /* an optimiser that has failed is made anew */
    learner *l = object;
    tl_tape_clear_error(l->tape);
    tl_adam_free(l->adam);
    l->adam = tl_adam_new(l->params, NULL);
}
static void end_step(void *object) {
    learner *l = object;
    tl_tape_free(l->tape);
    tl_adam_free(l->adam);
    tl_params_free(l->params);
    free(l);
}

static void *begin_run(void) { return tl_run_open(run_dir, NULL, &(tl_error){""}); }
static bool decode(void *object, tl_error *error) {
    char *line = tl_run_translate_line(object, "the dog sleeps");
    if (!line) return tl_error_set(error, "%s", tl_run_error(object) ? tl_run_error(object) : "");
    take_text(line);
    free(line);
    return true;
}
static void clear_run(void *object) { tl_run_clear_error(object); }
static void end_run(void *object) { tl_run_free(object); }

static bool open_run(void *object, tl_error *error) {
    (void)object;
    tl_run *run = tl_run_open(run_dir, NULL, error);
    if (run) take_values(tl_run_params(run));
    tl_run_free(run);
    return run != NULL;
}

/* Other weights into a run's parameters: on failure nothing has changed. */
static bool load_params_by(void *object, const char *name,
                           bool (*load)(tl_params *, const char *, tl_error *), tl_error *error) {
    tl_params *params = tl_run_params(object);
    char file[1100];
    snprintf(file, sizeof file, "%s/%s.safetensors", run_dir, name);
    const uint64_t kept = result;
    take_values(params);
    const uint64_t before = result;
    const bool ok = load(params, file, error);
    result = kept;
    take_values(params);
    if (!ok && result != before)
        return *error = (tl_error){""},
               tl_error_set(error, "CHANGED: a load that has failed has changed parameters");
    return ok;
}
static bool of_checkpoint(tl_params *params, const char *file, tl_error *error) {
    tl_adam *adam = tl_adam_new(params, NULL);
    tl_config *state = adam ? tl_checkpoint_load(file, params, adam, error) : NULL;
    if (!adam) tl_error_set(error, "out of memory");
    const bool ok = state != NULL;
    tl_config_free(state);
    tl_adam_free(adam);
    return ok;
}
static bool load_params(void *object, tl_error *error) {
    return load_params_by(object, "last", tl_params_load, error);
}
static bool map_params(void *object, tl_error *error) {
    return load_params_by(object, "last", tl_params_map, error);
}

static bool load_tensors(void *object, tl_error *error) {
    (void)object;
    char file[1100];
    snprintf(file, sizeof file, "%s/model.safetensors", run_dir);
    tl_safetensors *opened = tl_safetensors_open(file, error);
    for (long i = 0; i < tl_safetensors_count(opened); i++) take_text(tl_safetensors_at(opened, i)->name);
    tl_safetensors_close(opened);
    return opened != NULL;
}
static bool load_config(void *object, tl_error *error) {
    (void)object;
    char file[1100];
    snprintf(file, sizeof file, "%s/config.txt", run_dir);
    tl_config *config = tl_config_read(file, error);
    char *text = config ? tl_config_text(config) : NULL;
    if (config && !text) tl_error_set(error, "out of memory");
    take_text(text);
    const bool ok = text != NULL;
    free(text);
    tl_config_free(config);
    return ok;
}
static bool load_checkpoint(void *object, tl_error *error) {
    return load_params_by(object, "checkpoint", of_checkpoint, error);
}

/* A text's file, read and parsed. */
static bool parse_corpus(void *object, tl_error *error) {
    (void)object;
    char *bytes;
    size_t size;
    if (!tl_file_read(in_world("pairs.tsv"), &bytes, &size, error)) return false;
    tl_corpus *corpus = tl_corpus_new();
    const bool ok = tl_corpus_parse_tsv(corpus, bytes, size, NULL);
    if (ok)
        for (long i = 0; i < tl_corpus_size(corpus); i++) take_text(tl_corpus_sentence(corpus, TL_TARGET, i));
    else
        tl_error_set(error, "%s", tl_corpus_error(corpus) ? tl_corpus_error(corpus) : "out of memory");
    tl_corpus_free(corpus);
    free(bytes);
    return ok;
}
static bool parse_vocab(void *object, tl_error *error) {
    (void)object;
    char *bytes, file[1100];
    size_t size;
    snprintf(file, sizeof file, "%s/vocab.src.txt", run_dir);
    if (!tl_file_read(file, &bytes, &size, error)) return false;
    tl_vocab *vocab = tl_vocab_parse(file, bytes, size);
    const char *wrong = vocab ? tl_vocab_error(vocab) : "out of memory";
    if (wrong) tl_error_set(error, "%s", wrong);
    for (int i = 0; !wrong && i < tl_vocab_size(vocab); i++) take_text(tl_vocab_token(vocab, i));
    tl_vocab_free(vocab);
    free(bytes);
    return !wrong;
}
static bool parse_codes(void *object, tl_error *error) {
    (void)object;
    char *bytes;
    size_t size;
    if (!tl_file_read(in_world("codes.txt"), &bytes, &size, error)) return false;
    tl_bpe *bpe = tl_bpe_parse("codes.txt", bytes, size);
    const char *wrong = bpe ? tl_bpe_error(bpe) : "out of memory";
    if (wrong) tl_error_set(error, "%s", wrong);
    char *cut = wrong ? NULL : tl_bpe_apply(bpe, "the dog sleeps");
    if (!wrong && !cut) tl_error_set(error, "out of memory");
    take_text(cut);
    const bool ok = cut != NULL;
    free(cut);
    tl_bpe_free(bpe);
    free(bytes);
    return ok;
}
static bool load_gpt(void *object, tl_error *error) {
    (void)object;
    tl_gpt_config config = {.heads = 2};
    if (!tl_gpt_read_config(in_world("gpt.safetensors"), &config, error)) return false;
    tl_params *params = tl_params_new(1);
    config.heads = 2;
    tl_gpt model = tl_gpt_init(params, "", &config);
    const bool ok = params && !tl_params_error(params)
                        ? tl_gpt_load(&model, in_world("gpt.safetensors"), error)
                        : tl_error_set(error, "out of memory");
    if (ok) take_values(params);
    tl_params_free(params);
    return ok;
}

static const part parts[] = {{"step", begin_step, step, clear_step, end_step},
                             {"decoding", begin_run, decode, clear_run, end_run},
                             {"tl_run_open", NULL, open_run, NULL, NULL},
                             {"tl_params_load", begin_run, load_params, NULL, end_run},
                             {"tl_params_map", begin_run, map_params, NULL, end_run},
                             {"tl_checkpoint_load", begin_run, load_checkpoint, NULL, end_run},
                             {"tl_safetensors_open", NULL, load_tensors, NULL, NULL},
                             {"tl_config_read", NULL, load_config, NULL, NULL},
                             {"tl_corpus_parse_tsv", NULL, parse_corpus, NULL, NULL},
                             {"tl_vocab_parse", NULL, parse_vocab, NULL, NULL},
                             {"tl_bpe_parse", NULL, parse_codes, NULL, NULL},
                             {"tl_gpt_load", NULL, load_gpt, NULL, NULL}};

/* ---- each call in turn ---- */

static long wrong;
static void fault_at(fault_kind kind, int which, long at) {
    said->kind = kind, said->which = which, said->at = at, said->hits = 0, said->number = 0;
    said->calls[MEMORY] = said->calls[FILES] = 0;
}
static uint64_t whole(const part *p, long calls[CLASSES]) {
    tl_error error = {""};
    void *object = p->begin ? p->begin() : NULL;
    result = 1;
    fault_at(NOTHING, 0, 0);
    if (!p->act(object, &error)) printf("%s, undisturbed: %s\n", p->name, error.message), wrong++;
    memcpy(calls, said->calls, sizeof said->calls);
    if (p->end) p->end(object);
    return result;
}
static bool is_reason(const char *message) {
    if (!*message || strstr(message, "Success") || strstr(message, "CHANGED")) return false;
    return strstr(message, "memory") || (said->number && strstr(message, strerror(said->number)));
}
static void complain(const part *p, const char *what, const char *message, fault_kind kind, int which,
                     long at) {
    if (wrong++ < 20)
        printf("FOUND: %s: %s call %ld %s (%s): %s \"%s\"\n", p->name, which == MEMORY ? "memory" : "file",
               at, kind == ONCE ? "once" : "and all later", said->call, what, message);
}
static void try(const part *p, uint64_t expected, fault_kind kind, int which, long at) {
    tl_error error = {""};
    void *object = p->begin ? p->begin() : NULL;
    result = 1;
    fault_at(kind, which, at);
    const bool ok = p->act(object, &error);
    const bool hit = said->hits > 0;
    said->kind = NOTHING;
    if (!hit) complain(p, "was not reached", "", kind, which, at);
    if (ok && result != expected) complain(p, "has another result", "", kind, which, at);
    if (!ok && !is_reason(error.message)) complain(p, "says", error.message, kind, which, at);
    if (!ok) { /* the same object again */
        if (p->clear) p->clear(object);
        error = (tl_error){""};
        result = 1;
        if (!p->act(object, &error))
            complain(p, "then again", error.message, kind, which, at);
        else if (result != expected)
            complain(p, "then again has another result", "", kind, which, at);
    }
    if (p->end) p->end(object);
}

int main(int argc, char **argv) {
    tl_faults *(*find)(void);
    *(void **)&find = dlsym(RTLD_DEFAULT, "tl_faults_said");
    said = find ? find() : NULL;
    if (argc < 3 || !said) return fputs("parts: to be started by build/faults/sweep\n", stderr), 2;
    run_dir = argv[1], world = argv[2];
    const long most = argc > 3 ? atol(argv[3]) : 0;
    tl_set_threads(1);
    long all = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const part *p = &parts[i];
        long calls[CLASSES], runs = 0;
        whole(p, calls);
        const uint64_t expected = whole(p, calls); /* what is allocated once and kept was so the first time */
        const long before = wrong;
        for (int k = 0; k < 4; k++) {
            const int which = k / 2 == 0 ? MEMORY : FILES;
            const long step = most && calls[which] > most ? (calls[which] + most - 1) / most : 1;
            for (long at = 1; at <= calls[which]; at += step, runs++)
                try(p, expected, k % 2 ? ALWAYS : ONCE, which, at);
        }
        printf("%-22s %7ld %7ld %7ld %6ld\n", p->name, calls[MEMORY], calls[FILES], runs, wrong - before);
        fflush(stdout);
        all += runs;
    }
    printf("%-22s %7s %7s %7ld %6ld\n", "all parts", "", "", all, wrong);
    return wrong > 0;
}
