/* Numbers for keys: the first key added gets 0, the next new one 1, and so on. Words of a vocabulary, n-grams and drawn
 * sentences are counted and found in such tables. */
#ifndef TL_TEXT_TABLE_H
#define TL_TEXT_TABLE_H

#include "scan.h"

typedef struct tl_table_entry {
    size_t start, size; /* where the key is in bytes */
    uint64_t hash;
} tl_table_entry;

/* {0} is an empty table. */
typedef struct tl_table {
    long count;  /* keys; numbers are 0 … count-1 */
    char *bytes; /* all keys, each with a NUL after it */
    size_t bytes_used, bytes_room;
    tl_table_entry *entries; /* [count] */
    size_t entries_room;
    int32_t *slots; /* a power of two of them, at most half used: number + 1; 0: free */
    size_t slot_count;
    uint64_t seed; /* of the hashes */
} tl_table;

/* The key's number; -1 if it is not there. */
long tl_table_find(const tl_table *table, tl_span key);
/* Makes room for this many keys with this many bytes in all, NULs included. Returns false, with nothing lost, when out
 * of memory. */
bool tl_table_reserve(tl_table *table, size_t keys, size_t bytes);
/* The key's number. A new key is copied, and count grows. Returns -1, with nothing changed, when out of memory. */
long tl_table_add(tl_table *table, tl_span key);
/* The key with this number, valid until the next add. A NUL follows it. */
tl_span tl_table_key(const tl_table *table, long number);
/* Empties the table and keeps its memory. */
void tl_table_clear(tl_table *table);
/* Frees the table's memory and leaves an empty table. */
void tl_table_free(tl_table *table);

/* The keys as text, which the caller frees. The first line is "what version count", then one key per line. *size (may
 * be NULL) does not count the final NUL. NULL when out of memory. */
char *tl_table_text(const tl_table *table, const char *what, long version, size_t *size);
/* Is the line exactly such a first line? If so, sets version and count. */
bool tl_table_header(tl_span line, const char *what, long *version, long *count);

#endif
