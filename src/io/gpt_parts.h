/* GPT-2's files, inside src/io: the parts of a GPT-2, how a file stores them, and the resulting list of the file's
 * tensors. Parts are named as in tl_gpt, without "transformer.": "wte.weight", "h.0.ln_1.bias", "lm_head.weight". */
#ifndef TL_IO_GPT_PARTS_H
#define TL_IO_GPT_PARTS_H

#include "tapeloom/io.h"

enum { TL_GPT_NAME = 80 }; /* room for the name of a part in a file */
#define TL_GPT_HEAD "lm_head.weight"
#define TL_GPT_STEM "transformer."

/* How a file stores the parts. */
typedef struct tl_gpt_found {
    const char *stem;  /* prefix of all names except the head's: TL_GPT_STEM or "" */
    bool in_out;       /* matrices of layers are [in,out] */
    bool head_for_wte; /* the tied matrix has only the head's name */
    int layers;        /* the number of consecutive layers, from 0 on */
} tl_gpt_found;

/* Finds this out. A wrapper's prefix is removed from all names. */
bool tl_gpt_look(tl_safetensors *file, tl_gpt_found *found, tl_error *error);

/* Writes the name that a part has in such a file. Returns name. */
char *tl_gpt_name(const tl_gpt_found *found, const char *part, char name[TL_GPT_NAME]);
const tl_safetensors_entry *tl_gpt_find(const tl_safetensors *file, const tl_gpt_found *found,
                                        const char *part);

typedef struct tl_gpt_list {
    tl_safetensors_item *items;
    char (*names)[TL_GPT_NAME];
    long count;
} tl_gpt_list;

/* Lists the tensors that such a file of a model of this config has: the model's parameters, in the file's layout; if
 * model is NULL, only their shapes, without data. A tied head, if it is asked for, is the embedding. The list must be
 * freed in any case. False when out of memory. */
bool tl_gpt_list_parts(tl_gpt_list *list, const tl_gpt_config *config, const tl_gpt_found *found,
                       bool with_head, const tl_gpt *model);
void tl_gpt_list_free(tl_gpt_list *list);

#endif
