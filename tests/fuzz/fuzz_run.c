/* A run's folder that a stranger has made: any of its files replaced, and then opened, asked what training had come to,
 * used for a line, or trained on. The input: a byte that chooses the run, one that chooses the use, a line ended by
 * FUZZ_CUT, and files: a byte that chooses the file, and its bytes, ended by FUZZ_CUT. Of a file of weights the bytes
 * are the header; the data stays. */
#define _XOPEN_SOURCE 700
#include "runs.h"

#include <unistd.h>

int tl_fuzz_run(const uint8_t *bytes, size_t size);

static const char *const names[] = {"config.txt",
                                    "codes.txt",
                                    "vocab.src.txt",
                                    "vocab.tgt.txt",
                                    "vocab.txt",
                                    "vocab.json",
                                    "merges.txt",
                                    "labels.txt",
                                    "log.csv",
                                    "model.safetensors",
                                    "checkpoint.safetensors",
                                    "last.safetensors"};
enum { FILES = sizeof names / sizeof *names, WEIGHTS = 9 };

/* The folder's files as training left them; bytes NULL: there is none. */
static fuzz_part original[FUZZ_RUNS][FILES];
static bool known[FUZZ_RUNS];

static const char *in_folder(int run, const char *name) {
    static char path[1200];
    snprintf(path, sizeof path, "%s/%s", fuzz_run_folder(run), name);
    return path;
}

static void know(int run) {
    for (int f = 0; f < FILES && !known[run]; f++) {
        const char *path = in_folder(run, names[f]);
        if (access(path, F_OK) == 0) original[run][f].bytes = fuzz_read(path, &original[run][f].size);
    }
    known[run] = true;
}

static void put(int run, int file, const char *bytes, size_t size) {
    char name[64];
    snprintf(name, sizeof name, "run-%d/%s", run, names[file]);
    fuzz_file(name, bytes, size);
}

static void put_back(int run, int file) {
    const fuzz_part *was = &original[run][file];
    if (was->bytes)
        put(run, file, was->bytes, was->size);
    else
        remove(in_folder(run, names[file]));
}

/* The file with another header. */
static void put_weights(int run, int file, fuzz_part header) {
    const fuzz_part *was = &original[run][file];
    size_t old = 0;
    for (int i = 0; i < 8 && was->bytes; i++) old |= (size_t)(unsigned char)was->bytes[i] << 8 * i;
    const size_t data = was->bytes ? was->size - 8 - old : 0, size = 8 + header.size + data;
    char *bytes = fuzz_memory(size);
    for (int i = 0; i < 8; i++) bytes[i] = (char)(header.size >> 8 * i & 255);
    memcpy(bytes + 8, header.bytes, header.size);
    if (data) memcpy(bytes + 8 + header.size, was->bytes + 8 + old, data);
    put(run, file, bytes, size);
    free(bytes);
}

static bool take_piece(void *to, const char *piece, size_t size) {
    (void)piece;
    *(size_t *)to += size;
    return true;
}

static void write_text(tl_run *run, const char *prompt) {
    size_t written = 0;
    tl_lm_text text;
    tl_quality quality;
    if (tl_lm_write(run,
                    &(tl_lm_write_options){
                        .prompt = prompt, .tokens = 12, .seed = 1, .tell = take_piece, .to = &written}) &&
        tl_lm_encode(run, prompt, strlen(prompt), &text)) {
        if (text.count > 1) tl_lm_measure(run, &text, &quality);
        tl_lm_text_free(&text);
    }
}

static void label(tl_run *run, const char *line) {
    tl_corpus *lines = tl_corpus_new();
    tl_classes classes;
    FUZZ_MUST(tl_corpus_add(lines, line, ""), "out of memory");
    tl_corpus *encoded = tl_run_encode(run, lines);
    if (encoded && tl_run_classify(run, encoded, 0, &classes)) tl_classes_free(&classes);
    tl_corpus_free(encoded);
    tl_corpus_free(lines);
}

static void describe(tl_run *run, const char *line) {
    tl_corpus *scene = tl_caption_scene(run, line);
    tl_batch batch;
    tl_search_result found;
    if (scene && tl_caption_batch(run, scene, 0, 1, &batch)) tl_caption_search(run, &batch, false, &found);
    tl_corpus_free(scene);
}

