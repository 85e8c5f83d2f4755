/* The text room: from bytes to batches of ids, and from hypotheses to a score. It is pure text: it opens
 * no file (src/io reads and writes them) and knows nothing of tapes.
 *
 *     line ──tl_pretokens_cut──▶ line of tokens ──tl_bpe_apply──▶ line of subwords      (and back: join, join)
 *     bytes ──parse──▶ tl_corpus ──count──▶ tl_vocab_counts ──▶ tl_vocab
 *                          └────encode with the vocabularies────▶ tl_batches ──next──▶ tl_batch
 *     bytes ──tl_byte_bpe_encode──▶ ids of a byte-level encoding                   (and back: decode)
 *     hypothesis, reference ──add──▶ tl_bleu, tl_chrf ──▶ scores
 *
 * A token is what stands between white space, and white space is what Python's str.split(), and so
 * sacreBLEU, takes for it: Unicode's, U+00A0 and U+3000 included. Whatever cuts text into smaller pieces
 * (punctuation, characters, byte pairs) is a step from line to line in front of this room's vocabularies
 * and scores.
 *
 * Errors: every object keeps its first failure; tl_*_error gives it as one line, or NULL when all is well.
 * After a failure, functions that change the object return false and change nothing. *_new gives NULL only
 * when out of memory, and every function accepts that NULL. A text that is NULL is empty, and what is asked for beside
 * what a function returns need not be asked for: that pointer may be NULL. */
#ifndef TAPELOOM_TEXT_H
#define TAPELOOM_TEXT_H

#include "base.h"
#include "tensor.h" /* tl_batch and its ids */

