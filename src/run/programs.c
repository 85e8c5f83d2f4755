/* The table of programs, and calls of the program that settings name. */
#include "programs.h"

#include <string.h>

static const tl_run_program *const programs[] = {&tl_translate_program, &tl_lm_program, &tl_caption_program,
                                                 &tl_classify_program};
enum { PROGRAMS = sizeof programs / sizeof *programs };

const tl_run_program *tl_run_program_of(const char *name, tl_error *error) {
    if (!name) return programs[0];
    for (int i = 0; i < PROGRAMS; i++)
        if (!strcmp(name, programs[i]->name)) return programs[i];
    tl_error_set(error, "there is no program \"%s\" that makes runs: is the run from a newer Tapeloom?",
                 name);
    return NULL;
}

tl_run_settings tl_run_settings_of_program(const char *name) {
    const tl_run_program *program = tl_run_program_of(name, NULL);
    tl_run_settings settings = (program ? program : programs[0])->usual();
    settings.program = name;
    return settings;
}

tl_run_settings tl_run_settings_default(void) { return tl_run_settings_of_program(NULL); }

const tl_option *tl_run_options_of(const char *name) {
    const tl_run_program *program = tl_run_program_of(name, NULL);
    return program ? program->options : NULL;
}

bool tl_run_settings_complete(tl_run_settings *settings, tl_error *error) {
    if (!settings) return tl_error_set(error, "there are no settings: give those of tl_run_settings_default");
    const tl_run_program *program = tl_run_program_of(settings->program, error);
    return program && program->complete(settings, error);
}

const char *tl_run_program_name(const tl_run *run) {
    const tl_run_program *program = run ? tl_run_program_of(run->settings.program, NULL) : NULL;
    return program ? program->name : NULL;
}

const char *tl_run_score_label(const tl_run *run) {
    const tl_run_program *program = run ? tl_run_program_of(run->settings.program, NULL) : NULL;
    return program ? program->score_label : NULL;
}
