/* docs/scaling.md: its tables are what bench/scaling prints for docs/scaling.csv, the formula agrees with the
 * measurements, every number of the prose occurs in a block, and the error messages that it quotes are those of the
 * sources. Nothing is measured here, and no MPI is needed.
 *
 * Kinds of blocks: sh, commands that are run here, in the repository; text, their output; text drawing, drawn by hand;
 * others are only for the reader. If TL_WRITE_DOCS is set, the output of the commands is written into the page. */
#define _XOPEN_SOURCE 700
#include "docs/book.h"

#define PAGE "docs/scaling.md"
#define CSV "docs/scaling.csv"

/* ---- the page ---- */

START_TEST(its_tables_are_printed) {
    const bool write = getenv("TL_WRITE_DOCS") != NULL;
    char *page = get_file(PAGE, NULL), *printed = NULL;
    FILE *anew = write ? fopen(in_folder("page"), "w") : NULL;
    static numbers known;
    const char *copied = page;
    int tables = 0;
    *faults = '\0';
    for (const char *line = page, *next; *line; line = next) {
        next = page_next(line);
        if (strncmp(line, "```", 3)) continue;
        const char *from = next;
        while (*next && strncmp(next, "```", 3)) next = page_next(next);
        char *block = page_copy(from, next);
        next = page_next(next);
        if (!strncmp(line, "```sh\n", 6)) {
            if (strncmp(block, "bench/scaling --", 16) || try(block)) fault("%.60s: %.200s", block, err);
            free(printed), printed = page_copy(out, out + strlen(out));
        } else if (!strncmp(line, "```text\n", 8)) {
            tables++;
            if (!printed)
                fault("a table follows no command: %.60s", block);
            else if (write)
                write_new(anew, copied, from), fputs(printed, anew), copied = from + strlen(block);
            else if (strcmp(block, printed))
                fault("a table has changed:\n%.300s", printed);
            if (printed) collect(&known, printed);
            free(printed), printed = NULL;
        } else
            collect(&known, block);
        free(block);
    }
    if (write) {
        fputs(copied, anew), fclose(anew);
        sh("cp $D/page " PAGE);
    }
    ck_assert_int_ge(tables, 6);
    page_sections sections = page_cut(page);
    for (int i = 0; i < sections.count; i++) {
        if (!strcmp(sections.at[i].heading, "First errors")) continue; /* it quotes messages of MPI */
        char *blocks = page_part(sections.at[i].text, true), *prose = page_unfenced(sections.at[i].text);
        collect(&known, blocks); /* formulas */
        look_for_numbers(prose, &known, sections.at[i].heading);
        free(blocks), free(prose);
    }
    page_forget(&sections), free(page), free(printed);
    no_faults(PAGE);
}
END_TEST

/* ---- the formula ---- */

/* The numbers of a row that bench/scaling prints; they follow MPI, network, ranks, model, sentences and shares, which
 * go to `what`. */
static int numbers_of_row(const char *line, double at[8], char what[96]) {
    char mpi[16], over[16], model[8];
    int ranks, sentences, shares, used = 0, count = 0;
    if (sscanf(line, "%15s %15s %d %7s %d %d%n", mpi, over, &ranks, model, &sentences, &shares, &used) < 6)
        return 0;
    snprintf(what, 96, "%s %s %d %s/%d/%d", mpi, over, ranks, model, sentences, shares);
    for (char *end; count < 8; count++, used = (int)(end - line)) {
        at[count] = strtod(line + used, &end);
        if (end == line + used) break;
    }
    return count;
}

