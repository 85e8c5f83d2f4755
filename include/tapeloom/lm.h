/* Language models: runs of build/lm. Any text becomes ids; a decoder alone (tl_gpt) learns to predict the next one,
 * and continues texts.
 *
 *     tl_run *run = tl_run_open("runs/mine", NULL, &error);
 *     tl_lm_write(run, &(tl_lm_write_options){.prompt = "ROMEO:", .tell = put, .to = stdout});
 *
 * The text is one running text, or with `lines` every line is a text. Its units:
 *     chars, words   from a vocabulary (vocab.txt). A line is cut as a translator's is and ends with <eos>, the
 *                    line end. A text begins after one; with `lines` each line begins after <bos>
 *     bpe            byte-level byte pairs (vocab.json, merges.txt), learnt from the text or taken from another model.
 *                    A text begins after <|endoftext|>; with `lines` it also ends with it
 *
 * The token before a text is read but never predicted, so every byte of a text is predicted exactly once. Bits per
 * byte therefore compare models whose units differ. */
#ifndef TAPELOOM_LM_H
#define TAPELOOM_LM_H

#include "options.h"
#include "train.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A language model's settings besides those that every run has (run.h). It uses, of data: `train` and `valid`, files
 * ("-" is standard input); of text: `units`, `merges`, `min_count` and `max_vocab`; of the model: `preset`, sizes,
 * `positions`, `normaliser` and dropouts. */
typedef struct tl_lm_settings {
    const char *made;      /* en|fr|zh: sentences of the built-in grammar, instead of a file */
    double valid_share;    /* without a validation file, this last part of --train is it; 0: 0.1 */
    bool lines;            /* each line is a text; validation lines are drawn by the seed */
    const char *tokenizer; /* bpe: a folder with vocab.json and merges.txt; NULL: learn from the text */
    long context;          /* tokens read at once; 0: 64, or with lines the longest line */
    long batch;            /* windows of that size, or lines, in a batch; 0: 12 */
    long vocab;            /* rows of the embedding, if more than there are tokens; 0: as many */
    double init_std;       /* 0: 0.02·√(768 / d_model), which is GPT-2's 0.02 at its width */
    bool no_feed_forward, no_bias, untied, gelu_erf; /* as in tl_gpt_config */
} tl_lm_settings;

extern const tl_option tl_lm_data_options[]; /* rows over a tl_run_settings, as in all of these */
extern const tl_option tl_lm_text_options[], tl_lm_model_options[], tl_lm_training_options[],
    tl_lm_validation_options[], tl_lm_options[];

const tl_gpt *tl_run_gpt(const tl_run *run);           /* NULL: another kind of model */
const tl_byte_bpe *tl_run_byte_bpe(const tl_run *run); /* NULL: it has none */

/* A text as ids. */
typedef struct tl_lm_text {
    int *ids;
    long count;
    long *starts; /* [texts+1] each line's start in ids, then the end; NULL: one text */
    long texts;   /* lines; 0: one text */
    long bytes;   /* bytes that the ids stand for, with line ends, without the token before a text */
    long unknown; /* how many ids are <unk>; their bytes are counted although not predicted */
} tl_lm_text;
/* Encodes `size` bytes. A line longer than the model reads becomes several windows. An empty text has no ids. False
 * on failure. Free *text with tl_lm_text_free. */
bool tl_lm_encode(tl_run *run, const char *bytes, size_t size, tl_lm_text *text);
void tl_lm_text_free(tl_lm_text *text);
/* The text that the run validates on, made or read again; the caller frees it. NULL on failure. */
char *tl_lm_valid_text(tl_run *run, size_t *size);

/* Nats a token, accuracy, tokens and bytes of a text, in windows of the run's context that do not overlap. False on
 * failure, and without an error once events->stop says so. */
bool tl_lm_measure(tl_run *run, const tl_lm_text *text, tl_quality *quality);
double tl_bits_per_byte(const tl_quality *quality); /* loss · tokens / (bytes · ln 2) */

/* What to write, and how to choose words. */
typedef struct tl_lm_write_options {
    const char *prompt; /* UTF-8; NULL or "": the beginning of a text */
    long tokens;        /* at most; 0: 500. With lines, writing ends at the line's end */
    bool greedy;        /* false: words are drawn, as follows */
    double temperature; /* 0: 1 */
    long top_k;         /* among this many most likely words; 0: all */
    double top_p;       /* among the fewest most likely words whose probabilities reach this; 0: all */
    long seed, number;  /* the text depends on both */
    /* Gets the text, prompt included, in pieces of whole characters, as soon as each is final. False ends it. */
    bool (*tell)(void *to, const char *piece, size_t size);
    void *to;
} tl_lm_write_options;
/* Writes a text. It never contains <unk> or another special token. False on failure. */
bool tl_lm_write(tl_run *run, const tl_lm_write_options *options);

/* ---- GPT-2's files ---- */

/* What an imported run is made of: another program's weights and tokenizer. */
typedef struct tl_lm_import_options {
    const char *weights;   /* a safetensors file in Hugging Face's layout or nanoGPT's (tl_gpt_load) */
    const char *tokenizer; /* a folder with its vocab.json and merges.txt */
    long heads;            /* not known from any shape; 0: d_model / 64, as in every GPT-2 */
    bool gelu_erf;         /* set it for nanoGPT's models */
    bool overwrite;        /* replace a model that is already in the folder */
} tl_lm_import_options;
/* Makes a run in a folder and returns it opened, with its weights. It can write and be measured, but not be trained
 * on. NULL on failure. */
tl_run *tl_lm_import(const char *dir, const tl_lm_import_options *options, tl_error *error);
/* For the other direction use tl_gpt_save on tl_run_gpt. */

#ifdef __cplusplus
}
#endif
#endif
