/* attend list: the names of all places of a model. */
#include "program.h"

/* clang-format off */
const tl_option list_options[] = {
    SUBJECT_ROWS,
    COMMON_ROWS,
    TL_OPTIONS_END};
/* clang-format on */

int command_list(settings *s) {
    tl_error error = {""};
    tl_run *run = open_subject(s);
    if (!run) return 1;
    const tl_model *model = tl_run_model(run);
    tl_place_name name;
    for (long i = 0; tl_place_at_number(model, i, &name); i++) puts(name.text);
    const int status = status_of(run, &error);
    tl_run_free(run);
    return status;
}