#ifdef __cplusplus
extern "C" {
#endif

/* The side of a sentence pair. */
typedef enum tl_side { TL_SOURCE = 0, TL_TARGET = 1 } tl_side;

/* What the room keeps; each is explained where its functions stand, and freed by its tl_*_free. */
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

/* The first token of `length` bytes of a line, and in *size (may be NULL) how many it has; NULL where only white space is left. To go on,
 * ask again behind it. */
const char *tl_text_token(const char *line, size_t length, size_t *size);

/* ---- pre-tokens: raw text cut into tokens, and exactly undone ---- */

/* How raw text is cut into tokens. */
typedef enum tl_pretokens {
    TL_PRETOKENS_NONE, /* tokens are what stands between white space already */
    TL_PRETOKENS_WORDS, /* words, signs, ideographs apart: "Hello ￭, world ￭!"; src/text/pretokens/ has the rules */
    TL_PRETOKENS_CHARACTERS /* every character apart, ▁ for a space */
} tl_pretokens;

/* A line as tokens with single spaces between. Free it with free(); NULL when out of memory. */
char *tl_pretokens_cut(tl_pretokens kind, const char *line);
/* Undoes it: tl_pretokens_join(kind, tl_pretokens_cut(kind, line)) is line, byte for byte, whatever the bytes (for
 * NONE: the line itself). Lines of tokens that no cut gives, as a model may write them, become the text that
 * is nearest. Free it with free(); NULL when out of memory. */
char *tl_pretokens_join(tl_pretokens kind, const char *tokens);

/* ---- byte-pair encoding (Sennrich et al. 2016), subword-nmt's algorithm and files ---- */

/* Words and how often they come, to learn merges from: empty. NULL only when out of memory. */
tl_bpe_words *tl_bpe_words_new(void);
/* Counts the words of a line to learn from, as subword-nmt does. Words that are not valid UTF-8, which it would refuse,
 * are left out: codes are always text. False when out of memory; then tl_bpe_learn gives the error. */
bool tl_bpe_words_add(tl_bpe_words *words, const char *line);
/* "word count", one a line, by falling count, equal counts as they came first: `subword-nmt get-vocab`'s list. Free it
 * with free(); NULL when out of memory. */
char *tl_bpe_words_text(const tl_bpe_words *words, size_t *size);
/* Frees the words. */
void tl_bpe_words_free(tl_bpe_words *words);

/* When learning stops, and who is told; {0} or NULL: 10000 merges. */
typedef struct tl_bpe_config {
    long merges;        /* 0 means 10000 */
    long min_frequency; /* stop at pairs seen less often; 0 means 2 */
    /* Called after each merge if it is there: for a progress bar. */
    void (*progress)(void *context, long merge);
    void *context;
} tl_bpe_config;

/* The same merges in the same order as `subword-nmt learn-bpe` gives for the same lines. config may be NULL. NULL
 * only when out of memory. */
tl_bpe *tl_bpe_learn(const tl_bpe_words *words, const tl_bpe_config *config);
/* Reads a codes file ("#version: 0.2", then one merge a line). `name` is what errors call it. */
tl_bpe *tl_bpe_parse(const char *name, const char *bytes, size_t size);
/* The codes as a file's text, byte for byte subword-nmt's. Free it with free(). */
char *tl_bpe_text(const tl_bpe *bpe, size_t *size);
long tl_bpe_merges(const tl_bpe *bpe); /* 0 for NULL */
/* A line of words as subwords, "@@" behind each that its word goes on after, as `subword-nmt apply-bpe`
 * writes it; a byte that is not UTF-8 is a character by itself. Words it has seen are remembered: not for two
 * threads at once. A CR or LF ends a line wherever it stands, here, in tl_bpe_words_add and in tl_bpe_join; it stays.
 * Free it with free(); NULL when out of memory or for a failed bpe. */
char *tl_bpe_apply(tl_bpe *bpe, const char *line);

/* BPE-dropout (Provilkov, Emelianenko and Voita, "BPE-Dropout: Simple and Effective Subword Regularization", 2020): each
 * time the next merge of a word is looked for, each pair that could be merged is passed over with probability `share`. */
typedef struct tl_bpe_dropout {
    double share;                     /* 0 … 1; 0: none, 1: words become characters */
    double (*uniform)(void *context); /* the next random number in [0, 1) */
    void *context;
} tl_bpe_dropout;
/* tl_bpe_apply with dropout, as subword-nmt has it: a number is drawn for every two neighbours, from the left, each time,
 * and those at most `share` are passed over. Words are cut anew each time they come. dropout may be NULL: none. */
char *tl_bpe_apply_dropout(tl_bpe *bpe, const char *line, const tl_bpe_dropout *dropout);
/* Every piece that dropout can make of the line's words, once for each place where it can stand, with single spaces
 * between: what a vocabulary must know of them. Free it with free(); NULL when out of memory or for a failed bpe. */
char *tl_bpe_possible(tl_bpe *bpe, const char *line);
/* From here on pieces that are not in a vocabulary, or are seen there less than `threshold` times, are split back, merge by
 * merge, until all are known or cannot be split, as `subword-nmt apply-bpe --vocabulary` does. The bytes are a list like
 * that of tl_bpe_words_text for text that was cut, "word count" a line; `name` is what errors call it. NULL bytes: every
 * piece will do again. A threshold of 0: any count will do. Not known at all, which subword-nmt takes for no vocabulary, is
 * an error. False for an error. */
bool tl_bpe_set_vocabulary(tl_bpe *bpe, const char *name, const char *bytes, size_t size, long threshold);
/* Undoes it, as `sed -r 's/(@@ )|(@@ ?$)//g'` does. Free it with free(); NULL when out of memory. */
char *tl_bpe_join(const char *line);
/* The first failure, or NULL. */
const char *tl_bpe_error(const tl_bpe *bpe);
/* Frees the merges. */
void tl_bpe_free(tl_bpe *bpe);

/* ---- byte-level byte pairs, GPT-2's (Radford et al., "Language Models are Unsupervised Multitask Learners", 2019) ----
 *
 * From bytes to ids at once, whatever the bytes, and exactly back: a token stands for one byte or more. Text is cut into
 * words by GPT-2's pattern (src/text/byte_bpe/words.c; Unicode 14), and the bytes of each are merged, the pair of the lowest
 * rank first. The ids are those of OpenAI's encoder and of Hugging Face's ByteLevel tokenizers without add_prefix_space, and so are
 * the files: vocab.json (tokens and ids) and merges.txt (pairs by rank), both with a printable character for each byte
 * (src/text/byte_bpe/letters.c). These ids are not a tl_vocab's: TL_PAD … TL_UNK are not among them.
 *
 * Special tokens are texts such as "<|endoftext|>" that are one token of their own. Ordinary text never becomes one. */

/* The two files of an encoding, as bytes in memory. */
typedef struct tl_byte_bpe_files {
    const char *vocab_name, *vocab; /* vocab.json's bytes, vocab_size of them, and what errors call it */
    size_t vocab_size;
    const char *merges_name, *merges; /* merges.txt's */
    size_t merges_size;
    const char *const *specials; /* those tokens of vocab.json that are special, then NULL; NULL: none is */
} tl_byte_bpe_files;

/* Reads both files' bytes (tl_file_read gives them), which can be freed afterwards. Ids are 0 … n-1 in any order; each byte has
 * a token, every merge's parts and what they make are tokens, and a token that no merge makes is a byte's or special: anything
 * else is an error that says where. NULL only when out of memory. */
tl_byte_bpe *tl_byte_bpe_parse(const tl_byte_bpe_files *files);

/* When learning stops, and which tokens are special. */
typedef struct tl_byte_bpe_config {
    long merges;        /* 0 means 10000 */
    long min_frequency; /* stop at pairs seen less often; 0 means 2 */
    const char *const *
        specials; /* get the last ids, are not learnt from where they stand in the text; then NULL. NULL: none */
    /* Called after each merge if it is there: for a progress bar. */
    void (*progress)(void *context, long merge);
    void *context;
} tl_byte_bpe_config;

/* Learns merges from a text of any bytes. Ids 0 … 255 are the bytes in the order of their characters, as in GPT-2's file, then
 * come the merges' tokens as they were learnt, then the special ones. The most frequent pair is merged first, which counts at
 * every place where it stands ("aaa" has "a a" twice); of equally frequent ones the one whose first token has the lower id, then
 * whose second has: the same text gives the same tokens everywhere. config may be NULL. NULL only when out of memory. */
tl_byte_bpe *tl_byte_bpe_learn(const char *text, size_t size, const tl_byte_bpe_config *config);
/* vocab.json as tokenizers writes it, and merges.txt. Free them with free(). *size (may be NULL) does not count the final NUL. NULL
 * for a failed encoding or when out of memory. */
char *tl_byte_bpe_vocab_text(const tl_byte_bpe *bpe, size_t *size);
char *tl_byte_bpe_merges_text(const tl_byte_bpe *bpe, size_t *size);

long tl_byte_bpe_size(
    const tl_byte_bpe *bpe); /* tokens, the special ones counted; 0 for NULL or a failed one */
long tl_byte_bpe_merges(const tl_byte_bpe *bpe); /* the same of merges */
/* The bytes that a token stands for, *size (may be NULL) of them, not NUL-terminated, owned by the encoding; NULL and 0 for an
 * id outside. */
const char *tl_byte_bpe_token(const tl_byte_bpe *bpe, int id, size_t *size);
int tl_byte_bpe_special(const tl_byte_bpe *bpe, const char *token); /* a special token's id; -1: it is none */

/* Writes the ids of `size` bytes, at most `room` of them, none where ids is NULL. Returns how many there are, which may be
 * more than room but never more than size; -1 when out of memory or for a failed encoding. Words it has seen are remembered: not
 * for two threads at once. */
long tl_byte_bpe_encode(tl_byte_bpe *bpe, const char *bytes, size_t size, int *ids, long room);
/* The same, but where special tokens stand in the text they become theirs, the first first and of those in one place the
 * longest: for text that says so on purpose, never for what strangers wrote. */
long tl_byte_bpe_encode_special(tl_byte_bpe *bpe, const char *bytes, size_t size, int *ids, long room);
/* Writes what the ids stand for: for those of a text, its bytes. Tokens may end inside a character. Ids outside are written as
 * U+FFFD. At most size-1 bytes, always whole tokens, then NUL. Returns how many bytes there are, which may be more than was
 * written (as snprintf does); with bytes NULL it only measures. */
size_t tl_byte_bpe_decode(const tl_byte_bpe *bpe, const int *ids, long count, char *bytes, size_t size);

/* The first failure, or NULL. */
const char *tl_byte_bpe_error(const tl_byte_bpe *bpe);
/* Frees the encoding and its tokens. */
void tl_byte_bpe_free(tl_byte_bpe *bpe);

/* ---- vocabulary: which number each word has; TL_PAD … TL_UNK (tensor.h) are the first in every one ---- */

/* Words and how often they come: none yet. NULL only when out of memory. */
tl_vocab_counts *tl_vocab_counts_new(void);
/* Counts the line's tokens. Tokens that are not valid UTF-8 are left out (they will be TL_UNK): a
 * vocabulary can always be written as text. False when out of memory; then tl_vocab_new gives the error. */
bool tl_vocab_counts_add(tl_vocab_counts *counts, const char *line);
/* Frees the counts; a vocabulary made of them lives on. */
void tl_vocab_counts_free(tl_vocab_counts *counts);

/* Which words a vocabulary takes; {0} or NULL: all. */
typedef struct tl_vocab_config {
    long min_count; /* words seen less often are left out; 0 means 1: every word is in */
    long max_size;  /* at most so many entries, the specials counted; 0 = no limit */
} tl_vocab_config;

/* Gives ids by falling count, equal counts by their bytes: the order of counting does not matter. For a joint
 * vocabulary count both sides into one tl_vocab_counts. config may be NULL. */
tl_vocab *tl_vocab_new(const tl_vocab_counts *counts, const tl_vocab_config *config);

/* Reads what tl_vocab_text wrote. `name` is what errors call it (the file's name). A vocabulary that
 * cannot be read holds its error and the specials only. */
tl_vocab *tl_vocab_parse(const char *name, const char *bytes, size_t size);
/* The vocabulary as text: the line "tapeloom-vocab 1 <entries>", then one token a line, id 0 first. Free
 * it with free(). *size (may be NULL) does not count the final NUL. NULL for a failed vocabulary or when
 * out of memory. */
char *tl_vocab_text(const tl_vocab *vocab, size_t *size);

long tl_vocab_size(const tl_vocab *vocab); /* entries, the specials counted; 0 for NULL */
/* The token with this id, owned by the vocabulary; "<unk>" for an id outside. */
const char *tl_vocab_token(const tl_vocab *vocab, int id);
int tl_vocab_id(const tl_vocab *vocab, const char *token); /* TL_UNK where there is none */

/* Writes the ids of the line's tokens, without <bos> and <eos>; at most `room` of them, none where ids is NULL. Returns
 * how many there are, which may be more than room. */
long tl_vocab_encode(const tl_vocab *vocab, const char *line, int *ids, long room);
/* Writes the tokens with single spaces between, up to the first <eos>; <pad> and <bos> are skipped, <unk>
 * and ids outside are written "<unk>". At most size-1 bytes, always whole tokens, then NUL. Returns the
 * length of the whole line, which may be more than was written (as snprintf does); with text NULL it only
 * measures. */
size_t tl_vocab_decode(const tl_vocab *vocab, const int *ids, long count, char *text, size_t size);

/* The first failure, or NULL. */
const char *tl_vocab_error(const tl_vocab *vocab);
/* Frees the vocabulary and its tokens. */
void tl_vocab_free(tl_vocab *vocab);

/* ---- corpus: sentence pairs ---- */

/* Why a line did not become a sentence pair: the first of these that holds. */
typedef enum tl_skip {
    TL_SKIP_NO_TAB,  /* text, but no tab: a line without a second column */
    TL_SKIP_BLANK,   /* a blank line, or nothing but white space on one side */
    TL_SKIP_INVALID, /* not UTF-8, or a NUL byte, in the first two columns */
    TL_SKIP_LONG,    /* more than max_tokens tokens on one side */
    TL_SKIP_KINDS
} tl_skip;

/* Line numbers that a report has of each reason. */
#define TL_REPORT_LINES 5
/* Bytes that hold any report as text. */
#define TL_REPORT_TEXT 1024

/* What became of the bytes of one tl_corpus_parse_tsv, …_labelled, …_lines or …_parallel. */
typedef struct tl_corpus_report {
    char name[256];  /* the file's name; of two files "source + target" */
    long lines;      /* read */
    long pairs;      /* kept */
    long max_tokens; /* the limit; 0 = none */
    struct {
        long count;
        long line[TL_REPORT_LINES]; /* the first line numbers, from 1; 0 = no more */
    } skipped[TL_SKIP_KINDS];
} tl_corpus_report;

/* What the bytes are called, and which lines are taken; {0} or NULL: all that can be. */
typedef struct tl_corpus_config {
    const char *name; /* what errors and the report call the bytes: the file's name; NULL means "(text)" */
    long max_tokens;  /* lines with more on one side (<eos> not counted) are skipped; 0 = no limit */
    bool strict;      /* refuse at the first line that would be skipped: error, the corpus as before */
} tl_corpus_config;

/* An empty corpus. NULL only when out of memory; free it with tl_corpus_free. */
tl_corpus *tl_corpus_new(void);

/* Appends the pairs of a text with one pair a line: source, tab, target; columns after a second tab are
 * ignored. Lines end in LF or CRLF, the last one may lack its end, a UTF-8 byte order mark at the front is
 * dropped; beyond that sentences are kept byte for byte. Bytes that hold no pair at all are an error,
 * strict or not. The bytes can be freed afterwards. config may be NULL. */
bool tl_corpus_parse_tsv(tl_corpus *corpus, const char *bytes, size_t size, const tl_corpus_config *config);
/* The same for labelled sentences, label, tab, text: the text is the pair's source, the label its target, as it stands, spaces
 * in it too. */
bool tl_corpus_parse_labelled(tl_corpus *corpus, const char *bytes, size_t size,
                              const tl_corpus_config *config);
/* The same for a text with one sentence a line, which become sources; targets are empty. */
bool tl_corpus_parse_lines(tl_corpus *corpus, const char *bytes, size_t size, const tl_corpus_config *config);
/* The same for two texts, line i of one beside line i of the other. Texts with different numbers of lines are an
 * error. Errors call the source config->name and the target target_name; NULL means "(source)" and "(target)". */
bool tl_corpus_parse_parallel(tl_corpus *corpus, const char *source, size_t source_size, const char *target,
                              size_t target_size, const char *target_name, const tl_corpus_config *config);
/* Appends one pair as it is (copied): no check, so that a line to translate can be blank or odd. */
bool tl_corpus_add(tl_corpus *corpus, const char *source, const char *target);

/* Sentences for a machine to learn that need no file. Every symbol is a word: "1", "2", … */
typedef struct tl_toy_config {
    const char *task; /* "copy", "reverse", "sort" (by number, rising): target from source */
    long sentences;   /* how many to append */
    long first;       /* number of the first one in the stream of sentences */
    long min_length;  /* symbols in a sentence, each length as likely; 0 means 1 */
    long max_length;  /* 0 means 10, or min_length if that is more */
    long symbols;     /* how many there are; 0 means 20 */
    uint64_t seed;
} tl_toy_config;

/* Appends sentences first … first+sentences-1 of the one stream that seed, lengths and symbols define. No
 * sentence comes twice in a stream, because the stream leaves out every one that it had before; so ranges
 * that do not overlap share no sentence: train on 0…9999, test on 10000…10499. The sources do not depend
 * on the task. */
bool tl_corpus_toy(tl_corpus *corpus, const tl_toy_config *config);

/* Sentences of a small grammar of English and French, or English and Chinese, with true word alignments: see
 * src/text/grammar/grammar.c for what is in it. */
typedef enum tl_grammar_part {
    TL_GRAMMAR_TRAIN,
    TL_GRAMMAR_HELD_OUT /* combine words in ways that no sentence of TL_GRAMMAR_TRAIN does */
} tl_grammar_part;
typedef struct tl_grammar_config {
    const char *pair; /* "en-fr", "en-zh" */
    tl_grammar_part part;
    long sentences; /* how many to append */
    long first;     /* number of the first one in the part's stream */
    uint64_t seed;
} tl_grammar_config;

/* Appends sentences first … first+sentences-1 of the stream that seed, pair and part define. No sentence comes
 * twice in a stream, and none is in both parts; asking for more than there are is an error that says how many
 * there are. Sentences are tokens with single spaces between. */
bool tl_corpus_grammar(tl_corpus *corpus, const tl_grammar_config *config);

/* English sentences of the same grammar with a label each, which the order of the words decides more than the words: see
 * src/text/grammar/labelled.c. */
typedef struct tl_labelled_config {
    /* "agreement", "order": is the sentence right or wrong? "number": is the verb that comes next singular or plural? "subject": whom
     * is it about? */
    const char *task;
    long sentences; /* how many to append */
    long first;     /* number of the first one in the task's stream */
    uint64_t seed;
    bool unlabelled; /* the sentences as they are before anything is made wrong, with empty labels */
} tl_labelled_config;

/* Appends sentences first … first+sentences-1 of the stream that seed and task define, as sources, their labels as targets. No
 * sentence comes twice in a stream, whether labelled or not, so that ranges that do not overlap share none. */
bool tl_corpus_labelled(tl_corpus *corpus, const tl_labelled_config *config);

/* One link of a word alignment, counted in tokens from 0. */
typedef struct tl_link {
    int source, target;
} tl_link;
/* The true alignment of a pair that tl_corpus_grammar made, sorted by source, then target; NULL and 0 for other
 * pairs. Valid until the corpus grows or is freed. */
const tl_link *tl_corpus_alignment(const tl_corpus *corpus, long i, long *count);

/* Pictures with captions, both made here. The source of a pair is a scene, as a line of TL_PICTURE_PATCHES tokens: "." for an
 * empty patch, or a figure, "red-square". The target is what is to be said of it: "a red square left of a blue circle", "an
 * orange ring at the top". src/text/pictures/scene.c has what there is, and what training never combines: colour with shape, two
 * shapes with a relation, shape with a place. Alignments (tl_corpus_alignment) link patch and word of every colour and shape. */
enum {
    TL_PICTURE_SIDE = 6, /* patches in a row, and rows of them */
    TL_PICTURE_CELL = 8, /* pixels of a patch's side */
    TL_PICTURE_PATCHES = TL_PICTURE_SIDE * TL_PICTURE_SIDE,
    TL_PICTURE_PATCH = 3 * TL_PICTURE_CELL * TL_PICTURE_CELL /* numbers of a patch */
};
typedef enum tl_pictures_part {
    TL_PICTURES_TRAIN,
    TL_PICTURES_HELD_OUT /* each combines what no scene of TL_PICTURES_TRAIN does */
} tl_pictures_part;
typedef struct tl_pictures_config {
    tl_pictures_part part;
    long pictures; /* how many to append */
    long first;    /* number of the first one in the part's stream */
    uint64_t seed;
} tl_pictures_config;
/* Appends scenes first … first+pictures-1 of the stream that seed and part define, with their captions. No scene comes twice in a
 * stream, and none is in both parts. */
bool tl_corpus_pictures(tl_corpus *corpus, const tl_pictures_config *config);

long tl_corpus_size(const tl_corpus *corpus); /* pairs; 0 for NULL */
/* The sentence as text; valid until the corpus grows or is freed. "" for a number outside. */
const char *tl_corpus_sentence(const tl_corpus *corpus, tl_side side, long i);

/* The line of its text that the pair was read from, from 1; 0 for pairs that were added or made. */
long tl_corpus_line(const tl_corpus *corpus, long i);
/* Drops the pairs whose keep[i] is false; the others move up. Encode again. False, and nothing dropped, for a failed corpus
 * and without `keep`. */
bool tl_corpus_keep(tl_corpus *corpus, const bool *keep);

/* Counts one side's tokens into `counts`. False if they are not all in (or there is no such side). */
bool tl_corpus_count(const tl_corpus *corpus, tl_side side, tl_vocab_counts *counts);
/* Turns every sentence into ids (kept beside the text). After appending, encode again. */
bool tl_corpus_encode(tl_corpus *corpus, const tl_vocab *source, const tl_vocab *target);
/* The sentence's ids without <bos> and <eos>, *count of them; NULL and 0 before tl_corpus_encode or
 * outside. Valid until the corpus grows, is encoded again or freed. */
const int *tl_corpus_ids(const tl_corpus *corpus, tl_side side, long i, long *count);

/* Of the latest tl_corpus_parse_tsv, …_labelled, …_lines or …_parallel, a refused one included; all 0 before. Owned by the
 * corpus. */
const tl_corpus_report *tl_corpus_last_report(const tl_corpus *corpus);
/* Writes "train.tsv: 100 lines, 97 pairs, 3 skipped" and below it a line for each reason with its first
 * line numbers; ends in a newline. Returns text. */
char *tl_corpus_report_text(const tl_corpus_report *report, char text[TL_REPORT_TEXT]);

/* The first failure, or NULL. */
const char *tl_corpus_error(const tl_corpus *corpus);
/* Frees the corpus with its sentences, ids and alignments. Batches of it must not be used any more. */
void tl_corpus_free(tl_corpus *corpus);

/* ---- labels: the classes of labelled sentences ---- */

/* Every target of the corpus is a label; classes are numbered 0, 1, … in the order of their bytes. A label is a name of one line
 * without tabs, in UTF-8. NULL only when out of memory. */
tl_labels *tl_labels_new(const tl_corpus *corpus);
/* Reads what tl_labels_text wrote. `name` is what errors call it (the file's name). */
tl_labels *tl_labels_parse(const char *name, const char *bytes, size_t size);
/* The labels as text: the line "tapeloom-labels 1 <classes>", then one a line, class 0 first. Free it with free(). *size (may be
 * NULL) does not count the final NUL. NULL for failed labels or when out of memory. */
char *tl_labels_text(const tl_labels *labels, size_t *size);
long tl_labels_count(const tl_labels *labels); /* classes; 0 for NULL or after a failure */
const char *tl_labels_name(const tl_labels *labels,
                           long number); /* owned by the labels; "" for a number outside */
long tl_labels_find(const tl_labels *labels, const char *name); /* -1 where there is none */
/* The first failure, or NULL. */
const char *tl_labels_error(const tl_labels *labels);
/* Frees the labels and their names. */
void tl_labels_free(tl_labels *labels);

/* ---- batches: an encoded corpus in portions ---- */

/* In which order sentences come. */
typedef enum tl_batches_order {
    TL_SHUFFLED,  /* for training: sentences and batches in an order drawn from (seed, epoch) */
    TL_BY_LENGTH, /* shortest first, equal lengths as in the corpus: the least padding */
    TL_IN_ORDER   /* as in the corpus */
} tl_batches_order;

/* How large a batch is, and in which order sentences come; {0} or NULL: 4096 tokens, shuffled. */
typedef struct tl_batches_config {
    /* Budget: with B sentences, S and T the longest source and target (<eos> counted), B·S ≤ tokens and
     * B·T ≤ tokens. Each side has the budget for itself, padding counts. Only a sentence that is longer
     * than the whole budget breaks it: it comes, alone in its batch. 0 means 4096. */
    long tokens;
    long max_sentences; /* at most so many in a batch; 0 = no limit */
    tl_batches_order order;
    uint64_t seed;
} tl_batches_config;

/* Borrows the corpus, which must outlive the batches and stay as it is (a change is an error at the next
 * call). All memory is taken here: going through any number of epochs allocates nothing. config may be
 * NULL. */
tl_batches *tl_batches_new(const tl_corpus *corpus, const tl_batches_config *config);

/* The next batch of the epoch: true. At the end of each epoch: false once, *batch untouched, and the call
 * after that begins the next epoch. Every sentence comes exactly once in an epoch. So
 *
 *     for (int epoch = 0; epoch < 10; epoch++) {
 *         while (tl_batches_next(batches, &batch)) train(&batch);
 *         validate();
 *     }
 *
 * After a failure always false: see tl_batches_error. The batch's arrays belong to `batches` and hold
 * until the next call; batch.index says which sentence of the corpus each row is. */
bool tl_batches_next(tl_batches *batches, tl_batch *batch);

/* Where the next call reads on: `epoch` epochs are through, `batch` batches of the running one have been
 * given. */
typedef struct tl_batches_position {
    long epoch, batch;
} tl_batches_position;

/* The position now. */
tl_batches_position tl_batches_tell(const tl_batches *batches);
/* Goes to a position that tl_batches_tell gave, also in another process: with the same corpus, seed,
 * budget and order the batches that follow are the same. A position that does not exist is an error. */
bool tl_batches_seek(tl_batches *batches, tl_batches_position position);
long tl_batches_per_epoch(const tl_batches *batches); /* the same in every epoch; 0 after a failure */

/* The first failure, or NULL. */
const char *tl_batches_error(const tl_batches *batches);
/* Frees the batches; the corpus is its owner's. */
void tl_batches_free(tl_batches *batches);

/* ---- pictures: scenes drawn ---- */

/* Draws a scene into patches [TL_PICTURE_PATCHES,TL_PICTURE_PATCH]: patches row by row, within a patch pixels row by row, of each
 * red, green and blue. A number is 1 - brightness: white paper is 0. Figures differ a little in size and place within their patch,
 * and every number by up to ± noise (0 … 1), all by (seed, scene). False, patches untouched, and a sentence in error, for a
 * line that is no scene. */
bool tl_picture_draw(const char *scene, uint64_t seed, double noise, tl_real *patches, tl_error *error);
/* What is to be said of a scene: to free(). NULL, and a sentence in error, for a line that is no scene. */
char *tl_picture_caption(const char *scene, tl_error *error);

/* The pictures of a corpus of scenes, which is borrowed. NULL only when out of memory. */
typedef struct tl_pictures tl_pictures;
tl_pictures *tl_pictures_new(const tl_corpus *scenes, uint64_t seed, double noise);
/* Puts pictures in the place of a batch's sources, which its index names (tl_batches_next fills it in): [B,TL_PICTURE_PATCHES,
 * TL_PICTURE_PATCH]. They belong to `pictures` and hold until the next call. */
bool tl_pictures_batch(tl_pictures *pictures, tl_batch *batch);
/* The first failure, or NULL. */
const char *tl_pictures_error(const tl_pictures *pictures);
/* Frees the pictures; the corpus is its owner's. */
void tl_pictures_free(tl_pictures *pictures);

/* ---- windows: ids of running text in stretches that a language model reads at once ---- */

/* A text in windows, batch by batch. */
typedef struct tl_windows tl_windows;

/* How long windows are, and in which order they come. length and batch must be given. */
typedef struct tl_windows_config {
    long length; /* tokens of a window, T; the last one of a text may be shorter */
    long batch;  /* windows of a batch; an epoch's last one may have fewer */
    /* For training: windows come in an order drawn from (seed, epoch), and those of one long text are laid anew each epoch, shifted by
     * less than two windows, so that not the same ids meet at their ends; one window in an epoch or two are left over then.
     * Otherwise they come as they lie. */
    bool shuffled;
    uint64_t seed;
    const long *
        starts; /* [texts+1] where each of several texts begins and the last one ends; NULL: all is one text */
    long texts; /* 0 where starts is NULL */
    int pad;    /* fills tgt_out behind a short window (tgt_in too, unless it is negative: then with 0) */
} tl_windows_config;

/* Borrows the ids and starts, which must outlive the windows. All memory is taken here. Free with tl_windows_free. NULL only when out
 * of memory; what makes no sense is an error, tl_windows_error. */
tl_windows *tl_windows_new(const int *ids, long count, const tl_windows_config *config);
/* The next batch: tgt_in [B,T] is read, tgt_out [B,T] follows each of these, index [B] says which text each row is of; there is no
 * source. It returns, and the position is, as tl_batches_next's. Every id but the first of a text is foretold once an epoch,
 * but for what shuffling leaves over. */
bool tl_windows_next(tl_windows *windows, tl_batch *batch);
/* Where the next call reads on, and going there: as tl_batches_tell and tl_batches_seek. */
tl_batches_position tl_windows_tell(const tl_windows *windows);
bool tl_windows_seek(tl_windows *windows, tl_batches_position position);
long tl_windows_per_epoch(
    const tl_windows *windows); /* batches, the same in every epoch; 0 after a failure */
/* The first failure, or NULL. */
const char *tl_windows_error(const tl_windows *windows);
/* Frees the windows; the ids are their owner's. */
void tl_windows_free(tl_windows *windows);

/* ---- corpus BLEU and chrF2, sacreBLEU's (Post 2018) ---- */

/* The longest n-grams that BLEU counts. */
#define TL_BLEU_ORDER 4
/* Bytes that hold a score as text. */
#define TL_BLEU_TEXT 256

typedef enum tl_bleu_tokens {               /* how BLEU cuts both sides, with sacreBLEU's names */
                              TL_BLEU_NONE, /* "none": at white space */
                              TL_BLEU_13A,  /* "13a": as mteval-v13a.pl does; sacreBLEU's default */
                              TL_BLEU_ZH,   /* "zh": Chinese characters apart, the rest as 13a does */
                              TL_BLEU_CHAR  /* "char": every character apart */
} tl_bleu_tokens;
/* "none", "13a", "zh", "char" to its number; false, *tokens untouched, for anything else. */
bool tl_bleu_tokens_parse(const char *name, tl_bleu_tokens *tokens);
/* The name of a number; "(none of sacreBLEU's)" where there is none. */
const char *tl_bleu_tokens_name(tl_bleu_tokens tokens);

/* How BLEU counts. */
typedef struct tl_bleu_config {
    tl_bleu_tokens tokens;
    bool lowercase; /* both sides, as Python's str.lower() does */
} tl_bleu_config;

/* Papineni et al., "BLEU: a Method for Automatic Evaluation of Machine Translation" (2002), one reference,
 * smoothed as sacreBLEU's default: orders without any match count half, a quarter, … of one match ("exp"). */
typedef struct tl_bleu_score {
    double score;                    /* 0 … 100 */
    double precision[TL_BLEU_ORDER]; /* per cent, of 1- to 4-grams, after smoothing */
    double brevity;                  /* the brevity penalty, 0 … 1 */
    long matched[TL_BLEU_ORDER];     /* n-grams found in the reference, each as often as it is there */
    long total[TL_BLEU_ORDER];       /* n-grams of the hypotheses */
    long hyp_length, ref_length;     /* tokens */
    tl_bleu_config config;           /* how it was counted: for the signature */
} tl_bleu_score;

tl_bleu *tl_bleu_new(const tl_bleu_config *config); /* config may be NULL: none, cased */
/* Adds one sentence, both sides as text (not cut before; bytes that are no UTF-8 count as a character each). False
 * when out of memory. */
bool tl_bleu_add(tl_bleu *bleu, const char *hypothesis, const char *reference);
tl_bleu_score tl_bleu_result(const tl_bleu *bleu); /* of all sentences so far; none: score 0 */
/* Writes sacreBLEU's line, signature first:
 * "BLEU|nrefs:1|case:mixed|eff:no|tok:none|smooth:exp|version:tapeloom = 41.02 70.1/… (BP = 1.000 ratio =
 * …)". */
char *tl_bleu_text(const tl_bleu_score *score, char text[TL_BLEU_TEXT]);
/* The first failure, or NULL. */
const char *tl_bleu_error(const tl_bleu *bleu);
/* Frees the counts. */
void tl_bleu_free(tl_bleu *bleu);

/* Popović, "chrF: character n-gram F-score for automatic MT evaluation" (2015), with sacreBLEU's defaults: β = 2,
 * character n-grams up to 6, no word n-grams, white space left out; bytes that are no UTF-8 count as a character each. */
#define TL_CHRF_TEXT 128
/* Counts of no sentence yet; lowercase: both sides, as tl_bleu_config has it. NULL only when out of memory. */
tl_chrf *tl_chrf_new(bool lowercase);
bool tl_chrf_add(tl_chrf *chrf, const char *hypothesis, const char *reference); /* false when out of memory */
double tl_chrf_result(const tl_chrf *chrf);                                     /* 0 … 100 */
/* "chrF2|nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:tapeloom = 62.31" */
char *tl_chrf_text(const tl_chrf *chrf, char text[TL_CHRF_TEXT]);
/* The first failure, or NULL. */
const char *tl_chrf_error(const tl_chrf *chrf);
/* Frees the counts. */
void tl_chrf_free(tl_chrf *chrf);

/* ---- text on a terminal ---- */

/* Columns that a terminal takes for the text: 2 for wide characters (East Asian Width W and F), 0 for combining
 * and control ones, 1 for each byte that is no UTF-8. */
long tl_text_columns(const char *text);

#ifdef __cplusplus
}
#endif
#endif
