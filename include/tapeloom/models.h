/* Whole models, built from the layers of nn.h, and what can be done with any model: search, sampling, scoring given
 * words.
 *
 * tl_<model>_init(params, name, &config) makes a model. Training, search and inspection take a tl_model and need not
 * know the kind of model. In a config, 0 means the documented default. A config value out of range fails the set with a
 * message.
 *
 * A forward copies the ids, lengths and masks that it is given: they may change or be freed once it has returned. Its
 * result lives on the tape until tl_tape_reset. On failure it sets the tape's error and returns the tape's inert
 * var. */
#ifndef TAPELOOM_MODELS_H
#define TAPELOOM_MODELS_H

#include "nn.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- stacks ---- */

/* A stack of encoder layers, with a norm after the last one if has_norm. */
typedef struct tl_encoder {
    const char *name;
    int layers;
    tl_encoder_layer *layer;
    bool has_norm;
    tl_layer_norm_layer norm;
} tl_encoder;
/* Makes the parameters <name>.layers.0.* and so on and, with final_norm, <name>.norm.*. config is that of each
 * layer. */
tl_encoder tl_encoder_init(tl_params *params, const char *name, int layers, bool final_norm,
                           const tl_block_config *config);
/* x [B,S,d_model] through all layers, to the same shape. maps: an array with one entry per layer, or NULL. mask may be
 * NULL. */
tl_var tl_encoder_forward(const tl_encoder *encoder, tl_var x, const tl_mask *mask, tl_attention_maps *maps);

/* A stack of decoder layers, with a norm after the last one if has_norm. */
typedef struct tl_decoder {
    const char *name;
    int layers;
    tl_decoder_layer *layer;
    bool has_norm;
    tl_layer_norm_layer norm;
} tl_decoder;
/* Makes the parameters <name>.layers.0.* and so on and, with final_norm, <name>.norm.*. config is that of each
 * layer. */
tl_decoder tl_decoder_init(tl_params *params, const char *name, int layers, bool final_norm,
                           const tl_block_config *config);
/* x [B,T,d_model] through all layers, to the same shape; memory [B,S,d_model] is the encoder's output. maps: arrays
 * with one entry per layer, or NULL. Masks may be NULL. */
tl_var tl_decoder_forward(const tl_decoder *decoder, tl_var x, tl_var memory, const tl_mask *self_mask,
                          const tl_mask *memory_mask, tl_attention_maps *self_maps,
                          tl_attention_maps *cross_maps);

/* ---- a model of any kind ----
 *
 * A model is a struct that begins with a tl_model, as tl_transformer does: &transformer.model is a tl_model. Its kind
 * is a table of functions. A new kind of model is a new table. */

/* A model of any kind. */
typedef struct tl_model tl_model;
/* What a model has read and written so far; see tl_model_begin. */
typedef struct tl_model_state tl_model_state;

/* An attention's place in a model: TL_CROSS are decoder queries over the encoder's output. */
typedef enum tl_attention_kind { TL_ENCODER_SELF, TL_DECODER_SELF, TL_CROSS } tl_attention_kind;
/* How many kinds of attention there are. */
enum { TL_ATTENTION_KINDS = 3 };
/* The side of a model that a residual stream belongs to. */
typedef enum tl_stream_side { TL_ENCODER, TL_DECODER } tl_stream_side;
/* How many sides there are. */
enum { TL_STREAM_SIDES = 2 };

/* The inner values of a whole model, to look at and to change: arrays with one entry per layer, and the streams with
 * one entry per depth. NULL: not wanted. Row t of decoder_self and cross belongs to the token that the decoder reads at
 * t (tgt_in[t]), and so to the token that it then writes (tgt_out[t]). Columns are tgt_in for decoder_self and src for
 * cross. Rows and columns of encoder_self are src. */
typedef struct tl_model_maps {
    tl_attention_maps *encoder_self, *decoder_self, *cross;
    tl_stream_maps *stream[TL_STREAM_SIDES]; /* [depths] per side */
} tl_model_maps;
/* Maps for every layer and stream of the model, in the tape's memory, each with this keep_grad. Without memory the tape
 * fails, and all pointers are NULL. */
tl_model_maps tl_model_maps_new(const tl_model *model, tl_tape *tape, bool keep_grad);
/* The maps of one kind of attention; NULL if maps is NULL. */
tl_attention_maps *tl_model_maps_of(const tl_model_maps *maps, tl_attention_kind kind);

/* The sizes of a state, and how it computes. */
typedef struct tl_model_state_options {
    long each;     /* rows per sentence; 0 means 1 */
    long capacity; /* the most steps that it will take */
    bool maps;     /* keep the probabilities of decoder_self and cross, for each row */
    bool no_cache; /* compute everything that was read again at every step: slow, same bits */
    /* Gates and replacements that act on every step (the other fields of these maps are neither read nor written). The
     * maps are copied, what they point to is not. NULL: none. A replacing function is called at every step for the
     * position that is read; with no_cache, for all positions so far. For the same bits with and without no_cache, what
     * it puts at one position must not depend on other positions. */
    const tl_model_maps *intervene;
} tl_model_state_options;

