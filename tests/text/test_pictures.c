/* Pictures with captions: captions against a second implementation that reads the line of patches; combinations kept
 * out of training; streams and ranges; pixels; batches; refusals. */
#define _XOPEN_SOURCE 700 /* strtok_r */
#include "check.h"
#include "tapeloom/text.h"
#include "text/table.h"

#include <math.h>

enum { PATCHES = TL_PICTURE_PATCHES, SIDE = TL_PICTURE_SIDE, PATCH = TL_PICTURE_PATCH, MANY = 6000 };

static tl_corpus *pictures(tl_pictures_part part, long count, long first, uint64_t seed) {
    tl_corpus *corpus = tl_corpus_new();
    tl_corpus_pictures(corpus, &(tl_pictures_config){part, count, first, seed});
    assert_no_error(tl_corpus_error(corpus));
    must(tl_corpus_size(corpus) == count);
    return corpus;
}

/* ---- a second implementation of captions ---- */

typedef struct thing {
    char colour[16], shape[16];
    int patch;
} thing;

static int rank(const char *colour) {
    static const char *const rainbow[] = {"red", "orange", "yellow", "green", "blue", "violet"};
    for (int i = 0; i < 6; i++)
        if (!strcmp(colour, rainbow[i])) return i;
    return -1;
}

static int things_of(const char *scene, thing found[2]) {
    char line[2048], *rest;
    int count = 0, patch = 0;
    must(strlen(scene) < sizeof line);
    strcpy(line, scene);
    for (char *token = strtok_r(line, " ", &rest); token; token = strtok_r(NULL, " ", &rest), patch++) {
        if (!strcmp(token, ".")) continue;
        must(count < 2 && sscanf(token, "%15[a-z]-%15[a-z]", found[count].colour, found[count].shape) == 2);
        found[count++].patch = patch;
    }
    must(patch == PATCHES && count > 0);
    if (count == 2 && rank(found[0].colour) > rank(found[1].colour)) {
        const thing first = found[1];
        found[1] = found[0];
        found[0] = first;
    }
    return count;
}

static const char *a(const thing *t) { return t->colour[0] == 'o' ? "an" : "a"; }

/* Writes the expected caption. */
static void say(const thing *t, int count, char caption[200]) {
    static const char *const rows[] = {"top", "", "bottom"}, *const columns[] = {"left", "", "right"};
    const int row = t[0].patch / SIDE, column = t[0].patch % SIDE;
    if (count == 1) {
        const char *r = rows[row / 2], *c = columns[column / 2];
        if (!*r && !*c)
            snprintf(caption, 200, "%s %s %s in the middle", a(t), t->colour, t->shape);
        else
            snprintf(caption, 200, "%s %s %s at the %s%s%s", a(t), t->colour, t->shape, r,
                     *r && *c ? " " : "", c);
        return;
    }
    const int down = t[1].patch / SIDE - row, across = t[1].patch % SIDE - column;
    const char *how = abs(across) > abs(down) ? across > 0 ? "left of" : "right of"
                      : down > 0              ? "above"
                                              : "below";
    must((abs(across) >= 2 && abs(down) <= 1) || (abs(down) >= 2 && abs(across) <= 1)); /* a clear relation */
    snprintf(caption, 200, "%s %s %s %s %s %s %s", a(t), t->colour, t->shape, how, a(t + 1), t[1].colour,
             t[1].shape);
}

