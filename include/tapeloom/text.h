/* Text: from bytes to batches of ids, and from hypotheses to a score. These functions open no file (io.h reads and
 * writes them) and know nothing of tapes.
 *
 *     line ──tl_pretokens_cut──▶ line of tokens ──tl_bpe_apply──▶ line of subwords      (and back: join, join)
 *     bytes ──parse──▶ tl_corpus ──count──▶ tl_vocab_counts ──▶ tl_vocab
 *                          └────encode with the vocabularies────▶ tl_batches ──next──▶ tl_batch
 *     bytes ──tl_byte_bpe_encode──▶ ids of a byte-level encoding                   (and back: decode)
 *     hypothesis, reference ──add──▶ tl_bleu, tl_chrf ──▶ scores
 *
 * A token is a run of bytes without white space. White space is what Python's str.split(), and so sacreBLEU, takes for
 * it: Unicode's, with U+00A0 and U+3000. Vocabularies and scores work on tokens. To cut text into smaller pieces
 * (punctuation, characters, byte pairs), transform each line before it gets there.
 *
 * Errors: every object keeps its first failure. tl_*_error returns it as one line, or NULL if there is none. After a
 * failure, functions that change the object return false and change nothing. *_new returns NULL only when out of
 * memory, and every function accepts that NULL. A text that is NULL counts as empty. A pointer to a further result may
 * be NULL. */
#ifndef TAPELOOM_TEXT_H
#define TAPELOOM_TEXT_H

#include "base.h"
#include "tensor.h" /* tl_batch and its ids */

