/* Sentences, labels and pictures that are made, for any numbers and names; scenes as text; and the study's table of
 * numbers. */
#include "fuzz.h"

#include "examples/study/study.h"
#include "text/pictures/scene.h"

int tl_fuzz_made(const uint8_t *bytes, size_t size);

enum { MOST = 10 };

/* A number as a stranger's configuration may have it. */
static long long_of(fuzz_bytes *in) {
    const unsigned kind = fuzz_byte(in);
    return kind < 200 ? (long)(kind % 40) : (long)fuzz_word(in);
}

static void check_corpus(const tl_corpus *corpus, bool ok, long sentences) {
    FUZZ_MUST(ok == !tl_corpus_error(corpus), "an error and none");
    if (!ok) fuzz_message(tl_corpus_error(corpus));
    FUZZ_MUST(tl_corpus_size(corpus) == (ok ? sentences : 0), "%ld sentences, not %ld",
              tl_corpus_size(corpus), sentences);
    for (long i = 0; i < tl_corpus_size(corpus); i++) {
        long links, source = 0, target = 0;
        const tl_link *link = tl_corpus_alignment(corpus, i, &links);
        const char *at = tl_corpus_sentence(corpus, TL_SOURCE, i);
        size_t size;
        for (const char *t; (t = tl_text_token(at, strlen(at), &size)) != NULL; at = t + size) source++;
        at = tl_corpus_sentence(corpus, TL_TARGET, i);
        for (const char *t; (t = tl_text_token(at, strlen(at), &size)) != NULL; at = t + size) target++;
        for (long k = 0; k < links; k++)
            FUZZ_MUST(link[k].source >= 0 && link[k].source < source && link[k].target >= 0 &&
                          link[k].target < target,
                      "link %d-%d of %ld and %ld tokens", link[k].source, link[k].target, source, target);
        for (long k = 0; i > 0 && k < i && k < 4; k++)
            FUZZ_MUST(
                strcmp(tl_corpus_sentence(corpus, TL_SOURCE, k), tl_corpus_sentence(corpus, TL_SOURCE, i)) ||
                    links == 0,
                "sentence %ld comes twice", i);
    }
}

static void check_made(fuzz_bytes in, unsigned kind) {
    static const char *const pairs[] = {"en-fr", "en-zh"}, *const tasks[] = {"copy", "reverse", "sort"},
                             *const labels[] = {"agreement", "order", "number", "subject"};
    const unsigned choice = fuzz_byte(&in);
    long sentences = long_of(&in);
    const long first = long_of(&in), low = long_of(&in), high = long_of(&in), symbols = long_of(&in);
    const uint64_t seed = fuzz_word(&in);
    char *name = fuzz_string(&in);
    if (sentences > MOST) sentences = MOST;
    /* the grammar draws for long before it says that there are no more */
    if (kind == 0 && seed % 64) kind = 3;
    tl_corpus *corpus = tl_corpus_new();
    bool ok = false;
    const char *given = choice & 0x80 ? name : NULL;
    /* far into a stream everything before is drawn: only near ones here */
    const long near = first > 20 ? first % 20 : first;
    switch (kind) {
    case 0:
        ok = tl_corpus_grammar(corpus, &(tl_grammar_config){given ? given : pairs[choice % 2],
                                                            (tl_grammar_part)(choice / 2 % 3), sentences,
                                                            near, seed});
        break;
    case 1:
        ok = tl_corpus_labelled(corpus, &(tl_labelled_config){given ? given : labels[choice % 4], sentences,
                                                              near, seed, (choice & 4) != 0});
        break;
    case 2:
        ok = tl_corpus_pictures(corpus,
                                &(tl_pictures_config){(tl_pictures_part)(choice % 3), sentences, near, seed});
        break;
    default:
        ok = tl_corpus_toy(corpus, &(tl_toy_config){given ? given : tasks[choice % 3], sentences, near,
                                                    low % 3000, high % 3000, symbols % 100000, seed});
    }
    check_corpus(corpus, ok, sentences);
    free(name);
    tl_corpus_free(corpus);
}

