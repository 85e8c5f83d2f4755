/* The rows of a run's settings: names as on command lines and in config.txt, in config.txt's order. */
#include "program_settings.h"

/* clang-format off */
#define ROW(name, kind, field, takes, help) TL_OPTION(SETTINGS, field, name, kind, takes, help)
/* Rows that may be changed when a run resumes: when it ends, how fast it learns, what is shown, where its files are. */
#define ANEW(name, kind, field, takes, help) TL_OPTION_ANEW(SETTINGS, field, name, kind, takes, help)
/* Newer rows: a run that does not use them writes the same config.txt as before. */
#define RARE(name, kind, field, takes, help) TL_OPTION_RARE(SETTINGS, field, name, kind, takes, help)

#define RARE_ANEW(name, kind, field, takes, help) TL_OPTION_RARE_ANEW(SETTINGS, field, name, kind, takes, help)

#define SETTINGS tl_data_settings
const tl_option tl_data_options[] = {
    ANEW("train", TEXT, train, "FILE", "sentence pairs: source, tab, target, one pair a line"),
    ANEW("train-src", TEXT, train_src, "FILE", "the same in two files: sources, line by line"),
    ANEW("train-tgt", TEXT, train_tgt, "FILE", "and their translations"),
    ANEW("valid", TEXT, valid, "FILE", "pairs to validate on, the same form"),
    ANEW("valid-src", TEXT, valid_src, "FILE", "or in two files: sources"),
    ANEW("valid-tgt", TEXT, valid_tgt, "FILE", "and their translations"),
    ROW("pair", TEXT, pair, "en-fr|en-zh", "train on sentences of a small grammar, instead of files"),
    ROW("task", TEXT, task, "reverse|copy|sort", "train on sequences of symbols, instead of files"),
    ROW("sentences", LONG, sentences, "N", "made here: how many to train on (0: 20000)"),
    ROW("min-symbols", LONG, min_symbols, "N", "tasks: shortest sequence (0: 1)"),
    ROW("max-symbols", LONG, max_symbols, "N", "tasks: longest sequence (0: 10)"),
    ROW("symbols", LONG, symbols, "N", "tasks: how many different ones (0: 20)"),
    ROW("strict", FLAG, strict, NULL, "refuse a file with bad lines instead of leaving them out"),
    ROW("max-length", LONG, max_length, "N", "leave out pairs with more tokens on one side (0: 1023, the most a model reads)"),
    TL_OPTIONS_END};
#undef SETTINGS

#define SETTINGS tl_text_settings
const tl_option tl_text_options[] = {
    ROW("pretokenize", TEXT, pretokenize, "none|words",
     "how raw text is cut into words before anything else, undone after decoding (words; made here: none)"),
    ROW("src-pretokenize", TEXT, src_pretokenize, "none|words", "the same for the source side alone"),
    ROW("tgt-pretokenize", TEXT, tgt_pretokenize, "none|words", "and for the target side"),
    ROW("units", TEXT, units, "bpe|words|chars",
     "what a vocabulary is made of: byte pairs, words, characters (bpe; made here: words)"),
    ROW("src-units", TEXT, src_units, "bpe|words|chars", "the same for the source side alone"),
    ROW("tgt-units", TEXT, tgt_units, "bpe|words|chars", "and for the target side"),
    ROW("merges", LONG, merges, "N", "byte pairs: merges to learn, over both sides together (0: 10000)"),
    ROW("min-count", LONG, min_count, "N", "tokens seen less often become <unk> (0: 2 for words, 1 for others)"),
    ROW("max-vocab", LONG, max_vocab, "N", "at most so many entries a vocabulary, 4 of them <pad>, <bos>, <eos>, <unk> (0: no limit)"),
    ROW("joint", FLAG, joint, NULL, "one vocabulary for both sides"),
    RARE("bpe-dropout", SHARE, bpe_dropout, "P",
     "byte pairs: pass over merges with this probability in training, anew each epoch (0: none)"),
    RARE("bpe-vocabulary-threshold", LONG, bpe_vocabulary_threshold, "N",
     "byte pairs: split pieces that a side has less often than N times back into ones it has as often (0: don't)"),
    TL_OPTIONS_END};
#undef SETTINGS

