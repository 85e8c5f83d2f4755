/* A GPT-2 from and to the files of PyTorch implementations (gpt_parts.c says how they differ): reading, writing, and
 * reading the sizes of a file's model. Mask buffers of attention are ignored. Reading is all or nothing, as in
 * params_file.c. */
#include "complain.h"
#include "fitting.h"
#include "gpt_parts.h"
#include "safetensors.h"

#include "tapeloom/models.h"

#include <stdlib.h>
#include <string.h>

/* Can the model be stored in such a file? `done` is for the error: it was not "read", "written". */
static bool has_files(const tl_gpt *model, const char *shown, const char *done, tl_error *error) {
    if (!model || !model->model.params)
        return tl_error_set(error, "%s: not %s: there is no model (NULL); make one with tl_gpt_init", shown,
                            done);
    if (tl_params_error(model->model.params))
        return tl_error_set(error, "%s: not %s: %s", shown, done, tl_params_error(model->model.params));
    const tl_gpt_config *c = &model->config;
    if (c->normaliser != TL_SOFTMAX)
        return tl_error_set(error,
                            "%s: not %s: a GPT-2's attention has softmax, this model's has sigmoid; "
                            "tl_params_save and tl_params_load are for any model",
                            shown, done);
    if (c->positions == TL_LEARNED && !c->no_feed_forward) return true;
    return tl_error_set(error,
                        "%s: not %s: a GPT-2 has learned positions and feed-forward, this model has %s%s; "
                        "tl_params_save and tl_params_load are for any model",
                        shown, done, c->no_feed_forward ? "no feed-forward" : "positions of kind ",
                        c->no_feed_forward ? "" : tl_position_kind_text(c->positions));
}

/* Lists the model's tensors as such a file has them. If the model lacks one, it was not made by tl_gpt_init: returns
 * false, with an error. */
static bool list_model(tl_gpt_list *list, const tl_gpt *model, const tl_gpt_found *found, bool with_head,
                       const char *shown, tl_error *error) {
    if (!tl_gpt_list_parts(list, &model->config, found, with_head, model))
        return tl_error_set(error, "out of memory for the list of tensors of %s", shown);
    for (long i = 0; i < list->count; i++)
        if (!list->items[i].tensor.data)
            return tl_error_set(
                error,
                "%s: the model's parameters hold no \"%s\" of the size in its config; make it "
                "with tl_gpt_init",
                shown, list->items[i].name);
    return true;
}

/* Are two tensors of a file, of this shape, equal? Returns false, with an error, if they cannot be read. */
static bool compare(tl_safetensors *file, const char *name, const char *other, tl_shape shape, bool *same,
                    tl_error *error) {
    const size_t bytes = (size_t)tl_shape_numel(shape) * sizeof(tl_real);
    tl_real *a = malloc(bytes + 1), *b = malloc(bytes + 1);
    bool ok = a && b;
    if (!ok) tl_fail_memory(error, "reading", tl_safetensors_path(file));
    ok = ok && tl_safetensors_read(file, name, tl_tensor_of(a, shape), error) &&
         tl_safetensors_read(file, other, tl_tensor_of(b, shape), error);
    *same = ok && memcmp(a, b, bytes) == 0;
    free(a);
    free(b);
    return ok;
}

/* Is the output tied to the embedding? It is if the file has only one of the two, or both with the same numbers. */
static bool read_tied(tl_safetensors *file, const tl_gpt_found *found, const tl_gpt_config *c, bool *tied,
                      tl_error *error) {
    char wte[TL_GPT_NAME];
    *tied = found->head_for_wte || !tl_gpt_find(file, found, TL_GPT_HEAD);
    return *tied || compare(file, tl_gpt_name(found, "wte.weight", wte), TL_GPT_HEAD,
                            TL_SHAPE(c->vocab, c->d_model), tied, error);
}

/* ---- reading ---- */

/* What may be in a file besides the parameters of a model: masks, and a tied output. */
static bool is_ignored(const char *name) {
    if (strcmp(name, TL_GPT_HEAD) == 0) return true;
    if (strncmp(name, TL_GPT_STEM, sizeof TL_GPT_STEM - 1) == 0) name += sizeof TL_GPT_STEM - 1;
    if (strncmp(name, "h.", 2) != 0) return false;
    const char *after = name + 2 + strspn(name + 2, "0123456789");
    return strcmp(after, ".attn.bias") == 0 || strcmp(after, ".attn.masked_bias") == 0;
}

static bool check_tied(tl_safetensors *file, const tl_gpt_found *found, const tl_gpt_config *c,
                       const char *shown, tl_error *error) {
    bool tied = true;
    char wte[TL_GPT_NAME];
    if (c->untied) return true; /* both were read as wanted tensors */
    if (!read_tied(file, found, c, &tied, error)) return false;
    return tied || tl_error_set(error,
                                "%s: \"%s\" and \"%s\" differ, so the output has a matrix of its own; make "
                                "the model with .untied = true",
                                shown, TL_GPT_HEAD, tl_gpt_name(found, "wte.weight", wte));
}

static bool load_from(tl_gpt *model, tl_safetensors *file, const char *shown, tl_error *error) {
    const tl_gpt_config *c = &model->config;
    tl_params *params = model->model.params;
    tl_gpt_found found;
    tl_gpt_list l;
    if (!tl_gpt_look(file, &found, error)) return false;
    if (c->untied) found.head_for_wte = false;
    const bool ok = list_model(&l, model, &found, c->untied, shown, error) &&
                    tl_file_fits(file, l.items, l.count, tl_file_dtype_is_real, is_ignored, shown, error) &&
                    check_tied(file, &found, c, shown, error) &&
                    tl_file_fill(file, l.items, l.count, tl_params_empty(params), error);
    tl_gpt_list_free(&l);
    if (ok) tl_params_changed(params);
    return ok;
}