static void check_scene(const char *line, uint64_t seed) {
    static tl_real patches[TL_PICTURE_PATCHES * TL_PICTURE_PATCH];
    tl_error error = {""};
    char *caption = tl_picture_caption(line, &error);
    fuzz_outcome(caption != NULL, &error);
    patches[0] = 3;
    const bool drawn = tl_picture_draw(line, seed, 0.1, patches, &error);
    FUZZ_MUST(drawn == (caption != NULL), "drawn, or captioned, but not both");
    FUZZ_MUST(drawn || patches[0] == 3, "patches of no scene");
    if (drawn) {
        tl_pic_scene scene, again;
        char text[TL_PIC_TEXT];
        FUZZ_MUST(tl_pic_scene_of(line, &scene, &error), "%s", error.message);
        tl_pic_scene_text(&scene, text);
        FUZZ_MUST(tl_pic_scene_of(text, &again, &error), "%s", error.message);
        char *other = tl_picture_caption(text, &error);
        FUZZ_MUST(other && !strcmp(other, caption), "%s, %s", caption, other);
        free(other);
        for (size_t i = 0; i < sizeof patches / sizeof *patches; i++)
            FUZZ_MUST(patches[i] >= (tl_real)-0.11 && patches[i] <= (tl_real)1.11, "pixel %g",
                      (double)patches[i]);
    }
    free(caption);
}

static void check_numbers(fuzz_part text) {
    tl_error error = {""};
    numbers n = {NULL, 0, 0, false}, again = {NULL, 0, 0, false};
    const bool ok = numbers_read(&n, fuzz_file("numbers.csv", text.bytes, text.size), &error);
    fuzz_outcome(ok, &error);
    FUZZ_MUST(ok || n.count == 0, "rows of a refused table");
    if (ok) {
        const char *path = fuzz_path("again.csv");
        FUZZ_MUST(numbers_write(&n, path, &error) && numbers_read(&again, path, &error), "%s", error.message);
        FUZZ_MUST(again.count == n.count && numbers_seeds(&again) == numbers_seeds(&n), "other rows");
        for (long i = 0; i < n.count; i++)
            FUZZ_MUST(!strcmp(n.row[i].arm, again.row[i].arm) && !strcmp(n.row[i].what, again.row[i].what) &&
                          n.row[i].seed == again.row[i].seed,
                      "row %ld", i);
    }
    numbers_free(&n);
    numbers_free(&again);
}

int tl_fuzz_made(const uint8_t *bytes, size_t size) {
    fuzz_bytes in = fuzz_bytes_of(bytes, size);
    const unsigned kind = fuzz_byte(&in) % 32; /* what is quick more often */
    if (kind < 4) {
        check_made(in, kind);
    } else if (kind < 18) {
        const uint64_t seed = fuzz_byte(&in);
        char *line = fuzz_string(&in);
        check_scene(line, seed);
        free(line);
    } else {
        fuzz_part text = fuzz_rest(&in);
        check_numbers(text);
        free(text.bytes);
    }
    return 0;
}

static void seeds(tl_fuzz_put *put, void *context) {
    for (int kind = 0; kind < 4; kind++)
        for (int choice = 0; choice < 4; choice++) {
            const unsigned char seed[] = {
                (unsigned char)kind, (unsigned char)choice, 9, 3, 2, 8, 15, 255, 2, 3, 4, 5, 6, 7, 8};
            put(context, seed, sizeof seed);
        }
    tl_corpus *scenes = tl_corpus_new();
    tl_corpus_pictures(scenes, &(tl_pictures_config){TL_PICTURES_TRAIN, 4, 0, 1});
    for (long i = 0; i < tl_corpus_size(scenes); i++) {
        char seed[1200] = "\x04";
        const char *line = tl_corpus_sentence(scenes, TL_SOURCE, i);
        seed[1] = 1;
        memcpy(seed + 2, line, strlen(line));
        put(context, seed, 2 + strlen(line));
    }
    tl_corpus_free(scenes);
    static const char numbers_csv[] =
        "\x1F"
        "arm,seed,what,at,value\n8 heads,0,exact match,0,0.5\n1 head,3,loss,1e-3,nan\n";
    put(context, numbers_csv, sizeof numbers_csv - 1);
}

TL_FUZZ(made, "text, study: sentences, labels and pictures that are made; scenes; the study's numbers");
