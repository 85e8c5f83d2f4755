/* Ground floor: numbers in rows and columns. Shapes, tensors, batches, random numbers, threads.
 *
 * A tl_tensor is a small value (pointer, dims, strides). It owns nothing and knows no gradient: whoever made
 * the memory behind it (a tape, a parameter set, the caller) says how long it lives. */
#ifndef TAPELOOM_TENSOR_H
#define TAPELOOM_TENSOR_H

#include "base.h"

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- precision: one source, two libraries. Define TL_DOUBLE before including for the double one. ---- */

/* tl_real is the type of every element, float or double; TL_ENTRY puts the precision behind a symbol's name. */
#ifdef TL_DOUBLE
typedef double tl_real;
# define TL_ENTRY(name) name##_f64
#else
typedef float tl_real;
# define TL_ENTRY(name) name##_f32
#endif
/* The constructors carry the precision in their symbols, so header and library that differ do not link. */
#define tl_tape_new TL_ENTRY(tl_tape_new)
#define tl_params_new TL_ENTRY(tl_params_new)

/* ---- shapes and tensors ---- */

/* Most axes of a tensor. */
#define TL_MAX_RANK 6

/* Sizes of axes. Written with TL_SHAPE, or with TL_DIMS as an initialiser. */
typedef struct tl_shape {
    int rank; /* 0 = a scalar */
    long dim[TL_MAX_RANK];
} tl_shape;

/* Numbers in somebody's memory. Element [i,j,…] is data[i·stride[0] + j·stride[1] + …]. */
typedef struct tl_tensor {
    tl_real *data; /* NULL = no tensor (what failed functions return) */
    int rank;
    long dim[TL_MAX_RANK], stride[TL_MAX_RANK]; /* strides count elements; 0 = broadcast */
} tl_tensor;

/* How many arguments it was given. For the macros below. */
#define TL_COUNT(...) ((int)(sizeof((long[]){__VA_ARGS__}) / sizeof(long)))
/* A shape from its sizes: TL_SHAPE(32, 10, 512). */
#define TL_SHAPE(...) ((tl_shape){TL_COUNT(__VA_ARGS__), {__VA_ARGS__}}) /* TL_SHAPE(32, 10, 512) */
/* clang-format off */
#define TL_DIMS(...) {TL_COUNT(__VA_ARGS__), {__VA_ARGS__}} /* the same as an initialiser */
/* clang-format on */
/* The shape [] of a single number. */
#define TL_SCALAR_SHAPE ((tl_shape){0, {0}})

/* Elements of that shape; -1 where no tensor can have it: rank outside 0 … TL_MAX_RANK, a negative size, or more elements
 * than any memory holds. Every function below takes such a shape for one that does not fit. */
long tl_shape_numel(tl_shape shape);
/* Are rank and all sizes the same? */
bool tl_shape_equal(tl_shape a, tl_shape b);
/* NumPy's rule: aligned at the last axis, sizes equal or 1. False, and *out untouched, if the two do not fit. The result may
 * have more elements than there can be: tl_shape_numel tells. */
bool tl_shape_broadcast(tl_shape a, tl_shape b, tl_shape *out);

/* Writes "[2,5,16]" into text and returns text; "[rank 9]" where no tensor has so many axes. 80 bytes hold any shape that
 * fits into memory. */
#define TL_SHAPE_TEXT 160
char *tl_shape_text(tl_shape shape, char text[TL_SHAPE_TEXT]);

/* Row-major over the caller's memory; data NULL if there is none, or no tensor has that shape. */
tl_tensor tl_tensor_of(tl_real *data, tl_shape shape);
/* A tensor's shape. */
tl_shape tl_shape_of(tl_tensor t);
long tl_numel(tl_tensor t);         /* 0 without data, and where no tensor has that shape */
bool tl_is_contiguous(tl_tensor t); /* row-major without gaps; axes of size 1 do not count */

/* Views; nothing is copied. An index or axis outside gives a tensor with data NULL. Negative axes count from
 * the end. */
tl_tensor tl_at_n(tl_tensor t, int count, const long *index); /* fixes the first `count` axes */
/* tl_at_n with the indices as arguments: tl_at(t, 0, 2) is sentence 0, head 2 of [B,H,T,S]. */
#define tl_at(t, ...) tl_at_n((t), TL_COUNT(__VA_ARGS__), (const long[]){__VA_ARGS__})
tl_tensor tl_tensor_transpose(tl_tensor t, int axis1, int axis2);
tl_tensor tl_tensor_slice(tl_tensor t, int axis, long from, long to); /* [from, to) */
tl_tensor tl_tensor_expand(tl_tensor t, tl_shape shape);              /* broadcast to shape, strides 0 */
/* False, and *out untouched, where the strides forbid it: the elements must be copied first. */
bool tl_tensor_reshape(tl_tensor t, tl_shape shape, tl_tensor *out);

/* Sets every element to one value. */
void tl_tensor_fill(tl_tensor t, double value);
bool tl_tensor_copy(tl_tensor to, tl_tensor from); /* `from` may broadcast; false if shapes do not fit */
double tl_item(tl_tensor t);                       /* the element of a one-element tensor; else NaN */
/* sqrt(sum of squares), summed in double along a fixed tree */
double tl_tensor_norm(tl_tensor t);

/* The k largest along an axis, largest first, and of equals the first first; NaN counts as larger than all, as PyTorch has
 * it. ids (where they stand along the axis) and values (may be NULL) are the caller's: row-major, of t's shape with k
 * along the axis, so that ids go straight into tl_gather or tl_embedding. False, and nothing written, if there is no
 * such axis, it has fewer than k elements, or ids is NULL. */
