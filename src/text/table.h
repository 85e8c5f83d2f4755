/* Numbers for keys: the first key put in gets 0, the next new one 1, and so on. Words of a vocabulary,
 * n-grams of a sentence and sentences already drawn are all counted and found through this one table. */
#ifndef TL_TEXT_TABLE_H
#define TL_TEXT_TABLE_H

#include "scan.h"

typedef struct tl_table_entry {
    size_t start, size; /* where the key is in `bytes` */
    uint64_t hash;
} tl_table_entry;

/* {0} is an empty one. */
typedef struct tl_table {
    long count;  /* keys; numbers are 0 … count-1 */
    char *bytes; /* every key, each with a NUL behind it */
    size_t bytes_used, bytes_room;
    tl_table_entry *entries; /* [count] */
    size_t entries_room;
    int32_t *slots; /* open addressing, a power of two of them, at most half used: number + 1, 0 = free */
    size_t slot_count;
    uint64_t seed; /* of the hashes */
} tl_table;

long tl_table_find(const tl_table *table, tl_span key); /* -1 if it is not there */
/* Room for so many keys that have so many bytes together, a NUL behind each. False, and nothing lost, when out of memory. */
bool tl_table_reserve(tl_table *table, size_t keys, size_t bytes);
/* The key's number, old or new (then count has grown; the bytes are copied). -1, and nothing changed, when
 * out of memory. */
long tl_table_add(tl_table *table, tl_span key);
tl_span tl_table_key(const tl_table *table, long number); /* valid until the next add; a NUL follows it */
void tl_table_clear(tl_table *table);                     /* empties it and keeps the memory */
void tl_table_free(tl_table *table);                      /* frees what it holds and leaves an empty one */

/* The keys as text, to free(); *size (may be NULL) does not count the final NUL. NULL when out of memory. The first line is "what version
 * count", each other one a key. */
char *tl_table_text(const tl_table *table, const char *what, long version, size_t *size);
/* Is the line such a first line, to the letter? Its numbers are set then. */
bool tl_table_header(tl_span line, const char *what, long *version, long *count);

#endif
