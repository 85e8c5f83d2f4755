/* attend list: the names of a model's places, all of them or those that match a pattern. */
#include "program.h"

/* clang-format off */
const tl_option list_options[] = {
    SUBJECT_ROWS,
    ROW("match", TEXT, list.match, "PATTERN", "those that match, as 'decoder.*.cross.pattern'; * is any text"),
    COMMON_ROWS,
    TL_OPTIONS_END};
/* clang-format on */

int command_list(settings *s) {
    tl_error error = {""};
    tl_run *run = open_subject(s);
    if (!run) return 1;
    const tl_model *model = tl_run_model(run);
    tl_place_name name;
    long found = 0;
    for (long i = 0; tl_place_at_number(model, i, &name); i++)
        if (!s->list.match || tl_place_matches(name.text, s->list.match)) puts(name.text), found++;
    if (!found)
        tl_error_set(&error, "--match %s: the model has no such place; without --match all are listed",
                     s->list.match ? s->list.match : "");
    const int status = status_of(run, &error);
    tl_run_free(run);
    return status;
}
