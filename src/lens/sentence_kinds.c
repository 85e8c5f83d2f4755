/* What each program makes of a sentence's text, and what its model writes if there is no target. */
#include "sentences.h"

#include "run/lm.h"
#include "run/programs.h"

#include <stdlib.h>
#include <string.h>

/* One sentence while it is read. */
typedef struct reading {
    tl_run *run;
    tl_sentences *all;
    tl_sentence *to;
    tl_sentence_ids *ids;
} reading;

static char *copied(reading *r, const char *text) {
    return tl_sentences_copy(r->run, r->all, text, strlen(text));
}

static bool no_source(reading *r) {
    return tl_error_set(&r->run->error, "there is no sentence to look at: give one (--source)");
}

static bool fits(reading *r, long count, long most, const char *what) {
    return count <= most ||
           tl_error_set(&r->run->error, "the %s has %ld tokens, and the model reads at most %ld: shorten it",
                        what, count, most);
}

/* ---- ids ---- */

/* Ids of a line of tokens, followed by <eos>. */
static int *encoded(reading *r, tl_side side, const char *tokens, long *count) {
    const tl_vocab *vocab = tl_run_vocab(r->run, side);
    const long words = tl_vocab_encode(vocab, tokens, NULL, 0);
    int *ids = tl_sentences_take(r->run, r->all, (size_t)(words + 1) * sizeof *ids);
    if (!ids) return NULL;
    tl_vocab_encode(vocab, tokens, ids, words);
    ids[words] = TL_EOS;
    *count = words + 1;
    return ids;
}

/* in is out shifted by one, after <bos>. */
static bool decoder_reads(reading *r) {
    tl_sentence_ids *ids = r->ids;
    ids->in = tl_sentences_take(r->run, r->all, (size_t)ids->count * sizeof *ids->in);
    if (!ids->in) return false;
    for (long t = 0; t < ids->count; t++) ids->in[t] = t ? ids->out[t - 1] : TL_BOS;
    return true;
}

/* The decoder reads <bos> and then the tokens that it has written. */
static bool name_read(reading *r) {
    tl_tokens *read = &r->to->read;
    const tl_tokens *written = &r->to->written;
    *read = (tl_tokens){.count = written->count, .words = written->words, .id = r->ids->in};
    read->text = tl_sentences_take(r->run, r->all, (size_t)(read->count + 1) * sizeof *read->text);
    read->word = tl_sentences_take(r->run, r->all, (size_t)(read->count + 1) * sizeof *read->word);
    if (!read->text || !read->word) return false;
    for (long t = 0; t < read->count; t++) {
        read->text[t] = t ? written->text[t - 1] : tl_vocab_token(tl_run_vocab(r->run, TL_TARGET), TL_BOS);
        read->word[t] = t ? written->word[t - 1] : -1;
    }
    return true;
}

/* ---- targets of an encoder-decoder ---- */

static bool given_target(reading *r, char *tokens) {
    if (!tokens) return false;
    r->ids->out = encoded(r, TL_TARGET, tokens, &r->ids->count);
    const bool ok =
        r->ids->out && fits(r, r->ids->count - 1, TL_LONGEST_SENTENCE, "target") && decoder_reads(r) &&
        tl_tokens_of_line(r->run, r->all, TL_TARGET, tokens, r->ids->out, r->ids->count, &r->to->written);
    return ok && name_read(r);
}

/* A target from a search's result: its ids, and the line that they make. */
static bool own_target(reading *r, const tl_search_result *found) {
    const tl_vocab *vocab = tl_run_vocab(r->run, TL_TARGET);
    const long words = found->lengths[0];
    const bool ended = words < found->capacity && found->ids[words] == TL_EOS;
    r->to->own = true;
    r->ids->count = words + ended;
    if (r->ids->count < 1)
        return tl_error_set(&r->run->error, "the model writes nothing for this: give a target");
    r->ids->out = tl_sentences_take(r->run, r->all, (size_t)r->ids->count * sizeof(int));
    if (!r->ids->out) return false;
    memcpy(r->ids->out, found->ids, (size_t)r->ids->count * sizeof(int));
    const size_t size = tl_vocab_decode(vocab, found->ids, words, NULL, 0) + 1;
    char *tokens = tl_sentences_take(r->run, r->all, size);
    if (!tokens) return false;
    tl_vocab_decode(vocab, found->ids, words, tokens, size);
    char *line = tl_run_join(r->run, TL_TARGET, tokens);
    r->to->target = line ? copied(r, line) : NULL;
    free(line);
    return r->to->target && decoder_reads(r) &&
           tl_tokens_of_line(r->run, r->all, TL_TARGET, tokens, r->ids->out, r->ids->count,
                             &r->to->written) &&
           name_read(r);
}