/* The table of functions that makes a struct a model. Callers use tl_model_loss, tl_model_begin and the like. */
typedef struct tl_model_kind {
    const char *name; /* "transformer" */
    /* The input of the projection to words: [B,T,D] from src and tgt_in. maps may be NULL. */
    tl_var (*hidden)(const tl_model *model, tl_tape *tape, const tl_batch *batch, const tl_model_maps *maps);
    tl_var (*logits)(const tl_model *model, tl_var hidden); /* [...,D] to [...,V] */
    /* Implements tl_model_loss. */
    tl_var (*loss)(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                   const tl_loss_options *options, tl_loss_report *report, const tl_model_maps *maps);
    /* Implements tl_model_begin, except no_cache. NULL: the model writes no words. The tape has no error; sizes are
     * valid. */
    tl_model_state *(*begin)(const tl_model *model, tl_tape *tape, const tl_batch *source,
                             const tl_model_state_options *options);
} tl_model_kind;

/* The part that all models share. A model's own struct begins with it; the model's init fills it in. */
struct tl_model {
    const tl_model_kind *kind;
    const char *name; /* its scope: what its parameters' names begin with, or "" */
    tl_params *params;
    long src_vocab, tgt_vocab;          /* how many ids it can read, and how many it can write */
    long max_len;                       /* the most tokens of a sentence that it can read or write */
    int attentions[TL_ATTENTION_KINDS]; /* how many layers have an attention of that kind */
    int depths[TL_STREAM_SIDES];        /* of each stream: layers + 1; 0 if there is no such side */
    int heads;
    /* [attentions] the number of heads of each attention, where some differ from `heads` (heads have been pruned).
     * NULL: each attention has `heads`. */
    const int *heads_of[TL_ATTENTION_KINDS];
    /* Its states never use a cache, because later words change what earlier words compute (no_causal). */
    bool no_cache;
};
/* The number of heads of one attention; 0 if there is no such layer. */
int tl_model_heads(const tl_model *model, tl_attention_kind kind, int layer);

/* The mean loss per real target token, in nats, label-smoothed as the model's config says. Padding does not count.
 * options (may be NULL): label_smoothing, ignore and ignore_id are not read from it, but taken from the model and the
 * batch. report and maps may be NULL. */
tl_var tl_model_loss(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                     const tl_loss_options *options, tl_loss_report *report, const tl_model_maps *maps);

/* ---- states: a model that reads and writes one word at a time, in several rows ----
 *
 * All rows take each step together. Row r continues sentence r / each. What must outlive a step lies in the tape's
 * memory below a mark: call tl_model_begin, then for every step tl_tape_mark, tl_model_step, use the logits,
 * tl_tape_release. A state holds values only: no gradient flows through it. */

/* The table of functions of a kind of state. Callers use tl_model_step and the like. */
typedef struct tl_model_state_kind {
    tl_var (*step)(tl_model_state *state, const int *words);
    void (*copy_row)(tl_model_state *state, long to, long from); /* copies what `at` steps have made */
    void (*keep)(tl_model_state *state, const long *kept, long sentences);
    /* Implements tl_model_read for two or more words, which fit. NULL: they are read step by step. */
    tl_var (*read)(tl_model_state *state, const int *words, long count);
} tl_model_state_kind;

/* The part that all states share. A kind's own struct begins with it. */
struct tl_model_state {
    const tl_model_state_kind *kind;
    const tl_model *model;
    tl_tape *tape;
    long sentences, each, capacity;
    long at;                 /* steps taken so far */
    long *numbers;           /* [sentences] number of each sentence in the source batch; NULL: not needed */
    tl_model_maps intervene; /* all NULL: none */
    /* If asked for, for decoder_self and cross, one tensor per layer: [rows,H,capacity,keys], with the first `at`
     * queries filled. */
    tl_tensor *maps[TL_ATTENTION_KINDS];
};

/* Makes a state that has read the source side of a batch (copied) and no target word. NULL, and the tape fails, on
 * failure.
 *
 * The state lies in the tape's memory. Using a state after a reset or release fails the tape, as long as nothing else
 * has taken its memory. Rows and sentences that do not exist fail the tape too. */
tl_model_state *tl_model_begin(const tl_model *model, tl_tape *tape, const tl_batch *source,
                               const tl_model_state_options *options);
/* Every row reads one more word: words [rows]. Returns the logits of the next word, [rows,V]. */
tl_var tl_model_step(tl_model_state *state, const int *words);
/* Every row reads `count` more words: words [rows,count]. Returns the logits of the word after the last, [rows,V]. The
 * same bits as `count` steps, and counts as `count` steps. A tl_gpt reads them all at once, which is much faster. */
