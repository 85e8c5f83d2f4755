/* GPT-2's files are Hugging Face's, with matrices [in,out], and nanoGPT's, with matrices [out,in], as everywhere here.
 * For either, names may or may not begin with "transformer.", and a tied output may be stored under one name, the
 * other, or both. A table lists the parts of a GPT-2. A transposed matrix is a transposed view of its parameter. */
#include "gpt_parts.h"
#include "complain.h"
#include "fitting.h"
#include "safetensors.h"

#include "tapeloom/models.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the parts of a GPT-2 ---- */

typedef enum size { NONE, VOCAB, PLACES, WIDTH, WIDTH_3, INNER, SIZES } size;
typedef struct part {
    const char *name;
    size rows, columns; /* columns NONE: a vector */
} part;

static const part ends[] = {{"wte.weight", VOCAB, WIDTH},
                            {"wpe.weight", PLACES, WIDTH},
                            {"ln_f.weight", WIDTH, NONE},
                            {"ln_f.bias", WIDTH, NONE}};
static const part layer[] = {{"ln_1.weight", WIDTH, NONE},           {"ln_1.bias", WIDTH, NONE},
                             {"attn.c_attn.weight", WIDTH_3, WIDTH}, {"attn.c_attn.bias", WIDTH_3, NONE},
                             {"attn.c_proj.weight", WIDTH, WIDTH},   {"attn.c_proj.bias", WIDTH, NONE},
                             {"ln_2.weight", WIDTH, NONE},           {"ln_2.bias", WIDTH, NONE},
                             {"mlp.c_fc.weight", INNER, WIDTH},      {"mlp.c_fc.bias", INNER, NONE},
                             {"mlp.c_proj.weight", WIDTH, INNER},    {"mlp.c_proj.bias", WIDTH, NONE}};
static const part head = {TL_GPT_HEAD, VOCAB, WIDTH};
enum { ENDS = sizeof ends / sizeof *ends, PARTS = sizeof layer / sizeof *layer };

static tl_shape shape_of(const tl_gpt_config *c, const part *p) {
    const long sizes[SIZES] = {[VOCAB] = c->vocab,
                               [PLACES] = c->max_len,
                               [WIDTH] = c->d_model,
                               [WIDTH_3] = 3 * c->d_model,
                               [INNER] = c->d_ff};
    return p->columns == NONE ? TL_SHAPE(sizes[p->rows]) : TL_SHAPE(sizes[p->rows], sizes[p->columns]);
}

/* ---- how a file stores them ---- */

char *tl_gpt_name(const tl_gpt_found *found, const char *part, char name[TL_GPT_NAME]) {
    snprintf(name, TL_GPT_NAME, "%s%s", strcmp(part, TL_GPT_HEAD) == 0 ? "" : found->stem, part);
    return name;
}

const tl_safetensors_entry *tl_gpt_find(const tl_safetensors *file, const tl_gpt_found *found,
                                        const char *part) {
    char name[TL_GPT_NAME];
    return tl_safetensors_find(file, tl_gpt_name(found, part, name));
}

static bool is_three_times(long a, long b) { return a % 3 == 0 && a / 3 == b; }

/* The layout of c_attn, which has three times as many outputs as inputs. */
static bool read_layout(const tl_safetensors_entry *e, const char *shown, bool *in_out, tl_error *error) {
    char name[TL_SHOWN], shape[TL_SHAPE_TEXT];
    if (e->rank == 2 && e->dim[0] > 0 && e->dim[1] > 0) {
        *in_out = is_three_times(e->dim[1], e->dim[0]);
        if (*in_out || is_three_times(e->dim[0], e->dim[1])) return true;
    }
    return tl_error_set(error,
                        "%s: tensor \"%s\" has shape %s, expected [D,3D] (Hugging Face's layout) or [3D,D] "
                        "(nanoGPT's); this is no GPT-2's file",
                        shown, tl_shown(e->name, strlen(e->name), 80, name),
                        tl_safetensors_shape_text(e, shape));
}

static bool fail_mixed(const tl_safetensors_entry *e, const char *shown, bool in_out, tl_error *error) {
    static const char *const ways[] = {"[out,in], as in nanoGPT's layout", "[in,out], as in Hugging Face's"};
    char name[TL_SHOWN];
    return tl_error_set(error,
                        "%s: tensor \"%s\" lies %s, but that of layer 0 %s; write the file anew, with all "
                        "layers in one layout",
                        shown, tl_shown(e->name, strlen(e->name), 80, name), ways[in_out], ways[!in_out]);
}

