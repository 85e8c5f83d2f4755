/* For tests of recurrent layers: a layer whose inputs are parameters too, so that their gradients can be checked with
 * the others. */
#ifndef TL_TESTS_NN_RECURRENT_H
#define TL_TESTS_NN_RECURRENT_H

#include "models/model.h"

typedef struct subject {
    tl_params *params;
    tl_recurrent_layer layer;
    tl_param *x, *h, *c; /* [B,T,in], [layers·directions,B,hidden]; c only for an LSTM */
    const int *lengths;
} subject;

static inline subject subject_begin(const tl_recurrent_config *config, long sentences, long steps,
                                    const int *lengths) {
    subject s = {.params = tl_params_new(21), .lengths = lengths};
    const tl_init normal = {TL_INIT_NORMAL, 1};
    s.layer = tl_recurrent_init(s.params, "rnn", config);
    assert_no_error(tl_params_error(s.params));
    const tl_shape state = TL_SHAPE(s.layer.layers * s.layer.directions, sentences, s.layer.hidden);
    s.x = tl_params_add(s.params, "x", TL_SHAPE(sentences, steps, config->in), normal);
    s.h = tl_params_add(s.params, "h", state, normal);
    if (config->kind == TL_LSTM) s.c = tl_params_add(s.params, "c", state, normal);
    return s;
}
static inline void subject_end(subject *s) { tl_params_free(s->params); }

static inline tl_recurrent_state subject_state(const subject *s, tl_tape *tape) {
    return (tl_recurrent_state){tl_use(tape, s->h), s->c ? tl_use(tape, s->c) : TL_NO_VAR};
}

/* All outputs of a layer in one row: results, then last states. */
static inline tl_var subject_run(const subject *s, tl_tape *tape) {
    tl_recurrent_state state = subject_state(s, tape);
    tl_var y[3] = {tl_recurrent_forward(&s->layer, tl_use(tape, s->x), s->lengths, &state, &state), state.h,
                   state.c};
    const int parts = s->c ? 3 : 2;
    for (int i = 0; i < parts; i++) y[i] = tl_reshape(y[i], TL_SHAPE(-1));
    return tl_concat(y, parts, 0);
}

#endif
