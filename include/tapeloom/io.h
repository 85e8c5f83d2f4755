/* Files: whole files, safetensors, text configurations, CSV logs, plots; and progress bars.
 *
 * A function that can fail returns false or NULL and leaves one line in the tl_error that it was given, which keeps its
 * first failure. A configuration or a log keeps its own first failure, and later calls do nothing, so one check at the
 * end is enough. Every function accepts a NULL handle. Texts are UTF-8. Numbers in files have a decimal point, whatever
 * the locale.
 *
 * Files are written atomically, so they appear whole or not at all: the bytes go to a temporary file in the same
 * folder, which is synced and then renamed over the old file. */
#ifndef TAPELOOM_IO_H
#define TAPELOOM_IO_H

#include "base.h"
#include "tensor.h" /* tl_tensor */

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- whole files ---- */

/* The most bytes that are read of a file, by its kind. A larger file is refused before memory is taken for it. (The
 * header of a safetensors file: 100,000,000 bytes, the format's own limit.) */
#define TL_TEXT_MOST ((size_t)1 << 31)   /* sentences, from a file or from standard input; a run's tables */
#define TL_WORDS_MOST ((size_t)1 << 26)  /* a run's vocabularies and merges */
#define TL_CONFIG_MOST ((size_t)1 << 20) /* a configuration, in a file or in a checkpoint */

/* Reads all of a file or pipe, at most TL_TEXT_MOST bytes. The caller frees *bytes. A 0 byte, which *size does not
 * count, follows the last byte, so that a text can be used as a string. On failure *bytes is NULL and *size 0. */
bool tl_file_read(const char *path, char **bytes, size_t *size, tl_error *error);

/* The same for a file in a folder that may come from a stranger: it must be a regular file of at most `most` bytes.
 * Anything else (a pipe without a writer, an endless device) is refused without waiting. */
bool tl_file_read_regular(const char *path, size_t most, char **bytes, size_t *size, tl_error *error);

/* tl_file_read for the rest of standard input, of which nothing may have been read through stdin. */
bool tl_input_read(char **bytes, size_t *size, tl_error *error);

/* Writes a file atomically: after a failure or a kill the old file is still whole. Keeps the old file's permissions,
 * follows a symbolic link, and refuses to replace anything that is not a regular file. */
bool tl_file_write(const char *path, const void *bytes, size_t size, tl_error *error);

/* Makes a folder and the folders above it, as mkdir -p does. True if it exists already. */
bool tl_make_dirs(const char *path, tl_error *error);

/* Does a file of this name exist? Also true for a file that may not be read, and where the system does not tell (in a
 * folder that may not be entered): otherwise the caller might overwrite it. False for NULL. */
bool tl_file_is_there(const char *path);
/* The same, but returns false, with a message in error, where the system does not tell. */
bool tl_file_look(const char *path, bool *there, tl_error *error);
/* Is it a regular file, not a folder, device or pipe? */
bool tl_file_is_regular(const char *path);
/* Removes a file, not a folder. True also if it does not exist. */
bool tl_file_remove(const char *path, tl_error *error);
/* Calls `visit` with each name in a folder (except "." and ".."), in no particular order, until it returns false;
 * returns the result of the last call. visit may remove the file of that name. A folder that does not exist counts as
 * empty. */
bool tl_folder_each(const char *path, bool (*visit)(void *context, const char *name), void *context,
                    tl_error *error);

/* ---- showing text from strangers ----
 *
 * Vocabularies, translations, file names and the settings of a run may contain control sequences for a terminal:
 * colours, a new title, movements of the cursor. Programs print such text through these functions. Messages of a
 * tl_error are safe already. */

/* Prints a text on one line. Written as \x1b, byte by byte, are: control characters (line ends and tabs too), line
 * separators, characters that change the direction of writing, and bytes that are not UTF-8. NULL prints nothing. */
void tl_show(const char *text, FILE *out);
/* The same as a text, which the caller frees; NULL when out of memory. */
char *tl_shown_text(const char *text);
/* For the output of a program, such as translations: prints the bytes unchanged, unless `out` is a terminal. There it
 * prints as tl_show does, but leaves line ends and tabs. */