static const tl_safetensors_entry *find_c_attn(const tl_safetensors *file, const tl_gpt_found *found, int l) {
    char part[TL_GPT_NAME - sizeof TL_GPT_STEM];
    snprintf(part, sizeof part, "h.%d.attn.c_attn.weight", l);
    return tl_gpt_find(file, found, part);
}

bool tl_gpt_look(tl_safetensors *file, tl_gpt_found *found, tl_error *error) {
    char shown[TL_SHOWN];
    const tl_safetensors_entry *e;
    tl_shown_path(tl_safetensors_path(file), shown);
    tl_safetensors_shorten_names(file, tl_file_wrapping(file));
    *found = (tl_gpt_found){.stem = ""};
    for (long i = 0; i < tl_safetensors_count(file); i++)
        if (strncmp(tl_safetensors_at(file, i)->name, TL_GPT_STEM, sizeof TL_GPT_STEM - 1) == 0)
            found->stem = TL_GPT_STEM;
    found->head_for_wte = !tl_gpt_find(file, found, "wte.weight") && tl_gpt_find(file, found, TL_GPT_HEAD);
    for (int *l = &found->layers; *l < INT_MAX && (e = find_c_attn(file, found, *l)) != NULL; ++*l) {
        bool in_out;
        if (!read_layout(e, shown, &in_out, error)) return false;
        if (*l == 0) found->in_out = in_out;
        if (in_out != found->in_out) return fail_mixed(e, shown, in_out, error);
    }
    return found->layers > 0 ||
           tl_error_set(
               error,
               "%s: found no tensor \"%sh.0.attn.c_attn.weight\", which every GPT-2's file has; check "
               "the path",
               shown, found->stem);
}

/* ---- the list ---- */

void tl_gpt_list_free(tl_gpt_list *list) {
    free(list->items);
    free(list->names);
    *list = (tl_gpt_list){0};
}

/* The value of a model's parameter. False if the model has none of this name and shape. */
static bool find_value(const tl_gpt *model, const char *part, tl_shape shape, tl_tensor *value) {
    if (!model) return false;
    char name[TL_GPT_NAME], full[512];
    tl_gpt_name(&(tl_gpt_found){.stem = TL_GPT_STEM}, part, name);
    const char *scope = model->model.name ? model->model.name : "", *dot = *scope ? "." : "";
    if ((size_t)snprintf(full, sizeof full, "%s%s%s", scope, dot, name) >= sizeof full) *full = 0;
    *value = tl_param_value(tl_params_find(model->model.params, full));
    return tl_shape_equal(tl_shape_of(*value), shape);
}

typedef struct adding {
    tl_gpt_list *list;
    const tl_gpt_config *config;
    const tl_gpt_found *found;
    const tl_gpt *model;
} adding;

/* Adds a part of layer l (-1: of no layer). `there` and `here` are its names in the file and in the model, if these
 * differ from the part's. */
static void add(const adding *a, int l, const part *p, const char *there, const char *here) {
    char part[TL_GPT_NAME - sizeof TL_GPT_STEM];
    if (a->config->no_bias && strstr(p->name, ".bias")) return;
    if (l < 0)
        snprintf(part, sizeof part, "%s", p->name);
    else
        snprintf(part, sizeof part, "h.%d.%s", l, p->name);
    const tl_shape shape = shape_of(a->config, p);
    tl_real nothing;
    tl_tensor value;
    const bool has = find_value(a->model, here ? here : part, shape, &value);
    if (!has) value = tl_tensor_of(&nothing, shape);
    if (a->found->in_out && l >= 0 && p->columns != NONE) value = tl_tensor_transpose(value, 0, 1);
    if (!has) value.data = NULL;
    char *name = tl_gpt_name(a->found, there ? there : part, a->list->names[a->list->count]);
    a->list->items[a->list->count++] = (tl_safetensors_item){.name = name, .tensor = value};
}

bool tl_gpt_list_parts(tl_gpt_list *list, const tl_gpt_config *config, const tl_gpt_found *found,
                       bool with_head, const tl_gpt *model) {
    const size_t most = ENDS + (size_t)config->layers * PARTS + 1;
    const adding a = {list, config, found, model};
    *list = (tl_gpt_list){malloc(most * sizeof *list->items), malloc(most * sizeof *list->names), 0};
    if (!list->items || !list->names) return false;
    for (int i = 0; i < ENDS; i++)
        add(&a, -1, &ends[i], i == 0 && found->head_for_wte ? TL_GPT_HEAD : NULL, NULL);
    for (int l = 0; l < config->layers; l++)
        for (int i = 0; i < PARTS; i++) add(&a, l, &layer[i], NULL, NULL);
    if (with_head) add(&a, -1, &head, NULL, config->untied ? NULL : "wte.weight");
    return true;
}
