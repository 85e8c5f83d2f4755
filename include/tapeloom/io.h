/* The only room that touches files: whole files, safetensors, text configuration, CSV logs, progress.
 *
 * Functions that can fail return false or NULL and leave one line in the tl_error they were given (its first
 * failure is kept). A configuration or a log keeps its own first failure: what is called later does nothing,
 * so it is enough to ask once, at the end. Every function accepts a NULL handle. Texts are UTF-8, numbers in
 * files are written with a point whatever the locale. Written files appear whole or not at all: the bytes go
 * to a temporary file in the same folder, which is synced and renamed over the old one. */
#ifndef TAPELOOM_IO_H
#define TAPELOOM_IO_H

#include "base.h"
#include "tensor.h" /* tl_tensor */

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- whole files ---- */

/* The most that is read of a file, by what it is; a larger one is refused before memory is taken for it. (Of a safetensors
 * file's header: 100,000,000 bytes, the format's own limit.) */
#define TL_TEXT_MOST ((size_t)1 << 31)   /* sentences, from a file or from standard input; a run's tables */
#define TL_WORDS_MOST ((size_t)1 << 26)  /* a run's vocabularies and merges */
#define TL_CONFIG_MOST ((size_t)1 << 20) /* a configuration, in a file or in a checkpoint */

/* Reads all of a file (or pipe), TL_TEXT_MOST bytes at most. *bytes is the caller's to free(); a 0 that *size does not count
 * follows the last byte, so that a text can be used as a string. On failure *bytes is NULL and *size 0. */
bool tl_file_read(const char *path, char **bytes, size_t *size, tl_error *error);

/* The same for what lies in a folder that somebody else may have filled: a regular file of `most` bytes at most. Anything
 * else (a pipe that nobody writes to, a device without end) is refused and never waited for. */
bool tl_file_read_regular(const char *path, size_t most, char **bytes, size_t *size, tl_error *error);

/* tl_file_read for the rest of standard input (which must not have been read through stdin). */
bool tl_input_read(char **bytes, size_t *size, tl_error *error);

/* Writes a file atomically: after a failure or a kill the old file is still there, whole. Keeps the old
 * file's permissions, follows a symbolic link, and refuses to replace anything that is not a regular file. */
bool tl_file_write(const char *path, const void *bytes, size_t size, tl_error *error);

/* Makes a folder and the folders above it, like mkdir -p. True if it is there already. */
bool tl_make_dirs(const char *path, tl_error *error);

/* Is something of this name there? A file that may not be read is there too, as is one of which the system will not tell
 * (in a folder that may not be entered): what is taken for absent is written over. No for NULL. */
bool tl_file_is_there(const char *path);
/* The same with a sentence in error, and false, where the system will not tell. */
bool tl_file_look(const char *path, bool *there, tl_error *error);
/* Is it a file, rather than a folder, a device or a pipe? */
bool tl_file_is_regular(const char *path);
/* Removes a file, not a folder. True also if there is none. */
bool tl_file_remove(const char *path, tl_error *error);
/* Calls `visit` with each name in a folder ("." and ".." left out), in no order, until it returns false, and returns what
 * the last call did. It may remove the file that it is called with. A folder that is not there holds nothing. */
bool tl_folder_each(const char *path, bool (*visit)(void *context, const char *name), void *context,
                    tl_error *error);

/* ---- text that somebody else wrote, shown to people ----
 *
 * Vocabularies, translations, names of files and settings of a run may hold what a terminal obeys: colours, a new title, lines
 * that go backwards. What a program prints of them goes through these; messages of a tl_error have done so already. */

/* On one line: control characters (line ends and tabs too), separators of lines, characters that change the direction of
 * writing and what is no UTF-8 are written as \x1b, byte by byte. NULL is nothing. */
void tl_show(const char *text, FILE *out);
/* The same as a text to free(); NULL if out of memory. */
char *tl_shown_text(const char *text);
/* For what a program makes, translations above all: the very bytes, but where `out` is a terminal as tl_show has them, with
 * line ends and tabs left as they are. */
void tl_put_text(const char *text, FILE *out);