void tl_put_text(const char *text, FILE *out);

/* ---- locking a folder for one writer ---- */

/* A locked folder. */
typedef struct tl_folder tl_folder;
/* Locks a folder against everybody else who locks it, also in this process. The lock is on the folder itself: no lock
 * file can be left behind, and the lock ends with the process, however that ends. Returns NULL, with a message in
 * error, if the folder cannot be opened, or if somebody else still holds it after a second. Release it with
 * tl_folder_unlock. */
tl_folder *tl_folder_lock(const char *path, tl_error *error);
/* Is it locked? False if the folder's file system has no locks, so that others cannot be kept out. */
bool tl_folder_is_locked(const tl_folder *folder);
/* Does the path still lead to the locked folder? If not, it was removed or replaced, and nothing should be written
 * there: returns false, with a message in error. True for NULL. */
bool tl_folder_check(const tl_folder *folder, tl_error *error);
/* Releases the lock and frees the handle. */
void tl_folder_unlock(tl_folder *folder);
/* Removes the ".tmp" files that killed writers have left in a folder, of files for whose name `ours` returns true.
 * Nobody may be writing there. A folder that does not exist counts as empty. */
bool tl_folder_clear_strays(const char *path, bool (*ours)(const char *name), tl_error *error);

/* ---- standard streams, for programs: the rest of the library does not touch them ---- */

/* To be called first in main. Opens those of descriptors 0 to 2 that are closed, to something that gives and takes no
 * byte. Otherwise the next opened file would get such a number, and receive what is printed. Also makes a write beyond
 * the limit for file sizes (ulimit -f) an ordinary failure, instead of the end of the program by SIGXFSZ; a handler
 * that the program has set stays. */
void tl_streams_open(void);
/* To be called last in main, with stdout. Flushes and closes it. Returns false, with a message in error, if any output
 * since the start was lost. Nothing may be printed to it afterwards. */
bool tl_output_close(FILE *output, tl_error *error);
/* Opens a stream that writes a text into memory, of at most `room` bytes. The memory is requested at once: a stream of
 * open_memstream that cannot grow loses text, and reports no error. NULL, and a message in error, on failure. */
FILE *tl_text_open(char **text, size_t room, tl_error *error);
/* Closes that stream: the text then ends with 0, has *size bytes (size may be NULL) and is freed by the caller. On failure
 * *text is NULL, and nothing is to be freed. So it is for the stream NULL, whose reason tl_text_open has given: error stays. */
bool tl_text_close(FILE *stream, char **text, size_t *size, tl_error *error);

/* ---- numbers and durations as text ---- */

/* Bytes that hold any number or duration as text. */
#define TL_NUMBER_TEXT 32
/* The shortest text that reads back to exactly this number ("0.1", "1e-08", "nan", "-inf"). Returns text. */
char *tl_double_text(double value, char text[TL_NUMBER_TEXT]);
/* The same for a float: exact when read back as a float. */
char *tl_float_text(float value, char text[TL_NUMBER_TEXT]);
/* Reads a number that is the whole text: "12", "-1e-3", "inf", "nan". Returns false, with *value unchanged, if it is
 * not, if it is too large for a double, or so small that it would become 0. */
bool tl_double_parse(const char *text, double *value);
/* Reads a whole decimal number that is the whole text. Returns false, with *value unchanged, if it is not or does not
 * fit. */
bool tl_long_parse(const char *text, long *value);

/* "0.4 s", "45 s", "2:05", "1:02:03", "3 d 04:05:06"; "?" if negative or not finite. Returns text. */
char *tl_duration_text(double seconds, char text[TL_NUMBER_TEXT]);

/* ---- safetensors: named tensors in one file (https://huggingface.co/docs/safetensors) ---- */