/* Checks that every colour and shape of the caption is linked to its patch, and nothing else is linked. */
static void must_be_linked(const tl_corpus *c, long i, const thing *t, int count) {
    char line[200], *rest;
    long links;
    const tl_link *link = tl_corpus_alignment(c, i, &links);
    strcpy(line, tl_corpus_sentence(c, TL_TARGET, i));
    int word = 0, expected = 0;
    for (char *token = strtok_r(line, " ", &rest); token; token = strtok_r(NULL, " ", &rest), word++) {
        const thing *here = word < 3 ? &t[0] : count == 2 ? &t[1] : NULL;
        const bool names = here && (!strcmp(token, here->colour) || !strcmp(token, here->shape));
        bool found = false;
        for (long k = 0; k < links; k++)
            found |= link[k].target == word && (!here || link[k].source == here->patch);
        must_msg(found == names, "%s: word %d", tl_corpus_sentence(c, TL_TARGET, i), word);
        expected += names;
    }
    must(links == expected && links == 2L * count);
    for (long k = 1; k < links; k++)
        must(link[k - 1].source < link[k].source ||
             (link[k - 1].source == link[k].source && link[k - 1].target < link[k].target));
}

START_TEST(captions_are_true) {
    long singles = 0;
    for (int part = 0; part < 2; part++) {
        tl_corpus *c = pictures((tl_pictures_part)part, 5000, 0, 3);
        for (long i = 0; i < 5000; i++) {
            thing t[2];
            char caption[200];
            const char *scene = tl_corpus_sentence(c, TL_SOURCE, i);
            const int count = things_of(scene, t);
            singles += count == 1;
            say(t, count, caption);
            ck_assert_str_eq(tl_corpus_sentence(c, TL_TARGET, i), caption);
            must_be_linked(c, i, t, count);
            tl_error error = {""};
            char *again = tl_picture_caption(scene, &error);
            must(again != NULL);
            ck_assert_str_eq(again, caption);
            free(again);
        }
        tl_corpus_free(c);
    }
    must(singles > 300 && singles < 3000);
}
END_TEST

/* ---- combinations kept out of training ---- */

/* Writes combinations of a picture such as "red square", "square left-of ring", "square at the top". Returns how
 * many. */
static int combinations(const tl_corpus *c, long i, char names[3][80]) {
    thing t[2];
    char how[80];
    const int count = things_of(tl_corpus_sentence(c, TL_SOURCE, i), t);
    for (int k = 0; k < count; k++) snprintf(names[k], 80, "%s %s", t[k].colour, t[k].shape);
    const char *caption = tl_corpus_sentence(c, TL_TARGET, i), *behind = strstr(caption, t[0].shape);
    must(behind != NULL);
    snprintf(how, sizeof how, "%s", behind + strlen(t[0].shape) + 1);
    char *second = count == 2 ? strstr(how, " a") : NULL;
    if (count == 2) {
        must(second != NULL);
        *second = 0;
    }
    snprintf(names[count], 80, "%s %.30s %s", t[0].shape, how, count == 2 ? t[1].shape : "");
    return count + 1;
}

START_TEST(held_out_combinations_are_never_trained) {
    tl_table trained = {0}, words = {0};
    char names[3][80];
    for (uint64_t seed = 1; seed < 4; seed++) { /* for any seed */
        tl_corpus *train = pictures(TL_PICTURES_TRAIN, MANY, 0, seed);
        for (long i = 0; i < MANY; i++) {
            const int n = combinations(train, i, names);
            for (int k = 0; k < n; k++) must(tl_table_add(&trained, tl_span_of(names[k])) >= 0);
            tl_span rest = tl_span_of(tl_corpus_sentence(train, TL_TARGET, i)), word;
            while (tl_next_token(&rest, &word)) must(tl_table_add(&words, word) >= 0);
        }
        tl_corpus_free(train);
    }
    tl_corpus *held = pictures(TL_PICTURES_HELD_OUT, 5000, 0, 1);
    long figures = 0, relations = 0;
    for (long i = 0; i < 5000; i++) {
        const int n = combinations(held, i, names);
        int unseen = 0;
        for (int k = 0; k < n; k++) {
            const bool is_new = tl_table_find(&trained, tl_span_of(names[k])) < 0;
            unseen += is_new;
            if (is_new && k + 1 < n) figures++;
            if (is_new && k + 1 == n) relations++;
        }
        must_msg(unseen > 0, "%s: all of it has been trained", tl_corpus_sentence(held, TL_TARGET, i));
        tl_span rest = tl_span_of(tl_corpus_sentence(held, TL_TARGET, i)), word;
        while (tl_next_token(&rest, &word)) must(tl_table_find(&words, word) >= 0);
    }
    must(figures > 1000 && relations > 1000);
    tl_corpus_free(held);
    tl_table_free(&trained);
    tl_table_free(&words);
}
END_TEST