/* ---- a folder for one writer ---- */

/* A folder that is locked. */
typedef struct tl_folder tl_folder;
/* Locks a folder that is there against everybody else who locks it, in this process too. The lock lies on the folder itself:
 * no file is left behind, and it ends with the process, however that ends. NULL, and a sentence in error, if for a second somebody
 * else holds it or it cannot be opened. To tl_folder_unlock. */
tl_folder *tl_folder_lock(const char *path, tl_error *error);
/* False: this folder's file system knows no locks; there is nothing to keep others away. */
bool tl_folder_is_locked(const tl_folder *folder);
/* Does the path still lead to the folder that was locked? Otherwise it was removed or replaced: false, and a sentence in
 * error. Nothing should be written there then. True for NULL. */
bool tl_folder_check(const tl_folder *folder, tl_error *error);
/* Gives the folder free and frees the handle. */
void tl_folder_unlock(tl_folder *folder);
/* Removes what writers that were killed have left in a folder of files that are `ours`, by name: their ".tmp" files. Nobody may
 * be writing there. A folder that is not there holds nothing. */
bool tl_folder_clear_strays(const char *path, bool (*ours)(const char *name), tl_error *error);

/* ---- standard streams, for programs: the rest of the library does not touch them ---- */

/* First in main: gives descriptors 0 to 2 that are closed to something that neither gives nor takes a byte, lest the next
 * file that is opened be taken for one of them and receive what is printed. And a write beyond the limit for the size of
 * files (ulimit -f) becomes a failure like any other, which can be told, instead of the program's sudden end (SIGXFSZ;
 * a handler that the program has set itself stays). */
void tl_streams_open(void);
/* Last in main: flushes and closes standard output, which is handed over. False, and a sentence in error, if anything that was
 * printed to it since the start did not get there. Nothing may be printed to it any more. */
bool tl_output_close(FILE *output, tl_error *error);

/* ---- numbers and durations as text ---- */

/* Bytes that hold any number or duration as text. */
#define TL_NUMBER_TEXT 32
/* The shortest text that reads back to exactly this number ("0.1", "1e-08", "nan", "-inf"). Returns text. */
char *tl_double_text(double value, char text[TL_NUMBER_TEXT]);
char *tl_float_text(float value, char text[TL_NUMBER_TEXT]); /* exact when it is read back as a float */
/* Reads a number that fills the whole text: "12", "-1e-3", "inf", "nan". False, *value untouched, if it does
 * not, or if it is too large for a double, or so small that it would become 0. */
bool tl_double_parse(const char *text, double *value);
/* A whole number in decimal that fills the whole text; false, *value untouched, if it does not or does not
 * fit. */
bool tl_long_parse(const char *text, long *value);

/* "0.4 s", "45 s", "2:05", "1:02:03", "3 d 04:05:06"; "?" for what is negative or not finite. Returns
 * text. */
char *tl_duration_text(double seconds, char text[TL_NUMBER_TEXT]);

/* ---- safetensors: named tensors in one file (https://huggingface.co/docs/safetensors) ---- */

/* The kinds of numbers that the format knows. */
typedef enum tl_dtype {
    TL_DTYPE_REAL, /* when writing: tl_real's own, F32 or F64 */
    TL_DTYPE_F32,
    TL_DTYPE_F64,
    TL_DTYPE_F16,     /* this and the rest: tl_safetensors_open lists them, … */
    TL_DTYPE_BF16,    /* … tl_safetensors_read reads these two … */
    TL_DTYPE_BOOL,    /* … and refuses what follows */
    TL_DTYPE_F4,      /* two numbers a byte, … */
    TL_DTYPE_F6_E2M3, /* … four in three bytes */
    TL_DTYPE_F6_E3M2,
    TL_DTYPE_U8,
    TL_DTYPE_I8,
    TL_DTYPE_F8_E4M3,
    TL_DTYPE_F8_E5M2,
    TL_DTYPE_F8_E8M0,
    TL_DTYPE_F8_E4M3FNUZ,
    TL_DTYPE_F8_E5M2FNUZ,
    TL_DTYPE_U16,
    TL_DTYPE_I16,
    TL_DTYPE_U32,
    TL_DTYPE_I32,
    TL_DTYPE_U64,
    TL_DTYPE_I64,
    TL_DTYPE_C64
} tl_dtype;
const char *tl_dtype_name(tl_dtype dtype); /* as in the file: "F32" */