tl_var tl_model_read(tl_model_state *state, const int *words, long count);
/* Makes row `to` a copy of row `from`. */
void tl_model_copy_row(tl_model_state *state, long to, long from);
/* Keeps the sentences kept[0] < kept[1] < … and drops all others. Sentence kept[i] becomes sentence i. */
void tl_model_keep(tl_model_state *state, const long *kept, long sentences);

/* ---- search: the most likely words, for any model ---- */

/* The default beam, and the largest beam. */
enum { TL_BEAM_DEFAULT = 5, TL_BEAM_MOST = 1000 };
/* How words are searched for or drawn. {0} or NULL: beam search with TL_BEAM_DEFAULT, ranked by the sum of log p. */
typedef struct tl_search_options {
    /* Hypotheses kept per sentence; 0 means TL_BEAM_DEFAULT. 1 is greedy: the most likely next word at every step. */
    int beam;
    int nbest;             /* hypotheses returned per sentence, at most `beam`; 0 means 1 */
    double length_penalty; /* α: ranks by (sum of log p) / length^α, eos counted; 0 ranks by the sum */
    /* The limit: max_ratio·(source tokens) + max_extra tokens per sentence, forced words included; both 0 mean
     * 2·source + 10. Forced words always fit. */
    double max_ratio;
    long max_extra;
    int bos; /* the first word that is read; 0 means TL_BOS; -1: each row's first forced word is read first */
    int eos; /* the word that ends a hypothesis; 0 means TL_EOS; -1: none, a hypothesis ends at its limit */
    const int *forced;         /* [B,forced_length] words that each sentence must begin with; NULL: none */
    const int *forced_lengths; /* [B] how many of them; NULL: forced_length each */
    long forced_length;
    /* [forbidden_count] words that are never written unless forced. TL_PAD and bos (TL_BOS if that is -1) are forbidden
     * too, unless any_word: texts do not show them, so hypotheses that differ only in them would be the same text. */
    const int *forbidden;
    int forbidden_count;
    /* Forbid only `forbidden`: for vocabularies in which the ids TL_PAD and TL_BOS are other words. */
    bool any_word;
    /* No hypothesis contains the same n-gram of this n twice, forced words counted. 0: it may. */
    int no_repeat_ngram;
    /* Draw words instead of searching: `nbest` samples per sentence, in order of drawing; `beam` is not read. A sample
     * depends on the seed, the sentence's number and the sample's number, not on the rest of the batch. */
    bool sample;
    double temperature; /* draws with probability proportional to p^(1/temperature); 0 means 1 */
    int top_k;          /* draws from the k most likely words; 0: from all */
    double top_p;  /* draws from the fewest most likely words whose probabilities sum to top_p; 0: from all */
    uint64_t seed; /* any number; 0 is a seed like any other */
    const long *numbers; /* [B] sentence numbers, for the random numbers; NULL: indices in the batch */
    bool maps;           /* also return the attention of every hypothesis */
    bool no_cache;       /* as in tl_model_state_options */
    const tl_model_maps *intervene; /* as in tl_model_state_options */
} tl_search_options;
/* The result of a search. Its arrays lie on the tape. */
typedef struct tl_search_result {
    long sentences, nbest, capacity;
    const int *ids; /* [B,nbest,capacity], best first; each row ends with eos, unless it reached its limit */
    const int *lengths; /* [B,nbest] ids before eos; -1: there is no such hypothesis */
    /* [B,nbest] (sum of log p) / length^α; -INFINITY: there is no such hypothesis. p is the model's own: over all
     * words, forbidden ones too, at temperature 1. Forced words count. */
    const double *score;
    /* With maps, for decoder_self and cross, one tensor per layer: [B,nbest,H,capacity,keys]. Row t holds the
     * probabilities at the step that wrote word t. NULL: not asked for, or the model has no such attention. */
    const tl_tensor *maps[TL_ATTENTION_KINDS];
} tl_search_result;
/* Continues the source side of a batch by beam search (Graves 2012; score / length^α as in Wu et al. 2016, without
 * their constants), greedily (beam 1), or by samples. Computes without gradients and dropout. The result lives on the
 * tape until reset or release. Each sentence's result is the same as in a batch of its own. options may be NULL. On
 * failure returns false, with an error on the tape. */
bool tl_search(const tl_model *model, tl_tape *tape, const tl_batch *source, const tl_search_options *options,
               tl_search_result *result);

/* ---- generation: continuing a text word by word ---- */