bool tl_top_k(tl_tensor t, int axis, long k, int *ids, tl_real *values);
bool tl_argmax(tl_tensor t, int axis, int *ids); /* tl_top_k with k = 1 */

/* Prints shape and elements, long axes shortened in the middle as NumPy does. */
void tl_print(tl_tensor t, FILE *out);

/* ---- a batch, filled by the text room (or by hand), read by the nn room ----
 *
 * Which parts are there depends on what a model reads: pairs have both sides; a language model's windows have tgt_in and
 * tgt_out alone; sentences to choose a class for have src and labels; pictures to describe have pictures in the place of
 * src. What is not there is NULL, and its length 0. */

/* Some sentences (or pictures) side by side, filled up to one length. */
typedef struct tl_batch {
    long sentences;              /* B */
    long src_len, tgt_len;       /* S, T: the longest of each side, <eos> (and <bos>) counted */
    const int *src;              /* [B,S] source ids, padded with pad */
    const int *tgt_in;           /* [B,T] <bos> y1 … yn: what the decoder reads */
    const int *tgt_out;          /* [B,T] y1 … yn <eos>: what it must say; padded with pad */
    const int *src_lengths;      /* [B] real tokens of each source */
    const int *tgt_lengths;      /* [B] real tokens of each target */
    const int *labels;           /* [B] a class of each sentence */
    tl_tensor pictures;          /* [B,S,F] S patches of F numbers each */
    const long *index;           /* [B] which sentence of the corpus each row is; may be NULL */
    long src_tokens, tgt_tokens; /* sums of the lengths */
    int pad;                     /* the id that fills rows up; never a target */
} tl_batch;

/* The ids that are no word's: the same in every vocabulary, because batches, losses and decoding rely on them. In running
 * text their names ("<pad>" …) are words like any other that nobody has seen: they become TL_UNK. */
enum {
    TL_PAD = 0,     /* <pad>  fills rows up; never read, never a target */
    TL_BOS = 1,     /* <bos>  the decoder's first input */
    TL_EOS = 2,     /* <eos>  the end of a sentence */
    TL_UNK = 3,     /* <unk>  every word that is not in the vocabulary */
    TL_SPECIALS = 4 /* how many there are: the first word has this id */
};

/* ---- random numbers from a counter: value i of a stream depends on the key and on i alone ---- */

/* The key of a stream of random numbers. */
typedef struct tl_rng_key {
    uint32_t k[2];
} tl_rng_key;

tl_rng_key tl_rng_key_of(uint64_t seed, const char *name);  /* a stream for a name */
tl_rng_key tl_rng_key_mix(tl_rng_key key, uint64_t number); /* a sub-stream */
uint32_t tl_rng_bits(tl_rng_key key, uint64_t i);           /* 32 random bits */
double tl_rng_uniform(tl_rng_key key, uint64_t i);          /* in [0, 1) */
double tl_rng_normal(tl_rng_key key, uint64_t i);           /* mean 0, variance 1 (Box–Muller) */
long tl_rng_below(tl_rng_key key, uint64_t i, long n);      /* 0 … n-1 */
void tl_rng_shuffle(tl_rng_key key, long n, long *items);   /* Fisher–Yates */

/* ---- threads and build ---- */

/* How exactly products with weights are computed; names and meanings are torch.set_float32_matmul_precision's. All
 * accumulate in float32. Where the processor has nothing faster for it, a mode is computed as the next more exact
 * one. In the double library every mode is double. */
typedef enum tl_matmul_precision {
    TL_HIGHEST, /* float32 accuracy */
    TL_HIGH,    /* operands as sums of two bfloat16 terms, three products: about 16 bits of mantissa */
    TL_MEDIUM   /* operands rounded to bfloat16: 8 bits of mantissa */
} tl_matmul_precision;
/* "highest", "high", "medium"; false, and *precision untouched, for any other name. */
bool tl_matmul_precision_of(const char *name, tl_matmul_precision *precision);
const char *tl_matmul_precision_name(tl_matmul_precision precision); /* "none" for what is none of them */

/* The kernels' instruction set is the best one that the processor has, or the one that the environment's TL_ISA names:
 * "base", "avx2", "avx512", "amx". If this machine has no such set every new tape fails, with a sentence that lists those
 * that it has. tl_set_isa names another one: of the whole process, and best said before anything is computed, since
 * values of different sets differ in last bits. False, the set unchanged and that sentence, if it is not here. */
bool tl_set_isa(const char *name, tl_error *error);

/* How many threads the kernels use; 1 without OpenMP. Never more than 64, or than there are processors where those are more,
 * whatever OMP_NUM_THREADS says.
 *
 * Threads wait for each other all the time: more of them than there are processors take many times as long as one. And threads
 * do not survive a fork: the child of a process that has computed with several computes with one, to the same bits
 * (with GCC's OpenMP it would wait for ever for those that it does not have). Let such a child exec, or fork before computing,
 * if it shall use threads of its own. */
int tl_threads(void);
/* Of the calling thread's regions: `count`, or as many as may be; 0 and less change nothing. No effect without OpenMP. */
void tl_set_threads(int count);
int tl_processors(void); /* that this process may use; 1 without OpenMP */
/* "float, OpenMP 2 threads, avx512+bf16", for programs to show: +bf16 says that medium is faster than highest.
 * ", sanitizers" and ", checking" stand behind it where SAN=1 or DEBUG=1 have made the library. */
const char *tl_build_text(void);

#ifdef __cplusplus
}
#endif
#endif
