/* The page of a watched training in a browser: its numbers are the table's; pointer, keys, switches and filter work;
 * nothing is fetched, and there are no errors. */
#define _XOPEN_SOURCE 700
#include "run/watch.h"

#include "base/buffer.h"
#include "lens/browser.h"

#define TABLE                                                                                         \
 "step,learning_rate,loss,gradient_norm,gradient.encoder.embedding,gradient.decoder.layers.0.self,"   \
 "gradient.decoder.layers.0.cross,update.encoder.embedding,update.decoder.layers.0.self,rms.encoder." \
 "embedding,"                                                                                         \
 "entropy.decoder.layers.0.self.0,entropy.decoder.layers.0.self.1,loss.0,loss.1,loss.2\n"             \
 "10,0.001,6.5,2,0.5,0.25,0.125,0.0001,0.0125,1.5,2.25,2,6,7,\n"                                      \
 "20,0.002,5.5,1.5,0.4,0.2,0.1,0.0002,0.0075,1.5,2.125,1.5,5,6,\n"                                    \
 "30,0.003,4.5,1,0.3,0.15,,0.0003,2.5e-05,1.5,2,1,4,,\n"                                              \
 "40,0.004,3.5,0.5,0.2,0.1,0.05,0.0004,0.005,1.5,1.875,0.5,3,4,\n"

static browser opened(const char *title, const char *table) {
    tl_buffer page = {0};
    must(tl_watch_page(title, table, &page));
    browser b = browser_new();
    ask(&b, "size 1200 900");
    ask(&b, "open %s", browser_file(&b, "watch.html", page.text));
    tl_buffer_free(&page);
    return b;
}

static void finish(browser *b, int problems) {
    says(b, problems, "[]");
    browser_free(b);
}

#define SAID "document.querySelector('.bar output').textContent"
#define VALUES(section)                                                                          \
 "Array.from(document.querySelectorAll('#" section " li')).filter((i) => !i.hidden).map((i) => " \
 "i.querySelector('.name').textContent + ' ' + i.querySelector('.value').textContent)"
#define TIP(section)                                                           \
 "(document.querySelector('#" section " .tip').style.display === 'block') && " \
 "document.querySelector('#" section " .tip').textContent"
/* A number that changes if a chart's picture does. */
#define INK(section)                                                                                 \
 "((url) => { let h = 7; for (const c of url) h = (h * 31 + c.charCodeAt(0)) & 0xffffff; return h; " \
 "})(document"                                                                                       \
 ".querySelector('#" section " canvas').toDataURL())"

START_TEST(numbers) {
    browser b = opened("runs/demo", TABLE);
    const int head = ask(&b, "eval document.querySelector('header').textContent"),
              charts = ask(&b, "eval Array.from(document.querySelectorAll('section')).map((s) => s.id)"),
              said = ask(&b, "eval " SAID), gradients = ask(&b, "eval " VALUES("gradient")),
              losses = ask(&b, "eval " VALUES("loss"));
    ask(&b, "key ArrowLeft");
    const int before = ask(&b, "eval " SAID), gap = ask(&b, "eval " VALUES("gradient")),
              small = ask(&b, "eval " VALUES("update"));
    ask(&b, "key Home");
    const int first = ask(&b, "eval " SAID);
    ask(&b, "key ArrowLeft"); /* no further */
    const int still = ask(&b, "eval " SAID);
    ask(&b, "key End");
    const int last = ask(&b, "eval " SAID), problems = ask(&b, "problems");
    says(&b, head,
         "\"Training from inside: runs/demo4 rows, updates 10 to 40, every 10; from watch.csv beside it"
         "dark / light\"");
    says(&b, charts, "[\"update\", \"gradient\", \"rms\", \"entropy\", \"loss\"]");
    says(&b, said, "\"update 40: loss 3.5, gradient norm 0.5, learning rate 0.004\"");
    says(&b, gradients,
         "[\"encoder.embedding 0.2\", \"decoder.layers.0.self 0.1\", \"decoder.layers.0.cross 0.05\"]");
    says(&b, losses, "[\"0 3\", \"1 4\"]"); /* no target is long enough for the third */
    says(&b, before, "\"update 30: loss 4.5, gradient norm 1, learning rate 0.003\"");
    says(&b, gap,
         "[\"encoder.embedding 0.3\", \"decoder.layers.0.self 0.15\", \"decoder.layers.0.cross –\"]");
    says(&b, small, "[\"encoder.embedding 3.00e-4\", \"decoder.layers.0.self 2.50e-5\"]");
    says(&b, first, "\"update 10: loss 6.5, gradient norm 2, learning rate 0.001\"");
    says(&b, still, b.answer[first]);
    says(&b, last, b.answer[said]);
    finish(&b, problems);
}
END_TEST

