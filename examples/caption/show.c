/* caption show: pictures, the model's captions, and where it attended at each word. */
#include "program.h"

#include <stdlib.h>
#include <string.h>

/* ---- one picture ---- */

/* The weights of row `row` of a layer's map: one head's, or the mean of all. map [1,1,H,T,S] */
static void read_shares(tl_tensor map, long head, long row, double share[TL_PICTURE_PATCHES]) {
    const long heads = map.dim[2];
    for (long p = 0; p < TL_PICTURE_PATCHES; p++) {
        share[p] = 0;
        for (long h = 0; h < heads; h++)
            if (!head || h == head - 1)
                share[p] += (double)tl_item(tl_at(map, 0, 0, h, row, p)) / (head ? 1 : (double)heads);
    }
}

/* The patches that colours and shapes of a right caption name. */
static void read_truth(sight *seen, const tl_corpus *scenes, long i) {
    long count;
    const tl_link *links = tl_corpus_alignment(scenes, i, &count);
    for (long w = 0; w < MOST_WORDS; w++) seen->true_patch[w] = -1;
    for (long k = 0; seen->right && k < count; k++) seen->true_patch[links[k].target] = links[k].source;
}

static void read_words(sight *seen, const tl_run *run, const tl_search_result *found, tl_tensor map,
                       long head) {
    const tl_vocab *vocab = tl_run_vocab(run, TL_TARGET);
    char text[1024];
    seen->words = found->lengths[0] < MOST_WORDS ? found->lengths[0] : MOST_WORDS;
    for (long w = 0; w < seen->words; w++) {
        seen->word[w] = tl_vocab_token(vocab, found->ids[w]);
        read_shares(map, head, w, seen->share[w]);
    }
    tl_vocab_decode(vocab, found->ids, found->lengths[0], text, sizeof text);
    seen->right = !strcmp(text, seen->truth);
}

/* Writes the picture's caption and maps into *seen. */
static bool look(const settings *s, tl_run *run, const tl_corpus *scenes, long i, sight *seen) {
    tl_batch batch;
    tl_search_result found;
    tl_tape_reset(tl_run_tape(run));
    if (!tl_caption_batch(run, scenes, i, 1, &batch) || !tl_caption_search(run, &batch, true, &found))
        return false;
    const int layers = tl_run_model(run)->attentions[TL_CROSS];
    const tl_tensor map = found.maps[TL_CROSS][s->layer ? s->layer - 1 : layers - 1];
    seen->scene = tl_corpus_sentence(scenes, TL_SOURCE, i);
    seen->truth = tl_corpus_sentence(scenes, TL_TARGET, i);
    memcpy(seen->patches, batch.pictures.data, sizeof seen->patches);
    read_words(seen, run, &found, map, s->head);
    read_truth(seen, scenes, i);
    return true;
}

static bool write_svg(const sight *seen, const char *path, tl_error *error) {
    size_t size;
    char *text = overlay(seen, &size);
    const bool ok =
        text ? tl_file_write(path, text, size, error) : tl_error_set(error, "out of memory for a picture");
    free(text);
    return ok;
}

static void print_place(const settings *s, const tl_run *run) {
    const long layers = tl_run_model(run)->attentions[TL_CROSS], layer = s->layer ? s->layer : layers;
    printf("Where layer %ld of the decoder looked at each word", layer);
    if (s->head)
        printf(" (head %ld):\n\n", s->head);
    else
        printf(" (mean of its heads):\n\n");
}

bool show_scenes(const settings *s, tl_run *run, const tl_corpus *scenes, long first, long count,
                 tl_error *error) {
    sight *seen = calloc(1, sizeof *seen);
    bool ok = seen || tl_error_set(error, "out of memory for a picture");
    for (long i = first; ok && i < first + count; i++) {
        ok = look(s, run, scenes, i, seen);
        if (!ok) break;
        if (i > first) printf("\n");
        print_line("True:    ", seen->truth, "\n");
        printf("It says:");
        for (long w = 0; w < seen->words; w++) print_line(" ", seen->word[w], "");
        printf("%s\n\n", seen->right ? "" : "  (wrong)");
        if (i == first) print_place(s, run);
        view(seen);
        ok = !s->svg || write_svg(seen, s->svg, error);
    }
    free(seen);
    return ok;
}

/* ---- the command ---- */

static bool check_place(const settings *s, const tl_run *run, tl_error *error) {
    const tl_model *model = tl_run_model(run);
    const long layers = model->attentions[TL_CROSS], heads = model->heads;
    if (s->layer > layers)
        return tl_error_set(error, "--layer %ld: the decoder has %ld: give 1 … %ld, or 0 for the last",
                            s->layer, layers, layers);
    if (s->head > heads)
        return tl_error_set(error, "--head %ld: a layer has %ld: give 1 … %ld, or 0 for the mean of all",
                            s->head, heads, heads);
    return true;
}

int command_show(settings *s) {
    tl_error error = {""};
    tl_run *run = open_run(s);
    if (!run) return 1;
    const tl_pictures_part part = strcmp(s->part, "train") ? TL_PICTURES_HELD_OUT : TL_PICTURES_TRAIN;
    const long count = s->count ? s->count : 1;
    tl_corpus *scenes = !check_place(s, run, &error) ? NULL
                        : s->scene                   ? tl_caption_scene(run, s->scene)
                                                     : tl_caption_scenes(run, part, s->picture, count);
    if (scenes) show_scenes(s, run, scenes, 0, count, &error);
    const int status = status_of(run, &error);
    tl_corpus_free(scenes);
    tl_run_free(run);
    return status;
}
