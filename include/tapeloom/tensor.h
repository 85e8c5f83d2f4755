/* The lowest room: shapes, tensors, batches, random numbers, threads.
 *
 * A tl_tensor is a small value (pointer, sizes, strides). It owns no memory and has no gradient. The memory behind it
 * belongs to its maker (a tape, a parameter set, the caller), who decides how long it lives. */
#ifndef TAPELOOM_TENSOR_H
#define TAPELOOM_TENSOR_H

#include "base.h"

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- precision: one source, two libraries. For the double one define TL_DOUBLE before including. ---- */

/* tl_real, float or double, is the type of every element; TL_ENTRY adds the precision to a symbol's name. */
#ifdef TL_DOUBLE
typedef double tl_real;
# define TL_ENTRY(name) name##_f64
#else
typedef float tl_real;
# define TL_ENTRY(name) name##_f32
#endif
/* The constructors' symbols name the precision, so a header and a library that differ do not link. */
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

/* A view of numbers in memory. Element [i,j,…] is data[i·stride[0] + j·stride[1] + …]. */
typedef struct tl_tensor {
    tl_real *data; /* NULL: no tensor, as functions return that fail */
    int rank;
    long dim[TL_MAX_RANK], stride[TL_MAX_RANK]; /* strides count elements; 0 = broadcast */
} tl_tensor;

/* The number of its arguments; for the macros below. */
#define TL_COUNT(...) ((int)(sizeof((long[]){__VA_ARGS__}) / sizeof(long)))
/* A shape from its sizes: TL_SHAPE(32, 10, 512). */
#define TL_SHAPE(...) ((tl_shape){TL_COUNT(__VA_ARGS__), {__VA_ARGS__}})
/* clang-format off */
#define TL_DIMS(...) {TL_COUNT(__VA_ARGS__), {__VA_ARGS__}} /* the same as an initialiser */
/* clang-format on */
/* The shape [] of a single number. */
#define TL_SCALAR_SHAPE ((tl_shape){0, {0}})

/* The number of elements of a shape; -1 where no tensor can have it: rank outside 0 … TL_MAX_RANK, a negative size, or
 * more elements than any memory holds. Every function below fails for such a shape. */
long tl_shape_numel(tl_shape shape);
/* Are rank and all sizes the same? */
bool tl_shape_equal(tl_shape a, tl_shape b);
/* The shape that two shapes broadcast to, by NumPy's rule: aligned at the last axis, sizes equal or 1. False, and *out
 * unchanged, if they do not fit. The result may have more elements than there can be; tl_shape_numel tells. */
bool tl_shape_broadcast(tl_shape a, tl_shape b, tl_shape *out);

/* Writes "[2,5,16]" into text and returns text; "[rank 9]" if no tensor has so many axes. 80 bytes hold any shape that
 * fits into memory. */
#define TL_SHAPE_TEXT 160
char *tl_shape_text(tl_shape shape, char text[TL_SHAPE_TEXT]);
/* The same for a message, in memory of the block in which it stands; and for a tensor's shape. */
#define TL_SHAPE_STRING(shape) tl_shape_text((shape), (char[TL_SHAPE_TEXT]){0})
#define TL_SHAPE_STRING_OF(tensor) TL_SHAPE_STRING(tl_shape_of(tensor))

/* A contiguous, row-major tensor over the caller's memory; data NULL if `data` is NULL or no tensor can have that
 * shape. */
tl_tensor tl_tensor_of(tl_real *data, tl_shape shape);
/* A tensor's shape. */
tl_shape tl_shape_of(tl_tensor t);
long tl_numel(tl_tensor t);         /* 0 without data, or if no tensor can have that shape */
bool tl_is_contiguous(tl_tensor t); /* row-major without gaps; axes of size 1 may have any stride */

/* Views: they copy nothing. A negative axis counts from the end. An index or axis out of range gives data NULL. */
tl_tensor tl_at_n(tl_tensor t, int count, const long *index); /* fixes the first `count` axes */
/* tl_at_n with the indices as arguments: tl_at(t, 0, 2) is sentence 0, head 2 of [B,H,T,S]. */
#define tl_at(t, ...) tl_at_n((t), TL_COUNT(__VA_ARGS__), (const long[]){__VA_ARGS__})
tl_tensor tl_tensor_transpose(tl_tensor t, int axis1, int axis2);
tl_tensor tl_tensor_slice(tl_tensor t, int axis, long from, long to); /* [from, to) */
tl_tensor tl_tensor_expand(tl_tensor t, tl_shape shape);              /* broadcast to shape, strides 0 */
/* False, and *out unchanged, where the strides do not allow a view: then the elements must be copied first. */
bool tl_tensor_reshape(tl_tensor t, tl_shape shape, tl_tensor *out);

/* Sets every element to one value. */
void tl_tensor_fill(tl_tensor t, double value);
bool tl_tensor_copy(tl_tensor to, tl_tensor from); /* `from` may broadcast; false if shapes do not fit */
double tl_item(tl_tensor t);                       /* the one element; NaN if there is not exactly one */
/* The square root of the sum of squares, summed in double in a fixed order. */
double tl_tensor_norm(tl_tensor t);

