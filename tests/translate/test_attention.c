/* translate attention and translate info as a user reads them: rows and columns belong to the right tokens and are
 * aligned on a terminal, also with wide characters; sizes agree with the files. */
#define _XOPEN_SOURCE 700
#include "program.h"

#include <tapeloom.h>

/* ---- pictures ---- */

enum { MOST = 32 };
typedef struct table {
    int columns, rows;
    long at[MOST];                        /* terminal column where each source token begins */
    char column[MOST][32], row[MOST][32]; /* tokens */
    int shade[MOST][MOST];                /* 0: blank … 5: full */
    char line[512];                       /* the sentence above the picture */
} table;

/* Terminal columns, counted without the library: characters here are Chinese, or one column wide. */
static long columns_of(const char *text, size_t bytes) {
    long columns = 0;
    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char)text[i];
        /* U+3000 … U+9FFF */
        if (c >= 0xE3 && c <= 0xE9) columns += 2;
        /* full-width ，！？ */
        else if (c == 0xEF && (unsigned char)text[i + 1] == 0xBC)
            columns += 2;
        else if (c < 0x80 || c >= 0xC0)
            columns += 1;
    }
    return columns;
}

static int shade_at(const char *text) {
    static const char *const shades[] = {"·", "░░", "▒▒", "▓▓", "██"};
    for (int i = 0; i < 5; i++)
        if (!strncmp(text, shades[i], strlen(shades[i]))) return i + 1;
    return 0;
}

/* Reads the tokens of the first line and their columns. */
static void read_header(table *t, const char *line, const char *end) {
    for (const char *p = line; p < end; p++) {
        if (*p == ' ') continue;
        size_t length = strcspn(p, " \n");
        t->at[t->columns] = columns_of(line, (size_t)(p - line));
        snprintf(t->column[t->columns++], 32, "%.*s", (int)length, p);
        p += length - 1;
    }
}

/* Reads a row: a token, and shades, each of which must begin where a source token does. */
static void read_row(table *t, const char *line, const char *end) {
    ck_assert_msg(!strncmp(line, "  ", 2) && line[2] != ' ' && end[-1] != ' ', "row \"%.*s\"",
                  (int)(end - line), line);
    size_t length = strcspn(line + 2, " \n");
    snprintf(t->row[t->rows], 32, "%.*s", (int)length, line + 2);
    for (const char *p = line + 2 + length; p < end;) {
        int shade = shade_at(p), c = 0;
        long at = columns_of(line, (size_t)(p - line));
        if (*p == ' ') {
            p++;
            continue;
        }
        while (c < t->columns && t->at[c] != at) c++;
        ck_assert_msg(shade > 0 && c < t->columns, "no token above \"%.20s\" at column %ld in\n%s", p, at,
                      out);
        t->shade[t->rows][c] = shade;
        p += strcspn(p, " \n");
    }
    t->rows++;
}

/* Reads a picture from *text, and moves *text past it. */
static table read_table(const char **text) {
    table t = {0};
    const char *line = *text, *end = strchr(line, '\n');
    snprintf(t.line, sizeof t.line, "%.*s", (int)(end - line), line);
    ck_assert_msg(end[1] == '\n', "a blank line should follow in\n%s", *text);
    line = end + 2;
    end = strchr(line, '\n');
    read_header(&t, line, end);
    for (line = end + 1; *line && *line != '\n'; line = end + 1) {
        end = strchr(line, '\n');
        read_row(&t, line, end);
    }
    *text = *line ? line + 1 : line;
    return t;
}

/* Learns a mixture of languages by heart; units are words, so that tokens are known. */
static void train_mixed(void) {
    put_text(in_folder("mixed.tsv"), "I like tea.\t我喜欢茶。\nmy dog sleeps\t我的狗睡觉\n"
                                     "狗喜欢 tea\tdogs like tea\n");
    sh("$T train --train $D/mixed.tsv --valid $D/mixed.tsv --out $D/run --quiet --steps 120 --min-count 1 "
       "--units words --validate-every 40 --samples 0 --lr 0.01 --warmup 20 --dropout 0 --preset toy "
       "--d-model 32 "
       "--d-ff 32 --layers 2 --threads 1");
}

static void expect_tokens(char tokens[MOST][32], int count, const char *expected) {
    char joined[1024] = "";
    for (int i = 0; i < count; i++) strcat(strcat(joined, i ? " " : ""), tokens[i]);
    ck_assert_str_eq(joined, expected);
}