typedef struct tl_safetensors_item { /* a tensor to write */
    const char *name;
    tl_tensor tensor; /* any strides; written row-major */
    tl_dtype dtype;   /* of the file: F32, F64, or 0 for tl_real's own */
} tl_safetensors_item;

typedef struct tl_safetensors_pair { /* a line of the file's metadata */
    const char *key, *value;
} tl_safetensors_pair;

typedef struct tl_safetensors_entry { /* a tensor found in a file; the texts belong to the handle */
    const char *name;
    tl_dtype dtype;
    int rank;
    const long *dim; /* [rank] the handle's too */
    tl_shape
        shape; /* the same, if rank is at most TL_MAX_RANK; otherwise its rank is -1, and it cannot be read */
    uint64_t begin, end; /* its bytes, counted from the start of the data */
} tl_safetensors_entry;

/* Writes a file atomically, byte for byte as the reference implementation does: wide dtypes first, then by
 * name. Names must be distinct UTF-8 texts, not "__metadata__"; metadata (may be NULL) keys likewise. */
bool tl_safetensors_write(const char *path, const tl_safetensors_item *items, long count,
                          const tl_safetensors_pair *metadata, long metadata_count, tl_error *error);

/* An open file, whose header has been read and checked. */
typedef struct tl_safetensors tl_safetensors;

/* Opens a regular file and checks its header against its size: nothing read later can point outside. NULL on failure.
 * The file stays open until tl_safetensors_close. Tensors of dtypes or ranks that this library has no numbers for are
 * listed all the same; only to read one fails. */
tl_safetensors *tl_safetensors_open(const char *path, tl_error *error);
/* Closes the file; its entries and texts are gone then. */
void tl_safetensors_close(tl_safetensors *file);
/* How many tensors the file has. */
long tl_safetensors_count(const tl_safetensors *file);
const tl_safetensors_entry *tl_safetensors_at(const tl_safetensors *file,
                                              long i); /* in file order; or NULL */
const tl_safetensors_entry *tl_safetensors_find(const tl_safetensors *file, const char *name); /* or NULL */
long tl_safetensors_metadata_count(const tl_safetensors *file);
tl_safetensors_pair tl_safetensors_metadata_at(const tl_safetensors *file, long i); /* {NULL, NULL} outside */
const char *tl_safetensors_metadata(const tl_safetensors *file, const char *key);   /* its value, or NULL */

/* How many numbers the tensors have together: what a model whose weights they are can have at most. */
long tl_safetensors_numel(const tl_safetensors *file);

/* Reads one tensor into `to`, which must have the same shape and distinct elements (no stride 0). F64, F16
 * and BF16 become tl_real, rounded to nearest where tl_real is narrower. After a failure in the middle of
 * reading (the disk, not the format: that was checked) `to` may be partly overwritten. */
bool tl_safetensors_read(tl_safetensors *file, const char *name, tl_tensor to, tl_error *error);

/* ---- parameters in a safetensors file ---- */

typedef struct tl_params tl_params; /* nn.h */

/* Writes every parameter under its name, in tl_real's own dtype; metadata may be NULL. Atomic. */
bool tl_params_save(const tl_params *params, const char *path, const tl_safetensors_pair *metadata,
                    long metadata_count, tl_error *error);
/* Reads every parameter. The file must hold the same names and shapes, neither fewer nor more; "module." and "_orig_mod.",
 * which PyTorch's DistributedDataParallel and torch.compile put before all names, may stand there. All or nothing: on
 * failure no parameter is changed, unless the set was still empty (tl_params_new_empty). */
