/* The language model's command line, besides what programs share (examples/program). */
#ifndef LM_PROGRAM_H
#define LM_PROGRAM_H

#include "../program/program.h"

struct settings {
    common common;
    const char *prompt, *text;
    long tokens, samples, top_k, seed;
    double temperature, top_p;
    bool greedy;
    const char *weights, *tokenizer, *layout; /* for import and export */
    long heads;
    bool gelu_erf;
};

extern const tl_option train_options[], sample_options[], evaluate_options[], info_options[],
    import_options[], export_options[], demo_options[];

int command_sample(settings *s);
int command_evaluate(settings *s);
int command_info(settings *s);
int command_import(settings *s); /* gpt2.c, as export */
int command_export(settings *s);
int command_demo(settings *s);

/* Writes texts as the settings say to standard output, piece by piece. */
bool write_samples(const settings *s, tl_run *run);

#endif