/* The beginning of a text, how to continue it, and who receives the words. */
typedef struct tl_generate_options {
    const int *prompt; /* [prompt_length] ids that the text begins with; at least one */
    long prompt_length;
    long most; /* the most words to write: 1 or more, without an upper limit */
    /* How many ids the model reads at once, at most; 0 means its max_len. When the text is longer, the model starts
     * again from the last context/2 ids (at least one), as if the text began there. */
    long context;
    const int *ends; /* [ends_count] words that end the text; they are written and reported; NULL: none */
    int ends_count;
    const int *forbidden; /* [forbidden_count] words that are never written; NULL: none */
    int forbidden_count;
    bool greedy;        /* always the most likely word (ties go to the lower id); false: words are drawn */
    double temperature; /* for drawing, as in tl_search_options, like the next three */
    int top_k;
    double top_p;
    uint64_t seed;
    /* Number of the sample: tl_search with this prompt as its only sentence draws the same text as its sample
     * `number`. */
    long number;
    bool no_cache;                  /* as in tl_model_state_options */
    const tl_model_maps *intervene; /* as in tl_model_state_options */
    /* Called with each word as soon as it is chosen. log_p is the model's own: over all words, forbidden ones too, at
     * temperature 1. Returning false ends the text. The function must not use the tape. */
    bool (*wrote)(void *to, int word, double log_p);
    void *to; /* first argument of wrote */
} tl_generate_options;
/* Continues a prompt with a model that reads no source (tl_gpt). Computes without gradients and dropout. Memory does
 * not grow with the text, and what the tape held before it still holds afterwards. Each word depends only on the model,
 * the ids that it has read, seed, number and the word's index in the text. Returns true when the text has ended, for
 * whatever reason. On failure returns false, with an error on the tape. */
bool tl_generate(const tl_model *model, tl_tape *tape, const tl_generate_options *options);

/* ---- the probability of given words, for any model ---- */

/* log p of every target word (tgt_out, <eos> too), given the source and the true words before it, into log_p [B,T]; 0
 * at padding. p is the model's own, over all words: a sentence's sum is the score that a search gives to the same words
 * without length penalty. Computes without gradients and dropout. maps (may be NULL) are filled, and their gates and
 * replacements act. On failure returns false, with an error on the tape. */
bool tl_log_p(const tl_model *model, tl_tape *tape, const tl_batch *batch, const tl_model_maps *maps,
              double *log_p);

/* ---- the Transformer ---- */

/* Which weight matrices are one and the same. */
typedef enum tl_tie {
    TL_TIE_NONE,   /* source embedding, target embedding and output are three matrices */
    TL_TIE_TARGET, /* the target embedding is the output matrix too */
    TL_TIE_ALL     /* one matrix for all three; needs src_vocab = tgt_vocab */
} tl_tie;

/* Sizes and kind of a Transformer. src_vocab and tgt_vocab must be given. */
typedef struct tl_transformer_config {
    long src_vocab, tgt_vocab;
    tl_tie tie;
    long d_model, d_ff;                 /* defaults 512, 4·d_model */
    int heads;                          /* default 8 */
    int layers;                         /* of the encoder, and of the decoder; default 6 */
    int encoder_layers, decoder_layers; /* if the two differ; default `layers` */
    tl_activation activation;
    tl_position_kind positions;         /* of both sides; TL_ALIBI only with own_encoder_positions */
    bool own_encoder_positions;         /* the encoder uses encoder_positions instead of positions */
    tl_position_kind encoder_positions; /* not TL_ALIBI, which needs a causal mask */
    long max_len;                       /* the longest sentence; default 1024 */
    bool pre_norm;                      /* default: post-norm */
    bool no_final_norm; /* no norm after the last layers, as in the paper; torch.nn.Transformer has one */
    double norm_eps;    /* default 1e-5 */
    double dropout;     /* on embeddings and on the output of each sub-layer */
    double attention_dropout, activation_dropout;
    double label_smoothing;
    bool output_bias;
    bool no_bias;             /* no biases in layers and norms: torch.nn.Transformer(bias=False) */
    tl_score score;           /* of every attention */
    tl_normaliser normaliser; /* of every attention */
    long window; /* of self-attention on both sides: a position sees only those up to this distance; 0: all */
    /* More than 0: the encoder reads pictures instead of ids, from the batch's `pictures` [B,S,patch]: S patches of
     * `patch` numbers each (Dosovitskiy et al. 2021, 3.1: the squares of an image, row by row, each a vector of its
     * pixels). Then src_vocab must be 0, and TL_TIE_ALL is an error. */
    long patch;
    /* The decoder also sees later words, including the ones that it must predict. For study only: its loss does not
     * measure how well it writes. When it writes, every word sees all words written so far; since each new word changes
     * what earlier words compute, its states have no cache (tl_model.no_cache). */
    bool no_causal;
    /* [layers] how many heads each attention keeps (tl_attention_config.d_k); copied. NULL: all. A self-attention keeps
     * all of them if positions differ between heads (alibi, signed-alibi, relative). */
    const int *kept[TL_ATTENTION_KINDS];
    bool head_gates; /* learnt gates in every attention, see tl_hard_concrete */
} tl_transformer_config;

/* Parameters: src_embedding.weight, tgt_embedding.weight, output.weight, output.bias; encoder.* and decoder.* as in
 * torch.nn.Transformer. A tied matrix is stored once, under the embedding's name. With relative positions also
 * encoder.distances.weight and decoder.distances.weight, one table for all layers of a side, as in T5. A model that
 * reads pictures has patch_projection.weight [d_model,patch] and patch_projection.bias instead of
 * src_embedding.weight. */
