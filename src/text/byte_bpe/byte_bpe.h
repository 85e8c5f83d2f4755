/* Inside a byte-level byte-pair encoding. A token is a number, its id; the table of tokens has them as vocab.json writes them:
 * a character for every byte (letters.c). A pair is two ids, and its number in the table of pairs is its rank. Special tokens
 * are written as they are, belong to no pair, and are met by name alone. */
#ifndef TL_TEXT_BYTE_BPE_H
#define TL_TEXT_BYTE_BPE_H

#include "tapeloom/text.h"
#include "text/merge.h"
#include "text/table.h"

struct tl_byte_bpe {
    tl_error error;
    tl_table tokens; /* by id */
    char *bytes;     /* what the tokens stand for, one behind the other … */
    size_t *starts;  /* … [tokens.count + 1] */
    int alphabet[256];
    tl_table pairs; /* by rank */
    int *joined;    /* [pairs.count] the token that a pair becomes */
    size_t joined_room;

    tl_table specials;        /* their texts; a NUL follows each */
    int *special_ids;         /* [specials.count] */
    bool special_starts[256]; /* is there one that begins with this byte? */

    tl_table words;  /* that have been encoded already: encode.c */
    size_t *results; /* [words.count + 1] where each one's ids begin in `written` */
    int *written;
    size_t results_room, written_room;

    tl_piece *pieces; /* of the word at hand; symbols are ids: merge.c */
    size_t pieces_room;
    tl_merging merging;
};

/* ---- letters.c: GPT-2's character for each byte ---- */

uint32_t tl_byte_letter(unsigned char byte);
int tl_letter_byte(uint32_t code); /* -1: no byte's letter */
/* The letter as UTF-8, one or two bytes. Returns how many. */
size_t tl_byte_letter_write(unsigned char byte, char out[4]);
/* A token's letters as bytes; `bytes` has room for letters.size. False if there is another character. */
bool tl_letters_read(tl_span letters, char *bytes, size_t *size);

/* ---- words.c ---- */

/* Takes the next of GPT-2's words off the front: all words together are the text. False at the end. */
bool tl_byte_next_word(tl_span *rest, tl_span *word);

/* ---- specials.c ---- */

/* Takes the list up (NULL: none), which ends in NULL. Ids are not known yet. False for an error. */
bool tl_byte_specials_take(tl_byte_bpe *bpe, const char *const *list);
/* The first special token in the text, of those in one place the longest: where it begins, and which it is; text.size and -1
 * if there is none. */
size_t tl_byte_specials_find(const tl_byte_bpe *bpe, tl_span text, long *which);

/* ---- byte_bpe.c ---- */

tl_byte_bpe *tl_byte_bpe_empty(void);
/* The key of a pair in a table; `room` holds it. */
tl_span tl_byte_pair_key(int first, int second, int room[2]);
int32_t tl_byte_rank(const tl_byte_bpe *bpe, int first, int second); /* -1: no pair */
void tl_byte_pair(const tl_byte_bpe *bpe, long rank, int pair[2]);
/* Appends a pair that is not there yet. False, and the error set, when out of memory. */
bool tl_byte_add_pair(tl_byte_bpe *bpe, int first, int second, int joined);
/* When all tokens, pairs and ids of special tokens are there: what the tokens stand for. False, and the error set, when out of
 * memory. */
bool tl_byte_bpe_finish(tl_byte_bpe *bpe);
bool tl_byte_no_memory(tl_byte_bpe *bpe, const char *doing); /* sets the error; false */

/* ---- merge.c ---- */

/* A word of one byte or more as ids, bpe->pieces from 0 on. Returns how many; 0 when out of memory. */
size_t tl_byte_merge(tl_byte_bpe *bpe, tl_span word);

/* ---- the files ---- */

/* Where each token of vocab.json stands, so that what is wrong with one can be told later. */
typedef struct tl_byte_vocab {
    const char *name, *text;
    size_t size;
    size_t *places; /* [tokens.count] by id: free() it */
} tl_byte_vocab;

/* Tokens by id. False for an error. */
bool tl_byte_vocab_read(tl_byte_bpe *bpe, tl_byte_vocab *vocab);
/* Sets the error about a token: "vocab.json:1: byte 20: …; advice". Returns false. */
bool tl_byte_vocab_fail(tl_byte_bpe *bpe, const tl_byte_vocab *vocab, long id, const char *advice,
                        const char *format, ...) TL_PRINTF(5, 6);
/* Pairs, once tokens, letters and special tokens are known. False for an error. */
bool tl_byte_merges_read(tl_byte_bpe *bpe, const char *name, tl_span text);

#endif