/* The pointer near a line shows its name and value, and all charts mark its step. */
START_TEST(pointer) {
    browser b = opened("run", TABLE);
    ask(&b, "point #loss canvas 0.99 0.45");
    const int near = ask(&b, "eval " TIP("loss")), others = ask(&b, "eval " TIP("gradient"));
    ask(&b, "point #loss canvas 0.4 0.2");
    const int back = ask(&b, "eval " SAID), named = ask(&b, "eval " TIP("loss")),
              marked = ask(&b, "eval document.querySelector('#loss li.near .name').textContent");
    ask(&b, "point h1");
    const int away = ask(&b, "eval " TIP("loss")), problems = ask(&b, "problems");
    says(&b, near, "\"1  4  (update 40)\"");
    says(&b, others, "false");
    says(&b, back, "\"update 20: loss 5.5, gradient norm 1.5, learning rate 0.002\"");
    says(&b, named, "\"1  6  (update 20)\"");
    says(&b, marked, "\"1\"");
    says(&b, away, "false");
    finish(&b, problems);
}
END_TEST

START_TEST(switches) {
    browser b = opened("run", TABLE);
    const int all = ask(&b, "eval " INK("entropy"));
    ask(&b, "click #entropy li:first-child input");
    ask(&b, "point h1");
    const int one = ask(&b, "eval " INK("entropy")),
              off = ask(&b, "eval document.querySelectorAll('#entropy li.off').length");
    ask(&b, "eval document.querySelectorAll('#entropy button')[1].click()"); /* none */
    const int none = ask(&b, "eval " INK("entropy"));
    ask(&b, "eval document.querySelectorAll('#entropy button')[0].click()"); /* all */
    const int again = ask(&b, "eval " INK("entropy"));
    ask(&b, "eval ((i) => { i.value = 'decoder*cross'; i.dispatchEvent(new Event('input')); "
            "})(document.querySelector('#gradient input[type=search]'))");
    const int filtered = ask(&b, "eval " VALUES("gradient"));
    ask(&b, "eval document.querySelectorAll('#update button')[2].click()");
    const int scale = ask(&b, "eval document.querySelectorAll('#update button')[2].textContent"),
              theme = ask(&b, "eval document.documentElement.dataset.theme");
    ask(&b, "eval document.querySelector('header button').click()");
    const int dark = ask(&b, "eval document.documentElement.dataset.theme"), problems = ask(&b, "problems");
    must_msg(strcmp(b.answer[all], b.answer[one]) && strcmp(b.answer[one], b.answer[none]), "ink: %s, %s, %s",
             b.answer[all], b.answer[one], b.answer[none]);
    says(&b, off, "1");
    says(&b, again, b.answer[all]);
    says(&b, filtered, "[\"decoder.layers.0.cross 0.05\"]");
    says(&b, scale, "\"linear scale\"");
    says(&b, theme, "\"light\"");
    says(&b, dark, "\"dark\"");
    finish(&b, problems);
}
END_TEST

/* A run's folder may have any name; there may be no row yet, or one. */
START_TEST(odd_tables) {
    browser b = opened("</script><script>throw 1</script>", "step,loss\n");
    const int title = ask(&b, "eval document.querySelector('h1').textContent"),
              empty = ask(&b, "eval document.querySelector('.empty').textContent"),
              first = ask(&b, "problems");
    tl_buffer page = {0};
    must(tl_watch_page("one", "step,learning_rate,loss,gradient_norm,gradient.output\n5,1,2,3,4\n", &page));
    ask(&b, "open %s", browser_file(&b, "one.html", page.text));
    tl_buffer_free(&page);
    const int one = ask(&b, "eval " VALUES("gradient")), wide = ask(&b, "size 320 500"),
              fits = ask(&b, "eval document.documentElement.scrollWidth <= 320"),
              problems = ask(&b, "problems");
    says(&b, title, "\"Training from inside: </script><script>throw 1</script>\"");
    says(&b, empty, "\"No update has been watched yet.\"");
    says(&b, first, "[]");
    says(&b, one, "[\"output 4\"]");
    says(&b, wide, "ok");
    says(&b, fits, "true");
    finish(&b, problems);
}
END_TEST

static void add_tests(TCase *tc) {
    if (!browser_program()) return;
    tcase_add_unchecked_fixture(tc, start_browser, end_browser);
    tcase_add_test(tc, numbers);
    tcase_add_test(tc, pointer);
    tcase_add_test(tc, switches);
    tcase_add_test(tc, odd_tables);
}

TL_TEST_MAIN("run: the page of a watched training in a browser")