START_TEST(pictures) {
    static const char *const cases[][3] = {
        {"I like tea.", "I like tea ￭. <eos>", "我 喜 欢 茶 。 <eos>"},
        {"my dog sleeps", "my dog sleeps <eos>", "我 的 狗 睡 觉 <eos>"},
        {"狗喜欢 tea", "狗 喜 欢 ▁ tea <eos>", "dogs like tea <eos>"},
    };
    train_mixed();
    sh_input("I like tea.\nmy dog sleeps\n狗喜欢 tea\n", "$T attention --model $D/run --threads 1");
    ck_assert_str_eq(err, "");
    const char *text = out;
    for (int i = 0; i < 3; i++) {
        table t = read_table(&text);
        ck_assert_str_eq(t.line, cases[i][0]);
        expect_tokens(t.column, t.columns, cases[i][1]);
        expect_tokens(t.row, t.rows, cases[i][2]);
        for (int c = 1; c < t.columns; c++) /* two blanks between tokens */
            ck_assert_int_eq(t.at[c] - t.at[c - 1], columns_of(t.column[c - 1], strlen(t.column[c - 1])) + 2);
        for (int r = 0; r < t.rows; r++) {
            int full = 0, seen = 0;
            for (int c = 0; c < t.columns; c++) full += t.shade[r][c] >= 4, seen += t.shade[r][c] > 0;
            /* shares sum to 1: at most one is above one half, and at least one is visible */
            ck_assert_msg(full <= 1 && seen >= 1, "row %d of\n%s", r, out);
        }
    }
    ck_assert_str_eq(text, "");
}
END_TEST

/* Compares the picture with the same layer and head computed by the library alone. */
static void compare_with_library(long layer, long head) {
    static const double from[] = {0, 0.03, 0.1, 0.25, 0.5, 0.8};
    char command[256];
    snprintf(command, sizeof command, "$T attention --model $D/run --threads 1 --layer %ld --head %ld", layer,
             head);
    sh_input("my dog sleeps\n", command);
    const char *text = out;
    table t = read_table(&text);
    size_t size;
    char *bytes[2] = {get_file(in_folder("run/vocab.src.txt"), &size), NULL};
    tl_vocab *source = tl_vocab_parse("source", bytes[0], size);
    bytes[1] = get_file(in_folder("run/vocab.tgt.txt"), &size);
    tl_vocab *target = tl_vocab_parse("target", bytes[1], size);
    tl_params *params = tl_params_new(1);
    tl_transformer model = tl_transformer_init(params, "",
                                               &(tl_transformer_config){.src_vocab = tl_vocab_size(source),
                                                                        .tgt_vocab = tl_vocab_size(target),
                                                                        .tie = TL_TIE_TARGET,
                                                                        .d_model = 32,
                                                                        .d_ff = 32,
                                                                        .heads = 4,
                                                                        .layers = 2,
                                                                        .max_len = 1024});
    tl_error error = {""};
    ck_assert_msg(tl_params_load(params, in_folder("run/model.safetensors"), &error), "%s", error.message);
    tl_tape *tape = tl_tape_new();
    tl_tape_set_training(tape, 0);
    int src[4], tgt[6] = {TL_BOS}, src_length = 4, length = 6;
    src[tl_vocab_encode(source, "my dog sleeps", src, 3)] = TL_EOS;
    ck_assert_int_eq(tl_vocab_encode(target, "我 的 狗 睡 觉", tgt + 1, 5), 5);
    tl_attention_maps maps[2] = {0};
    const tl_batch batch = {.sentences = 1,
                            .src_len = src_length,
                            .tgt_len = length,
                            .src = src,
                            .tgt_in = tgt,
                            .src_lengths = &src_length,
                            .tgt_lengths = &length};
    tl_var memory = tl_transformer_encode(&model, tape, &batch, NULL);
    tl_transformer_decode(&model, tape, &batch, memory, &(tl_model_maps){.cross = maps});
    tl_tensor probs = tl_value(maps[layer ? layer - 1 : 1].probs);
    for (long r = 0; r < 6; r++)
        for (long c = 0; c < 4; c++) {
            double share = 0;
            for (long h = 0; h < 4; h++)
                if (!head || h == head - 1)
                    share += probs.data[h * probs.stride[1] + r * probs.stride[2] + c * probs.stride[3]];
            if (!head) share /= 4;
            int shade = 5;
            while (share < from[shade]) shade--;
            ck_assert_msg(t.shade[r][c] == shade,
                          "layer %ld, head %ld: row %ld, column %ld: %g is drawn %d\n%s", layer, head, r, c,
                          share, t.shade[r][c], out);
        }
    tl_tape_free(tape);
    tl_params_free(params);
    tl_vocab_free(source);
    tl_vocab_free(target);
    free(bytes[0]);
    free(bytes[1]);
}

START_TEST(layers_and_heads) {
    train_mixed();
    compare_with_library(0, 0);
    compare_with_library(1, 0);
    compare_with_library(2, 0);
    compare_with_library(1, 3);
    compare_with_library(2, 1);
    compare_with_library(2, 4);
    compare_with_library(0, 2);
}
END_TEST

/* A blank line has no picture, but counts. */
START_TEST(blank_lines) {
    train_mixed();
    sh_input("", "$T attention --model $D/run");
    ck_assert_str_eq(out, "");
    sh_input("\n", "$T attention --model $D/run");
    ck_assert_str_eq(out, "\n\n");
    sh_input("my dog sleeps\n", "$T attention --model $D/run");
    char expected[4096];
    snprintf(expected, sizeof expected, "%s\n\n\n\n%s", out, out);
    sh_input("my dog sleeps\n\nmy dog sleeps\n", "$T attention --model $D/run");
    ck_assert_str_eq(out, expected);
}
END_TEST