typedef struct tl_transformer {
    tl_model model;               /* first: search, training and inspection take &transformer.model */
    tl_transformer_config config; /* with all defaults filled in */
    tl_embedding_layer src_embedding, tgt_embedding; /* src_embedding.name is NULL if it reads pictures */
    tl_linear_layer patch_projection;                /* name is NULL if it reads ids */
    tl_positions src_positions, tgt_positions;
    tl_encoder encoder;
    tl_decoder decoder;
    const char *output_name; /* scope of the projection to the vocabulary */
    tl_param *output_weight, *output_bias;
} tl_transformer;

/* Makes the model's parameters in the set. name, if not "", stands before each parameter's name, with a dot. */
tl_transformer tl_transformer_init(tl_params *params, const char *name, const tl_transformer_config *config);
/* The encoder: src [B,S] with src_lengths [B], or pictures [B,S,patch] (src_lengths NULL: S patches each), to
 * [B,S,d_model]. The first layer reads embedding·√d_model + position (Vaswani et al. 2017, 3.4), or for pictures
 * W·patch + b + position. maps may be NULL. tl_transformer_encode, _decode and _logits are the three parts of the
 * loss. */
tl_var tl_transformer_encode(const tl_transformer *model, tl_tape *tape, const tl_batch *batch,
                             const tl_model_maps *maps);
/* The decoder: tgt_in [B,T] with tgt_lengths [B], and memory [B,S,d_model] with src_lengths [B], to [B,T,d_model].
 * Position t sees tokens 0 … t. memory is the result of tl_transformer_encode, or any var of that shape. */
tl_var tl_transformer_decode(const tl_transformer *model, tl_tape *tape, const tl_batch *batch, tl_var memory,
                             const tl_model_maps *maps);
/* The projection to words: hidden [...,d_model] to logits [...,tgt_vocab]. */
tl_var tl_transformer_logits(const tl_transformer *model, tl_var hidden);
/* tl_model_loss without options, report and maps: the mean loss per real target token, in nats. */
tl_var tl_transformer_loss(const tl_transformer *model, tl_tape *tape, const tl_batch *batch);
/* One attention of the model; NULL if there is none. */
const tl_attention_layer *tl_transformer_attention(const tl_transformer *model, tl_attention_kind kind,
                                                   int layer);
/* The expected number of open heads (tl_hard_concrete_open), summed over all attentions: the quantity to penalise. The
 * tape fails if the model has no gates. */
tl_var tl_transformer_open_heads(const tl_transformer *model, tl_tape *tape);

/* ---- recurrent encoder and decoder ----
 *
 * The models that led to the Transformer. y is the embedding of the word that is read, s the state of the decoder's
 * last layer, c the context (what the decoder gets from the source), o the vector that predicts the next word by O·o. D
 * is d_model. An encoder output is M wide: D or, if bidirectional, 2·D.
 *
 *   no_attention                s_t = cell(y_t, s_{t-1}), o_t = s_t              the decoder gets the encoder's last
 *                                                                                states, no more: Sutskever et al. 2014
 *   … with feed_context         s_t = cell([y_t; c], s_{t-1}), o_t = tanh(W·[s_t; c; y_t])
 *                                                                                c is the last output of the encoder:
 *                                                                                Cho et al. 2014
 *   additive                    c_t = attention(s_{t-1}), s_t = cell([y_t; c_t], s_{t-1}),
 *                               o_t = tanh(W·[s_t; c_t; y_t])                    the previous state is the query; the
 *                                                                                cell reads c_t: Bahdanau et al. 2015
 *   every other score           s_t = cell(y_t, s_{t-1}), c_t = attention(s_t), o_t = tanh(W·[s_t; c_t])
 *                                                                                the new state is the query:
 *                                                                                Luong et al. 2015
 *   … with input_feeding        s_t = cell([y_t; o_{t-1}], s_{t-1}), the rest as before; o_0 is 0
 *                                                                                Luong et al. 2015, 3.3
 *
 * (Cho and Bahdanau use maxout where this has tanh.) Attention takes the encoder's outputs directly as keys and values
 * (tl_attention_config.unprojected); only scaled-dot has projections, as in the Transformer. The decoder's first states
 * are the encoder's last. From a bidirectional encoder, each layer has h = tanh(B·[h→; h←] + b) and, for an LSTM,
 * c = B'·[c→; c←] + b'.
 *
 * If the cell does not read the attention's result (no input_feeding, score not additive), the decoder computes all
 * words of a sentence at once, and attention too. */