/* ---- streams ---- */

START_TEST(streams_are_distinct_and_ranges_of_them_the_same) {
    tl_table seen = {0};
    for (int part = 0; part < 2; part++) {
        tl_corpus *whole = pictures((tl_pictures_part)part, 3000, 0, 5),
                  *end = pictures((tl_pictures_part)part, 1000, 2000, 5),
                  *other = pictures((tl_pictures_part)part, 3000, 0, 6);
        long same = 0;
        for (long i = 0; i < 3000; i++) {
            const char *scene = tl_corpus_sentence(whole, TL_SOURCE, i);
            must(tl_table_add(&seen, tl_span_of(scene)) == 3000 * part + i);
            if (i >= 2000) ck_assert_str_eq(scene, tl_corpus_sentence(end, TL_SOURCE, i - 2000));
            same += !strcmp(scene, tl_corpus_sentence(other, TL_SOURCE, i));
        }
        must(same < 30);
        tl_corpus_free(whole), tl_corpus_free(end), tl_corpus_free(other);
    }
    tl_table_free(&seen);
}
END_TEST

START_TEST(there_are_as_many_as_are_promised) {
    tl_corpus_free(pictures(TL_PICTURES_TRAIN, 1, 99999, 2));
    tl_corpus_free(pictures(TL_PICTURES_HELD_OUT, 1, 99999, 2));
}
END_TEST

/* ---- pixels ---- */

/* A line with these tokens in two patches; "": none. */
static const char *scene_of(int patch, const char *token, int patch2, const char *token2) {
    static char line[1024];
    *line = 0;
    for (int p = 0; p < PATCHES; p++) {
        if (p) strcat(line, " ");
        strcat(line, p == patch ? token : p == patch2 ? token2 : ".");
    }
    return line;
}

static void draw(const char *scene, uint64_t seed, double noise, tl_real *patches) {
    tl_error error = {""};
    must_msg(tl_picture_draw(scene, seed, noise, patches, &error), "%s", error.message);
}

START_TEST(a_figure_is_in_its_patch) {
    static tl_real without[PATCHES * PATCH], with[PATCHES * PATCH], blue[PATCHES * PATCH],
        again[PATCHES * PATCH];
    draw(scene_of(7, "red-square", -1, ""), 1, 0, without);
    for (int p = 0; p < PATCHES; p++)
        for (int i = 0; i < PATCH; i++) {
            const double v = (double)without[p * PATCH + i];
            must(p == 7 ? v >= 0 && v <= 1 : v == 0);
        }
    /* ink: red lacks green and blue */
    const tl_real *centre = without + 7 * PATCH + (3 * TL_PICTURE_CELL + 3) * 3;
    must(centre[0] < 0.2 && centre[1] > 0.8 && centre[2] > 0.8);
    draw(scene_of(7, "blue-square", -1, ""), 1, 0, blue);
    centre = blue + 7 * PATCH + (3 * TL_PICTURE_CELL + 3) * 3;
    must(centre[0] > 0.8 && centre[2] < 0.2);
    draw(scene_of(7, "red-square", -1, ""), 1, 0.25, with);
    draw(scene_of(7, "red-square", -1, ""), 1, 0.25, again);
    must(!memcmp(with, again, sizeof with));
    double most = 0, sum = 0;
    for (int i = 0; i < PATCHES * PATCH; i++) {
        const double off = (double)with[i] - (double)without[i];
        most = fmax(most, fabs(off)), sum += off;
    }
    must(most > 0.24 && most <= 0.2500001 && fabs(sum) < 0.02 * PATCHES * PATCH);
    draw(scene_of(7, "red-square", -1, ""), 2, 0, again);
    must(memcmp(without, again, sizeof with)); /* another seed gives another size and position */
}
END_TEST