#define SETTINGS tl_model_settings
#define POSITIONS "sinusoidal|learned|none|alibi|signed-alibi|relative|rotary"
const tl_option tl_model_options[] = {
    RARE("model", TEXT, model, "transformer|gru|lstm", "which one (transformer); gru and lstm: recurrent encoder and decoder"),
    RARE("attention", TEXT, attention, "additive|none|dot|general|scaled-dot|cosine",
     "gru, lstm: how the decoder looks at the source (additive); none: one vector is all that it gets"),
    RARE("bidirectional", FLAG, bidirectional, NULL, "gru, lstm: the encoder reads from both ends"),
    RARE("input-feeding", FLAG, input_feeding, NULL,
     "gru, lstm: each step reads what the last one made of its attention; not with none and additive"),
    RARE("feed-context", FLAG, feed_context, NULL,
     "gru, lstm without attention: the one vector is read at each step, too, not at the first alone"),
    RARE("embedding", LONG, embedding, "N", "gru, lstm: width of embeddings (0: d-model); another one than that needs --tie none"),
    ROW("preset", TEXT, preset, "toy|tiny|small|base|rnn",
     "sizes: toy d64, 4 heads, 2+2, ff128; tiny d128, 4 heads, 4+4, ff256; "
     "small d256, 4 heads, 3+3, ff1024; base d512, 8 heads, 6+6, ff2048 (tiny); "
     "of gru and lstm: rnn d256, 1 head, 1+1"),
    ROW("d-model", LONG, d_model, "N", "width; of gru and lstm: units of a layer, in one direction (0: the preset's)"),
    ROW("heads", LONG, heads, "N", "attention heads (0: the preset's)"),
    ROW("layers", LONG, layers, "N", "layers of encoder and decoder each (0: the preset's)"),
    ROW("d-ff", LONG, d_ff, "N", "width inside feed-forward (0: the preset's)"),
    ROW("tie", TEXT, tie, "none|target|all", "embeddings that share one matrix; all needs --joint"),
    ROW("activation", TEXT, activation, "relu|gelu", "inside feed-forward"),
    ROW("positions", TEXT, positions, POSITIONS,
     "how places in a sentence are told: added to embeddings (sinusoidal, learned), or as distances to self-attention; "
     "alibi does not tell before from after, so it is the decoder's alone"),
    ROW("encoder-positions", TEXT, encoder_positions, POSITIONS, "where the encoder's are others"),
    RARE("score", TEXT, score, "scaled-dot|dot|general|additive|cosine|uniform",
     "how well a key answers a query, in every attention; uniform: every word that is seen weighs the same"),
    RARE("normaliser", TEXT, normaliser, "softmax|sigmoid", "what makes weights of scores; sigmoid: each for itself"),
    RARE("window", LONG, window, "N", "self-attention sees words at most so far away (0: all)"),
    RARE("no-causal", FLAG, no_causal, NULL,
     "for study: the decoder sees the words to come, which it is to foretell, and learns to copy them"),
    ROW("pre-norm", FLAG, pre_norm, NULL, "LayerNorm before each sub-layer, not after it"),
    ROW("no-final-norm", FLAG, no_final_norm, NULL, "no LayerNorm after the last layers"),
    ROW("dropout", SHARE, dropout, "P", "on embeddings and sub-layer outputs"),
    ROW("attention-dropout", SHARE, attention_dropout, "P", "on attention probabilities"),
    ROW("activation-dropout", SHARE, activation_dropout, "P", "inside feed-forward"),
    RARE("heads-kept", TEXT, heads_kept, "LIST",
     "heads that attentions have, the others not made: encoder.0:0,2,3; cross.1:none (those that are not named: all)"),
    RARE("head-gates", TEXT, head_gates, "none|l0",
     "a gate for each head, which learns to close; best --from a run that has learnt all else"),
    RARE("gate-penalty", DOUBLE, gate_penalty, "L", "--head-gates: what an open head costs, in nats a token (0: nothing)"),
    RARE("gate-rate", DOUBLE, gate_rate, "R", "--head-gates: gates learn so many times as fast as the rest (0: 10)"),
    RARE("from", TEXT, from, "DIR", "begin with the best weights of this run, and with its settings but for what is said here"),
    TL_OPTIONS_END};