/* Sizes and kind of a recurrent model. src_vocab and tgt_vocab must be given. */
typedef struct tl_seq2seq_config {
    long src_vocab, tgt_vocab;
    tl_tie tie; /* other than TL_TIE_NONE: embedding must be d_model */
    tl_recurrent_kind kind;
    long embedding; /* default d_model */
    long d_model;   /* units of each layer in each direction; default 512 */
    int layers;     /* of the encoder, and of the decoder; default 1 */
    /* The encoder reads in both directions. An error with the scores dot and cosine, which need M = D. */
    bool bidirectional;
    tl_score score;
    int heads;         /* default 1 */
    bool no_attention; /* score and heads are not read */
    bool feed_context;
    bool input_feeding;
    long max_len;             /* the most words of a sentence that is read or written; default 1024 */
    double dropout;           /* on embeddings, between layers, on o */
    double attention_dropout; /* on the attention's weights */
    double label_smoothing;
    bool output_bias;
} tl_seq2seq_config;

/* Parameters: src_embedding.weight, tgt_embedding.weight, output.weight, output.bias as in the Transformer; encoder.*
 * and decoder.* as in torch.nn.GRU and LSTM; bridge_h.<layer>.* and bridge_c.<layer>.* (B and b, if bidirectional);
 * attention.*; readout.* (W and its bias). There is one layer of maps, of kind TL_CROSS; tl_attention_grad returns
 * their gradients, also where the decoder computes step by step (additive, input_feeding). */
typedef struct tl_seq2seq {
    tl_model model;           /* first: search, training and inspection take &seq2seq.model */
    tl_seq2seq_config config; /* with all defaults filled in */
    tl_embedding_layer src_embedding, tgt_embedding;
    tl_recurrent_layer encoder, decoder;
    tl_linear_layer *bridge_h, *bridge_c; /* [layers], NULL where there is none */
    tl_attention_layer attention;
    tl_linear_layer readout;
    const char *output_name; /* scope of the projection to the vocabulary */
    tl_param *output_weight, *output_bias;
} tl_seq2seq;

/* Makes the model's parameters in the set. name, if not "", stands before each parameter's name, with a dot. */
tl_seq2seq tl_seq2seq_init(tl_params *params, const char *name, const tl_seq2seq_config *config);

/* ---- GPT: a decoder without encoder, for language models ----
 *
 * GPT-2 (Radford et al. 2019, 2.3): layers of causal self-attention and feed-forward (gelu in its tanh form), each with
 * a norm before it, and a norm after the last layer.
 *
 *   x = wte[id] + wpe[position]
 *   x = x + drop(attn(ln_1(x)));  x = x + drop(mlp(ln_2(x)))            in every layer
 *   logits = ln_f(x)·wteᵀ
 *
 * It reads one text and predicts each next word. From a batch it reads tgt_in [B,T], tgt_out [B,T] and tgt_lengths [B]
 * (NULL: T each, as for windows of a text), and no source. Ids equal to `pad` in tgt_out are not targets; for a text in
 * which every id is a word, pad is -1.
 *
 * tl_generate continues a prompt. A state begins from a batch that has only a number of sentences. To search from
 * prompts, give bos -1 and the prompts as forced words; the limit is then max_extra, since there is no source. */

/* Sizes of a GPT. vocab must be given; {0} for the rest is the smallest GPT-2. */
typedef struct tl_gpt_config {
    long vocab;
    long d_model, d_ff; /* defaults 768, 4·d_model */
    int heads, layers;  /* defaults 12, 12 */
    /* TL_SINUSOIDAL, which is 0, here means TL_LEARNED, as in GPT-2. */
    tl_position_kind positions;
    /* Sinusoidal positions instead of learned ones. Embeddings are then multiplied by √d_model, as in Vaswani et al.
     * 2017: they would be too small beside the sinusoids. */
    bool sinusoids;
    long max_len;             /* the longest text, with learned or sinusoidal positions; default 1024 */
    double norm_eps;          /* default 1e-5 */
    double init_std;          /* initial standard deviation of matrices; default 0.02 */
    double dropout;           /* on embeddings and on the output of each sub-layer */
    double attention_dropout; /* on the attention's weights */
    double label_smoothing;
    bool no_bias;             /* no biases in layers and norms */
    bool no_feed_forward;     /* layers of attention only, for study: no ln_2, no mlp; d_ff is not read */
    bool untied;              /* the output has its own matrix lm_head.weight */
    bool gelu_erf;            /* the exact gelu instead of its tanh form, as in nanoGPT */
    tl_normaliser normaliser; /* of every attention, for study; GPT-2 has softmax */
} tl_gpt_config;

/* A layer of a GPT. */
typedef struct tl_gpt_layer {
    const char *name;
    tl_layer_norm_layer ln_1, ln_2;
    tl_attention_layer attn;
    tl_ffn_layer mlp; /* with no_feed_forward the names of mlp and ln_2 are NULL */
    double dropout;
} tl_gpt_layer;