/* ---- translate ---- */

static bool translate(reading *r, const char *source, const char *target) {
    tl_run *run = r->run;
    if (!source) return no_source(r);
    char *tokens = tl_run_cut(run, TL_SOURCE, source);
    if (!tokens) return false;
    r->ids->src = encoded(r, TL_SOURCE, tokens, &r->ids->src_count);
    bool ok = r->ids->src && fits(r, r->ids->src_count - 1, TL_LONGEST_SENTENCE, "source") &&
              tl_tokens_of_line(run, r->all, TL_SOURCE, tokens, r->ids->src, r->ids->src_count, &r->to->src);
    free(tokens);
    if (!ok) return false;
    if (target) {
        tokens = tl_run_cut(run, TL_TARGET, target);
        ok = given_target(r, tokens);
        free(tokens);
        return ok;
    }
    tl_search_result found;
    const int length = (int)r->ids->src_count;
    const tl_batch batch = {
        .sentences = 1, .src_len = length, .src = r->ids->src, .src_lengths = &length, .pad = TL_PAD};
    tl_tape_reset(run->tape);
    return tl_run_search(run, &batch, NULL, &found) && own_target(r, &found);
}

/* ---- caption ---- */

/* The scene of a line, or of "#N". */
static tl_corpus *scene_of(tl_run *run, const char *source) {
    char *end;
    if (*source != '#') return tl_caption_scene(run, source);
    const long number = strtol(source + 1, &end, 10);
    if (*end || end == source + 1 || number < 0)
        return tl_error_set(&run->error, "picture %s: say #N, N a number from 0 on", source), NULL;
    return tl_caption_scenes(run, TL_PICTURES_HELD_OUT, number, 1);
}

static bool name_patches(reading *r, const char *scene) {
    const char *texts[TL_PICTURE_PATCHES], *end = scene + strlen(scene);
    long count = 0;
    size_t size;
    for (const char *at = scene;
         count < TL_PICTURE_PATCHES && (at = tl_text_token(at, (size_t)(end - at), &size));
         at += size, count++) {
        texts[count] = tl_sentences_copy(r->run, r->all, at, size);
        if (!texts[count]) return false;
    }
    return tl_tokens_plain(r->run, r->all, texts, count, &r->to->src);
}

static bool picture_of(reading *r, const tl_batch *batch) {
    const tl_tensor from = tl_at(batch->pictures, 0);
    tl_real *data = tl_sentences_take(r->run, r->all, (size_t)tl_numel(from) * sizeof *data);
    if (!data) return false;
    r->ids->picture = tl_tensor_of(data, tl_shape_of(from));
    tl_tensor_copy(r->ids->picture, from);
    return true;
}

static bool caption_scene(reading *r, const tl_corpus *scenes, const char *target) {
    tl_batch batch;
    tl_search_result found;
    const char *scene = tl_corpus_sentence(scenes, TL_SOURCE, 0);
    r->to->source = copied(r, scene);
    tl_tape_reset(r->run->tape);
    if (!r->to->source || !tl_caption_batch(r->run, scenes, 0, 1, &batch) || !picture_of(r, &batch) ||
        !name_patches(r, scene))
        return false;
    if (!target) return tl_caption_search(r->run, &batch, false, &found) && own_target(r, &found);
    return given_target(r, copied(r, target));
}

static bool caption(reading *r, const char *source, const char *target) {
    if (!source) return no_source(r);
    tl_corpus *scenes = scene_of(r->run, source);
    const bool ok = scenes && caption_scene(r, scenes, target);
    tl_corpus_free(scenes);
    return ok;
}

/* ---- classify ---- */

static int most_likely_class(reading *r) {
    const int length = (int)r->ids->src_count;
    const tl_batch batch = {
        .sentences = 1, .src_len = length, .src = r->ids->src, .src_lengths = &length, .pad = TL_PAD};
    tl_model_maps room;
    tl_tape_reset(r->run->tape);
    const bool was = tl_tape_set_grad(r->run->tape, false);
    const tl_tensor logits = tl_value(
        tl_classifier_logits(&r->run->classifier, r->run->tape, &batch, tl_run_acting_maps(r->run, &room)));
    tl_tape_set_grad(r->run->tape, was);
    int best = 0;
    for (int c = 1; logits.data && c < logits.dim[1]; c++)
        if (logits.data[c] > logits.data[best]) best = c;
    return best;
}

static bool name_class(reading *r) {
    const char *name = tl_labels_name(r->run->labels, r->ids->label);
    if (!tl_tokens_plain(r->run, r->all, &name, 1, &r->to->written)) return false;
    r->to->written.id[0] = r->ids->label;
    r->to->target = name;
    return true;
}

