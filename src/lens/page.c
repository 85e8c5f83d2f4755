/* The page of a look, as JSON for src/lens/page/attention.js: its attentions, where it all came from, and what
 * page_sentence.c writes of each sentence.
 *
 * A smaller page has fewer quantities (`store`) or fewer sentences, never fewer digits. */
#include "page_writing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

extern const char tl_page_attention[];

/* ---- what all sentences share ---- */

static const char *side_of(const tl_sentence *s, const tl_tokens *tokens) {
    return tokens == &s->src ? "src" : tokens == &s->read ? "read" : "written";
}

static void add_head(tl_page_writing *w, const tl_seen_attention *a, const double *importance) {
    static const char *const kinds[] = {"encoder self", "decoder self", "cross"};
    const tl_sentence *any = w->sentences->sentence;
    tl_buffer *b = &w->data;
    tl_buffer_format(b, "{\"name\":\"%s\",\"kind\":\"%s\",\"layer\":%d,\"heads\":%ld", a->name,
                     strcmp(a->name, "pooling") ? kinds[a->kind] : "pooling", a->layer, a->heads);
    tl_buffer_format(b, ",\"rows\":\"%s\",\"columns\":\"%s\"", side_of(any, tl_seen_rows(a, any)),
                     side_of(any, tl_seen_columns(a, any)));
    for (long h = 0; importance && h < a->heads; h++) {
        tl_buffer_text(b, h ? "," : ",\"importance\":[");
        tl_page_number(b, importance[h]);
    }
    tl_buffer_text(b, importance ? "]}" : "}");
}

static void add_attentions(tl_page_writing *w) {
    const double *importance = w->options->importance;
    tl_buffer_text(&w->data, ",\"attentions\":[");
    for (int i = 0; i < w->seen->count; i++) {
        tl_buffer_text(&w->data, i ? ",\n" : "\n");
        add_head(w, &w->seen->attention[i], importance);
        if (importance) importance += w->seen->attention[i].heads;
    }
    tl_buffer_text(&w->data, "]");
}

/* ,"name":["A","S"] */
static void add_quantities(tl_buffer *b, const char *name, unsigned set) {
    const char *between = "";
    tl_buffer_format(b, ",\"%s\":[", name);
    for (int q = 0; q < TL_QUANTITIES; q++) {
        if (!TL_HAS(set, q)) continue;
        tl_buffer_format(b, "%s\"%s\"", between, tl_quantity_name((tl_quantity)q));
        between = ",";
    }
    tl_buffer_text(b, "]");
}

static void add_text(tl_buffer *b, const char *name, const char *text) {
    tl_buffer_format(b, ",\"%s\":", name);
    tl_page_string(b, text);
}

static const char *today(char to[16]) {
    const time_t now = time(NULL);
    const struct tm *day = gmtime(&now); /* NULL if the year does not fit an int */
    return day && strftime(to, 16, "%Y-%m-%d", day) ? to : NULL;
}

static void add_provenance(tl_page_writing *w) {
    const tl_page_options *o = w->options;
    char text[1024], digits[17];
    tl_buffer *b = &w->data;
    add_text(b, "objective", tl_objective_text(&w->seen->objective, w->sentences, text, sizeof text));
    tl_buffer_text(b, ",\"value\":");
    tl_page_number(b, w->seen->value);
    const char *program = tl_run_program_name(w->run), *folder = tl_run_dir(w->run);
    snprintf(text, sizeof text, "%s: %s", program ? program : "", folder ? folder : "");
    if (w->seen->objective.kind >= TL_OF_LOG_P)
        tl_buffer_format(b, ",\"asked\":{\"sentence\":%ld,\"position\":%ld}", w->seen->objective.sentence,
                         w->seen->objective.position);
    add_text(b, "model", o->model ? o->model : program ? text : NULL);
    add_text(b, "command", o->command);
    const tl_params *params = tl_run_params(w->run);
    add_text(b, "fingerprint",
             o->fingerprint ? o->fingerprint
             : params       ? tl_page_fingerprint(params, digits)
                            : NULL);
    add_text(b, "date", o->date ? o->date : today(text));
    add_text(b, "importance_text", o->importance_text);
}

static const char *title_of(const tl_page_writing *w) {
    const tl_sentence *first = w->sentences->sentence;
    return w->options->title ? w->options->title : first->source ? first->source : first->target;
}

/* Writes all data, and stops once they are longer than `most`. False then, with the number of sentences that fit in
 * *fitted. */
static bool write_data(tl_page_writing *w, size_t most, long *fitted) {
    tl_buffer *b = &w->data;
    char library[160];
    tl_buffer_free(b);
    snprintf(library, sizeof library, "Tapeloom (%s)", tl_build_text());
    tl_buffer_text(b, "{\"format\":1");
    add_text(b, "library", library);
    add_text(b, "title", title_of(w));
    add_provenance(w);
    add_quantities(b, "stored", w->store);
    add_quantities(b, "left_out", w->left_out);
    tl_buffer_format(b, ",\"sentences_left_out\":%ld", w->sentences->count - w->count);
    add_attentions(w);
    tl_buffer_text(b, ",\"sentences\":[");
    for (*fitted = 0; *fitted < w->count; ++*fitted) {
        tl_page_sentence(w, *fitted);
        if (b->size + 8 > most || b->failed) return false;
    }
    return tl_buffer_text(b, "\n]}") && b->size <= most;
}

/* ---- what fits ---- */

