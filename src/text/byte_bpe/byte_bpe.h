/* Inside a byte-level byte-pair encoding. A token is a number, its id. The table of tokens has their texts as in
 * vocab.json: a character for every byte (letters.c). A pair is two ids; its number in the table of pairs is its rank.
 * Special tokens have their plain text, belong to no pair, and are found only by name. */
#ifndef TL_TEXT_BYTE_BPE_H
#define TL_TEXT_BYTE_BPE_H

#include "tapeloom/text.h"
#include "text/merge.h"
#include "text/table.h"

struct tl_byte_bpe {
    tl_error error;
    tl_table tokens; /* by id */
    char *bytes;     /* the bytes of all tokens, one after the other */
    size_t *starts;  /* [tokens.count + 1] where each token's bytes begin */
    int alphabet[256];
    tl_table pairs; /* by rank */
    int *joined;    /* [pairs.count] the token that a pair becomes */
    size_t joined_room;

    tl_table specials;        /* their texts */
    int *special_ids;         /* [specials.count] */
    bool special_starts[256]; /* does a special token begin with this byte? */

    tl_table words;  /* a cache: words that were encoded before (encode.c) */
    size_t *results; /* [words.count + 1] where the ids of each begin in written */
    int *written;
    size_t results_room, written_room;

    tl_piece *pieces; /* of the current word; symbols are ids (merge.c) */
    size_t pieces_room;
    tl_merging merging;
};

/* ---- letters.c: GPT-2's character for each byte ---- */

uint32_t tl_byte_letter(unsigned char byte);
/* The byte that this letter stands for; -1: none. */
int tl_letter_byte(uint32_t code);
/* Writes the letter of a byte as UTF-8, one or two bytes. Returns how many. */
size_t tl_byte_letter_write(unsigned char byte, char out[4]);
/* The bytes that a token's letters stand for; `bytes` has room for letters.size. False if there is any other
 * character. */
bool tl_letters_read(tl_span letters, char *bytes, size_t *size);

/* ---- words.c ---- */

/* Takes the next of GPT-2's words off the front. All words together are the text. False at the end. */
bool tl_byte_next_word(tl_span *rest, tl_span *word);

/* ---- specials.c ---- */

/* Takes a list of special tokens, ended by NULL (or NULL: none). Their ids are set later. False on failure. */
bool tl_byte_specials_take(tl_byte_bpe *bpe, const char *const *list);
/* Returns where the first special token in the text begins, and its number in *which; if several begin there, the
 * longest one. Returns text.size, with *which -1, if there is none. */
size_t tl_byte_specials_find(const tl_byte_bpe *bpe, tl_span text, long *which);

/* ---- byte_bpe.c ---- */

tl_byte_bpe *tl_byte_bpe_empty(void);
/* The table key of a pair, stored in `room`. */
tl_span tl_byte_pair_key(int first, int second, int room[2]);
/* The rank of a pair; -1: it is not a pair. */
int32_t tl_byte_rank(const tl_byte_bpe *bpe, int first, int second);
void tl_byte_pair(const tl_byte_bpe *bpe, long rank, int pair[2]);
/* Appends a new pair. Returns false, with the error set, when out of memory. */
bool tl_byte_add_pair(tl_byte_bpe *bpe, int first, int second, int joined);
/* Computes the bytes of all tokens, once tokens, pairs and the ids of special tokens are there. Returns false, with the
 * error set, when out of memory. */
bool tl_byte_bpe_finish(tl_byte_bpe *bpe);
/* Sets the error "out of memory". Returns false. */
bool tl_byte_no_memory(tl_byte_bpe *bpe, const char *doing);

/* ---- merge.c ---- */

/* The ids of a word of one byte or more, in bpe->pieces. Returns how many there are; 0 when out of memory. */
size_t tl_byte_merge(tl_byte_bpe *bpe, tl_span word);

/* ---- the files ---- */

/* Where each token of vocab.json is, for errors about it. */
typedef struct tl_byte_vocab {
    const char *name, *text;
    size_t size;
    size_t *places; /* [tokens.count] byte offset of each token, by id; the caller frees it */
} tl_byte_vocab;

/* Reads the tokens, ordered by id. False on failure. */
bool tl_byte_vocab_read(tl_byte_bpe *bpe, tl_byte_vocab *vocab);
/* Sets an error about a token: "vocab.json:1: byte 20: …; advice". Returns false. */
bool tl_byte_vocab_fail(tl_byte_bpe *bpe, const tl_byte_vocab *vocab, long id, const char *advice,
                        const char *format, ...) TL_PRINTF(5, 6);
/* Reads the pairs; tokens, letters and special tokens must be known. False on failure. */
bool tl_byte_merges_read(tl_byte_bpe *bpe, const char *name, tl_span text);

#endif