bool tl_gpt_load(tl_gpt *model, const char *path, tl_error *error) {
    char shown[TL_SHOWN];
    if (!has_files(model, tl_shown_path(path, shown), "read", error)) return false;
    tl_safetensors *file = tl_safetensors_open(path, error);
    const bool ok = file && load_from(model, file, shown, error);
    tl_safetensors_close(file);
    return ok;
}

/* ---- writing ---- */

bool tl_gpt_save(const tl_gpt *model, const char *path, tl_gpt_layout layout, tl_error *error) {
    static const tl_safetensors_pair format = {"format", "pt"}; /* as in Hugging Face's own files */
    char shown[TL_SHOWN];
    tl_shown_path(path, shown);
    if (!has_files(model, shown, "written", error)) return false;
    if (layout != TL_GPT_HUGGING_FACE && layout != TL_GPT_NANOGPT)
        return tl_error_set(error,
                            "%s: not written: there is no layout number %d; say TL_GPT_HUGGING_FACE or "
                            "TL_GPT_NANOGPT",
                            shown, (int)layout);
    const tl_gpt_found as = {.stem = TL_GPT_STEM, .in_out = layout == TL_GPT_HUGGING_FACE};
    tl_gpt_list l;
    const bool with_head = model->config.untied || layout == TL_GPT_NANOGPT;
    const bool ok = list_model(&l, model, &as, with_head, shown, error) &&
                    tl_safetensors_write(path, l.items, l.count, &format, 1, error);
    tl_gpt_list_free(&l);
    return ok;
}

/* ---- sizes ---- */

/* The size of a matrix along axis 0 (rows) or 1 (columns). Returns false, with an error, if it is missing or has no
 * such axis. */
static bool read_size(const tl_safetensors *file, const tl_gpt_found *found, const char *part, int axis,
                      long *size, tl_error *error) {
    char shown[TL_SHOWN], name[TL_GPT_NAME], shape[TL_SHAPE_TEXT];
    const tl_safetensors_entry *e = tl_gpt_find(file, found, part);
    tl_shown_path(tl_safetensors_path(file), shown);
    tl_gpt_name(found, part, name);
    if (!e)
        return tl_error_set(error, "%s: found no tensor \"%s\", which every GPT-2's file has; check the path",
                            shown, name);
    if (e->rank != 2 || e->dim[0] < 1 || e->dim[1] < 1)
        return tl_error_set(error,
                            "%s: tensor \"%s\" has shape %s, expected rows and columns; this is no GPT-2's "
                            "file",
                            shown, name, tl_safetensors_shape_text(e, shape));
    *size = e->dim[axis];
    return true;
}

/* Is every part of a model of these sizes in the file? If so, the model is no larger than the file. */
static bool has_all_parts(const tl_safetensors *file, const tl_gpt_found *found, const tl_gpt_config *c,
                          tl_error *error) {
    char shown[TL_SHOWN], shape[TL_SHAPE_TEXT], other[TL_SHAPE_TEXT];
    const char *path = tl_safetensors_path(file);
    tl_gpt_list l;
    bool ok = tl_gpt_list_parts(&l, c, found, false, NULL) || tl_fail_memory(error, "reading", path);
    for (long i = 0; ok && i < l.count; i++) {
        const tl_safetensors_entry *e = tl_safetensors_find(file, l.items[i].name);
        const tl_shape wanted = tl_shape_of(l.items[i].tensor);
        if (e && tl_shape_equal(e->shape, wanted)) continue;
        ok = tl_error_set(
            error,
            "%s: tensor \"%s\" %s%s, expected shape %s, as the file's others say; it is a part of "
            "a file, or no GPT-2's",
            tl_shown_path(path, shown), l.items[i].name, e ? "has shape " : "is not there",
            e ? tl_safetensors_shape_text(e, other) : "", tl_shape_text(wanted, shape));
    }
    tl_gpt_list_free(&l);
    return ok;
}

static bool read_sizes(tl_safetensors *file, tl_gpt_config *c, tl_error *error) {
    tl_gpt_found found;
    bool tied;
    if (!tl_gpt_look(file, &found, error)) return false;
    const char *const wte = found.head_for_wte ? TL_GPT_HEAD : "wte.weight";
    const int in = found.in_out ? 0 : 1;
    if (!read_size(file, &found, wte, 0, &c->vocab, error) ||
        !read_size(file, &found, "wpe.weight", 0, &c->max_len, error) ||
        !read_size(file, &found, "h.0.attn.c_attn.weight", in, &c->d_model, error) ||
        !read_size(file, &found, "h.0.mlp.c_fc.weight", 1 - in, &c->d_ff, error))
        return false;
    c->layers = found.layers;
    c->positions = TL_LEARNED;
    c->no_feed_forward = false;
    c->normaliser = TL_SOFTMAX;
    c->no_bias = !tl_gpt_find(file, &found, "ln_f.bias");
    if (!has_all_parts(file, &found, c, error) || !read_tied(file, &found, c, &tied, error)) return false;
    c->untied = !tied;
    return true;
}

bool tl_gpt_read_config(const char *path, tl_gpt_config *config, tl_error *error) {
    char shown[TL_SHOWN];
    if (!config)
        return tl_error_set(error, "%s: there is nowhere to put what it says (NULL)",
                            tl_shown_path(path, shown));
    tl_gpt_config read = *config;
    tl_safetensors *file = tl_safetensors_open(path, error);
    const bool ok = file && read_sizes(file, &read, error);
    tl_safetensors_close(file);
    if (ok) *config = read;
    return ok;
}