/* ---- info ---- */

/* Number of elements in all tensors of a file whose names begin with prefix. */
static long elements(const char *file, const char *prefix) {
    tl_error error = {""};
    tl_safetensors *weights = tl_safetensors_open(in_folder(file), &error);
    ck_assert_msg(weights != NULL, "%s", error.message);
    long sum = 0;
    for (int i = 0; i < tl_safetensors_count(weights); i++) {
        const tl_safetensors_entry *e = tl_safetensors_at(weights, i);
        long n = 1;
        for (int d = 0; d < e->shape.rank; d++) n *= e->shape.dim[d];
        if (!strncmp(e->name, prefix, strlen(prefix))) sum += n;
    }
    tl_safetensors_close(weights);
    return sum;
}

static void info_says(const char *format, ...) {
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    ck_assert_msg(strstr(out, line), "no \"%s\" in\n%s", line, out);
}

START_TEST(sizes) {
    write_pairs();
    sh("$T train --train $D/pairs.tsv --valid $D/pairs.tsv --out $D/run --quiet --epochs 7 --merges 9 "
       "--pre-norm "
       "--layers 3 --d-model 24 --heads 2 --d-ff 40 --batch-tokens 99 --accumulate 2 --lr 0.004 --warmup 17 "
       "--threads 1 "
       "--dropout 0.25 --label-smoothing 0.05 --clip 2 --seed 5 --activation gelu --positions learned "
       "--encoder-positions rotary "
       "--schedule linear");
    sh("$T info --model $D/run");
    ck_assert_str_eq(err, "");
    long encoder = elements("run/model.safetensors", "encoder."),
         decoder = elements("run/model.safetensors", "decoder.");
    long all = elements("run/model.safetensors", "");
    info_says("parameters  %ld (encoder %ld, decoder %ld, embeddings and output %ld)\n", all, encoder,
              decoder, all - encoder - decoder);
    info_says("d_model 24, 2 heads, 3 + 3 layers, d_ff 40\n");
    info_says(" pre-norm, gelu, learned positions (encoder: rotary), embeddings tied: target\n");
    info_says("trained on  %s; validated on %s\n", in_folder("pairs.tsv"), in_folder("pairs.tsv"));
    info_says(" 99 tokens a batch x 2, Adam, linear from 0.004 after 17 steps of warm-up, dropout 0.25, "
              "label smoothing "
              "0.05, clip 2, seed 5\n");
    info_says("so far      7 updates, 7 epochs, ");
    char *info = strcpy(malloc(strlen(out) + 1), out);
    sh("cd $D/run; expr $(wc -l < codes.txt) - 1; expr $(wc -l < vocab.src.txt) - 1; expr $(wc -l < "
       "vocab.tgt.txt) - 1;"
       "cut -d , -f 8 log.csv | tail -n +2 | sort -n | tail -n 1");
    long merges, source, target;
    double bleu;
    ck_assert_int_eq(sscanf(out, "%ld %ld %ld %lf", &merges, &source, &target, &bleu), 4);
    free(out);
    out = info;
    info_says("source      %ld byte-pair subwords of %ld merges, raw text cut into words\n", source, merges);
    info_says("target      %ld byte-pair subwords of %ld merges, raw text cut into words\n", target, merges);
    info_says("; best BLEU %.2f, loss ", bleu);
    static const char *const files[] = {"model", "last", "checkpoint"};
    for (int i = 0; i < 3; i++) {
        char name[64];
        struct stat about;
        snprintf(name, sizeof name, "run/%s.safetensors", files[i]);
        ck_assert_int_eq(stat(in_folder(name), &about), 0);
        info_says(" %s.safetensors (%.1f kB)", files[i], (double)about.st_size / 1e3);
    }
    ck_assert_ptr_null(strstr(out, "average.safetensors"));
}
END_TEST

/* info distinguishes the kinds of runs. */
START_TEST(kinds) {
    write_pairs();
    static const char *const cases[][3] = {
        {TRAIN_FILES " --units chars --joint --tie all",
         "source      23 characters (one vocabulary for both sides)\n", "embeddings tied: all\n"},
        {TRAIN_FILES " --units words --pretokenize none --tie none", "target      11 words\n",
         "embeddings tied: none\n"},
        {"$T train --task sort --sentences 20", "trained on  sort; validated on sentences made like them\n",
         "source      24 words\n"},
        {"$T train --pair en-zh --sentences 20 --no-final-norm", "trained on  en-zh; ",
         " post-norm without final norms"},
    };
    for (int i = 0; i < 4; i++) {
        char command[512];
        snprintf(command, sizeof command, "%s --out $D/run --min-count 1 --overwrite --steps 1 --quiet" SMALL,
                 cases[i][0]);
        sh(command);
        sh("$T info --model $D/run");
        info_says("%s", cases[i][1]);
        info_says("%s", cases[i][2]);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_test(tc, pictures);
    tcase_add_test(tc, layers_and_heads);
    tcase_add_test(tc, blank_lines);
    tcase_add_test(tc, sizes);
    tcase_add_test(tc, kinds);
}

TL_TEST_MAIN("translate: attention and info")
