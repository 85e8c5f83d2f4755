#include "options.h"

#include <math.h>
#include <string.h>

#define AT(field) offsetof(settings, field)

/* clang-format off */
#define COMMON_ROWS \
    {"threads", OPTION_LONG, AT(threads), "N", "threads to use (0: OMP_NUM_THREADS, or all cores)"}, \
    {"quiet", OPTION_FLAG, AT(quiet), NULL, "no progress on standard error"}
#define HEADING(text) {NULL, 0, 0, NULL, text}
#define END {NULL, 0, 0, NULL, NULL}

const option train_options[] = {
    HEADING("data: a TSV or two files, or sentences made here"),
    {"train", OPTION_TEXT, AT(train), "FILE", "sentence pairs: source, tab, target, one pair a line"},
    {"train-src", OPTION_TEXT, AT(train_src), "FILE", "the same in two files: sources, line by line"},
    {"train-tgt", OPTION_TEXT, AT(train_tgt), "FILE", "and their translations"},
    {"valid", OPTION_TEXT, AT(valid), "FILE", "pairs to validate on, the same form"},
    {"valid-src", OPTION_TEXT, AT(valid_src), "FILE", "or in two files: sources"},
    {"valid-tgt", OPTION_TEXT, AT(valid_tgt), "FILE", "and their translations"},
    {"pair", OPTION_TEXT, AT(pair), "en-fr|en-zh", "train on sentences of a small grammar, instead of files"},
    {"task", OPTION_TEXT, AT(task), "reverse|copy|sort", "train on sequences of symbols, instead of files"},
    {"sentences", OPTION_LONG, AT(sentences), "N", "made here: how many to train on"},
    {"min-symbols", OPTION_LONG, AT(min_symbols), "N", "tasks: shortest sequence"},
    {"max-symbols", OPTION_LONG, AT(max_symbols), "N", "tasks: longest sequence"},
    {"symbols", OPTION_LONG, AT(symbols), "N", "tasks: how many different ones"},
    {"strict", OPTION_FLAG, AT(strict), NULL, "refuse a file with bad lines instead of leaving them out"},
    {"max-length", OPTION_LONG, AT(max_length), "N", "leave out pairs with more tokens on one side (0: no limit)"},

    HEADING("the run"),
    {"out", OPTION_TEXT, AT(out), "DIR", "where the run goes; made if it is not there"},
    {"overwrite", OPTION_FLAG, AT(overwrite), NULL, "replace the model that is in --out already"},
    {"resume", OPTION_TEXT, AT(resume), "DIR", "go on with a run that was interrupted or that shall train longer"},

    HEADING("text"),
    {"pretokenize", OPTION_TEXT, AT(pretokenize), "none|words",
     "how raw text is cut into words before anything else, undone after decoding (words; made here: none)"},
    {"src-pretokenize", OPTION_TEXT, AT(src_pretokenize), "none|words", "the same for the source side alone"},
    {"tgt-pretokenize", OPTION_TEXT, AT(tgt_pretokenize), "none|words", "and for the target side"},
    {"units", OPTION_TEXT, AT(units), "bpe|words|chars",
     "what a vocabulary is made of: byte pairs, words, characters (bpe; made here: words)"},
    {"src-units", OPTION_TEXT, AT(src_units), "bpe|words|chars", "the same for the source side alone"},
    {"tgt-units", OPTION_TEXT, AT(tgt_units), "bpe|words|chars", "and for the target side"},
    {"merges", OPTION_LONG, AT(merges), "N", "byte pairs: merges to learn, over both sides together (0: 10000)"},
    {"min-count", OPTION_LONG, AT(min_count), "N", "tokens seen less often become <unk> (words: 2, others: 1)"},
    {"max-vocab", OPTION_LONG, AT(max_vocab), "N", "at most so many entries a vocabulary (0: no limit)"},
    {"joint", OPTION_FLAG, AT(joint), NULL, "one vocabulary for both sides"},

    HEADING("model"),
    {"preset", OPTION_TEXT, AT(preset), "toy|tiny|small|base",
     "sizes: toy d64, 4 heads, 2+2, ff128; tiny d128, 4 heads, 4+4, ff256; "
     "small d256, 4 heads, 3+3, ff1024; base d512, 8 heads, 6+6, ff2048"},
    {"d-model", OPTION_LONG, AT(d_model), "N", "width, instead of the preset's"},
    {"heads", OPTION_LONG, AT(heads), "N", "attention heads, instead of the preset's"},
    {"layers", OPTION_LONG, AT(layers), "N", "layers of encoder and decoder each, instead of the preset's"},
    {"d-ff", OPTION_LONG, AT(d_ff), "N", "width inside feed-forward, instead of the preset's"},
    {"tie", OPTION_TEXT, AT(tie), "none|target|all", "embeddings that share one matrix; all needs --joint"},
    {"activation", OPTION_TEXT, AT(activation), "relu|gelu", "inside feed-forward"},
    {"positions", OPTION_TEXT, AT(positions), "sinusoidal|learned", "how places in a sentence are told"},
    {"pre-norm", OPTION_FLAG, AT(pre_norm), NULL, "LayerNorm before each sub-layer, not after it"},
    {"no-final-norm", OPTION_FLAG, AT(no_final_norm), NULL, "no LayerNorm after the last layers"},
    {"dropout", OPTION_SHARE, AT(dropout), "P", "on embeddings and sub-layer outputs"},
    {"attention-dropout", OPTION_SHARE, AT(attention_dropout), "P", "on attention probabilities"},
    {"activation-dropout", OPTION_SHARE, AT(activation_dropout), "P", "inside feed-forward"},

    HEADING("training"),
    {"steps", OPTION_LONG, AT(steps), "N", "stop after so many updates (0: no limit)"},
    {"epochs", OPTION_LONG, AT(epochs), "N",
     "stop after so many passes over the data (10, if neither steps nor minutes are given)"},
    {"minutes", OPTION_DOUBLE, AT(minutes), "M", "stop after so much time, validations included (0: no limit)"},
    {"patience", OPTION_LONG, AT(patience), "N", "stop after so many validations without a better one (0: never)"},
    {"batch-tokens", OPTION_LONG, AT(batch_tokens), "N", "tokens of a batch, a side, padding included"},
    {"accumulate", OPTION_LONG, AT(accumulate), "N", "batches whose gradients make one update"},
    {"lr", OPTION_DOUBLE, AT(lr), "R", "peak learning rate"},
    {"schedule", OPTION_TEXT, AT(schedule), "inverse-sqrt|cosine|linear|constant",
     "how it falls; cosine and linear need --steps, --epochs or --minutes"},
    {"warmup", OPTION_LONG, AT(warmup), "N", "steps over which it rises"},
    {"beta2", OPTION_SHARE, AT(beta2), "B", "Adam's second decay"},
    {"label-smoothing", OPTION_SHARE, AT(label_smoothing), "E", "share of the target spread over all words"},
    {"clip", OPTION_DOUBLE, AT(clip), "N", "largest gradient norm (0: no limit)"},
    {"matmul-precision", OPTION_TEXT, AT(matmul_precision), "highest|high|medium",
     "how exactly products with weights are computed, in training and ever after: as float32, with about 16 bits, "
     "as bfloat16; the less exact, the faster where the processor knows how"},
    {"seed", OPTION_LONG, AT(seed), "N", "of initial weights, order of batches, dropout, sentences made here"},

    HEADING("validation"),
    {"validate-every", OPTION_LONG, AT(validate_every), "N", "every so many updates (0: after each epoch)"},
    {"best-by", OPTION_TEXT, AT(best_by), "bleu|loss", "what makes a validation the best so far"},
    {"average", OPTION_LONG, AT(average), "N", "average the weights of the last N validations at the end (0: don't)"},
    {"samples", OPTION_LONG, AT(samples), "N", "translations to show at each validation"},
    {"tokenize", OPTION_TEXT, AT(tokenize), "none|13a|zh|char",
     "how BLEU cuts text (none; 13a for pre-tokenized text, char for characters)"},
    {"lowercase", OPTION_FLAG, AT(lowercase), NULL, "BLEU without regard to case"},
    COMMON_ROWS,
    END};