bool tl_params_load(tl_params *params, const char *path, tl_error *error);
/* The same without reading: the file's pages become the parameters' values, at once and without a second copy in memory.
 * For models that are used rather than trained, as pages are copied when they are first written to (never the file).
 * While the set lives, the file may be replaced, as every function here does that writes one, but must not be cut short
 * or written over in place. A file of another dtype, or where files cannot be mapped, is loaded. The old values' memory
 * goes: reset a tape that has used them before looking at its vars again. */
bool tl_params_map(tl_params *params, const char *path, tl_error *error);

/* From now on every parameter that is added must be one of the file's tensors, of the same shape, with `prefix` before its name
 * ("", or "model." in a checkpoint): anything else fails the set before memory is taken for it. For models whose sizes
 * were read too: no number in a configuration makes a model larger than its weights are. The file must stay open
 * until the model is made. */
bool tl_params_expect(tl_params *params, const tl_safetensors *file, const char *prefix);

/* ---- GPT-2's files: a tl_gpt as PyTorch's implementations have it ---- */

typedef struct tl_gpt tl_gpt;               /* nn.h */
typedef struct tl_gpt_config tl_gpt_config; /* nn.h */

/* How the matrices of attention and feed-forward lie. The names are the same, those of tl_gpt. */
typedef enum tl_gpt_layout {
    TL_GPT_HUGGING_FACE, /* [in,out] (transformers' Conv1D); a tied output is not in the file */
    TL_GPT_NANOGPT       /* [out,in] (torch.nn.Linear); a tied output is there as lm_head.weight too */
} tl_gpt_layout;

/* Reads a file of either layout into a model that was made with its sizes; which layout it is shows in the shape of
 * c_attn.weight: [D,3·D] or [3·D,D]. Names may lack "transformer.", or have a wrapper's name before them as in tl_params_load;
 * buffers of masks (attn.bias, attn.masked_bias) are left out; a tied matrix may be there under the embedding's name, under
 * lm_head.weight, or under both: then with the same numbers. For models of learned positions and with feed-forward, which
 * GPT-2's files are of. All or nothing, as tl_params_load. */
bool tl_gpt_load(tl_gpt *model, const char *path, tl_error *error);
/* Writes one: all parameters of the model, in tl_real's own dtype. Atomic. */
bool tl_gpt_save(const tl_gpt *model, const char *path, tl_gpt_layout layout, tl_error *error);
/* Reads the sizes of the model that a file holds: vocab, d_model, d_ff, layers, max_len, no_bias, untied, and sets positions
 * to learned ones with feed-forward. The rest stays as it is: heads, which no shape tells, dropouts, norm_eps. False, and
 * config unchanged, if the file is no GPT-2's. */
bool tl_gpt_read_config(const char *path, tl_gpt_config *config, tl_error *error);

/* ---- means and comparisons of parameters' files ---- */

/* Reads the files' tensors and writes their mean: checkpoint averaging. All files must hold the same names, shapes and
 * dtypes: F32, or F64 where tl_real is double; means are taken in double and written in the same dtype. `out` may be
 * one of the files. Atomic. */
bool tl_params_average(const char *const *paths, long count, const char *out,
                       const tl_safetensors_pair *metadata, long metadata_count, tl_error *error);

/* Does the file hold exactly these parameters, or exactly this mean, bit for bit? False also if that cannot be told. */
bool tl_params_are_saved(const tl_params *params, const char *path);
bool tl_params_average_is_saved(const char *const *paths, long count, const char *path);

/* ---- checkpoints: all that training needs to go on as if it had never stopped ---- */

typedef struct tl_adam tl_adam; /* optim.h */
/* A configuration: keys and their values, see tl_config_new. */
typedef struct tl_config tl_config;

/* Writes weights ("model.<name>"), Adam's moments ("adam.m.<name>", "adam.v.<name>") and steps, and `state`, whatever
 * else the program must remember, as text in the metadata. One safetensors file. Atomic. Neither adam nor state may be
 * NULL; a parameter that was never updated has moments of zero. */
bool tl_checkpoint_save(const char *path, const tl_params *params, tl_adam *adam, tl_config *state,
                        tl_error *error);
