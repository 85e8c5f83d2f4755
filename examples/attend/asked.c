/* Words and ranges of the command line, converted to the library's counting from 0. */
#include "asked.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int id_of(tl_sentences *sentences, const char *token, long ids) {
    for (int id = 0; id < ids; id++) {
        const char *text = sentences->token(sentences, id);
        if (text && !strcmp(text, token)) return id;
    }
    return -1;
}

static bool read_token(tl_sentences *sentences, const char *option, const char *token, int *id,
                       tl_error *error) {
    *id = -1;
    if (!token) return true;
    *id = id_of(sentences, token, tl_run_model(sentences->run)->tgt_vocab);
    return *id >= 0 || tl_error_set(error, "--%s %s: the model writes no such token", option, token);
}

bool read_asked(const asked *asked, tl_sentences *sentences, tl_objective *o, tl_error *error) {
    const char *of = asked->of ? asked->of : "nll";
    const tl_sentence *s = &sentences->sentence[0];
    *o = (tl_objective){.kind = !strcmp(of, "loss")    ? TL_OF_LOSS
                                : !strcmp(of, "nll")   ? TL_OF_NLL
                                : !strcmp(of, "log-p") ? TL_OF_LOG_P
                                                       : TL_OF_LOGIT,
                        .position = asked->word ? asked->word - 1 : 0,
                        .token = -1,
                        .other = -1};
    if (o->kind == TL_OF_LOSS || o->kind == TL_OF_NLL) {
        if (asked->word || asked->token || asked->other)
            return tl_error_set(
                error, "--word, --token and --other are of one word: say --of log-p or --of logit, too");
        return true;
    }
    if (o->position >= s->written.count)
        return tl_error_set(error, "--word %ld: the target has %ld: give 1 … %ld", asked->word,
                            s->written.count, s->written.count);
    return read_token(sentences, "token", asked->token, &o->token, error) &&
           read_token(sentences, "other", asked->other, &o->other, error);
}

bool read_range(const char *option, const char *text, long first, tl_range *range, tl_error *error) {
    char *end = NULL;
    *range = (tl_range){0, 0};
    if (!text) return true;
    const long from = strtol(text, &end, 10), to = *end == '-' ? strtol(end + 1, &end, 10) : from;
    if (end == text || *end || from < first || to < from || to > 1000000 || strpbrk(text, "+ \t"))
        return tl_error_set(error, "--%s %s: should be one number from %ld on, or two as in %ld-%ld", option,
                            text, first, first, first + 2);
    *range = (tl_range){from - first, to - first + 1};
    return true;
}
