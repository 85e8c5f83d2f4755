/* Questions about dL/dS of a student's own model, and answers: the right ones and those of common mistakes. */
#include "looking.h"

#include "../marker/kit.h"

#include <math.h>
#include <string.h>

enum {
    WEIGHTS,
    SCORES,
    RAW,
    CENTRED,
    PRODUCT,
    LAYER,
    SELF,
    HEAD,
    MEAN,
    OWN,
    OTHER,
    UNSMOOTHED,
    NO_ABSOLUTE,
    NO_ROOT,
    ABSOLUTE_SUM,
    UNSIGNED,
    READ,
    TURNED
};
const course_slip translator_slips[TRANSLATOR_SLIPS + 1] = {
    [WEIGHTS] = {"A for dL/dS", "those of the weights A: dL/dS is --quantity dS"},
    [SCORES] = {"S for dL/dS", "those of the scores S themselves, not of their gradient"},
    [RAW] = {"dL/dA for dL/dS",
             "those of raw dL/dA, before softmax's backward: dL/dS = A∘(dL/dA - Σ A·dL/dA)"},
    [CENTRED] = {"not times A", "those of dL/dA less its row's mean (--quantity dA): dL/dS is A times that"},
    [PRODUCT] = {"not centred",
                 "those of A∘dL/dA (--quantity AdA): softmax's backward without its second term"},
    [LAYER] = {"the other layer", "those of the decoder's other layer: layers count from 0"},
    [SELF] = {"self-attention", "those of the layer's self-attention: the question is about .cross"},
    [HEAD] = {"heads from 1", "those with heads counted from 1: they count from 0"},
    [MEAN] = {"the mean of heads", "those of the mean of all heads (--head mean), not of one head"},
    [OWN] = {"no target", "those of the model's own translation: --target gives the one that is asked about"},
    [OTHER] = {"no source", "those of another sentence: without --source the first held-out one is taken"},
    [UNSMOOTHED] = {"no smoothing",
                    "those of -log p alone (--of nll): L is the loss as it is trained, with smoothing"},
    [NO_ABSOLUTE] = {"no absolute value",
                     "those of the largest number, not of the largest absolute value: it may be negative"},
    [NO_ROOT] = {"no root", "those of the sum of squares: Frobenius' norm is its root"},
    [ABSOLUTE_SUM] =
        {"absolute values for squares",
         "those of the sum of absolute values: Frobenius' norm is the root of the sum of squares"},
    [UNSIGNED] = {"sign dropped", "the absolute value: dL/dS has a sign, and it was asked for"},
    [READ] = {"read for written",
              "those with the word that a row reads in the place of the one that it writes"},
    [TURNED] = {"columns for rows",
                "those with rows and columns exchanged: rows are written words, columns keys"},
    {0}};

static bool has(unsigned slips, int which) { return (slips & COURSE_SLIP(which)) != 0; }

/* ---- the questions ---- */

long translator_seed(const char *student) {
    return *student ? (long)(course_seed_of(9, student) % 1000000) + 2 : 1;
}

tl_run_settings translator_settings(const char *student) {
    tl_run_settings s = tl_run_settings_default();
    s.data.pair = "en-fr";
    s.model.d_model = 32;
    s.model.heads = 4;
    s.model.layers = 2;
    s.model.d_ff = 64;
    s.model.dropout = 0;
    s.training.batch_tokens = 256;
    s.training.steps = 4000;
    s.training.lr = 0.005;
    s.training.warmup = 100;
    s.training.schedule = "cosine";
    s.training.seed = translator_seed(student);
    s.validation.validate_every = 1000;
    s.validation.samples = 0;
    return s;
}

/* Copies word i of a line with single spaces to `to`; false: it has no such word. */
static bool word_of(const char *line, long i, char to[TRANSLATOR_WORD]) {
    for (; i > 0 && line; i--) line = strchr(line, ' ') ? strchr(line, ' ') + 1 : NULL;
    if (!line || !*line) return false;
    snprintf(to, TRANSLATOR_WORD, "%.*s", (int)strcspn(line, " "), line);
    return true;
}

static long words_of(const char *line) {
    char word[TRANSLATOR_WORD];
    long n = 0;
    while (word_of(line, n, word)) n++;
    return n;
}

