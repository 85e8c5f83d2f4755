/* The way of a stream to the logits, read from the models' own structs. Only this file knows the names of norms and
 * projections in a Transformer, a GPT and a classifier. A model's struct begins with its tl_model. */
#include "logits_path.h"

#include "tapeloom/op.h"

#include <math.h>
#include <string.h>

/* ---- stations, in the stream's order ---- */

static void put(tl_logit_path *p, tl_station station) { p->station[p->stations++] = station; }

static void put_embedding(tl_logit_path *p) { put(p, (tl_station){.kind = TL_AT_EMBEDDING, .layer = -1}); }

static void put_attention(tl_logit_path *p, int layer, tl_attention_kind of,
                          const tl_attention_layer *attention) {
    put(p, (tl_station){.kind = TL_AT_ATTENTION, .layer = layer, .of = of, .attention = attention});
}

static void put_feed_forward(tl_logit_path *p, int layer, const tl_ffn_layer *f) {
    put(p, (tl_station){.kind = TL_AT_FEED_FORWARD, .layer = layer, .feed_forward = f});
}

static void put_norm(tl_logit_path *p, int layer, const char *name, const tl_layer_norm_layer *norm) {
    put(p, (tl_station){.kind = TL_AT_NORM, .layer = layer, .norm = norm, .norm_name = name});
}

/* A norm inside a layer is on the way only if it follows the addition. */
static void put_own_norm(tl_logit_path *p, int layer, const char *name, const tl_layer_norm_layer *norm) {
    if (p->normalised) put_norm(p, layer, name, norm);
}

static void put_final(tl_logit_path *p, const char *name, const tl_layer_norm_layer *norm) {
    p->final = norm;
    put_norm(p, -1, name, norm);
}

/* Memory for the embedding, six stations a layer, and the final norm. */
static bool make_room(tl_logit_path *p, tl_tape *tape, int layers) {
    p->layers = layers;
    p->station = tl_tape_memory(tape, (size_t)(6 * layers + 2) * sizeof *p->station);
    return p->station != NULL;
}

/* ---- the models ---- */

static bool of_transformer(tl_logit_path *p, tl_tape *tape) {
    const tl_transformer *m = (const tl_transformer *)p->model;
    const tl_decoder *d = &m->decoder;
    if (!make_room(p, tape, d->layers)) return false;
    p->side = TL_DECODER;
    p->normalised = !m->config.pre_norm;
    p->d_model = m->config.d_model;
    p->weight = m->output_weight, p->bias = m->output_bias;
    p->embedding = &m->tgt_embedding;
    p->scale = sqrt((double)p->d_model);
    put_embedding(p);
    for (int l = 0; l < d->layers; l++) {
        const tl_decoder_layer *layer = &d->layer[l];
        put_attention(p, l, TL_DECODER_SELF, &layer->self_attn);
        put_own_norm(p, l, "norm1", &layer->norm1);
        put_attention(p, l, TL_CROSS, &layer->multihead_attn);
        put_own_norm(p, l, "norm2", &layer->norm2);
        put_feed_forward(p, l, &layer->feed_forward);
        put_own_norm(p, l, "norm3", &layer->norm3);
    }
    if (d->has_norm) put_final(p, "norm", &d->norm);
    return true;
}

static bool of_gpt(tl_logit_path *p, tl_tape *tape) {
    const tl_gpt *m = (const tl_gpt *)p->model;
    if (!make_room(p, tape, m->config.layers)) return false;
    p->side = TL_DECODER;
    p->d_model = m->config.d_model;
    p->weight = m->output_weight;
    p->embedding = &m->wte;
    p->scale = 1;
    put_embedding(p);
    for (int l = 0; l < m->config.layers; l++) {
        put_attention(p, l, TL_DECODER_SELF, &m->h[l].attn);
        if (m->h[l].mlp.name) put_feed_forward(p, l, &m->h[l].mlp);
    }
    put_final(p, "ln_f", &m->ln_f);
    return true;
}

static bool of_classifier(tl_logit_path *p, tl_tape *tape) {
    const tl_classifier *m = (const tl_classifier *)p->model;
    const tl_encoder *e = &m->encoder;
    if (!m->config.classes) {
        tl_tape_fail(tape, "logits: this classifier was made without classes, for masked tokens alone");
        return false;
    }
    if (!make_room(p, tape, e->layers)) return false;
    p->side = TL_ENCODER;
    p->from = m->cls.name ? TL_READS_CLS : TL_READS_MEAN;
    p->normalised = !m->config.pre_norm;
    p->d_model = m->config.d_model;
    p->weight = m->head.weight, p->bias = m->head.bias;
    p->embedding = &m->embedding, p->cls = m->cls.name ? &m->cls : NULL;
    p->scale = sqrt((double)p->d_model);
    p->pooling = m->cls.name ? NULL : &m->pooling;
    put_embedding(p);
    for (int l = 0; l < e->layers; l++) {
        const tl_encoder_layer *layer = &e->layer[l];
        put_attention(p, l, TL_ENCODER_SELF, &layer->self_attn);
        put_own_norm(p, l, "norm1", &layer->norm1);
        put_feed_forward(p, l, &layer->feed_forward);
        put_own_norm(p, l, "norm2", &layer->norm2);
    }
    if (e->has_norm) put_final(p, "norm", &e->norm);
    return true;
}

bool tl_logit_path_of(const tl_model *model, tl_tape *tape, tl_logit_path *path) {
    static const struct {
        const char *kind;
        bool (*path)(tl_logit_path *, tl_tape *);
    } known[] = {{"transformer", of_transformer},
                 {"captioner", of_transformer},
                 {"gpt", of_gpt},
                 {"transformer-classifier", of_classifier}};
    if (!model || !model->kind) return tl_tape_fail(tape, "logits: there is no model"), false;
    *path = (tl_logit_path){.model = model};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(model->kind->name, known[i].kind)) return known[i].path(path, tape);
    tl_tape_fail(
        tape,
        "logits: a model of the kind %s has no stream that its layers add to and its projection reads: "
        "take a Transformer",
        model->kind->name);
    return false;
}