/* Parameters have the names of Hugging Face's GPT-2. Matrices are stored [out,in], as everywhere in this library; in
 * Hugging Face's files those of c_attn, c_proj and c_fc are transposed (tl_gpt_load and tl_gpt_save, io.h). The names
 * are
 *   transformer.wte.weight [vocab,d_model], transformer.wpe.weight [max_len,d_model] (learned positions),
 *   transformer.h.<layer>.{ln_1, attn.c_attn, attn.c_proj, ln_2, mlp.c_fc, mlp.c_proj}.{weight, bias},
 *   transformer.ln_f.{weight, bias}, lm_head.weight [vocab,d_model] (untied),
 *   transformer.distances.weight (relative positions; one table for all layers).
 * c_attn.weight [3·d_model,d_model] has the rows for queries, then keys, then values.
 *
 * Matrices are initially normal with standard deviation init_std; both c_proj, whose results are added to the residual
 * stream 2·layers times, with init_std/√(2·layers). Biases are zeros, gains ones. */
typedef struct tl_gpt {
    tl_model model;       /* first: search, training and inspection take &gpt.model */
    tl_gpt_config config; /* with all defaults filled in */
    tl_embedding_layer wte;
    tl_positions wpe;
    tl_gpt_layer *h; /* [layers] */
    tl_layer_norm_layer ln_f;
    const char *output_name; /* scope of the projection to the vocabulary */
    tl_param *output_weight;
} tl_gpt;

/* Makes the model's parameters in the set. name, if not "", stands before each parameter's name, with a dot. Its maps
 * are of kind TL_DECODER_SELF, one per layer. */
tl_gpt tl_gpt_init(tl_params *params, const char *name, const tl_gpt_config *config);

/* ---- classifiers: a sentence in, a class out ----
 *
 *   transformer   encoder layers over the sentence with a learnt vector [CLS] before it. The class is predicted from
 *                 the output at [CLS] (Devlin et al. 2019, 3) or, with mean_pooling, from the mean over the words'
 *                 positions.
 *   gru           the states of a GRU in one or both directions, summed with weights from a learnt query (after Yang
 *                 et al. 2016, 2.2)
 *   average       the mean of the words' embeddings, through `layers` hidden layers h = tanh(W·h + b): Iyyer et al.
 *                 2015. With `weighted` a sum with weights from a learnt query instead of the mean (the "Average" of
 *                 Jain & Wallace 2019).
 *
 * [CLS] is not an id. It is a row of weights at position 0, before the sentence, treated as an embedding. So batches
 * and vocabularies need no change, and no text can contain it.
 *
 * A classifier is a tl_model, with some limits. tl_model_loss reads src, src_lengths and labels, and returns the mean
 * loss per sentence in nats; label_smoothing and ignore in its options are not read, since every label counts. hidden
 * is [B,D], logits [B,classes]. It writes no words: tl_model_begin, tl_search and tl_log_p fail with a message. A
 * sentence's numbers are the same to the bit for any padding, any other sentences in the batch, and any number of
 * threads. */

/* The kind of classifier; the list above describes each. */
typedef enum tl_classifier_kind {
    TL_CLASSIFY_TRANSFORMER,
    TL_CLASSIFY_GRU,
    TL_CLASSIFY_AVERAGE
} tl_classifier_kind;

/* Sizes and kind of a classifier. vocab and classes must be given. */
typedef struct tl_classifier_config {
    tl_classifier_kind kind;
    long vocab;     /* it reads ids 0 … vocab-1 */
    long classes;   /* 2 or more; with masked_tokens 0 is allowed, and there is no head then */
    long embedding; /* width of embeddings; default d_model; a Transformer needs d_model */
    long d_model;   /* gru: units in each direction; average: width of each hidden layer; default 512 */
    int layers;     /* default 6 for a Transformer, 1 for a GRU, 0 for an average */
    long max_len;   /* the most tokens of a sentence; default 1024 */
    double dropout; /* on embeddings, between or in layers, on the input of the head */
    int heads;      /* of a Transformer's attention, default 8; of a GRU's query, default 1 */
    /* Of a Transformer's attention, or of the learnt query; TL_UNIFORM: the mean of the states, without a query. */
    tl_score score;
    bool weighted; /* average: weights from a learnt query */
    double attention_dropout;
    double label_smoothing; /* of classes */
    bool bidirectional;     /* gru */
    /* for a Transformer only: */
    bool mean_pooling; /* the mean over the words' positions instead of [CLS] */
    long d_ff;         /* default 4·d_model */
    tl_activation activation;
    tl_position_kind positions; /* any but TL_ALIBI */
    bool pre_norm;
    bool no_final_norm;
    double norm_eps; /* default 1e-5 */
    double activation_dropout;
    bool no_bias; /* no biases in layers and norms */
    /* It can also predict masked tokens. It then reads one more id, <mask>, which is `vocab`. The projection to words
     * uses the embedding or, if untied, its own matrix. */
    bool masked_tokens;
    bool untied, output_bias;
} tl_classifier_config;