#define MODEL_ROWS \
    {"model", OPTION_TEXT, AT(model), "DIR", "a run that train has written"}, \
    {"weights", OPTION_TEXT, AT(weights), "best|last|average", "which of its weights"}
#define DECODING_ROWS \
    {"beam", OPTION_LONG, AT(beam), "K", "hypotheses to keep a sentence (1: greedy)"}, \
    {"length-penalty", OPTION_DOUBLE, AT(length_penalty), "A", "rank by log probability / length^A"}, \
    {"batch-tokens", OPTION_LONG, AT(batch_tokens), "N", "tokens of a batch, padding included"}

const option translate_options[] = {
    MODEL_ROWS,
    DECODING_ROWS,
    {"nbest", OPTION_FLAG, AT(nbest), NULL, "all hypotheses of the beam: line number, tab, score, tab, translation"},
    COMMON_ROWS,
    END};

const option evaluate_options[] = {
    MODEL_ROWS,
    {"test", OPTION_TEXT, AT(test), "FILE", "sentence pairs: source, tab, reference (sentences made here need none)"},
    {"test-src", OPTION_TEXT, AT(test_src), "FILE", "or in two files: sources"},
    {"test-tgt", OPTION_TEXT, AT(test_tgt), "FILE", "and their references"},
    {"strict", OPTION_FLAG, AT(strict), NULL, "refuse a file with bad lines instead of leaving them out"},
    DECODING_ROWS,
    {"tokenize", OPTION_TEXT, AT(tokenize), "none|13a|zh|char",
     "how BLEU cuts text (none; 13a for pre-tokenized text, char for characters)"},
    {"lowercase", OPTION_FLAG, AT(lowercase), NULL, "BLEU and chrF without regard to case"},
    {"samples", OPTION_LONG, AT(samples), "N", "translations to show"},
    {"out", OPTION_TEXT, AT(out), "FILE", "write the translations there, one a line"},
    COMMON_ROWS,
    END};