static bool no_word_twice(const char *line) {
    char one[TRANSLATOR_WORD], other[TRANSLATOR_WORD];
    for (long i = 0; word_of(line, i, one); i++)
        for (long j = 0; j < i; j++)
            if (word_of(line, j, other) && strcmp(one, other) == 0) return false;
    return true;
}

static bool can_be_asked(const char *source, const char *target) {
    return strlen(source) < 256 && strlen(target) < 256 && words_of(source) >= 6 && words_of(target) >= 6 &&
           no_word_twice(source) && no_word_twice(target);
}

bool translator_ask(translator_asked *asked, const char *student, tl_error *error) {
    const tl_run_settings settings = translator_settings(student);
    course_rng rng = course_rng_of((uint64_t)settings.training.seed, "questions about dL/dS");
    tl_corpus *pairs = tl_pairs_of(&settings, TL_PART_TEST, NULL, error);
    *asked =
        (translator_asked){.layer = (int)course_between(&rng, 0, 1), .head = (int)course_between(&rng, 1, 3)};
    if (!pairs) return false;
    const long count = tl_corpus_size(pairs);
    long at = course_between(&rng, 1, count - 1), tries = 0;
    while (tries < count &&
           !can_be_asked(tl_corpus_sentence(pairs, TL_SOURCE, at), tl_corpus_sentence(pairs, TL_TARGET, at)))
        at = (at + 1) % count, tries++;
    snprintf(asked->source, sizeof asked->source, "%s", tl_corpus_sentence(pairs, TL_SOURCE, at));
    snprintf(asked->target, sizeof asked->target, "%s", tl_corpus_sentence(pairs, TL_TARGET, at));
    word_of(asked->target, course_between(&rng, 1, words_of(asked->target) - 2), asked->word);
    tl_corpus_free(pairs);
    return tries < count || tl_error_set(error, "no held-out sentence can be asked about");
}

void translator_print_asked(const translator_asked *a, FILE *to) {
    fprintf(to,
            "The sentence   %s\n"
            "and its given  %s\n"
            "translation; the attention decoder.layers.%d.cross; L is the loss of the sentence, as it is "
            "trained.\n"
            "\n"
            "1. Which of its heads has the dL/dS with the largest Frobenius norm, and how large is that?\n"
            "2. In head %d: which dL/dS has the largest absolute value? Give it with its sign, then the word "
            "that is\n"
            "   written there and the word that is looked at.\n"
            "3. In head %d, in the row that writes \"%s\": what must the numbers of dL/dS sum to, and what "
            "do their\n"
            "   absolute values sum to?\n",
            a->source, a->target, a->layer, a->head, a->head, a->word);
}

/* ---- looking ---- */

/* One attention of one sentence, as seen with those slips. */
typedef struct view {
    tl_sentences sentences;
    tl_seen seen;
    const tl_seen_attention *attention;
    const tl_tokens *rows, *columns;
    tl_quantity quantity;
    bool mean;
} view;

static tl_quantity quantity_with(unsigned slips) {
    return has(slips, WEIGHTS)   ? TL_SEE_A
           : has(slips, SCORES)  ? TL_SEE_S
           : has(slips, RAW)     ? TL_SEE_DA_RAW
           : has(slips, CENTRED) ? TL_SEE_DA
           : has(slips, PRODUCT) ? TL_SEE_ADA
                                 : TL_SEE_DS;
}

static bool read_sentences(view *v, tl_run *run, const translator_asked *asked, unsigned slips) {
    const char *source = asked->source, *target = asked->target;
    tl_set *set = NULL;
    if (has(slips, OTHER)) {
        set = tl_set_new(run, &(tl_set_options){.most = 1});
        source = tl_set_source(set, 0);
    }
    const bool own = has(slips, OWN) || has(slips, OTHER);
    const bool ok = source && tl_sentences_of(run, &source, own ? NULL : &target, 1, &v->sentences);
    tl_set_free(set);
    return ok;
}

static bool look(view *v, tl_run *run, const translator_asked *asked, unsigned slips) {
    const tl_look_options options = {.objective.kind = has(slips, UNSMOOTHED) ? TL_OF_NLL : TL_OF_LOSS};
    char name[64];
    *v = (view){.quantity = quantity_with(slips), .mean = has(slips, MEAN)};
    if (!read_sentences(v, run, asked, slips) ||
        !tl_look(tl_run_model(run), tl_run_tape(run), &v->sentences.batch, &options, &v->seen))
        return false;
    snprintf(name, sizeof name, "decoder.layers.%d.%s", has(slips, LAYER) ? !asked->layer : asked->layer,
             has(slips, SELF) ? "self" : "cross");
    v->attention = tl_seen_of(&v->seen, name);
    if (!v->attention || asked->head >= v->attention->heads) return false;
    v->rows = tl_seen_rows(v->attention, v->sentences.sentence);
    v->columns = tl_seen_columns(v->attention, v->sentences.sentence);
    return true;
}