/* Shapes differ by more than their sizes: any two differ in some pixel near the centre or the corner. */
START_TEST(shapes_and_colours_differ) {
    static const char *const shapes[] = {"square", "circle", "triangle", "cross", "diamond", "ring"},
                             *const colours[] = {"red", "orange", "yellow", "green", "blue", "violet"};
    static tl_real picture[36][PATCHES * PATCH];
    for (int k = 0; k < 36; k++) {
        char token[32];
        snprintf(token, sizeof token, "%s-%s", colours[k / 6], shapes[k % 6]);
        draw(scene_of(0, token, -1, ""), 4, 0, picture[k]);
    }
    for (int j = 0; j < 36; j++)
        for (int k = 0; k < j; k++) {
            double off = 0;
            for (int i = 0; i < PATCH; i++) off += fabs((double)picture[j][i] - (double)picture[k][i]);
            must_msg(off > 4, "figures %d and %d differ by %g in all", j, k, off);
        }
}
END_TEST

/* Pictures have the same bits everywhere, and in both precisions the same numbers up to rounding, since the C library's
 * mathematics is not used. */
START_TEST(the_same_numbers_on_every_machine) {
    static tl_real patches[PATCHES * PATCH];
    draw(scene_of(3, "green-ring", 20, "violet-triangle"), 9, 0.1, patches);
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (int i = 0; i < PATCHES * PATCH; i++) {
        const float value = (float)patches[i];
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        for (int byte = 0; byte < 4; byte++) hash = (hash ^ (bits >> 8 * byte & 255)) * 16777619u;
    }
    ck_assert_msg(hash == 0xcc6fd59bu, "0x%08xu", (unsigned)hash);
}
END_TEST

/* ---- batches ---- */

START_TEST(batches) {
    tl_corpus *c = pictures(TL_PICTURES_TRAIN, 40, 0, 1);
    tl_vocab_counts *counts = tl_vocab_counts_new();
    tl_corpus_count(c, TL_TARGET, counts);
    tl_vocab *v = tl_vocab_new(counts, NULL);
    must(tl_corpus_encode(c, v, v));
    tl_batches *b =
        tl_batches_new(c, &(tl_batches_config){.max_sentences = 8, .order = TL_SHUFFLED, .seed = 3});
    tl_pictures *p = tl_pictures_new(c, 11, 0.1);
    static tl_real one[PATCHES * PATCH];
    tl_batch batch;
    long seen = 0;
    while (tl_batches_next(b, &batch)) {
        must(tl_pictures_batch(p, &batch));
        must(!batch.src && !batch.src_lengths && batch.src_len == PATCHES && batch.tgt_in && batch.tgt_out);
        must(batch.src_tokens == batch.sentences * PATCHES);
        must(tl_shape_equal(tl_shape_of(batch.pictures), TL_SHAPE(batch.sentences, PATCHES, PATCH)));
        for (long i = 0; i < batch.sentences; i++, seen++) {
            draw(tl_corpus_sentence(c, TL_SOURCE, batch.index[i]), 11, 0.1, one);
            must(!memcmp(one, batch.pictures.data + i * PATCHES * PATCH, sizeof one));
        }
    }
    must(seen == 40);
    tl_pictures_free(p);
    tl_batches_free(b);
    tl_corpus_free(c);
    tl_vocab_free(v);
    tl_vocab_counts_free(counts);
}
END_TEST