/* What must be stored to show what was asked for: gradients are all computed from dA-raw. */
static unsigned stored_of(unsigned asked, const tl_seen *seen) {
    const unsigned grads = 1u << TL_SEE_DA_RAW | 1u << TL_SEE_DA | 1u << TL_SEE_DS | 1u << TL_SEE_ADA;
    unsigned set = 1u << TL_SEE_A, there = 0;
    if (!asked) asked = ~0u;
    if (asked & grads) set |= 1u << TL_SEE_DA_RAW;
    set |= asked & (1u << TL_SEE_S | 1u << TL_SEE_HEAD_NORM | 1u << TL_SEE_NORM);
    for (int i = 0; i < seen->count; i++)
        for (int q = 0; q < TL_QUANTITIES; q++)
            if (tl_page_tensor(&seen->attention[i], (tl_quantity)q).data) there |= 1u << q;
    return set & there;
}

static void leave_out(tl_page_writing *w, tl_quantity q) {
    w->left_out |= w->store & 1u << q;
    w->store &= ~(1u << q);
}

/* Leaves out sentences, the last ones first, until the data fit. False if not even one fits. */
static bool fit_sentences(tl_page_writing *w, size_t most) {
    long fitted = w->sentences->count;
    do {
        w->count = fitted;
        if (write_data(w, most, &fitted)) return true;
    } while (fitted > 0 && !w->data.failed);
    return false;
}

/* Leaves things out until the data fit. Gradients go last, since they are the purpose of the page: fewer sentences
 * with gradients are better than more without. False if the data never fit. */
static bool fit_data(tl_page_writing *w, size_t most) {
    static const tl_quantity spare[] = {TL_SEE_HEAD_NORM, TL_SEE_NORM, TL_SEE_S};
    long fitted;
    for (size_t i = 0; i < sizeof spare / sizeof *spare; i++) {
        if (write_data(w, most, &fitted)) return true;
        if (w->data.failed) return false;
        leave_out(w, spare[i]);
    }
    if (fit_sentences(w, most)) return true;
    if (w->data.failed) return false;
    leave_out(w, TL_SEE_DA_RAW);
    return fit_sentences(w, most);
}

/* ---- the whole ---- */

/* Keeps the reason in the run, if there is one; returns NULL. */
static char *failed(tl_run *run, const char *why) {
    if (run) tl_error_set(&run->error, "page: %s", why);
    return NULL;
}

static char *page_of(tl_page_writing *w, size_t *size) {
    tl_buffer page = {0};
    const char *title = title_of(w);
    const size_t most = w->options->most_bytes ? w->options->most_bytes : 10000000;
    const size_t frame = strlen(tl_page_attention) + 4 * strlen(title ? title : "");
    const bool fits = most > frame && fit_data(w, most - frame);
    const bool failing = w->data.failed || (fits && !tl_page_fill(&page, tl_page_attention, title, &w->data));
    tl_buffer_free(&w->data);
    if (fits && !failing) return *size = page.size, page.text;
    tl_buffer_free(&page);
    return failed(w->run, failing ? "out of memory"
                                  : "the weights of one sentence take more bytes than it may have: give a "
                                    "shorter sentence, or allow more");
}

/* -log p of every token that the model writes; NULL: it writes none. */
static double *losses_of(tl_run *run, const tl_batch *batch) {
    const tl_model *model = tl_run_model(run);
    if (!model || !model->kind->begin || !batch->tgt_in || !batch->tgt_out) return NULL;
    double *log_p = malloc((size_t)(batch->sentences * batch->tgt_len + 1) * sizeof *log_p);
    tl_model_maps maps;
    const tl_model_maps *acting = tl_run_acting_maps(run, &maps);
    if (log_p && tl_log_p(model, tl_run_tape(run), batch, acting, log_p)) return log_p;
    free(log_p);
    return NULL;
}

char *tl_page_text(tl_run *run, tl_sentences *sentences, const tl_seen *seen, const tl_page_options *options,
                   size_t *size) {
    static const tl_page_options none;
    tl_page_writing w = {
        .run = run, .sentences = sentences, .seen = seen, .options = options ? options : &none};
    if (!sentences || sentences->count < 1 || !seen || seen->count < 1 ||
        seen->batch.sentences < sentences->count || !size)
        return failed(run, "give sentences, what was seen of them, and room for the page's size");
    if (run && tl_run_error(run)) return NULL;
    w.store = stored_of(w.options->quantities, seen);
    w.count = sentences->count;
    double *log_p = losses_of(run, &seen->batch);
    w.log_p = log_p;
    char *page = run && tl_run_error(run) ? NULL : page_of(&w, size);
    free(log_p);
    return page;
}

static uint64_t mixed(uint64_t hash, const unsigned char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) hash = (hash ^ bytes[i]) * 1099511628211u; /* FNV-1a */
    return hash;
}

char *tl_page_fingerprint(const tl_params *params, char to[17]) {
    uint64_t hash = 14695981039346656037u;
    if (!to) return NULL;
    for (int i = 0; i < tl_params_count(params); i++) {
        const tl_param *p = tl_params_at(params, i);
        const tl_tensor value = tl_param_value(p);
        hash = mixed(hash, (const unsigned char *)p->leaf.name, strlen(p->leaf.name));
        for (long k = 0; k < tl_numel(value); k++) {
            const float number = (float)value.data[k];
            uint32_t bits;
            memcpy(&bits, &number, sizeof bits);
            const unsigned char bytes[4] = {(unsigned char)bits, (unsigned char)(bits >> 8),
                                            (unsigned char)(bits >> 16), (unsigned char)(bits >> 24)};
            hash = mixed(hash, bytes, 4);
        }
    }
    for (int i = 0; i < 16; i++) to[i] = "0123456789abcdef"[hash >> (60 - 4 * i) & 15];
    return to[16] = 0, to;
}