static double cell(const view *v, long head, long i, long j) {
    double sum = 0;
    if (!v->mean) return tl_seen_value(v->attention, v->quantity, 0, head, i, j);
    for (long h = 0; h < v->attention->heads; h++)
        sum += tl_seen_value(v->attention, v->quantity, 0, h, i, j);
    return sum / (double)v->attention->heads;
}

/* ---- the three answers ---- */

static double norm_of(const view *v, long head, unsigned slips) {
    double squares = 0, absolute = 0;
    for (long i = 0; i < v->rows->count; i++)
        for (long j = 0; j < v->columns->count; j++) {
            const double x = cell(v, head, i, j);
            squares += x * x, absolute += fabs(x);
        }
    return has(slips, ABSOLUTE_SUM) ? absolute : has(slips, NO_ROOT) ? squares : sqrt(squares);
}

static bool largest_head(const view *v, unsigned slips, translator_answer *to) {
    long best = 0;
    for (long h = 1; h < v->attention->heads; h++)
        if (norm_of(v, h, slips) > norm_of(v, best, slips)) best = h;
    to->value[0] = (double)(best + has(slips, HEAD));
    to->value[1] = norm_of(v, best, slips);
    return true;
}

/* The word that row i writes or, with a slip, the one that it reads. */
static void name_row(const view *v, long i, unsigned slips, char to[TRANSLATOR_WORD]) {
    const tl_tokens *read = &v->sentences.sentence->read;
    const bool reads = has(slips, READ) && i < read->count;
    snprintf(to, TRANSLATOR_WORD, "%s", reads ? read->text[i] : v->rows->text[i]);
}

static bool largest_cell(const view *v, long head, unsigned slips, translator_answer *to) {
    long row = 0, column = 0;
    for (long i = 0; i < v->rows->count; i++)
        for (long j = 0; j < v->columns->count; j++) {
            const double x = cell(v, head, i, j), best = cell(v, head, row, column);
            if (has(slips, NO_ABSOLUTE) ? x > best : fabs(x) > fabs(best)) row = i, column = j;
        }
    const double x = cell(v, head, row, column);
    to->value[0] = has(slips, UNSIGNED) ? fabs(x) : x;
    name_row(v, row, slips, to->word[has(slips, TURNED)]);
    snprintf(to->word[!has(slips, TURNED)], TRANSLATOR_WORD, "%s", v->columns->text[column]);
    return true;
}

static bool row_sums(const view *v, long head, const char *word, unsigned slips, translator_answer *to) {
    const tl_tokens *names = has(slips, READ) ? &v->sentences.sentence->read : v->rows;
    long row = 0;
    while (row < names->count && strcmp(names->text[row], word) != 0) row++;
    const bool column = has(slips, TURNED);
    if (row == names->count || (column && row >= v->columns->count)) return false;
    for (long k = 0; k < (column ? v->rows->count : v->columns->count); k++) {
        const double x = column ? cell(v, head, k, row) : cell(v, head, row, k);
        to->value[0] += x, to->value[1] += has(slips, NO_ABSOLUTE) ? x : fabs(x), to->scale += fabs(x);
    }
    return true;
}

bool translator_answer_of(tl_run *run, const translator_asked *asked, int question, unsigned slips,
                          translator_answer *answer) {
    view v;
    const int head = question > 0 && has(slips, HEAD) ? asked->head - 1 : asked->head;
    *answer = (translator_answer){.scale = 0};
    bool ok = look(&v, run, asked, slips);
    if (ok && question == 0) ok = largest_head(&v, slips, answer);
    if (ok && question == 1) ok = largest_cell(&v, head, slips, answer);
    if (ok && question == 2) ok = row_sums(&v, head, asked->word, slips, answer);
    tl_sentences_free(&v.sentences);
    return ok;
}

/* ---- comparing ---- */

enum { HUNDREDTH = 100 };