/* The element types of the format. */
typedef enum tl_dtype {
    TL_DTYPE_REAL, /* for writing only: that of tl_real, F32 or F64 */
    /* tl_safetensors_read reads these: */
    TL_DTYPE_F32,
    TL_DTYPE_F64,
    TL_DTYPE_F16,
    TL_DTYPE_BF16,
    /* tl_safetensors_open lists these, but tl_safetensors_read refuses them: */
    TL_DTYPE_BOOL,
    TL_DTYPE_F4,      /* two numbers per byte */
    TL_DTYPE_F6_E2M3, /* four numbers in three bytes, as the next */
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
/* The name in a file: "F32". */
const char *tl_dtype_name(tl_dtype dtype);

/* A tensor to write. */
typedef struct tl_safetensors_item {
    const char *name;
    tl_tensor tensor; /* any strides; written row-major */
    tl_dtype dtype;   /* in the file: TL_DTYPE_F32, TL_DTYPE_F64 or TL_DTYPE_REAL (0) */
} tl_safetensors_item;

/* An entry of a file's metadata. */
typedef struct tl_safetensors_pair {
    const char *key, *value;
} tl_safetensors_pair;

/* A tensor in a file. Its name and dim belong to the handle. */
typedef struct tl_safetensors_entry {
    const char *name;
    tl_dtype dtype;
    int rank;
    const long *dim; /* [rank] */
    /* the same, if rank is at most TL_MAX_RANK; otherwise shape.rank is -1, and the tensor cannot be read */
    tl_shape shape;
    uint64_t begin, end; /* its bytes [begin, end), counted from the start of the data */
} tl_safetensors_entry;

/* Writes a file atomically, byte for byte as the reference implementation does: wide dtypes first, then by name. Names
 * must be distinct UTF-8 texts other than "__metadata__"; so must the keys of metadata (may be NULL). */
bool tl_safetensors_write(const char *path, const tl_safetensors_item *items, long count,
                          const tl_safetensors_pair *metadata, long metadata_count, tl_error *error);

/* An open file. Its header has been read and checked. */
typedef struct tl_safetensors tl_safetensors;

/* Opens a regular file and checks its header against the file's size, so that no later read can go outside. NULL on
 * failure. The file stays open until tl_safetensors_close. Tensors of a dtype or rank that this library cannot read are
 * listed too; only reading one fails. */
tl_safetensors *tl_safetensors_open(const char *path, tl_error *error);
/* Closes the file. Its entries and texts are then invalid. */
void tl_safetensors_close(tl_safetensors *file);
/* How many tensors the file has. */
long tl_safetensors_count(const tl_safetensors *file);
/* Tensor number i in the order of the file; NULL if there is none. */
const tl_safetensors_entry *tl_safetensors_at(const tl_safetensors *file, long i);
/* The tensor of that name; NULL if there is none. */
const tl_safetensors_entry *tl_safetensors_find(const tl_safetensors *file, const char *name);
/* How many entries the metadata has. */
long tl_safetensors_metadata_count(const tl_safetensors *file);
/* Entry number i of the metadata; {NULL, NULL} if there is none. */
tl_safetensors_pair tl_safetensors_metadata_at(const tl_safetensors *file, long i);
/* The value of a key of the metadata; NULL if there is none. */
const char *tl_safetensors_metadata(const tl_safetensors *file, const char *key);

/* How many elements all tensors have together: the most that a model with these weights can have. */
long tl_safetensors_numel(const tl_safetensors *file);

/* Reads one tensor into `to`, which must have the same shape and distinct elements (no stride 0). F64, F16 and BF16 are
 * converted to tl_real, and rounded to nearest if tl_real is narrower. If reading itself fails (the disk; the format
 * has been checked), `to` may be partly overwritten. */
bool tl_safetensors_read(tl_safetensors *file, const char *name, tl_tensor to, tl_error *error);

/* ---- parameters in a safetensors file ---- */

typedef struct tl_params tl_params; /* nn.h */

/* Writes every parameter under its name, with the dtype of tl_real. metadata may be NULL. Atomic. */
bool tl_params_save(const tl_params *params, const char *path, const tl_safetensors_pair *metadata,
                    long metadata_count, tl_error *error);
/* Reads every parameter. The file must hold exactly these names and shapes. The prefixes "module." and "_orig_mod.",
 * which PyTorch's DistributedDataParallel and torch.compile put before all names, are allowed. On failure no parameter
 * is changed, unless the set was still empty (tl_params_new_empty). */
bool tl_params_load(tl_params *params, const char *path, tl_error *error);
/* The same without reading: the pages of the file become the parameters' values, at once and without a second copy in
 * memory. For models that are used, not trained: a page is copied when it is first written to (the file never changes).
 * While the set lives, the file may be replaced, as all functions here do when they write, but must not be truncated or
 * overwritten in place. If the dtype is another, or files cannot be mapped, the file is loaded. The old values are
 * freed: reset a tape that has used them before reading its vars again. */
bool tl_params_map(tl_params *params, const char *path, tl_error *error);

/* From now on, every parameter that is added must be a tensor of the file, with the same shape, named with `prefix`
 * before its name ("" or, in a checkpoint, "model."). Anything else fails the set before memory is taken. For models
 * whose sizes come from a file too: no number there can make the model larger than its weights. The file must stay open
 * until the model is made. */
bool tl_params_expect(tl_params *params, const tl_safetensors *file, const char *prefix);

/* ---- GPT-2's files: a tl_gpt as PyTorch implementations store it ---- */

typedef struct tl_gpt tl_gpt;               /* models.h */
typedef struct tl_gpt_config tl_gpt_config; /* models.h */

/* How the matrices of attention and feed-forward are stored. The names are the same, those of tl_gpt. */
typedef enum tl_gpt_layout {
    TL_GPT_HUGGING_FACE, /* [in,out], as transformers' Conv1D; a tied output is not in the file */
    TL_GPT_NANOGPT       /* [out,in], as torch.nn.Linear; a tied output is there too, as lm_head.weight */
} tl_gpt_layout;

/* Reads a file of either layout into a model of the same sizes. The shape of c_attn.weight says which layout it is:
 * [D,3·D] or [3·D,D]. Names may lack "transformer.", or have a wrapper's prefix as in tl_params_load. Mask buffers
 * (attn.bias, attn.masked_bias) are ignored. A tied matrix may be stored under the embedding's name, under
 * lm_head.weight, or under both with the same numbers. Only for models with learned positions and feed-forward, as
 * GPT-2's files have them. On failure no parameter is changed, unless the set was still empty. */
bool tl_gpt_load(tl_gpt *model, const char *path, tl_error *error);
/* Writes all parameters of the model in that layout, with the dtype of tl_real. Atomic. */
bool tl_gpt_save(const tl_gpt *model, const char *path, tl_gpt_layout layout, tl_error *error);
/* Reads the sizes of a file's model into *config: vocab, d_model, d_ff, layers, max_len, no_bias, untied; positions and
 * no_feed_forward become GPT-2's. The rest is unchanged: heads (which no shape shows), dropouts, norm_eps. Returns
 * false, with *config unchanged, if the file is not a GPT-2's. */
bool tl_gpt_read_config(const char *path, tl_gpt_config *config, tl_error *error);

/* ---- means and comparisons of files of parameters ---- */

/* Checkpoint averaging: writes the mean of the files' tensors. All files must hold the same names, shapes and dtypes:
 * F32, or F64 if tl_real is double. Means are computed in double and written in the same dtype. `out` may be one of the
 * one of the files. Atomic. */
bool tl_params_average(const char *const *paths, long count, const char *out,
                       const tl_safetensors_pair *metadata, long metadata_count, tl_error *error);

/* Does the file hold exactly these parameters, or exactly this mean, bit for bit? False also if it cannot be read. */
bool tl_params_are_saved(const tl_params *params, const char *path);
bool tl_params_average_is_saved(const char *const *paths, long count, const char *path);

/* ---- checkpoints: everything that training needs to continue as if it had never stopped ---- */

typedef struct tl_adam tl_adam; /* optim.h */
/* A configuration: keys and values, see tl_config_new. */
typedef struct tl_config tl_config;

/* Writes one safetensors file: the weights ("model.<name>"), Adam's moments ("adam.m.<name>", "adam.v.<name>") and step
 * counts, and `state`, everything else that the program must remember, as text in the metadata. Atomic. Neither adam
 * nor state may be NULL. A parameter that was never updated has zero moments. */
bool tl_checkpoint_save(const char *path, const tl_params *params, tl_adam *adam, tl_config *state,
                        tl_error *error);
/* Opens a checkpoint for inspection: tl_safetensors_open, and a check that the file is a checkpoint. */
tl_safetensors *tl_checkpoint_open(const char *path, tl_error *error);
/* Reads a checkpoint into params and adam, which must have the same parameters. Values are read byte for byte, so the
 * file must come from a library of the same precision. The program sets options again (betas, groups, what is frozen).
 * Returns the state, to be freed with tl_config_free. On failure returns NULL, and nothing is changed. */
tl_config *tl_checkpoint_load(const char *path, tl_params *params, tl_adam *adam, tl_error *error);

/* ---- curves: a log drawn by gnuplot, if that is installed ---- */

/* A column of the log, drawn as a curve. */
typedef struct tl_plot_curve {
    const char *column; /* its name in the log */
    const char *title;  /* NULL: the column's name */
} tl_plot_curve;
/* Curves with one vertical axis. Panels are drawn one above the other. */
typedef struct tl_plot_panel {
    const char *label; /* of the vertical axis, with its unit */
    const tl_plot_curve *curves;
    int count;
    bool log_scale;
} tl_plot_panel;
/* A picture with its data and its file. */
typedef struct tl_plot_config {
    const char *title;
    const char *log; /* the CSV file, in the folder of the script */
    const char *x;   /* the column for the horizontal axis */
    const char *x_label;
    const tl_plot_panel *panels;
    int count;
    const char *picture; /* the file to draw, in the folder of the script: .svg or .png */
} tl_plot_config;
/* Writes a gnuplot script, to be run in its own folder (`gnuplot curves.gp`). Atomic. */
bool tl_plot_write(const char *path, const tl_plot_config *config, tl_error *error);
/* Runs the script in its folder, if gnuplot is on the PATH. *drawn (may be NULL): is there a picture now? It is no
 * failure if gnuplot is not installed, or if the log has no rows. It is one if the log is missing or lacks a column. */
bool tl_plot_draw(const char *script, bool *drawn, tl_error *error);

/* ---- key = value text ---- */

/* An empty configuration. As text it has one `key = value` per line. A key has at most 127 letters, digits, '_', '-',
 * '.', and occurs once. A '#' at the start of a line or after a space begins a comment. Spaces around a value are
 * ignored; a value in "double quotes" keeps them and may contain \" \\ \n \r \t. Numbers read back exactly. Empty
 * lines, and lines with only a comment, are kept when a configuration is read and written. */
tl_config *tl_config_new(void);
/* Reads a regular file, or a text, of at most TL_CONFIG_MOST bytes. Error messages call the text `name`. NULL on
 * failure; the message says file, line, what was found and what was expected. */
tl_config *tl_config_read(const char *path, tl_error *error);
tl_config *tl_config_parse(const char *text, size_t size, const char *name, tl_error *error);
/* Writes the configuration to a file. Atomic. */
bool tl_config_write(tl_config *config, const char *path, tl_error *error);
/* The whole configuration as a text, which the caller frees; NULL when out of memory or if the configuration has
 * failed. */
char *tl_config_text(tl_config *config);
/* Frees the configuration and its strings. */
void tl_config_free(tl_config *config);
/* The first failure, or NULL. */
const char *tl_config_error(const tl_config *config);

/* The value of a key; `otherwise` if there is none. A value of another type fails the configuration and returns
 * `otherwise`. A string is valid until the key is set again or the configuration is freed. Booleans are true, false,
 * yes, no, on, off, 1, 0. */
bool tl_config_has(const tl_config *config, const char *key);
const char *tl_config_string(tl_config *config, const char *key, const char *otherwise);
long tl_config_long(tl_config *config, const char *key, long otherwise);
double tl_config_double(tl_config *config, const char *key, double otherwise);
bool tl_config_bool(tl_config *config, const char *key, bool otherwise);

/* Sets a key: in place if it exists, otherwise at the end. */
void tl_config_set_string(tl_config *config, const char *key, const char *value);
void tl_config_set_long(tl_config *config, const char *key, long value);
void tl_config_set_double(tl_config *config, const char *key, double value);
void tl_config_set_bool(tl_config *config, const char *key, bool value);
/* Appends a line "# text"; "": an empty line. */
void tl_config_comment(tl_config *config, const char *text);

/* The i-th key that was neither read nor set: probably misspelt. NULL after the last. *line (may be NULL) is its line
 * in the file, 0 if it has none. */
const char *tl_config_unknown(const tl_config *config, long i, long *line);

/* ---- CSV logs (RFC 4180, lines end in \n) ---- */

/* A log or table that is written row by row. */
typedef struct tl_csv tl_csv;

/* Opens a log with these columns. append: continues after the existing rows; the header must be the same, and an
 * incomplete last line is dropped. Otherwise an old file is replaced. NULL on failure. */
tl_csv *tl_csv_open(const char *path, const char *const *columns, int count, bool append, tl_error *error);
/* Opens a table: the same calls, but rows wait in memory, and tl_csv_close writes the whole file atomically
 * (tl_file_write), over an old one. NULL on failure. */
tl_csv *tl_csv_table(const char *path, const char *const *columns, int count, tl_error *error);
/* A row is written cell by cell, with as many cells as there are columns. Numbers become the shortest text that reads
 * back exactly; NaN is "nan". tl_csv_end_row writes the row to the file in one write, and to the disk. It fails if the
 * log was removed or replaced meanwhile. An empty cell is "" or NULL. */
void tl_csv_text(tl_csv *csv, const char *text);
void tl_csv_long(tl_csv *csv, long value);
void tl_csv_double(tl_csv *csv, double value);
void tl_csv_float(tl_csv *csv, float value);
bool tl_csv_end_row(tl_csv *csv);
/* The first failure, or NULL. */
const char *tl_csv_error(const tl_csv *csv);
/* Closes and frees the log or table. Returns false if anything has failed since it was opened, with the reason in error
 * (may be NULL). */
bool tl_csv_close(tl_csv *csv, tl_error *error);

/* ---- progress ---- */

/* The progress of a long run. On a terminal it is one line, redrawn at most 10 times a second:
 *     step 1234/8000 [=====>               ]  15%  loss 3.412  12.3k tok/s  1:02:03 left
 * Elsewhere it is a plain line after 10 s, and then more and more rarely, down to one a minute. Fill in the first part
 * and leave the rest zero. It writes only to `out`, and never fails: a failed progress bar must not stop the run. */
typedef struct tl_progress {
    FILE *out;  /* NULL: silent. Usually stderr, since stdout is for results. */
    long total; /* steps of the whole run; 0: unknown */
    long first; /* steps done before this run started (resume) */
    /* seconds this run may take; 0: no limit. If total is given too, the one that is nearer its end is shown. */
    double budget;
    const char *label; /* before the line; may change during the run; NULL: none */
    const char *unit;  /* NULL: "step" */
    bool no_loss;      /* do not show a loss */
    double after;      /* show nothing in the first `after` seconds: for work that is usually quick */
    int width;         /* columns; 0: ask the terminal, else COLUMNS, else 80 */
    enum { TL_PROGRESS_AUTO, TL_PROGRESS_BAR, TL_PROGRESS_PLAIN } style; /* 0 = a bar if out is a terminal */
    double (*clock)(void); /* seconds since any moment; NULL: the system's monotonic clock */
    /* kept by the functions below */
    bool started, paused, bar_shown, is_bar;
    long step;
    double loss, begin, drawn, last, paused_at;
    double recent_tokens, recent_seconds; /* both fade with a time constant of 10 s */
    int drawn_width;
} tl_progress;

/* Begins. The filled-in fields are read, and the clock starts. Nothing is shown if out is NULL. */
void tl_progress_start(tl_progress *progress);
/* `step` steps are done (`first` included). tokens: how many since the last update; 0: no rate is shown. */
void tl_progress_update(tl_progress *progress, long step, double loss, double tokens);
/* Removes the bar, so that other lines can be printed. The time until tl_progress_resume does not count for tokens/s,
 * but counts for the time left, since later validations will take time too. */
void tl_progress_pause(tl_progress *progress);
/* Shows the bar again. */
void tl_progress_resume(tl_progress *progress);
/* Draws the last state and ends the line. */
void tl_progress_finish(tl_progress *progress);

#ifdef __cplusplus
}
#endif
#endif