START_TEST(batches_that_fail) {
    static const long index[2] = {0, 99};
    tl_corpus *c = tl_corpus_new();
    must(tl_corpus_add(c, scene_of(7, "red-square", -1, ""), "x"));
    tl_batch batch = {.sentences = 2, .index = index};
    tl_pictures *p = tl_pictures_new(c, 1, 0);
    must(!tl_pictures_batch(p, &batch) && !batch.pictures.data); /* there is no scene 99 */
    assert_contains(tl_pictures_error(p), "picture: found 0 tokens, expected 36");
    batch.sentences = 1;
    must(!tl_pictures_batch(p, &batch)); /* the first error stays */
    tl_pictures_free(p);
    p = tl_pictures_new(c, 1, 0);
    batch.index = NULL;
    must(!tl_pictures_batch(p, &batch));
    assert_contains(tl_pictures_error(p), "does not say which sentences it holds");
    tl_pictures_free(p);
    p = tl_pictures_new(c, 1, 2);
    batch.index = index;
    must(!tl_pictures_batch(p, &batch));
    assert_contains(tl_pictures_error(p), "found noise 2, expected 0 … 1");
    tl_pictures_free(p);
    tl_corpus_free(c);
}
END_TEST

/* ---- lines that are not scenes ---- */

static void refused(const char *scene, const char *says) {
    static tl_real patches[PATCHES * PATCH];
    tl_error error = {""};
    patches[0] = 7;
    must_msg(!tl_picture_draw(scene, 1, 0.1, patches, &error), "\"%s\"", scene);
    assert_contains(error.message, says);
    must(patches[0] == 7);
    tl_error_clear(&error);
    must(!tl_picture_caption(scene, &error));
    assert_contains(error.message, says);
}

START_TEST(no_scenes) {
    char long_line[600];
    memset(long_line, 'x', sizeof long_line - 1);
    long_line[sizeof long_line - 1] = 0;
    refused("", "picture: found 0 tokens, expected 36, one a patch");
    refused(". . red-square", "picture: found 3 tokens");
    refused(scene_of(-1, "", -1, ""), "picture: found no figure, expected one or two");
    refused(scene_of(4, "red-blob", -1, ""), "picture: found \"red-blob\" in patch 4, expected");
    refused(scene_of(4, "pink-square", -1, ""), "found \"pink-square\" in patch 4");
    refused(scene_of(4, "red", -1, ""), "found \"red\" in patch 4");
    refused(scene_of(4, "-", -1, ""), "found \"-\" in patch 4");
    refused(scene_of(4, "red-square-square", -1, ""), "found \"red-square-square\"");
    refused(scene_of(4, long_line, -1, ""), "found \"xxxxxxxx");
    refused(scene_of(0, "red-square", 3, "red-ring"),
            "picture: found two figures of one colour, or such that");
    refused(scene_of(0, "red-square", 1, "blue-ring"), "two patches or more apart one way");
    refused(scene_of(0, "red-square", 21, "blue-ring"), "neither plainly beside nor plainly above");
    char three[1024];
    strcpy(three, scene_of(0, "red-square", 3, "blue-ring"));
    *strrchr(three, '.') = 0;
    strcat(three, "green-ring");
    refused(three, "picture: found a third figure in patch 35, expected one or two");
    char spaced[1024]; /* any white space may separate the tokens */
    snprintf(spaced, sizeof spaced, "\t %s\n", scene_of(0, "red-square", 3, "blue-ring"));
    tl_error error = {""};
    char *caption = tl_picture_caption(spaced, &error);
    must(caption != NULL);
    ck_assert_str_eq(caption, "a red square left of a blue ring");
    free(caption);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, captions_are_true);
    tcase_add_test(tc, held_out_combinations_are_never_trained);
    tcase_add_test(tc, streams_are_distinct_and_ranges_of_them_the_same);
    tcase_add_test(tc, there_are_as_many_as_are_promised);
    tcase_add_test(tc, a_figure_is_in_its_patch);
    tcase_add_test(tc, shapes_and_colours_differ);
    tcase_add_test(tc, the_same_numbers_on_every_machine);
    tcase_add_test(tc, batches);
    tcase_add_test(tc, batches_that_fail);
    tcase_add_test(tc, no_scenes);
}

TL_TEST_MAIN("text: pictures with captions")