/* Puts [CLS], if there is one, before the words. */
static bool put_cls(reading *r) {
    tl_tokens *t = &r->to->src, with;
    const char *cls = "[CLS]";
    if (!r->run->classifier.cls.name) return true;
    const tl_tokens words = *t;
    const char **texts = tl_sentences_take(r->run, r->all, (size_t)(words.count + 1) * sizeof *texts);
    if (!texts) return false;
    texts[0] = cls;
    memcpy(texts + 1, words.text, (size_t)words.count * sizeof *texts);
    if (!tl_tokens_plain(r->run, r->all, texts, words.count + 1, &with)) return false;
    with.word[0] = -1;
    memcpy(with.id + 1, words.id, (size_t)words.count * sizeof *with.id);
    memcpy(with.word + 1, words.word, (size_t)words.count * sizeof *with.word);
    with.words = words.words;
    *t = with;
    return true;
}

static bool classify(reading *r, const char *source, const char *target) {
    tl_run *run = r->run;
    if (!source) return no_source(r);
    char *tokens = tl_run_cut(run, TL_SOURCE, source);
    if (!tokens) return false;
    r->ids->src = encoded(r, TL_SOURCE, tokens, &r->ids->src_count);
    const bool ok =
        r->ids->src && fits(r, r->ids->src_count - 1, TL_LONGEST_SENTENCE, "text") &&
        tl_tokens_of_line(run, r->all, TL_SOURCE, tokens, r->ids->src, r->ids->src_count, &r->to->src) &&
        put_cls(r);
    free(tokens);
    if (!ok) return false;
    r->ids->label = target ? (int)tl_labels_find(run->labels, target) : most_likely_class(r);
    r->to->own = !target;
    if (r->ids->label < 0)
        return tl_error_set(&run->error, "the label \"%s\" is none that the model was trained on", target);
    return !tl_tape_error(run->tape) && name_class(r);
}

/* ---- lm ---- */

/* The window of a text: all tokens but the last are read, all but the first predicted. */
static bool window(reading *r, const tl_lm_text *text) {
    const long count = text->count - 1, most = r->run->settings.lm.context;
    if (count < 1) return tl_error_set(&r->run->error, "the text has nothing to foretell: give more of it");
    if (!fits(r, count, most, "text")) return false;
    r->ids->count = count;
    r->ids->in = tl_sentences_take(r->run, r->all, (size_t)count * sizeof(int));
    r->ids->out = tl_sentences_take(r->run, r->all, (size_t)count * sizeof(int));
    if (!r->ids->in || !r->ids->out) return false;
    memcpy(r->ids->in, text->ids, (size_t)count * sizeof(int));
    memcpy(r->ids->out, text->ids + 1, (size_t)count * sizeof(int));
    return tl_tokens_of_text(r->run, r->all, r->ids->in, count, &r->to->read) &&
           tl_tokens_of_text(r->run, r->all, r->ids->out, count, &r->to->written);
}

static bool lm(reading *r, const char *source, const char *target) {
    tl_lm_text text;
    if (source)
        return tl_error_set(&r->run->error,
                            "a language model reads no source: give the text as target (--target)");
    if (!target) return tl_error_set(&r->run->error, "there is no text to look at: give one (--target)");
    const bool ok =
        tl_lm_encode(r->run, target, strlen(target), &text) &&
        (text.texts < 2 ||
         tl_error_set(&r->run->error, "a text of %ld lines, and each is a text by itself: give one",
                      text.texts)) &&
        window(r, &text);
    tl_lm_text_free(&text);
    return ok;
}

/* ---- any program ---- */

bool tl_sentence_read(tl_run *run, tl_sentences *all, const char *source, const char *target, tl_sentence *to,
                      tl_sentence_ids *ids) {
    static const struct {
        const tl_run_program *program;
        bool (*read)(reading *r, const char *source, const char *target);
    } kinds[] = {{&tl_translate_program, translate},
                 {&tl_caption_program, caption},
                 {&tl_classify_program, classify},
                 {&tl_lm_program, lm}};
    const tl_run_program *program = tl_run_program_of(run->settings.program, &run->error);
    reading r = {run, all, to, ids};
    *to = (tl_sentence){.source = source ? copied(&r, source) : NULL,
                        .target = target ? copied(&r, target) : NULL};
    *ids = (tl_sentence_ids){.label = -1};
    for (size_t i = 0; program && i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].program == program) {
            const bool ok = !tl_failed(&run->error) && kinds[i].read(&r, source, target);
            if (!ok && !tl_failed(&run->error) && tl_tape_error(run->tape))
                tl_error_set(&run->error, "%s", tl_tape_error(run->tape));
            return ok && !tl_failed(&run->error);
        }
    return false;
}
