/* Settings as tables. A row has a setting's name, what it takes, the field of a struct that holds it, and its
 * meaning. The same rows parse a command line, print its --help, and write and read a config.txt. Any struct will
 * do:
 *
 *     static const tl_option rows[] = {
 *         TL_OPTION_HEADING("training"),
 *         TL_OPTION(mine, steps, "steps", LONG, "N", "updates"),
 *         TL_OPTION_ROWS(mine, model, tl_model_options),       another table, over a member of this struct
 *         TL_OPTIONS_END};
 *
 * Texts are not copied: they belong to the command line or configuration that they were read from. */
#ifndef TAPELOOM_OPTIONS_H
#define TAPELOOM_OPTIONS_H

#include "io.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a setting takes, and the type of its field. */
typedef enum tl_option_kind {
    TL_OPTION_TEXT,   /* const char *; NULL: not given */
    TL_OPTION_LONG,   /* long: 0 … 2147483647 */
    TL_OPTION_DOUBLE, /* double: 0 or more, finite */
    TL_OPTION_SHARE,  /* double in [0, 1) */
    TL_OPTION_FLAG    /* bool; takes no value; naming it sets it to true */
} tl_option_kind;

/* A row of a table; the macros below write them. */
typedef struct tl_option {
    const char *name; /* without the dashes; NULL: a heading, another table, or the end */
    tl_option_kind kind;
    size_t offset;                /* of the field in the struct */
    const char *takes;            /* its value in --help: "FILE", "N"; "toy|tiny" allows only these */
    const char *help;             /* what it means; without a name: a heading */
    bool anew;                    /* may be changed when training goes on: what was trained stays valid */
    const struct tl_option *rows; /* without a name: a table whose struct begins at `offset` */
    bool rare;                    /* written only if not 0, false or (for a text) its first choice */
} tl_option;

/* clang-format off */
/* The row of a setting: `kind` is TEXT, LONG, DOUBLE, SHARE or FLAG. */
#define TL_OPTION(type, field, name, kind, takes, help) \
    {name, TL_OPTION_##kind, offsetof(type, field), takes, help, false, NULL, false}
/* The row of a setting that may be changed when training goes on. */
#define TL_OPTION_ANEW(type, field, name, kind, takes, help) \
    {name, TL_OPTION_##kind, offsetof(type, field), takes, help, true, NULL, false}
/* The row of a setting that is newer than configurations which must stay as they were written. */
#define TL_OPTION_RARE(type, field, name, kind, takes, help) \
    {name, TL_OPTION_##kind, offsetof(type, field), takes, help, false, NULL, true}
/* The row of a setting of both kinds. */
#define TL_OPTION_RARE_ANEW(type, field, name, kind, takes, help) \
    {name, TL_OPTION_##kind, offsetof(type, field), takes, help, true, NULL, true}
/* Another table, over a member of this struct. */
#define TL_OPTION_ROWS(type, field, table) \
    {NULL, TL_OPTION_TEXT, offsetof(type, field), NULL, NULL, false, table, false}
/* Rows of the same struct that stand in a table of their own. */
#define TL_OPTION_MORE(table) {NULL, TL_OPTION_TEXT, 0, NULL, NULL, false, table, false}
/* A heading in the printed list. */
#define TL_OPTION_HEADING(text) {NULL, TL_OPTION_TEXT, 0, NULL, text, false, NULL, false}
/* What a table ends with. */
#define TL_OPTIONS_END {NULL, TL_OPTION_TEXT, 0, NULL, NULL, false, NULL, false}
/* clang-format on */

/* Reads argv[0 … argc-1] ("--name value", "--name=value", "--flag") into the struct at `values`; a later word
 * overrides an earlier one. At --help or -h it stops and sets *help. False, with a sentence in error, for what the
 * table does not allow; values before that are set. In all functions here a NULL table has no rows; if another
 * argument is NULL, nothing happens except that error, if given, gets a sentence. */
bool tl_options_parse(const tl_option *table, void *values, int argc, char **argv, bool *help,
                      tl_error *error);
/* Does a struct hold only numbers and choices that its rows allow? False, and a sentence in error about the first
 * that is not allowed. A NULL text counts as not given. */
bool tl_options_check(const tl_option *table, const void *values, tl_error *error);
/* The row that a word of the command line names ("--steps", "--steps=3"); NULL if it names none. */
const tl_option *tl_options_named(const tl_option *table, const char *word);
/* Prints the table for people, in lines of at most 110 columns, with the values of `defaults` in brackets. */
void tl_options_print(const tl_option *table, const void *defaults, FILE *out);
/* Adds every row as `name = value`, in the table's order. Left out: texts that are not given, and rare rows with the
 * value that a configuration without them means. */
void tl_options_write(const tl_option *table, const void *values, tl_config *config);
/* Reads them back. Settings that the configuration lacks keep their values. False, with a sentence in error, for
 * names and values that the table does not allow; the sentence uses path, and program (who wrote the file). */
bool tl_options_read(const tl_option *table, void *values, tl_config *config, const char *path,
                     const char *program, tl_error *error);

#ifdef __cplusplus
}
#endif
#endif