#ifdef __cplusplus
extern "C" {
#endif

/* The side of a sentence pair. */
typedef enum tl_side { TL_SOURCE = 0, TL_TARGET = 1 } tl_side;

/* The objects of this header. Each is explained in its section, and freed by its tl_*_free. */
typedef struct tl_corpus tl_corpus;
typedef struct tl_vocab tl_vocab;
typedef struct tl_vocab_counts tl_vocab_counts;
typedef struct tl_labels tl_labels;
typedef struct tl_batches tl_batches;
typedef struct tl_bleu tl_bleu;
typedef struct tl_chrf tl_chrf;
typedef struct tl_bpe tl_bpe;
typedef struct tl_bpe_words tl_bpe_words;
typedef struct tl_byte_bpe tl_byte_bpe;

/* The first token in `length` bytes of a line; *size (may be NULL) receives its length. NULL if only white space is
 * left. To get the next token, call it again with the rest of the line. */
const char *tl_text_token(const char *line, size_t length, size_t *size);

/* ---- pre-tokens: raw text cut into tokens, and joined again exactly ---- */

/* How raw text is cut into tokens. */
typedef enum tl_pretokens {
    TL_PRETOKENS_NONE, /* tokens are separated by white space already */
    /* words, signs and ideographs are separated: "Hello ￭, world ￭!"; src/text/pretokens/ has the rules */
    TL_PRETOKENS_WORDS,
    TL_PRETOKENS_CHARACTERS /* characters are separated, and ▁ stands for a space */
} tl_pretokens;

/* The line's tokens with single spaces between. The caller frees the result. NULL when out of memory. */
char *tl_pretokens_cut(tl_pretokens kind, const char *line);
/* The inverse: tl_pretokens_join(kind, tl_pretokens_cut(kind, line)) is line, byte for byte, for any bytes; for NONE it
 * returns the line itself. A model may also write tokens that no cut gives; they become the nearest text. The caller
 * frees the result. NULL when out of memory. */
char *tl_pretokens_join(tl_pretokens kind, const char *tokens);

/* ---- byte-pair encoding (Sennrich et al. 2016), subword-nmt's algorithm and files ---- */

/* Words and their counts, to learn merges from; empty at first. NULL only when out of memory. */
tl_bpe_words *tl_bpe_words_new(void);
/* Counts the words of a line, as subword-nmt does. Words that are not valid UTF-8, which subword-nmt would refuse, are
 * left out, so that codes are always text. False when out of memory; tl_bpe_learn then reports the error. */
bool tl_bpe_words_add(tl_bpe_words *words, const char *line);
/* The list of `subword-nmt get-vocab`: "word count", one per line, by falling count; ties in order of first appearance.
 * The caller frees it. NULL when out of memory. */
char *tl_bpe_words_text(const tl_bpe_words *words, size_t *size);
/* Frees the words. */
void tl_bpe_words_free(tl_bpe_words *words);

/* When learning stops, and a function to report progress. {0} or NULL: 10000 merges. */
typedef struct tl_bpe_config {
    long merges;        /* 0 means 10000 */
    long min_frequency; /* stop when the best pair is seen less often; 0 means 2 */
    /* Called after each merge, for a progress bar. NULL: not called. */
    void (*progress)(void *context, long merge);
    void *context;
} tl_bpe_config;

/* Learns the same merges in the same order as `subword-nmt learn-bpe` from the same lines. config may be NULL. NULL
 * only when out of memory. */
tl_bpe *tl_bpe_learn(const tl_bpe_words *words, const tl_bpe_config *config);
/* Reads a codes file ("#version: 0.2", then one merge per line). Error messages call it `name`. NULL only when out of
 * memory. */
tl_bpe *tl_bpe_parse(const char *name, const char *bytes, size_t size);
/* The codes as the text of a file, byte for byte as subword-nmt writes it. The caller frees it. */
char *tl_bpe_text(const tl_bpe *bpe, size_t *size);
/* How many merges there are; 0 for NULL. */
long tl_bpe_merges(const tl_bpe *bpe);
/* A line of words as subwords, with "@@" after each that is not the last of its word, as `subword-nmt apply-bpe` writes
 * it. A byte that is not UTF-8 is a character by itself. The object caches words, so two threads must not use it at
 * once. A CR or LF anywhere ends a line and stays in the text (also in tl_bpe_words_add and tl_bpe_join). The caller
 * frees the result. NULL when out of memory or if bpe has failed. */
char *tl_bpe_apply(tl_bpe *bpe, const char *line);

/* BPE-dropout (Provilkov, Emelianenko and Voita, "BPE-Dropout: Simple and Effective Subword Regularization", 2020): at
 * each merge of a word, each pair that could be merged is ignored with probability `share`. */
typedef struct tl_bpe_dropout {
    double share;                     /* 0 … 1; 0: no dropout, 1: words become characters */
    double (*uniform)(void *context); /* the next random number in [0, 1) */
    void *context;
} tl_bpe_dropout;
/* tl_bpe_apply with dropout, as in subword-nmt: at each merge a number is drawn for every pair of neighbours, from the
 * left, and pairs with a number of at most `share` are ignored. Words are not cached. dropout NULL: none. */
char *tl_bpe_apply_dropout(tl_bpe *bpe, const char *line, const tl_bpe_dropout *dropout);
/* Every subword that dropout can give for the line's words, once for each place where it can stand, with single spaces
 * between. A vocabulary for dropout needs all of them. The caller frees the result. NULL when out of memory or if bpe
 * has failed. */
char *tl_bpe_possible(tl_bpe *bpe, const char *line);
/* From now on subwords that are not in a vocabulary, or are seen there less than `threshold` times, are split back,
 * merge by merge, until every part is known or cannot be split, as in `subword-nmt apply-bpe --vocabulary`. bytes is a
 * list in the form of tl_bpe_words_text, of text that was cut: "word count" per line. Error messages call it `name`.
 * bytes NULL: every subword is known again. threshold 0: any count is enough. An empty list is an error (subword-nmt
 * takes it for no vocabulary). False on failure. */
bool tl_bpe_set_vocabulary(tl_bpe *bpe, const char *name, const char *bytes, size_t size, long threshold);
/* Joins subwords to words, as `sed -r 's/(@@ )|(@@ ?$)//g'` does. The caller frees the result. NULL when out of
 * memory. */
char *tl_bpe_join(const char *line);
/* The first failure, or NULL. */
const char *tl_bpe_error(const tl_bpe *bpe);
/* Frees the merges. */
void tl_bpe_free(tl_bpe *bpe);

/* ---- byte-level byte pairs, GPT-2's ----
 *
 * Radford et al., "Language Models are Unsupervised Multitask Learners" (2019).
 *
 * From any bytes directly to ids, and exactly back. A token stands for one byte or more. Text is cut into words by
 * GPT-2's pattern (src/text/byte_bpe/words.c; Unicode 14). The bytes of each word are merged, the pair of the lowest
 * rank first. Ids are those of OpenAI's encoder and of Hugging Face's ByteLevel tokenizers without add_prefix_space. So
 * are the files: vocab.json (tokens and ids) and merges.txt (pairs by rank), both with a printable character for each
 * byte (src/text/byte_bpe/letters.c). These ids are not those of a tl_vocab: TL_PAD … TL_UNK are not among them.
 *
 * A special token is a text such as "<|endoftext|>" that is one token. Only tl_byte_bpe_encode_special makes them from
 * text. */

/* The two files of an encoding, as bytes in memory. */
typedef struct tl_byte_bpe_files {
    const char *vocab_name, *vocab; /* vocab.json: its name in error messages, and vocab_size bytes */
    size_t vocab_size;
    const char *merges_name, *merges; /* merges.txt: its name, and merges_size bytes */
    size_t merges_size;
    const char *const *specials; /* tokens of vocab.json that are special, then NULL; NULL: none */
} tl_byte_bpe_files;

/* Reads the bytes of both files (from tl_file_read), which can be freed afterwards. Ids must be 0 … n-1, in any order.
 * Each byte must have a token. The two parts of each merge and its result must be tokens. Every other token must be
 * special. Anything else is an error that says where. NULL only when out of memory. */
tl_byte_bpe *tl_byte_bpe_parse(const tl_byte_bpe_files *files);

/* When learning stops, and which tokens are special. */
typedef struct tl_byte_bpe_config {
    long merges;        /* 0 means 10000 */
    long min_frequency; /* stop when the best pair is seen less often; 0 means 2 */
    /* Special tokens, then NULL; NULL: none. They get the last ids. Where they stand in the text, nothing is learnt
     * from them. */
    const char *const *specials;
    /* Called after each merge, for a progress bar. NULL: not called. */
    void (*progress)(void *context, long merge);
    void *context;
} tl_byte_bpe_config;

/* Learns merges from a text of any bytes. Ids 0 … 255 are the bytes in the order of their characters, as in GPT-2's
 * file. Then come the tokens of merges in the order of learning, then special tokens. The most frequent pair is merged
 * first; each occurrence counts ("aaa" has "a a" twice). Ties go to the lower id of the first token, then of the
 * second. So the same text gives the same tokens everywhere. config may be NULL. NULL only when out of memory. */
tl_byte_bpe *tl_byte_bpe_learn(const char *text, size_t size, const tl_byte_bpe_config *config);
/* The text of vocab.json, as the tokenizers library writes it, and of merges.txt. The caller frees it. *size (may be
 * NULL) does not count the final NUL. NULL if bpe has failed or when out of memory. */
char *tl_byte_bpe_vocab_text(const tl_byte_bpe *bpe, size_t *size);
char *tl_byte_bpe_merges_text(const tl_byte_bpe *bpe, size_t *size);

/* How many tokens there are, special ones included, and how many merges; 0 for NULL or after a failure. */
long tl_byte_bpe_size(const tl_byte_bpe *bpe);
long tl_byte_bpe_merges(const tl_byte_bpe *bpe);
/* The bytes of a token, *size (may be NULL) of them, without a final NUL, owned by the encoding. NULL and 0 if there is
 * no such id. */
const char *tl_byte_bpe_token(const tl_byte_bpe *bpe, int id, size_t *size);
/* The id of a special token; -1 if it is not one. */
int tl_byte_bpe_special(const tl_byte_bpe *bpe, const char *token);

/* Writes the ids of `size` bytes, at most `room` of them (ids NULL: none). Returns how many ids the bytes have, which
 * may be more than room but never more than size; -1 when out of memory or if bpe has failed. The object caches words,
 * so two threads must not use it at once. */
long tl_byte_bpe_encode(tl_byte_bpe *bpe, const char *bytes, size_t size, int *ids, long room);
/* The same, but special tokens in the text become their ids: the first in the text first, and the longest of several
 * that start at one place. For text whose author may use them; never for text from strangers. */
long tl_byte_bpe_encode_special(tl_byte_bpe *bpe, const char *bytes, size_t size, int *ids, long room);
/* Writes the bytes that the ids stand for. A token may end inside a character. An id that does not exist is written as
 * U+FFFD. Writes at most size-1 bytes, always whole tokens, then NUL. Returns how many bytes the ids stand for, which
 * may be more than was written (as snprintf does); bytes NULL: only measures. */
size_t tl_byte_bpe_decode(const tl_byte_bpe *bpe, const int *ids, long count, char *bytes, size_t size);

/* The first failure, or NULL. */
const char *tl_byte_bpe_error(const tl_byte_bpe *bpe);
/* Frees the encoding and its tokens. */
void tl_byte_bpe_free(tl_byte_bpe *bpe);

/* ---- vocabulary: the id of each word. The ids TL_PAD … TL_UNK (tensor.h) are the first in every vocabulary ---- */

/* Words and their counts; empty at first. NULL only when out of memory. */
tl_vocab_counts *tl_vocab_counts_new(void);
/* Counts the line's tokens. Tokens that are not valid UTF-8 are left out (they will be TL_UNK), so that a vocabulary
 * can always be written as text. False when out of memory; tl_vocab_new then reports the error. */
bool tl_vocab_counts_add(tl_vocab_counts *counts, const char *line);
/* Frees the counts. Vocabularies made from them stay valid. */
void tl_vocab_counts_free(tl_vocab_counts *counts);

/* Which words a vocabulary takes; {0} or NULL: all of them. */
typedef struct tl_vocab_config {
    long min_count; /* words seen less often are left out; 0 means 1: no word is */
    long max_size;  /* the most entries, specials included; 0: no limit */
} tl_vocab_config;

/* Gives ids by falling count; ties by bytes. So the order of counting does not matter. For a joint vocabulary count
 * both sides into one tl_vocab_counts. config may be NULL. */
tl_vocab *tl_vocab_new(const tl_vocab_counts *counts, const tl_vocab_config *config);

/* Reads what tl_vocab_text wrote. Error messages call it `name` (usually the file's name). If it cannot be read, the
 * vocabulary holds the error, and only the specials. */
tl_vocab *tl_vocab_parse(const char *name, const char *bytes, size_t size);
/* The vocabulary as text: the line "tapeloom-vocab 1 <entries>", then one token per line, id 0 first. The caller frees
 * it. *size (may be NULL) does not count the final NUL. NULL if the vocabulary has failed or when out of memory. */
char *tl_vocab_text(const tl_vocab *vocab, size_t *size);

/* How many entries there are, specials included; 0 for NULL. */
long tl_vocab_size(const tl_vocab *vocab);
/* The token with this id, owned by the vocabulary; "<unk>" if there is no such id. */
const char *tl_vocab_token(const tl_vocab *vocab, int id);
/* The token's id; TL_UNK if it has none. */
int tl_vocab_id(const tl_vocab *vocab, const char *token);

/* Writes the ids of the line's tokens, without <bos> and <eos>, at most `room` of them (ids NULL: none). Returns how
 * many the line has, which may be more than room. */
long tl_vocab_encode(const tl_vocab *vocab, const char *line, int *ids, long room);
/* Writes the tokens with single spaces between, up to the first <eos>. <pad> and <bos> are skipped; <unk> and ids that
 * do not exist are written "<unk>". Writes at most size-1 bytes, always whole tokens, then NUL. Returns the length of
 * the whole line, which may be more than was written (as snprintf does); text NULL: only measures. */
size_t tl_vocab_decode(const tl_vocab *vocab, const int *ids, long count, char *text, size_t size);

/* The first failure, or NULL. */
const char *tl_vocab_error(const tl_vocab *vocab);
/* Frees the vocabulary and its tokens. */
void tl_vocab_free(tl_vocab *vocab);

/* ---- corpus: sentence pairs ---- */

/* Why a line did not become a sentence pair; the first reason that holds. */
typedef enum tl_skip {
    TL_SKIP_NO_TAB,  /* there is text, but no tab, so no second column */
    TL_SKIP_BLANK,   /* a blank line, or only white space on one side */
    TL_SKIP_INVALID, /* not UTF-8, or a NUL byte, in the first two columns */
    TL_SKIP_LONG,    /* more than max_tokens tokens on one side */
    TL_SKIP_KINDS
} tl_skip;

/* How many line numbers a report lists for each reason. */
#define TL_REPORT_LINES 5
/* Bytes that hold any report as text. */
#define TL_REPORT_TEXT 1024

/* What a call of tl_corpus_parse_tsv, …_labelled, …_lines or …_parallel did with the lines. */
typedef struct tl_corpus_report {
    char name[256];  /* the file's name; for two files "source + target" */
    long lines;      /* read */
    long pairs;      /* kept */
    long max_tokens; /* the limit; 0: none */
    struct {
        long count;
        long line[TL_REPORT_LINES]; /* the first line numbers, from 1; 0: no more */
    } skipped[TL_SKIP_KINDS];
} tl_corpus_report;

/* The name of the bytes, and which lines are taken; {0} or NULL: all lines that make a pair. */
typedef struct tl_corpus_config {
    const char *name; /* for error messages and the report, usually the file's name; NULL means "(text)" */
    long max_tokens;  /* lines with more tokens on one side (<eos> not counted) are skipped; 0: no limit */
    bool strict;      /* the first line that would be skipped is an error, and the corpus does not change */
} tl_corpus_config;

/* An empty corpus. NULL only when out of memory; free it with tl_corpus_free. */
tl_corpus *tl_corpus_new(void);

/* Appends the pairs of a text with one pair per line: source, tab, target. Columns after a second tab are ignored.
 * Lines end in LF or CRLF; the last line may lack its end. A UTF-8 byte order mark at the beginning is dropped.
 * Otherwise sentences are kept byte for byte. A text without any pair is an error, strict or not. The bytes can be
 * freed afterwards. config may be NULL. */
bool tl_corpus_parse_tsv(tl_corpus *corpus, const char *bytes, size_t size, const tl_corpus_config *config);
/* The same for labelled sentences, one per line: label, tab, text. The text becomes the source, the label the target,
 * exactly as it stands, with its spaces. */
bool tl_corpus_parse_labelled(tl_corpus *corpus, const char *bytes, size_t size,
                              const tl_corpus_config *config);
/* The same for a text with one sentence per line. The sentences become sources; targets are empty. */
bool tl_corpus_parse_lines(tl_corpus *corpus, const char *bytes, size_t size, const tl_corpus_config *config);
/* The same for two texts: line i of one and line i of the other are a pair. Different numbers of lines are an error.
 * Error messages call the source config->name and the target target_name; NULL means "(source)" and "(target)". */
bool tl_corpus_parse_parallel(tl_corpus *corpus, const char *source, size_t source_size, const char *target,
                              size_t target_size, const char *target_name, const tl_corpus_config *config);
/* Appends a copy of one pair, without any check: a line to translate may be blank. */
bool tl_corpus_add(tl_corpus *corpus, const char *source, const char *target);

/* Generated sentences to learn from, without a file. Every symbol is a word: "1", "2", … */
typedef struct tl_toy_config {
    /* how the target follows from the source: "copy", "reverse" or "sort" (ascending by number) */
    const char *task;
    long sentences;  /* how many to append */
    long first;      /* index of the first one in the stream of sentences */
    long min_length; /* symbols in a sentence, all lengths equally likely; 0 means 1 */
    long max_length; /* 0 means 10, or min_length if that is more */
    long symbols;    /* how many different symbols there are; 0 means 20 */
    uint64_t seed;
} tl_toy_config;

/* Appends sentences first … first+sentences-1 of the stream that seed, lengths and symbols define. A stream leaves out
 * every sentence that it had before. So ranges that do not overlap share no sentence: train on 0…9999, test on
 * 10000…10499. The sources do not depend on the task. */
bool tl_corpus_toy(tl_corpus *corpus, const tl_toy_config *config);

/* Sentences of a small grammar of English and French, or English and Chinese, with true word alignments;
 * src/text/grammar/grammar.c describes the grammar. */
typedef enum tl_grammar_part {
    TL_GRAMMAR_TRAIN,
    TL_GRAMMAR_HELD_OUT /* combines words in ways that no sentence of TL_GRAMMAR_TRAIN does */
} tl_grammar_part;
typedef struct tl_grammar_config {
    const char *pair; /* "en-fr" or "en-zh" */
    tl_grammar_part part;
    long sentences; /* how many to append */
    long first;     /* index of the first one in the part's stream */
    uint64_t seed;
} tl_grammar_config;

/* Appends sentences first … first+sentences-1 of the stream that seed, pair and part define. No sentence comes twice in
 * a stream, and none is in both parts. Asking for more than there are is an error that says how many there are.
 * Sentences are tokens with single spaces between. */
bool tl_corpus_grammar(tl_corpus *corpus, const tl_grammar_config *config);

/* English sentences of the same grammar, each with a label that depends more on the order of the words than on the
 * words; src/text/grammar/labelled.c describes them. */
typedef struct tl_labelled_config {
    /* "agreement" or "order": is the sentence right or wrong? "number": is the next verb singular or plural? "subject":
     * whom is the sentence about? */
    const char *task;
    long sentences; /* how many to append */
    long first;     /* index of the first one in the task's stream */
    uint64_t seed;
    bool unlabelled; /* only correct sentences, as they are before errors are put in, with empty labels */
} tl_labelled_config;

/* Appends sentences first … first+sentences-1 of the stream that seed and task define: sentences as sources, labels as
 * targets. No sentence comes twice in a stream, labelled or not, so ranges that do not overlap share none. */
bool tl_corpus_labelled(tl_corpus *corpus, const tl_labelled_config *config);

/* One link of a word alignment: indices of tokens, from 0. */
typedef struct tl_link {
    int source, target;
} tl_link;
/* The true alignment of a generated pair (tl_corpus_grammar, tl_corpus_pictures), *count links sorted by source, then
 * target. NULL and 0 for other pairs. Valid until the corpus grows or is freed. */
const tl_link *tl_corpus_alignment(const tl_corpus *corpus, long i, long *count);

/* Generated pictures with captions. The source of a pair is a scene: a line of TL_PICTURE_PATCHES tokens, each "." for
 * an empty patch or a figure such as "red-square". The target is its caption: "a red square left of a blue circle", "an
 * orange ring at the top". src/text/pictures/scene.c lists all figures and captions, and the combinations that training
 * leaves out: of colour and shape, of two shapes and a relation, of shape and place. Alignments (tl_corpus_alignment)
 * link each word for a colour or shape to its patch. */
enum {
    TL_PICTURE_SIDE = 6, /* patches per row, and rows */
    TL_PICTURE_CELL = 8, /* pixels per side of a patch */
    TL_PICTURE_PATCHES = TL_PICTURE_SIDE * TL_PICTURE_SIDE,
    TL_PICTURE_PATCH = 3 * TL_PICTURE_CELL * TL_PICTURE_CELL /* numbers per patch */
};
typedef enum tl_pictures_part {
    TL_PICTURES_TRAIN,
    TL_PICTURES_HELD_OUT /* every scene has a combination that no scene of TL_PICTURES_TRAIN has */
} tl_pictures_part;
typedef struct tl_pictures_config {
    tl_pictures_part part;
    long pictures; /* how many to append */
    long first;    /* index of the first one in the part's stream */
    uint64_t seed;
} tl_pictures_config;
/* Appends scenes first … first+pictures-1 of the stream that seed and part define, with their captions. No scene comes
 * twice in a stream, and none is in both parts. */
bool tl_corpus_pictures(tl_corpus *corpus, const tl_pictures_config *config);

/* How many pairs there are; 0 for NULL. */
long tl_corpus_size(const tl_corpus *corpus);
/* One sentence as text, valid until the corpus grows or is freed; "" if there is no such pair. */
const char *tl_corpus_sentence(const tl_corpus *corpus, tl_side side, long i);

/* The line of the text that the pair was read from, counted from 1; 0 for pairs that were added or generated. */
long tl_corpus_line(const tl_corpus *corpus, long i);
/* Drops the pairs whose keep[i] is false; later pairs move up. Encode again afterwards. False, and nothing dropped, if
 * the corpus has failed or keep is NULL. */
bool tl_corpus_keep(tl_corpus *corpus, const bool *keep);

/* Counts the tokens of one side into `counts`. False if not all could be counted, or there is no such side. */
bool tl_corpus_count(const tl_corpus *corpus, tl_side side, tl_vocab_counts *counts);
/* Computes the ids of every sentence, which are kept beside the text. Encode again after appending. */
bool tl_corpus_encode(tl_corpus *corpus, const tl_vocab *source, const tl_vocab *target);
/* The sentence's ids, *count of them, without <bos> and <eos>. NULL and 0 before tl_corpus_encode, or if there is no
 * such pair. Valid until the corpus grows, is encoded again or freed. */
const int *tl_corpus_ids(const tl_corpus *corpus, tl_side side, long i, long *count);

/* The report of the latest tl_corpus_parse_tsv, …_labelled, …_lines or …_parallel, even if it failed; all 0 before the
 * first. Owned by the corpus. */
const tl_corpus_report *tl_corpus_last_report(const tl_corpus *corpus);
/* Writes "train.tsv: 100 lines, 97 pairs, 3 skipped" and then a line for each reason with its first line numbers. Ends
 * with a newline. Returns text. */
char *tl_corpus_report_text(const tl_corpus_report *report, char text[TL_REPORT_TEXT]);

/* The first failure, or NULL. */
const char *tl_corpus_error(const tl_corpus *corpus);
/* Frees the corpus with its sentences, ids and alignments. Batches from it must not be used any more. */
void tl_corpus_free(tl_corpus *corpus);

/* ---- labels: the classes of labelled sentences ---- */

/* Makes a class of every different target of the corpus. Classes are numbered 0, 1, … in the order of their bytes. A
 * label must be one line of UTF-8 without tabs, not empty. NULL only when out of memory. */
tl_labels *tl_labels_new(const tl_corpus *corpus);
/* Reads what tl_labels_text wrote. Error messages call it `name` (usually the file's name). */
tl_labels *tl_labels_parse(const char *name, const char *bytes, size_t size);
/* The labels as text: the line "tapeloom-labels 1 <classes>", then one label per line, class 0 first. The caller frees
 * it. *size (may be NULL) does not count the final NUL. NULL if the labels have failed or when out of memory. */
char *tl_labels_text(const tl_labels *labels, size_t *size);
/* How many classes there are; 0 for NULL or after a failure. */
long tl_labels_count(const tl_labels *labels);
/* The label of class `number`, owned by the labels; "" if there is no such class. */
const char *tl_labels_name(const tl_labels *labels, long number);
/* The class of a label; -1 if there is none. */
long tl_labels_find(const tl_labels *labels, const char *name);
/* The first failure, or NULL. */
const char *tl_labels_error(const tl_labels *labels);
/* Frees the labels and their names. */
void tl_labels_free(tl_labels *labels);

/* ---- batches: an encoded corpus in batches ---- */

/* The order of sentences. */
typedef enum tl_batches_order {
    TL_SHUFFLED,  /* for training: sentences and batches in an order drawn from (seed, epoch) */
    TL_BY_LENGTH, /* shortest first, ties in the order of the corpus: the least padding */
    TL_IN_ORDER   /* the order of the corpus */
} tl_batches_order;

/* The size of a batch, and the order of sentences; {0} or NULL: 4096 tokens, shuffled. */
typedef struct tl_batches_config {
    /* The budget: B sentences whose longest source has S and longest target T tokens (<eos> counted) must have B·S ≤
     * tokens and B·T ≤ tokens. So each side has its own budget, and padding counts. A sentence that is longer than the
     * whole budget is in a batch of its own. 0 means 4096. */
    long tokens;
    long max_sentences; /* the most sentences per batch; 0: no limit */
    tl_batches_order order;
    uint64_t seed;
} tl_batches_config;

/* Makes batches of a corpus, which must outlive them and must not change (a change is an error at the next call). All
 * memory is taken here: epochs allocate nothing. config may be NULL. NULL only when out of memory. */
tl_batches *tl_batches_new(const tl_corpus *corpus, const tl_batches_config *config);

/* Fills *batch with the next batch of the epoch and returns true. At the end of an epoch returns false once, with
 * *batch unchanged; the next call begins the next epoch. Every sentence comes exactly once per epoch. So
 *
 *     for (int epoch = 0; epoch < 10; epoch++) {
 *         while (tl_batches_next(batches, &batch)) train(&batch);
 *         validate();
 *     }
 *
 * After a failure it always returns false: see tl_batches_error. The batch's arrays belong to `batches` and are valid
 * until the next call. batch.index holds the index in the corpus of each row. */
bool tl_batches_next(tl_batches *batches, tl_batch *batch);

/* A position in the batches: `epoch` epochs are complete, and `batch` batches of the current one have been returned. */
typedef struct tl_batches_position {
    long epoch, batch;
} tl_batches_position;

/* The current position. */
tl_batches_position tl_batches_tell(const tl_batches *batches);
/* Goes to a position from tl_batches_tell, also one of another process: with the same corpus and config the batches
 * that follow are the same. A position that does not exist is an error. */
bool tl_batches_seek(tl_batches *batches, tl_batches_position position);
/* Batches per epoch, the same in every epoch; 0 after a failure. */
long tl_batches_per_epoch(const tl_batches *batches);

/* The first failure, or NULL. */
const char *tl_batches_error(const tl_batches *batches);
/* Frees the batches, but not the corpus. */
void tl_batches_free(tl_batches *batches);

/* ---- pictures: drawing scenes ---- */

/* Draws a scene into patches [TL_PICTURE_PATCHES,TL_PICTURE_PATCH]. Patches are ordered by rows, and in each patch the
 * pixels by rows, with red, green and blue for each pixel. A number is 1 - brightness, so white is 0. The size and
 * position of figures in their patch vary a little, and every number by up to ± noise (0 … 1), all drawn from (seed,
 * scene). If the line is no scene, returns false, with a message in error and patches unchanged. */
bool tl_picture_draw(const char *scene, uint64_t seed, double noise, tl_real *patches, tl_error *error);
/* The caption of a scene; the caller frees it. If the line is no scene, returns NULL, with a message in error. */
char *tl_picture_caption(const char *scene, tl_error *error);

/* The pictures of a corpus of scenes. The corpus must outlive them. NULL only when out of memory. */
typedef struct tl_pictures tl_pictures;
tl_pictures *tl_pictures_new(const tl_corpus *scenes, uint64_t seed, double noise);
/* Sets batch->pictures to the pictures of the batch's sentences, which batch->index names (tl_batches_next fills it
 * in): [B,TL_PICTURE_PATCHES,TL_PICTURE_PATCH]. The batch has no src then. The pictures belong to `pictures` and are
 * valid until the next call. False on failure. */
bool tl_pictures_batch(tl_pictures *pictures, tl_batch *batch);
/* The first failure, or NULL. */
const char *tl_pictures_error(const tl_pictures *pictures);
/* Frees the pictures, but not the corpus. */
void tl_pictures_free(tl_pictures *pictures);

/* ---- windows: the ids of a running text, cut into windows for a language model ---- */

/* The windows of a text, batch by batch. */
typedef struct tl_windows tl_windows;

/* The length of windows, and their order. length and batch must be given. */
typedef struct tl_windows_config {
    long length; /* T, tokens per window; the last window of a text may be shorter */
    long batch;  /* windows per batch; the last batch of an epoch may have fewer */
    /* For training: windows come in an order drawn from (seed, epoch). The windows of one long text are laid out again
     * each epoch, shifted by less than two windows, so that their ends fall on different ids; one or two windows are
     * then left out of an epoch. false: windows come in the order of the text. */
    bool shuffled;
    uint64_t seed;
    /* [texts+1] where each of several texts begins, and where the last one ends; NULL: one text */
    const long *starts;
    long texts; /* 0 if starts is NULL */
    int pad;    /* fills tgt_out after a short window; tgt_in too, or 0 if pad is negative */
} tl_windows_config;

/* Makes windows of ids. The ids and starts must outlive them. All memory is taken here. NULL only when out of memory; a
 * config that makes no sense is an error (tl_windows_error). Free with tl_windows_free. */
tl_windows *tl_windows_new(const int *ids, long count, const tl_windows_config *config);
/* Fills *batch with the next batch: tgt_in [B,T] is what the model reads, tgt_out [B,T] the id after each of these,
 * index [B] the text of each row. There is no source. Return value and position are as for tl_batches_next. Every id
 * except the first of a text is a target once per epoch, apart from those that shuffling leaves out. */
bool tl_windows_next(tl_windows *windows, tl_batch *batch);
/* The current position, and going to a position: as tl_batches_tell and tl_batches_seek. */
tl_batches_position tl_windows_tell(const tl_windows *windows);
bool tl_windows_seek(tl_windows *windows, tl_batches_position position);
/* Batches per epoch, the same in every epoch; 0 after a failure. */
long tl_windows_per_epoch(const tl_windows *windows);
/* The first failure, or NULL. */
const char *tl_windows_error(const tl_windows *windows);
/* Frees the windows, but not the ids. */
void tl_windows_free(tl_windows *windows);

/* ---- corpus BLEU and chrF2, as sacreBLEU computes them (Post 2018) ---- */

/* The longest n-grams that BLEU counts. */
#define TL_BLEU_ORDER 4
/* Bytes that hold a score as text. */
#define TL_BLEU_TEXT 256

/* How BLEU cuts both sides into tokens, with sacreBLEU's names. */
typedef enum tl_bleu_tokens {
    TL_BLEU_NONE, /* "none": at white space */
    TL_BLEU_13A,  /* "13a": as mteval-v13a.pl; sacreBLEU's default */
    TL_BLEU_ZH,   /* "zh": Chinese characters are separated, the rest as in 13a */
    TL_BLEU_CHAR  /* "char": every character is separated */
} tl_bleu_tokens;
/* From a name "none", "13a", "zh", "char" to its number. False, and *tokens unchanged, for any other name. */
bool tl_bleu_tokens_parse(const char *name, tl_bleu_tokens *tokens);
/* The name of a number; "(none of sacreBLEU's)" for any other number. */
const char *tl_bleu_tokens_name(tl_bleu_tokens tokens);

/* How BLEU counts. */
typedef struct tl_bleu_config {
    tl_bleu_tokens tokens;
    bool lowercase; /* lowercase both sides, as Python's str.lower() */
} tl_bleu_config;

/* Papineni et al., "BLEU: a Method for Automatic Evaluation of Machine Translation" (2002), with one reference,
 * smoothed as by default in sacreBLEU ("exp"): the k-th order without any match counts as 1/2^k matches. */
typedef struct tl_bleu_score {
    double score;                    /* 0 … 100 */
    double precision[TL_BLEU_ORDER]; /* per cent, for 1- to 4-grams, after smoothing */
    double brevity;                  /* the brevity penalty, 0 … 1 */
    long matched[TL_BLEU_ORDER];     /* n-grams found in the reference, clipped to their counts there */
    long total[TL_BLEU_ORDER];       /* n-grams of the hypotheses */
    long hyp_length, ref_length;     /* tokens */
    tl_bleu_config config;           /* how it was counted, for the signature */
} tl_bleu_score;

/* Empty counts. config NULL: tokens "none", cased. NULL only when out of memory. */
tl_bleu *tl_bleu_new(const tl_bleu_config *config);
/* Adds one sentence. Both sides are text that has not been cut; a byte that is not UTF-8 counts as a character. False
 * when out of memory. */
bool tl_bleu_add(tl_bleu *bleu, const char *hypothesis, const char *reference);
/* The score of all sentences so far; without sentences it is 0. */
tl_bleu_score tl_bleu_result(const tl_bleu *bleu);
/* Writes sacreBLEU's line, with the signature first:
 * "BLEU|nrefs:1|case:mixed|eff:no|tok:none|smooth:exp|version:tapeloom = 41.02 70.1/… (BP = 1.000 ratio =
 * …)". Returns text. */
char *tl_bleu_text(const tl_bleu_score *score, char text[TL_BLEU_TEXT]);
/* The first failure, or NULL. */
const char *tl_bleu_error(const tl_bleu *bleu);
/* Frees the counts. */
void tl_bleu_free(tl_bleu *bleu);

/* Popović, "chrF: character n-gram F-score for automatic MT evaluation" (2015), with sacreBLEU's defaults: β = 2,
 * character n-grams up to 6, no word n-grams, without white space. A byte that is not UTF-8 counts as a character. */

/* Bytes that hold a chrF2 score as text. */
#define TL_CHRF_TEXT 128
/* Empty counts. lowercase: as in tl_bleu_config. NULL only when out of memory. */
tl_chrf *tl_chrf_new(bool lowercase);
/* Adds one sentence. False when out of memory. */
bool tl_chrf_add(tl_chrf *chrf, const char *hypothesis, const char *reference);
/* The score of all sentences so far, 0 … 100. */
double tl_chrf_result(const tl_chrf *chrf);
/* Writes "chrF2|nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:tapeloom = 62.31". Returns text. */
char *tl_chrf_text(const tl_chrf *chrf, char text[TL_CHRF_TEXT]);
/* The first failure, or NULL. */
const char *tl_chrf_error(const tl_chrf *chrf);
/* Frees the counts. */
void tl_chrf_free(tl_chrf *chrf);

/* ---- text on a terminal ---- */

/* How many columns of a terminal the text takes: 2 for a wide character (East Asian Width W and F), 0 for a combining
 * or control character, 1 for each byte that is not UTF-8. */
long tl_text_columns(const char *text);

#ifdef __cplusplus
}
#endif
#endif