const option attention_options[] = {
    MODEL_ROWS,
    {"layer", OPTION_LONG, AT(layer), "N", "the decoder's N-th layer (0: the last)"},
    {"head", OPTION_LONG, AT(head), "N", "its N-th head (0: the mean of all)"},
    COMMON_ROWS,
    END};

const option info_options[] = {
    {"model", OPTION_TEXT, AT(model), "DIR", "a run that train has written"},
    END};

const option corpus_options[] = {
    {"pair", OPTION_TEXT, AT(pair), "en-fr|en-zh", "the languages"},
    {"sentences", OPTION_LONG, AT(sentences), "N", "pairs to train on; 500 each to validate and test come with them"},
    {"seed", OPTION_LONG, AT(seed), "N", "another one gives other sentences"},
    {"out", OPTION_TEXT, AT(out), "DIR", "where the files go"},
    END};

const option demo_options[] = {
    {"out", OPTION_TEXT, AT(out), "DIR", "where the run goes"},
    {"pair", OPTION_TEXT, AT(pair), "en-fr|en-zh", "the languages"},
    {"steps", OPTION_LONG, AT(steps), "N", "updates"},
    COMMON_ROWS,
    END};
/* clang-format on */

/* Is `value` one of "a|b|c"? What takes has no bar takes anything. */
static bool is_choice(const char *takes, const char *value) {
    if (!strchr(takes, '|')) return true;
    size_t length = strlen(value);
    for (const char *p = takes; p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL)
        if (strncmp(p, value, length) == 0 && (p[length] == '|' || p[length] == 0) && length) return true;
    return false;
}

static const char *const expectations[] = {[OPTION_LONG] = "a whole number from 0 to 2147483647",
                                           [OPTION_DOUBLE] = "a number from 0 up",
                                           [OPTION_SHARE] = "a number from 0 up to, but not, 1",
                                           [OPTION_FLAG] = "true or false"};

const char *option_expects(const option *o) {
    return o->kind == OPTION_TEXT ? o->takes : expectations[o->kind];
}

bool option_allows(const option *o, const settings *s) {
    const void *f = (const char *)s + o->offset;
    switch (o->kind) {
    case OPTION_LONG:
        return *(const long *)f >= 0 && *(const long *)f <= INT32_MAX;
    case OPTION_DOUBLE:
        return *(const double *)f >= 0 && isfinite(*(const double *)f);
    case OPTION_SHARE:
        return *(const double *)f >= 0 && *(const double *)f < 1;
    case OPTION_TEXT:
        return !*(const char *const *)f || is_choice(o->takes, *(const char *const *)f);
    case OPTION_FLAG:
        break;
    }
    return true;
}