/* Is it near enough, relative to the right number or, for a sum that should be 0, to scale? */
static bool near_enough(double given, double right, double scale) {
    return fabs(given - right) * HUNDREDTH <= fmax(fabs(right), scale);
}

bool translator_agrees(int question, const translator_answer *given, const translator_answer *right,
                       int part) {
    if (part < 0)
        return translator_agrees(question, given, right, 0) && translator_agrees(question, given, right, 1);
    if (question == 0 && part == 0) return given->value[0] == right->value[0];
    if (question == 1 && part == 1)
        return !strcmp(given->word[0], right->word[0]) && !strcmp(given->word[1], right->word[1]);
    return near_enough(given->value[part], right->value[part], part == 0 ? right->scale : 0);
}

/* Is it that mistake's answer, to the digits that were given? */
static bool equals(int question, const translator_answer *given, const translator_answer *made) {
    const int part = question != 1;
    const double within = fmax(given->within, 1e-5);
    return translator_agrees(question, given, made, !part) &&
           fabs(given->value[part] - made->value[part]) <= within * fabs(made->value[part]);
}

/* The power of ten, not 0, between two numbers; 0: none. */
static int power_between(double given, double right) {
    const double ratio = right != 0 ? given / right : 0;
    const int power = ratio > 0 ? (int)lround(log10(ratio)) : 0;
    /* maps show two digits */
    return power && fabs(given / pow(10, power) - right) < 0.03 * fabs(right) ? power : 0;
}

bool translator_know(tl_run *run, const translator_asked *asked, translator_known *known) {
    for (int q = 0; q < TRANSLATOR_QUESTIONS; q++) {
        if (!translator_answer_of(run, asked, q, 0, &known->right[q])) return false;
        for (int k = 0; k < TRANSLATOR_SLIPS; k++)
            known->shows[q][k] = translator_answer_of(run, asked, q, COURSE_SLIP(k), &known->made[q][k]) &&
                                 !translator_agrees(q, &known->made[q][k], &known->right[q], -1);
    }
    return true;
}

int translator_diagnose(const translator_known *known, int question, const translator_answer *given,
                        char why[COURSE_WHY]) {
    const translator_answer *right = &known->right[question];
    int slip = -1;
    why[0] = '\0';
    for (int k = 0; k < TRANSLATOR_SLIPS; k++) {
        if (!known->shows[question][k] || !equals(question, given, &known->made[question][k])) continue;
        if (slip >= 0) return why[0] = '\0', -1; /* two slips would explain it */
        slip = k;
        snprintf(why, COURSE_WHY, "your answer equals %s", translator_slips[k].says);
    }
    const int which = question == 1 ? 0 : 1, power = power_between(given->value[which], right->value[which]);
    if (slip < 0 && power)
        snprintf(why, COURSE_WHY, "your number is the right one times 1e%d: a map's unit stands above it",
                 power);
    return slip;
}

/* Relative precision of a number's text, half a unit of its last digit: 0.0123 has three digits. */
static double digits_go(const char *number) {
    double within = 5;
    number += strspn(number, "+-0.");
    for (; *number && strchr("0123456789.", *number); number++) within /= *number == '.' ? 1 : 10;
    return fmin(within, 1.0 / HUNDREDTH);
}

bool translator_read_answers(const char *path, translator_answer answer[TRANSLATOR_QUESTIONS],
                             bool given[TRANSLATOR_QUESTIONS]) {
    FILE *from = fopen(path, "r");
    char line[512], number[2][64];
    for (int q = 0; q < TRANSLATOR_QUESTIONS; q++)
        answer[q] = (translator_answer){.scale = 0}, given[q] = false;
    if (!from) return false;
    while (fgets(line, sizeof line, from)) {
        const int q = line[0] - '1';
        if (q < 0 || q >= TRANSLATOR_QUESTIONS || line[1] != ':') continue;
        translator_answer *a = &answer[q];
        if (q == 1)
            given[q] = sscanf(line + 2, "%63s %63s %63s", number[0], a->word[0], a->word[1]) == 3 &&
                       sscanf(number[0], "%lf", &a->value[0]) == 1;
        else
            given[q] = sscanf(line + 2, "%63s %63s", number[0], number[1]) == 2 &&
                       sscanf(number[0], "%lf", &a->value[0]) == 1 &&
                       sscanf(number[1], "%lf", &a->value[1]) == 1;
        if (given[q]) a->within = digits_go(number[q != 1]);
    }
    fclose(from);
    return true;
}