/* Parameters: embedding.weight [vocab,embedding] (one more row with masked_tokens); head.weight [classes,D], head.bias;
 * and
 *   transformer   cls.weight [1,d_model] (not with mean_pooling); encoder.* as in torch.nn.TransformerEncoder
 *                 (encoder.layers.0.…, encoder.norm.…); positions.weight (learned); encoder.distances.weight
 *                 (relative); with masked_tokens output.weight (untied) and output.bias (output_bias)
 *   gru           encoder.* as in torch.nn.GRU; query.weight [1,D]; pooling.* if the score has parameters
 *   average       hidden.<layer>.weight and bias; if weighted query.weight [1,embedding], and pooling.* if the score
 *                 has parameters
 * Maps: TL_ENCODER_SELF are a Transformer's layers; rows and columns are src, after [CLS] if there is one. TL_CROSS is
 * the pooling, [B,heads,1,S]: the query's weights, or 1 / length for a mean; there is none with [CLS]. */
typedef struct tl_classifier {
    tl_model model;              /* first: training and inspection take &classifier.model */
    tl_classifier_config config; /* with all defaults filled in */
    tl_embedding_layer embedding;
    tl_embedding_layer cls, query; /* one row each; name is NULL where there is none */
    tl_positions positions;
    tl_encoder encoder;
    tl_recurrent_layer recurrent;
    tl_attention_layer pooling; /* its query is [B,1,D], its memory the states; name is NULL with [CLS] */
    tl_linear_layer *hidden;    /* average: [layers] */
    tl_linear_layer head;
    const char *output_name; /* scope of the projection to words */
    tl_param *output_weight, *output_bias;
} tl_classifier;

/* Makes the model's parameters in the set. name, if not "", stands before each parameter's name, with a dot. */
tl_classifier tl_classifier_init(tl_params *params, const char *name, const tl_classifier_config *config);
/* The vectors that are pooled, from src [B,S] and src_lengths [B]: for a Transformer [B,1+S,d_model] with [CLS], else
 * [B,S,d_model]; for a GRU [B,S,d_model] or, if bidirectional, [B,S,2·d_model]; for an average [B,S,embedding]. maps
 * may be NULL. */
tl_var tl_classifier_encode(const tl_classifier *model, tl_tape *tape, const tl_batch *batch,
                            const tl_model_maps *maps);
/* The logits of the classes, [B,classes], for the sentences of a batch. labels are not read. maps may be NULL. */
tl_var tl_classifier_logits(const tl_classifier *model, tl_tape *tape, const tl_batch *batch,
                            const tl_model_maps *maps);
/* tl_model_loss without options, report and maps: the mean loss per sentence, in nats. */
tl_var tl_classifier_loss(const tl_classifier *model, tl_tape *tape, const tl_batch *batch);

/* ---- masked tokens: learning from text without labels (Devlin et al. 2019, 3.1) ----
 *
 * Each word of a sentence is chosen independently of the others, so that a short sentence may have no chosen word. Most
 * chosen words are hidden, and the model must predict them. Afterwards the model learns classes with the same parameter
 * set. Parameters that the current loss does not use must be frozen, since an optimiser needs a gradient for every
 * other one: tl_freeze "head" while words are learnt and, if it has parameters, "output" afterwards. */

/* Which words are chosen, and what happens to them. */
typedef struct tl_masking {
    uint64_t seed; /* any number; 0 is a seed like any other */
    long step;     /* every step chooses other words */
    long vocab;    /* size of the vocabulary: random words are TL_SPECIALS … vocab-1 */
    int mask_id;   /* the id that replaces a hidden word; 0 means vocab */
    double share;  /* probability that a word is chosen; 0 means 0.15 */
    /* Of the chosen words: the share that becomes mask_id, and the share that becomes a random word (which may be the
     * same word). The others stay as they are. Both 0 mean 0.8 and 0.1. */
    double masked, random;
} tl_masking;

/* Masks the words of a batch (src, src_lengths). In *masked, src [B,S] is what the model reads, tgt_out [B,S] has the
 * original word where a word was chosen and pad elsewhere, and tgt_tokens counts the chosen words. Ids below
 * TL_SPECIALS and padding are never chosen. The choice depends on seed, step and the sentence's number: index[b] or, if
 * index is NULL, b. src and tgt_out live on the tape until reset or release; the other arrays are those of batch. On
 * failure returns false, with *masked zeroed and an error on the tape. */
bool tl_mask_tokens(tl_tape *tape, const tl_batch *batch, const tl_masking *options, tl_batch *masked);
/* The mean loss per chosen word, in nats, for a batch made by tl_mask_tokens; 0 if no word was chosen. Only the chosen
 * positions are projected to words. options (may be NULL): ignore and ignore_id are not read. report and maps may be
 * NULL. */
tl_var tl_classifier_masked_loss(const tl_classifier *model, tl_tape *tape, const tl_batch *masked,
                                 const tl_loss_options *options, tl_loss_report *report,
                                 const tl_model_maps *maps);
/* The logits of the word at each position, [B,S,vocab+1]; as in BERT, <mask> is one of the words. maps may be NULL. */
tl_var tl_classifier_masked_logits(const tl_classifier *model, tl_tape *tape, const tl_batch *batch,
                                   const tl_model_maps *maps);

#ifdef __cplusplus
}
#endif
#endif