/* Opens one to look at it, with the checks of tl_safetensors_open and whether it is a checkpoint at all. */
tl_safetensors *tl_checkpoint_open(const char *path, tl_error *error);
/* Reads it back into params and adam, which must have the same parameters; byte for byte the same, so the file must
 * come from a library of the same precision. Options (betas, groups, what is frozen) are the program's to set again.
 * Returns the state, to free with tl_config_free; NULL, and nothing changed, on failure. */
tl_config *tl_checkpoint_load(const char *path, tl_params *params, tl_adam *adam, tl_error *error);

/* ---- curves: a log drawn by gnuplot, where it is installed ---- */

/* A column of the log that is drawn as a curve. */
typedef struct tl_plot_curve {
    const char *column; /* of the log */
    const char *title;  /* NULL = the column's name */
} tl_plot_curve;
typedef struct tl_plot_panel { /* curves over one vertical axis; panels stand one above another */
    const char *label;         /* of the vertical axis, with its unit */
    const tl_plot_curve *curves;
    int count;
    bool log_scale;
} tl_plot_panel;
/* A picture: what it is drawn of, and where to. */
typedef struct tl_plot_config {
    const char *title;
    const char *log; /* the CSV, beside the script */
    const char *x;   /* the column along the horizontal axis */
    const char *x_label;
    const tl_plot_panel *panels;
    int count;
    const char *picture; /* file to draw, beside the script: .svg or .png */
} tl_plot_config;
/* Writes a gnuplot script, to be run in its own folder (`gnuplot curves.gp`). Atomic. */
bool tl_plot_write(const char *path, const tl_plot_config *config, tl_error *error);
/* Runs it there if gnuplot is on the PATH. *drawn (may be NULL) tells whether there is a picture now; gnuplot's absence
 * is no failure. A log that is missing or lacks a column is one; a log without rows is not. */
bool tl_plot_draw(const char *script, bool *drawn, tl_error *error);

/* ---- key = value text ---- */

/* A configuration as text, one `key = value` a line. Keys: at most 127 letters, digits, '_', '-', '.'; each
 * once. Everything from a '#' at the start of a line, or after a space, is a comment. Spaces around a value
 * do not count; a value in "double quotes" keeps them and may hold \" \\ \n \r \t. Numbers read back exactly
 * as they were written. Lines that hold only a comment, and empty ones, are kept when a configuration is read
 * and written. */
tl_config *tl_config_new(void);
/* Reads a regular file, or a text (`name` stands for it in errors), of TL_CONFIG_MOST bytes at most. NULL on failure; errors say file, line, found and
 * expected. */
tl_config *tl_config_read(const char *path, tl_error *error);
tl_config *tl_config_parse(const char *text, size_t size, const char *name, tl_error *error);
bool tl_config_write(tl_config *config, const char *path, tl_error *error);
/* The whole configuration as a text to free(); NULL if out of memory or if the configuration failed. */
char *tl_config_text(tl_config *config);
/* Frees the configuration and its strings. */
void tl_config_free(tl_config *config);
const char *tl_config_error(const tl_config *config); /* the first failure, or NULL */

/* The value of a key; `otherwise` if there is none. A value of another kind fails the configuration and gives
 * `otherwise`. Strings live until the key is set again or the configuration is freed. Booleans: true, false,
 * yes, no, on, off, 1, 0. */
bool tl_config_has(const tl_config *config, const char *key);
const char *tl_config_string(tl_config *config, const char *key, const char *otherwise);
long tl_config_long(tl_config *config, const char *key, long otherwise);
double tl_config_double(tl_config *config, const char *key, double otherwise);
bool tl_config_bool(tl_config *config, const char *key, bool otherwise);

/* Sets a key: in place if it is there, else at the end. */
void tl_config_set_string(tl_config *config, const char *key, const char *value);
void tl_config_set_long(tl_config *config, const char *key, long value);
void tl_config_set_double(tl_config *config, const char *key, double value);
void tl_config_set_bool(tl_config *config, const char *key, bool value);
void tl_config_comment(tl_config *config, const char *text); /* a line "# text"; "" = an empty line */

