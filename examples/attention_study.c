/* Opens a run, takes every map and gradient of a sentence, prints how important each head is and the loss without
 * it, and writes the page:
 *
 *     build/attention_study build/demo 'the small cats do not sleep .' study.html
 * */
#include <tapeloom.h>

#include <stdlib.h>

static int fail(const char *message) { return fprintf(stderr, "attention_study: %s\n", message), 1; }

int main(int argc, char **argv) {
    tl_streams_open();
    if (argc < 4) return fail("give the folder of a run, a sentence, and a file for the page");
    tl_error error = {""};
    tl_run *run = tl_run_open(argv[1], NULL, &error);
    if (!run) return fail(error.message);

    /* every head: its importance, and the loss without it, over 200 held-out sentences */
    tl_set *set = tl_set_new(run, &(tl_set_options){.most = 200});
    tl_heads_table heads;
    if (!set || !tl_heads_measure(run, set, &(tl_heads_options){.zero = true}, &heads))
        return fail(tl_run_error(run));
    printf("attention               head  importance  loss without (with all %.4f)\n", heads.loss);
    for (const tl_heads_row *row = heads.row; row < heads.row + heads.count; row++)
        printf("%-22s %5d  %10.3f  %.4f\n", row->attention, row->head, row->importance, row->loss_zero);

    /* the sentence and the model's own translation: A, S, dL/dA and dL/dS of every attention */
    tl_sentences read;
    tl_seen seen;
    const char *source = argv[2];
    if (!tl_sentences_of(run, &source, NULL, 1, &read) ||
        !tl_look(tl_run_model(run), tl_run_tape(run), &read.batch, &(tl_look_options){.norms = true}, &seen))
        return fail(tl_run_error(run));
    const tl_seen_attention *last = &seen.attention[seen.count - 1];
    printf("\ndL/dS of %s, head 0:\n", last->name);
    tl_print(tl_at(last->score_grads, 0, 0), stdout);

    size_t size;
    char *page = tl_page_text(run, &read, &seen, NULL, &size);
    if (!page || !tl_file_write(argv[3], page, size, &error))
        return fail(page ? error.message : tl_run_error(run));
    free(page), tl_heads_table_free(&heads), tl_set_free(set), tl_sentences_free(&read), tl_run_free(run);
    return tl_output_close(stdout, &error) ? 0 : fail(error.message);
}