static bool set_value(const option *o, const char *value, settings *s, tl_error *error) {
    void *f = (char *)s + o->offset;
    bool ok = true;
    if (o->kind == OPTION_FLAG) *(bool *)f = true;
    if (o->kind == OPTION_LONG) ok = tl_long_parse(value, f);
    if (o->kind == OPTION_DOUBLE || o->kind == OPTION_SHARE) ok = tl_double_parse(value, f);
    if (o->kind == OPTION_TEXT) *(const char **)f = value;
    if (ok && option_allows(o, s)) return true;
    if (o->kind == OPTION_TEXT)
        return tl_error_set(error, "--%s \"%s\": say one of %s", o->name, value, o->takes);
    return tl_error_set(error, "--%s \"%s\": %s is expected", o->name, value, option_expects(o));
}

const option *option_find(const option *table, const char *name, size_t length) {
    for (const option *o = table; o->name || o->help; o++)
        if (o->name && strlen(o->name) == length && strncmp(o->name, name, length) == 0) return o;
    return NULL;
}

bool options_parse(const option *table, int argc, char **argv, settings *s, bool *help, tl_error *error) {
    for (int i = 0; i < argc; i++) {
        const char *a = argv[i];
        if (!strcmp(a, "--help") || !strcmp(a, "-h")) {
            *help = true;
            return true;
        }
        if (strncmp(a, "--", 2)) return tl_error_set(error, "\"%s\": options begin with --", a);
        const char *equals = strchr(a, '=');
        const option *o = option_find(table, a + 2, equals ? (size_t)(equals - a - 2) : strlen(a + 2));
        if (!o) return tl_error_set(error, "there is no option \"%s\" here", a);
        if (o->kind == OPTION_FLAG && equals) return tl_error_set(error, "--%s takes no value", o->name);
        const char *value = equals ? equals + 1 : NULL;
        if (!value && o->kind != OPTION_FLAG) {
            if (++i == argc || !strncmp(argv[i], "--", 2))
                return tl_error_set(error, "--%s: %s is missing behind it", o->name, o->takes);
            value = argv[i];
        }
        if (!set_value(o, value, s, error)) return false;
    }
    return true;
}

/* From column `from` on, in lines of at most 110 columns. */
static void print_wrapped(const char *text, int from, FILE *out) {
    int column = from;
    for (size_t length; *text; text += length) {
        length = strcspn(text + 1, " ") + 1; /* a word with the space before it */
        if (column + (int)length > 110 && *text == ' ') {
            fprintf(out, "\n%*s%.*s", from, "", (int)length - 1, text + 1);
            column = from + (int)length - 1;
        } else {
            fprintf(out, "%.*s", (int)length, text);
            column += (int)length;
        }
    }
    fputc('\n', out);
}

void options_print(const option *table, const settings *defaults, FILE *out) {
    if (table->name) fprintf(out, "\noptions:\n");
    for (const option *o = table; o->name || o->help; o++) {
        if (!o->name) {
            fprintf(out, "\n%s:\n", o->help);
            continue;
        }
        char left[64], value[TL_NUMBER_TEXT] = "";
        const void *f = (const char *)defaults + o->offset;
        snprintf(left, sizeof left, "--%s%s%s", o->name, o->takes ? " " : "", o->takes ? o->takes : "");
        const char *shown = value;
        if (o->kind == OPTION_LONG && *(const long *)f)
            snprintf(value, sizeof value, "%ld", *(const long *)f);
        if ((o->kind == OPTION_DOUBLE || o->kind == OPTION_SHARE) && *(const double *)f > 0)
            tl_double_text(*(const double *)f, value);
        if (o->kind == OPTION_TEXT && *(const char *const *)f) shown = *(const char *const *)f;
        if (strlen(left) > 30) { /* too wide for its column: what it means goes below */
            fprintf(out, "  %s\n", left);
            *left = 0;
        }
        char text[512];
        snprintf(text, sizeof text, "%s%s%s%s", o->help, *shown ? " [" : "", shown, *shown ? "]" : "");
        fprintf(out, "  %-30s ", left);
        print_wrapped(text, 33, out);
    }
}
