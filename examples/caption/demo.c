/* caption demo: from nothing to a model that captions pictures it has never seen, in a minute or two. It trains,
 * measures, and shows a picture and where each word attended. */
#include "program.h"

static int show_results(const settings *given, const char *svg) {
    tl_error error = {""};
    listener l;
    settings s = *given; /* the run puts texts of its own into it, valid until the run is freed */
    s.common.model = s.common.out;
    s.svg = svg;
    tl_run *run = open_run(&s);
    if (!run) return 1;
    listen_to(&l, &s, run);
    printf("\n");
    tl_corpus *scenes = evaluate(&s, run, &error) ? tl_caption_scenes(run, TL_PICTURES_HELD_OUT, 0, 1) : NULL;
    if (scenes) printf("\n"), show_scenes(&s, run, scenes, 0, 1, &error);
    const int status = status_of(run, &error);
    tl_corpus_free(scenes);
    tl_run_free(run);
    return status;
}

int command_demo(settings *s) {
    common *c = &s->common;
    char program[WORD_SIZE], run[WORD_SIZE], svg[PATH_SIZE];
    printf("A small Transformer learns to say what is on pictures: it reads patches, and writes words.\n");
    int status = run_demo(s);
    if (!status) status = show_results(s, path_in(svg, c->out, "picture.svg"));
    if (!status) {
        tl_shell_word(c->program, program, sizeof program), tl_shell_word(c->out, run, sizeof run);
        print_name("\nThe run is in ", c->out, "");
        print_name("; the picture with what each word looked at is ", svg, ".\n");
        printf("Look:      %s show --model %s --picture 7 --svg picture.svg\n"
               "Measure:   %s evaluate --model %s --wrong 5\n"
               "Your own:  %s train --out runs/mine --encoder-layers 2 --decoder-layers 1\n",
               program, run, program, run, program);
    }
    return status;
}