static void use(tl_run *run, const char *line) {
    if (tl_run_gpt(run))
        write_text(run, line);
    else if (!strcmp(tl_run_program_name(run), "classify"))
        label(run, line);
    else if (!strcmp(tl_run_program_name(run), "caption"))
        describe(run, line);
    else
        free(tl_run_translate_line(run, line));
    if (tl_run_error(run)) fuzz_message(tl_run_error(run));
}

static bool at_once(void *context) { return (void)context, true; }

static void try(int which, unsigned how, const char *line, bool own_config) {
    static const char *const weights[] = {"best", "none", "last", "initial"};
    static const tl_events events = {.stop = at_once};
    tl_error error = {""};
    const tl_run_choice choice = {.weights = weights[how % 4]};
    if (choice.weights[0] == 'i' && !own_config) return; /* `from` names any folder */
    tl_run *run = tl_run_open(fuzz_run_folder(which), &choice, &error);
    fuzz_outcome(run != NULL, &error);
    if (run) {
        tl_training_state state;
        const bool known_state = tl_run_state(run, &state);
        if (!known_state && tl_run_error(run)) fuzz_message(tl_run_error(run));
        if (known_state) FUZZ_MUST(state.step >= 0 && state.best_step <= state.step, "step %ld", state.step);
        tl_run_clear_error(run);
        if (how & 8) use(run, line);
    }
    tl_run_free(run);
    if (how & 4 && own_config) { /* trained on, until the first question whether to stop */
        run = tl_run_open(fuzz_run_folder(which), &(tl_run_choice){.weights = "none"}, &error);
        tl_run_tell(run, &events);
        const tl_ending ending = run ? tl_run_train(run, false, NULL) : TL_ENDED;
        (void)ending;
        if (tl_run_error(run)) fuzz_message(tl_run_error(run));
        tl_run_free(run);
    }
}

int tl_fuzz_run(const uint8_t *bytes, size_t size) {
    fuzz_bytes in = fuzz_bytes_of(bytes, size);
    const int which = (int)(fuzz_byte(&in) % FUZZ_RUNS);
    const unsigned how = fuzz_byte(&in);
    bool changed[FILES] = {false};
    know(which);
    char *line = fuzz_string(&in);
    while (!fuzz_ended(&in)) {
        const int file = (int)(fuzz_byte(&in) % FILES);
        fuzz_part part = fuzz_next(&in);
        changed[file] = true;
        if (file >= WEIGHTS)
            put_weights(which, file, part);
        else
            put(which, file, part.bytes, part.size);
        free(part.bytes);
    }
    try(which, how, line, !changed[0]);
    for (int f = 0; f < FILES; f++)
        if (changed[f] || (how & 4)) put_back(which, f);
    free(line);
    return 0;
}

/* Each file of each run as it is, so that the fuzzer has it to change. */
static void seeds(tl_fuzz_put *put_seed, void *context) {
    for (int run = 0; run < FUZZ_RUNS; run++) {
        know(run);
        for (int f = 0; f < FILES; f++) {
            const fuzz_part *was = &original[run][f];
            if (!was->bytes || (was->size > 60000 && f < WEIGHTS)) continue;
            const char *from = was->bytes;
            size_t length = was->size;
            if (f >= WEIGHTS) {
                length = 0;
                for (int i = 0; i < 8; i++) length |= (size_t)(unsigned char)was->bytes[i] << 8 * i;
                from += 8;
            }
            char *seed = fuzz_memory(length + 64);
            const size_t head = sizeof "xxthe dog sleeps" FUZZ_CUT - 1;
            seed[0] = (char)run;
            seed[1] = (char)(f == 10 ? 5 : 8 * (f % 2) + f % 3); /* used; or only opened */
            memcpy(seed + 2, "the dog sleeps" FUZZ_CUT, head - 2);
            seed[head] = (char)f;
            memcpy(seed + head + 1, from, length);
            put_seed(context, seed, head + 1 + length);
            free(seed);
        }
    }
}

TL_FUZZ(run, "run: a run's folder, any of its files replaced: opened, used, trained on");