/* The i-th key that nobody has asked for or set: a misspelt one, most likely. NULL after the last. *line (may
 * be NULL) is its line in the file, 0 if there is none. */
const char *tl_config_unknown(const tl_config *config, long i, long *line);

/* ---- CSV logs (RFC 4180, lines end in \n) ---- */

/* A log or a table that rows are written to. */
typedef struct tl_csv tl_csv;

/* Opens a log with these columns. append: goes on after the rows that are there; the header must be the same,
 * and a last line that was cut off in the middle is dropped. Without append an old file is replaced. NULL on
 * failure. */
tl_csv *tl_csv_open(const char *path, const char *const *columns, int count, bool append, tl_error *error);
/* A table instead of a log: the same calls, but rows wait in memory, and tl_csv_close writes the file whole (tl_file_write), in the
 * place of an old one. */
tl_csv *tl_csv_table(const char *path, const char *const *columns, int count, tl_error *error);
/* A row, cell by cell; numbers as the shortest text that reads back exactly, NaN as "nan". A row reaches the
 * file whole, in one write, and the disk, before tl_csv_end_row returns; it must have as many cells as there are columns. A log
 * that was removed or replaced meanwhile fails there: rows would go where nobody finds them. */
void tl_csv_text(tl_csv *csv, const char *text); /* "" or NULL = an empty cell */
void tl_csv_long(tl_csv *csv, long value);
void tl_csv_double(tl_csv *csv, double value);
void tl_csv_float(tl_csv *csv, float value);
bool tl_csv_end_row(tl_csv *csv);
const char *tl_csv_error(const tl_csv *csv); /* the first failure, or NULL */
/* False if anything failed since tl_csv_open; the reason is then in error (may be NULL). Frees in any
 * case. */
bool tl_csv_close(tl_csv *csv, tl_error *error);

/* ---- progress ---- */

/* How far a long run is: on a terminal one line that is redrawn at most 10 times a second,
 *     step 1234/8000 [=====>               ]  15%  loss 3.412  12.3k tok/s  1:02:03 left
 * elsewhere a plain line after 10 s, and then ever more seldom, up to one a minute. Fill in the first part,
 * leave the rest zero. Writes to `out` only, and never fails: who looks at a bar has nothing to do about
 * it. */
typedef struct tl_progress {
    FILE *out;  /* NULL = silent. Usually stderr: stdout belongs to results. */
    long total; /* steps of the whole run; 0 = unknown */
    long first; /* steps that were done before this run started (resume) */
    double
        budget; /* seconds this run may take; 0 = no limit. With total too, what is nearer its end counts. */
    const char *label; /* goes before the line; may change on the way; NULL = none */
    const char *unit;  /* NULL = "step" */
    bool no_loss;      /* do not show a loss */
    double after;      /* show nothing before so many seconds: for what is mostly quick */
    int width;         /* columns; 0 = ask the terminal, else COLUMNS, else 80 */
    enum { TL_PROGRESS_AUTO, TL_PROGRESS_BAR, TL_PROGRESS_PLAIN } style; /* 0 = a bar if out is a terminal */
    double (*clock)(void); /* seconds from anywhere; NULL = the machine's steady clock */
    /* kept by the functions below */
    bool started, paused, bar_shown, is_bar;
    long step;
    double loss, begin, drawn, last, paused_at;
    double recent_tokens, recent_seconds; /* both fade with a time constant of 10 s */
    int drawn_width;
} tl_progress;

/* Begins: what was filled in is read, and the clock runs from here on. Nothing is shown where out is NULL. */
void tl_progress_start(tl_progress *progress);
/* `step` steps are done (counted with `first`); tokens: how many since the last update, 0 = not shown. */
void tl_progress_update(tl_progress *progress, long step, double loss, double tokens);
/* Takes the bar away, so that other lines can be printed; time until tl_progress_resume does not count in
 * tokens/s (it does in the time left: validations will come again). */
void tl_progress_pause(tl_progress *progress);
void tl_progress_resume(tl_progress *progress);
/* Draws the last state and ends the line. */
void tl_progress_finish(tl_progress *progress);

#ifdef __cplusplus
}
#endif
#endif