/* The k largest along an axis, largest first; ties go to the first. NaN counts as larger than all numbers, as in
 * PyTorch. ids (indices along the axis) and values (may be NULL) are the caller's, row-major, of t's shape with k along
 * the axis; ids can go straight into tl_gather or tl_embedding. False, and nothing written, if there is no such axis,
 * it has fewer than k elements, or ids is NULL. */
bool tl_top_k(tl_tensor t, int axis, long k, int *ids, tl_real *values);
bool tl_argmax(tl_tensor t, int axis, int *ids); /* tl_top_k with k = 1 */

/* Prints shape and elements as NumPy does; long axes are shortened in the middle. */
void tl_print(tl_tensor t, FILE *out);

/* ---- a batch, filled by the text room (or by hand), read by models ----
 *
 * Its parts depend on what a model reads. Pairs have both sides. A language model's windows have only tgt_in and
 * tgt_out. Sentences to classify have src and labels. Pictures to describe have pictures instead of src. A part that is
 * not there is NULL, and its length 0. */

/* Some sentences (or pictures), padded to one length. */
typedef struct tl_batch {
    long sentences;              /* B */
    long src_len, tgt_len;       /* S, T: the longest of each side; <eos> (and <bos>) count */
    const int *src;              /* [B,S] source ids, padded with pad */
    const int *tgt_in;           /* [B,T] <bos> y1 … yn: what the decoder reads */
    const int *tgt_out;          /* [B,T] y1 … yn <eos>: its targets; padded with pad */
    const int *src_lengths;      /* [B] real tokens of each source */
    const int *tgt_lengths;      /* [B] real tokens of each target */
    const int *labels;           /* [B] each sentence's class */
    tl_tensor pictures;          /* [B,S,F] S patches of F numbers each */
    const long *index;           /* [B] each row's sentence number in the corpus; may be NULL */
    long src_tokens, tgt_tokens; /* sums of the lengths */
    int pad;                     /* the id of padding; never a target */
} tl_batch;

/* The special ids, which are no words: the same in every vocabulary, because batches, losses and decoding rely on them.
 * In running text their names ("<pad>" …) are ordinary words that the vocabulary does not have: they become TL_UNK. */
enum {
    TL_PAD = 0,     /* <pad>  padding; never read, never a target */
    TL_BOS = 1,     /* <bos>  the decoder's first input */
    TL_EOS = 2,     /* <eos>  the end of a sentence */
    TL_UNK = 3,     /* <unk>  every word that is not in the vocabulary */
    TL_SPECIALS = 4 /* how many there are, and the id of the first word */
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

/* How exactly products with weights are computed. Names and meanings are those of torch.set_float32_matmul_precision.
 * All modes accumulate in float32. If the processor has nothing faster for a mode, the next more exact mode is used. In
 * the double library every mode is double. */
typedef enum tl_matmul_precision {
    TL_HIGHEST, /* float32 accuracy */
    TL_HIGH,    /* operands as sums of two bfloat16 terms, three products: about 16 bits of mantissa */
    TL_MEDIUM   /* operands rounded to bfloat16: 8 bits of mantissa */
} tl_matmul_precision;
/* From "highest", "high" or "medium"; false, and *precision unchanged, for any other name. */
bool tl_matmul_precision_of(const char *name, tl_matmul_precision *precision);
const char *tl_matmul_precision_name(tl_matmul_precision precision); /* "none" for any other value */

/* The kernels use the best instruction set that the processor has, or the one that the environment's TL_ISA names:
 * "base", "avx2", "avx512" or "amx". If this machine does not have that one, every new tape fails, and its error lists
 * those that there are. tl_set_isa selects another set for the whole process. Call it before anything is computed,
 * because values of different sets differ in last bits. False, the same error, and the set unchanged, if this machine
 * does not have it. */
bool tl_set_isa(const char *name, tl_error *error);

/* How many threads the kernels use; 1 without OpenMP. Whatever OMP_NUM_THREADS says, at most 64, or as many as there
 * are processors if there are more.
 *
 * Threads often wait for each other: more threads than processors take many times as long as one. Threads do not
 * survive a fork: the child of a process that has computed with several computes with one, with the same bits. (With
 * GCC's OpenMP it would wait forever for the threads that it does not have.) If such a child shall use threads of its
 * own, let it exec, or fork before computing. */
int tl_threads(void);
/* Sets the number of threads for computations of the calling thread: `count`, or the limit if that is less. 0 or less
 * changes nothing. No effect without OpenMP. */
void tl_set_threads(int count);
int tl_processors(void); /* processors that this process may use; 1 without OpenMP */
/* A text for programs to show, such as "float, OpenMP 2 threads, avx512+bf16": +bf16 says that medium is faster than
 * highest. ", sanitizers" and ", checking" follow if the library was made with SAN=1 or DEBUG=1. */
const char *tl_build_text(void);

#ifdef __cplusplus
}
#endif
#endif
