/* Runs the commands of docs/caption.md in order, in a folder of the test's own, and compares the page's numbers with
 * the sources. */
#define _XOPEN_SOURCE 700
#define PROGRAM "caption"
#include "translate/program.h"

#include <tapeloom.h>

START_TEST(the_commands_run) {
    run_page("docs/caption.md");
    assert_contains(out, "Ended: all steps are done");
    assert_contains(out, "Going on after update 60");
    assert_contains(out, "Where layer 1 of the decoder looked at each word (head 3):");
    assert_contains(out, "Pictures with combinations that training never has: ");
    assert_contains(out, "True:    a red cross left of a blue ring\n");
    sh("test -s $D/picture.svg");
}
END_TEST

START_TEST(its_numbers) {
    char *page = get_file("docs/caption.md", NULL), text[256];
    snprintf(text, sizeof text, "A picture has %d x %d patches of %d x %d pixels", TL_PICTURE_SIDE,
             TL_PICTURE_SIDE, TL_PICTURE_CELL, TL_PICTURE_CELL);
    assert_contains(page, text);
    snprintf(text, sizeof text, "a patch's %d numbers", TL_PICTURE_PATCH);
    assert_contains(page, text);
    tl_run_settings s = tl_run_settings_of_program("caption");
    tl_error error = {""};
    must(tl_run_settings_complete(&s, &error));
    must(s.caption.encoder_layers == 1 && s.caption.decoder_layers == 2);
    snprintf(text, sizeof text, "The encoder has one layer, the decoder two;\nwidth %ld, %ld heads",
             s.model.d_model, s.model.heads);
    assert_contains(page, text);
    free(page);
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_test(tc, the_commands_run);
    tcase_add_test(tc, its_numbers);
}

TL_TEST_MAIN("docs: the captioner's page")
