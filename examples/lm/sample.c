/* lm sample: texts on standard output, each piece as soon as it is final. */
#define _POSIX_C_SOURCE 200809L /* isatty */
#include "program.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Writes to a terminal what cannot harm it, to a file the exact bytes. False if writing fails or Ctrl-C was pressed. */
static bool put(void *to, const char *piece, size_t size) {
    (void)to;
    if (isatty(STDOUT_FILENO)) {
        char *text = malloc(size + 1);
        if (!text) return false;
        memcpy(text, piece, size);
        text[size] = 0;
        for (char *line = text, *end; line; line = end) { /* line ends stay as they are */
            end = strchr(line, '\n');
            if (end) *end++ = 0;
            tl_put_text(line, stdout);
            if (end) putchar('\n');
        }
        free(text);
    } else {
        fwrite(piece, 1, size, stdout);
    }
    return fflush(stdout) == 0 && !interrupted_by();
}

bool write_samples(const settings *s, tl_run *run) {
    const bool lines = tl_run_settings_of(run)->lm.lines;
    const long samples = s->samples ? s->samples : 1;
    bool ok = true;
    catch_signals();
    for (long i = 0; ok && i < samples && !interrupted_by(); i++) {
        if (i && !lines) printf("\n---\n");
        ok = tl_lm_write(run, &(tl_lm_write_options){.prompt = s->prompt,
                                                     .tokens = s->tokens,
                                                     .greedy = s->greedy,
                                                     .temperature = s->temperature,
                                                     .top_k = s->top_k,
                                                     .top_p = s->top_p,
                                                     .seed = s->seed,
                                                     .number = i,
                                                     .tell = put});
        printf("\n");
    }
    return ok;
}

int command_sample(settings *s) {
    const tl_error none = {""};
    listener l;
    tl_run *run = open_run(s);
    if (!run) return 1;
    listen_to(&l, s, run);
    write_samples(s, run);
    const int status = status_of(run, &none);
    tl_run_free(run);
    return status ? status : interrupted_by() ? 128 + interrupted_by() : 0;
}
