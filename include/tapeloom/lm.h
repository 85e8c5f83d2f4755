/* Language models: runs of build/lm. A text, whatever is in it, becomes ids; a decoder alone (tl_gpt) learns what follows them, and
 * writes on.
 *
 *     tl_run *run = tl_run_open("runs/mine", NULL, &error);
 *     tl_lm_write(run, &(tl_lm_write_options){.prompt = "ROMEO:", .tell = put, .to = stdout});
 *
 * Text is one running text, or with `lines` as many as there are lines. Its units:
 *     chars, words   the vocabulary's (vocab.txt). A line is cut as a translator's is, and ends with <eos>, which is the line's end;
 *                    a text begins behind one, and with `lines` each line begins with <bos>
 *     bpe            byte-level byte pairs (vocab.json, merges.txt), learnt from the text or another model's; a text begins behind
 *                    <|endoftext|>, and with `lines` ends with it, too
 *
 * What stands before a text is read and never foretold; so every byte of a text is foretold once, and bits per byte compare models
 * whose units differ. */
#ifndef TAPELOOM_LM_H
#define TAPELOOM_LM_H

#include "options.h"
#include "train.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a language model's settings have besides those that every run has (run.h): of data `train` and `valid` are files, "-" is
 * standard input; of text `units`, `merges`, `min_count` and `max_vocab`; of the model `preset`, sizes, `positions`,
 * `normaliser` and dropouts. */
typedef struct tl_lm_settings {
    const char *made;   /* en|fr|zh: sentences of the built-in grammar, instead of a file */
    double valid_share; /* where there is no file to validate on, the last part of --train; 0: 0.1 */
    bool lines;         /* each line is a text by itself; those that are validated on are drawn by the seed */
    const char *tokenizer; /* of bpe: a folder with vocab.json and merges.txt; NULL: learnt from the text */
    long context;          /* tokens that are read at once; 0: 64, or, of lines, what the longest one needs */
    long batch;            /* windows of so many tokens, or lines, in a batch; 0: 12 */
    long vocab;            /* rows of the embedding, where they are more than there are tokens; 0: as many */
    double init_std; /* 0: GPT-2's 0.02 at its width, and wider matrices smaller: 0.02·√(768 / d_model) */
    bool no_feed_forward, no_bias, untied, gelu_erf; /* as in tl_gpt_config */
} tl_lm_settings;

extern const tl_option tl_lm_data_options[]; /* over a tl_run_settings, as all of these */
extern const tl_option tl_lm_text_options[], tl_lm_model_options[], tl_lm_training_options[],
    tl_lm_validation_options[], tl_lm_options[];

const tl_gpt *tl_run_gpt(const tl_run *run);           /* NULL if its model is another one */
const tl_byte_bpe *tl_run_byte_bpe(const tl_run *run); /* NULL if it has none */

/* A text as ids. */
typedef struct tl_lm_text {
    int *ids;
    long count;
    long *starts; /* of lines: [texts+1] where each begins in ids, and the last one's end; NULL: one text */
    long texts;   /* lines; 0: one text */
    long bytes;   /* that the ids stand for, the line ends counted, but for what is before a text */
    long unknown; /* how many are <unk>: more bytes are counted then than were foretold */
} tl_lm_text;
/* Of `size` bytes. Lines that are longer than the model reads come in several windows. An empty text has no ids. False on failure;
 * *text is to be freed by tl_lm_text_free. */
bool tl_lm_encode(tl_run *run, const char *bytes, size_t size, tl_lm_text *text);
void tl_lm_text_free(tl_lm_text *text);
/* The text that the run validates on, made or read again. NULL on failure, to free(). */
char *tl_lm_valid_text(tl_run *run, size_t *size);

/* Nats a token, accuracy, tokens and bytes of a text, in windows of the run's context that do not overlap. False on failure, and
 * without an error once events->stop says so. */
bool tl_lm_measure(tl_run *run, const tl_lm_text *text, tl_quality *quality);
double tl_bits_per_byte(const tl_quality *quality); /* loss · tokens / (bytes · ln 2) */

/* What is written, and how words are chosen. */
typedef struct tl_lm_write_options {
    const char *prompt; /* UTF-8; NULL or "": the beginning of a text */
    long tokens;        /* at most; 0: 500. Of lines the end of the line is the end */
    bool greedy;        /* otherwise words are drawn: */
    double temperature; /* 0: 1 */
    long top_k;         /* out of so many likeliest; 0: of all */
    double top_p; /* out of the fewest likeliest whose probabilities sum to so much, at most 1; 0: of all */
    long seed, number; /* the text depends on both */
    /* Gets the text, prompt and all, as soon as it is certain, in pieces of whole characters. False ends it. */
    bool (*tell)(void *to, const char *piece, size_t size);
    void *to;
} tl_lm_write_options;
/* Writes a text. Neither <unk> nor another special token is ever written. False on failure. */
bool tl_lm_write(tl_run *run, const tl_lm_write_options *options);

/* ---- GPT-2's files ---- */

/* What a run is made of: somebody else's weights and tokenizer. */
typedef struct tl_lm_import_options {
    const char *weights;   /* a safetensors file in Hugging Face's layout or nanoGPT's (tl_gpt_load) */
    const char *tokenizer; /* a folder with its vocab.json and merges.txt */
    long heads;            /* which no shape tells; 0: d_model / 64, as all of GPT-2's have */
    bool gelu_erf;         /* nanoGPT's models have it */
    bool overwrite;        /* a model that is in the folder already is replaced */
} tl_lm_import_options;
/* Makes a run of it in a folder, opened with its weights; it can write and be measured, not be trained on. NULL on failure. */
tl_run *tl_lm_import(const char *dir, const tl_lm_import_options *options, tl_error *error);
/* The other way is tl_gpt_save of tl_run_gpt. */

#ifdef __cplusplus
}
#endif
#endif
