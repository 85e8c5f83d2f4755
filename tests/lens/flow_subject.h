/* For every kind of model: one word of a sentence in the middle of a batch; and the model with changed inputs. */
#ifndef TL_TESTS_FLOW_SUBJECT_H
#define TL_TESTS_FLOW_SUBJECT_H

#include "lens/every_model.h"

enum { ASKED = 1, BATCH = 3, WORD = 2 };
static const sentence asked_between[BATCH] = {{2, 7, 5}, {0, 4, 4}, {1, 3, 6}};

/* The objective: a logit of the middle sentence. */
static inline tl_objective flow_begin(subject *s, int which) {
    subject_begin(s, which, asked_between, BATCH);
    return (tl_objective){.kind = TL_OF_LOGIT,
                          .sentence = ASKED,
                          .position = s->batch.tgt_in ? WORD : 0,
                          .token = 1,
                          .other = -1};
}

static inline bool has_cls(const subject *s) { return !s->batch.tgt_in && s->classifier.model.cls.name; }
/* How many inputs the sentence has on a side. */
static inline long inputs_of(const subject *s, tl_stream_side side) {
    if (!s->model->depths[side]) return 0;
    return side == TL_DECODER ? s->batch.tgt_lengths[ASKED] : s->batch.src_lengths[ASKED] + has_cls(s);
}

/* The sentence alone, without padding. */
static inline tl_batch by_itself(const subject *s) {
    tl_batch b = s->batch;
    b.sentences = 1;
    b.src += ASKED * b.src_len, b.src_lengths += ASKED;
    b.src_len = b.src_lengths[0];
    if (b.tgt_in) {
        b.tgt_in += ASKED * b.tgt_len, b.tgt_out += ASKED * b.tgt_len, b.tgt_lengths += ASKED;
        b.tgt_len = b.tgt_lengths[0];
    } else {
        b.labels += ASKED;
    }
    return b;
}

/* A change: adds a multiple of a part to the value of one position of the sentence (-1: of all). */
typedef struct change {
    long place;
    double times;
    const double *part; /* [places,D], for the sentence's positions; NULL: the value itself */
    long places;        /* rows of part */
} change;
static inline tl_var changed(tl_var x, const tl_place_at *at, void *context) {
    (void)at;
    const change *c = context;
    const tl_var y = tl_constant_copy(x.tape, tl_value(x));
    if (!tl_ok(y)) return y;
    const tl_tensor to = tl_at(tl_value(y), ASKED);
    for (long t = 0; t < to.dim[0] && (!c->part || t < c->places); t++)
        for (long d = 0; d < to.dim[1] && (c->place < 0 || t == c->place); d++) {
            tl_real *e = &to.data[t * to.stride[0] + d * to.stride[1]];
            *e += (tl_real)(c->times * (c->part ? c->part[t * to.dim[1] + d] : (double)*e));
        }
    return y;
}

/* The objective's value while places act. */
static inline double value_with(const subject *s, const tl_objective *objective, const tl_places *places) {
    tl_model_maps maps;
    tl_tape_reset(s->tape);
    must_msg(tl_places_maps(places, s->tape, &maps), "%s", tl_tape_error(s->tape));
    const tl_var y = tl_objective_var(s->model, s->tape, &s->batch, &maps, objective);
    must_msg(tl_ok(y), "%s", tl_tape_error(s->tape));
    return tl_item(tl_value(y));
}

static const char *const input_place[] = {"encoder.embedding", "decoder.embedding"};

#endif
