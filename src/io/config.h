/* A configuration inside src/io: its lines in order. config.c keeps and converts values; config_text.c reads and writes
 * the text. */
#ifndef TL_IO_CONFIG_H
#define TL_IO_CONFIG_H

#include "base/names.h"

#include "tapeloom/io.h"

typedef struct tl_config_line {
    char *key;   /* NULL: a comment or an empty line, kept as it is */
    char *value; /* never NULL */
    long number; /* its line in the file; 0: set by the program */
    bool known;  /* it was read or set by the program */
} tl_config_line;

struct tl_config {
    tl_config_line *lines;
    long count;
    size_t room;
    tl_names keys; /* from a key to the index of its line */
    char *name;    /* of the file, for errors; NULL: made by the program */
    tl_error error;
};

tl_config *tl_config_named(const char *name, tl_error *error);
tl_config_line *tl_config_find(const tl_config *config, const char *key);
/* Appends a copy of a line. When out of memory returns false, and the configuration has failed. */
bool tl_config_append(tl_config *config, const char *key, const char *value, size_t value_size, long number);
#define TL_CONFIG_KEY_MAX 127
bool tl_config_key_ok(const char *key, size_t size);

#endif