/* Each update of the CSV is predicted within 20 %, and the printed parts of each prediction add up to it. */
START_TEST(the_formula_agrees_with_measurements) {
    sh("bench/scaling --check " CSV);
    char *check = page_copy(out, out + strlen(out));
    sh("bench/scaling --parts " CSV);
    char *parts = page_copy(out, out + strlen(out));
    int rows = 0;
    *faults = '\0';
    const char *part = parts;
    for (const char *line = check; *line; line = page_next(line)) {
        double measured[8], term[8], sum = 0;
        char what[96], same[96];
        if (numbers_of_row(line, measured, what) < 3) continue;
        while (*part && numbers_of_row(part, term, same) != 5) part = page_next(part);
        ck_assert_str_eq(what, same);
        part = page_next(part);
        for (int i = 0; i < 5; i++) sum += term[i];
        if (fabs(measured[2]) > 20)
            fault("%s: %.1f ms, predicted %.1f, %+.0f %% in the median of the rounds", what, measured[0],
                  measured[1], measured[2]);
        if (fabs(sum - measured[1]) > 0.15 + 1e-3 * sum)
            fault("%s: predicted are %.2f ms, but the parts sum to %.2f", what, measured[1], sum);
        rows++;
    }
    free(check), free(parts);
    ck_assert_int_ge(rows, 30);
    no_faults(CSV);
}
END_TEST

/* The extrapolation depends on the measured network: if it is twice as slow, an update takes about twice as long. */
START_TEST(extrapolations_follow_from_the_measurement) {
    double before, after;
    sh("bench/scaling --extrapolate " CSV " | sed -n 's/^ *64 *1000 M *[0-9.]* *\\([0-9.]*\\) s.*/\\1/p'");
    ck_assert_int_eq(sscanf(out, "%lf", &before), 1);
    sh("awk -F, -v OFS=, '/,1gbit,2,no,probe,.*_byte/ { $7 *= 2; $8 *= 2 } { print }' " CSV " > $D/slow.csv; "
       "bench/scaling --extrapolate $D/slow.csv | sed -n 's/^ *64 *1000 M *[0-9.]* *\\([0-9.]*\\) "
       "s.*/\\1/p'");
    ck_assert_int_eq(sscanf(out, "%lf", &after), 1);
    ck_assert_double_gt(after, 1.5 * before);
    ck_assert_double_lt(after, 2.5 * before);
    sh("bench/scaling --extrapolate " CSV " | head -n 6");
    assert_contains(out, "extrapolated, not measured");
}
END_TEST

/* ---- errors ---- */

START_TEST(errors_are_those_of_the_sources) {
    static const char *const said[][2] = {
        {"copies of this program were started together (so says", "src/ranks"},
        {"mpirun is another MPI's", "src/ranks"},
        {"mpirun has started", "src/ranks"},
        {"which was built without MPI, and each would do all of the work", "src/ranks"},
        {"shares of an update's gradients, one each or more, and there", "src/run/ranks.c"},
        {"has the settings", ""},
        {"has data with the fingerprint", ""},
        {"has the build", ""},
        {"data with the fingerprint", "src/run/ranks.c"},
        {"the settings", "src/run/ranks.c"},
        {"the build", "src/run/ranks.c"},
    };
    char *page = get_file(PAGE, NULL), command[512];
    page_sections all = page_cut(page);
    const char *errors = all.at[all.count - 1].text;
    ck_assert_str_eq(all.at[all.count - 1].heading, "First errors");
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        assert_contains(errors, said[i][0]);
        if (!*said[i][1]) continue;
        snprintf(
            command, sizeof command,
            "find %s -name '*.c' -exec cat {} + | sed 's/^ *\"//; s/\"$//' | tr -d '\\n' | grep -cF \"%s\"",
            said[i][1], said[i][0]);
        ck_assert_msg(try(command) == 0, "%s does not say \"%s\"", said[i][1], said[i][0]);
    }
    page_forget(&all), free(page);
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_test(tc, its_tables_are_printed);
    tcase_add_test(tc, the_formula_agrees_with_measurements);
    tcase_add_test(tc, extrapolations_follow_from_the_measurement);
    tcase_add_test(tc, errors_are_those_of_the_sources);
}

TL_TEST_MAIN("docs: scaling.md")