#undef POSITIONS
#undef SETTINGS

#define SETTINGS tl_training_settings
const tl_option tl_ending_options[] = {
    ANEW("steps", LONG, steps, "N", "stop after so many updates (0: no limit)"),
    ANEW("epochs", LONG, epochs, "N",
     "stop after so many passes over the data (0: no limit; 10, if neither steps nor minutes are given)"),
    ANEW("minutes", DOUBLE, minutes, "M", "stop after so much time, validations included (0: no limit)"),
    ANEW("patience", LONG, patience, "N", "stop after so many validations without a better one (0: never)"),
    TL_OPTIONS_END};

const tl_option tl_learning_options[] = {
    ROW("accumulate", LONG, accumulate, "N", "batches whose gradients make one update (0: 1)"),
    RARE("shares", LONG, shares, "G",
     "sum an update's gradients in so many shares of consecutive batches, then the shares, in their order; "
     "ranks (mpirun) work on one or more each, to the same bits (0: 1)"),
    ANEW("lr", DOUBLE, lr, "R", "peak learning rate (0: nothing is learnt)"),
    ROW("schedule", TEXT, schedule, "inverse-sqrt|cosine|linear|constant",
     "how it falls; cosine and linear need --steps, --epochs or --minutes"),
    ROW("warmup", LONG, warmup, "N", "steps over which it rises (0: none)"),
    ROW("beta2", SHARE, beta2, "B", "Adam's second decay (0: only the last gradient counts)"),
    RARE("weight-decay", DOUBLE, weight_decay, "W", "AdamW's decay of every parameter, times the learning rate (0: none)"),
    ROW("label-smoothing", SHARE, label_smoothing, "E", "share of the target spread over all words (0: none)"),
    ANEW("clip", DOUBLE, clip, "N", "largest gradient norm (0: no limit)"),
    ROW("matmul-precision", TEXT, matmul_precision, "highest|high|medium",
     "how exactly products with weights are computed, in training and ever after: as float32, with about 16 bits, "
     "as bfloat16; the less exact, the faster where the processor knows how"),
    ROW("seed", LONG, seed, "N", "of initial weights, order of batches, dropout, sentences made here"),
    RARE_ANEW("recompute", FLAG, recompute, NULL,
     "layers of Transformers are computed again going backward: less memory, a third more time, the same numbers"),
    RARE_ANEW("watch", LONG, watch, "N",
     "every so many updates a row of DIR/watch.csv, and DIR/watch.html of it: gradients, steps, streams, heads, losses (0: none)"),
    TL_OPTIONS_END};

const tl_option tl_training_options[] = {
    TL_OPTION_MORE(tl_ending_options),
    ROW("batch-tokens", LONG, batch_tokens, "N", "tokens of a batch, a side, padding included (0: 4096)"),
    TL_OPTION_MORE(tl_learning_options),
    TL_OPTIONS_END};
#undef SETTINGS

#define SETTINGS tl_validation_settings
const tl_option tl_validation_options[] = {
    ANEW("validate-every", LONG, validate_every, "N", "every so many updates (0: after each epoch)"),
    ROW("best-by", TEXT, best_by, "bleu|loss", "what makes a validation the best so far"),
    ROW("average", LONG, average, "N", "average the weights of the last N validations at the end, at most 100 (0: don't)"),
    ANEW("samples", LONG, samples, "N", "translations to show at each validation (0: none)"),
    ROW("tokenize", TEXT, tokenize, "none|13a|zh|char",
     "how BLEU cuts text (none; 13a for pre-tokenized text, char for characters)"),
    ROW("lowercase", FLAG, lowercase, NULL, "BLEU without regard to case"),
    TL_OPTIONS_END};
#undef SETTINGS

const tl_option tl_run_options[] = {
    TL_OPTION_ROWS(tl_run_settings, data, tl_data_options),
    TL_OPTION_ROWS(tl_run_settings, text, tl_text_options),
    TL_OPTION_ROWS(tl_run_settings, model, tl_model_options),
    TL_OPTION_ROWS(tl_run_settings, training, tl_training_options),
    TL_OPTION_ROWS(tl_run_settings, validation, tl_validation_options),
    TL_DEMO_ROW,
    TL_OPTIONS_END};
/* clang-format on */
