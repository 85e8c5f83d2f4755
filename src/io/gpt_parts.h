/* GPT-2's files, inside this room: what a GPT-2 is made of, how a file has it, and the list of the file's tensors that follows
 * from both. Parts are named as in tl_gpt, without "transformer.": "wte.weight", "h.0.ln_1.bias", "lm_head.weight". */
#ifndef TL_IO_GPT_PARTS_H
#define TL_IO_GPT_PARTS_H

#include "tapeloom/io.h"

enum { TL_GPT_NAME = 80 }; /* room for the name of a part in a file */
#define TL_GPT_HEAD "lm_head.weight"
#define TL_GPT_STEM "transformer."

typedef struct tl_gpt_found { /* how a file has them */
    const char *stem;         /* before all names but the head's: TL_GPT_STEM or "" */
    bool in_out;              /* how matrices of layers lie */
    bool head_for_wte;        /* the tied matrix has the head's name alone */
    int layers;               /* that follow each other, from 0 on */
} tl_gpt_found;

/* Finds it out. Names lose what a wrapper has put before all of them. */
bool tl_gpt_look(tl_safetensors *file, tl_gpt_found *found, tl_error *error);

/* The name that a part has in such a file; and the part, or NULL. */
char *tl_gpt_name(const tl_gpt_found *found, const char *part, char name[TL_GPT_NAME]);
const tl_safetensors_entry *tl_gpt_find(const tl_safetensors *file, const tl_gpt_found *found,
                                        const char *part);

typedef struct tl_gpt_list {
    tl_safetensors_item *items;
    char (*names)[TL_GPT_NAME];
    long count;
} tl_gpt_list;

/* The tensors that such a file of a model of this config has: the model's parameters, lying as they do in the file, or, if model
 * is NULL, their shapes without data. A tied head, if it is asked for, is the embedding. To be freed in any case; false when
 * out of memory. */
bool tl_gpt_list_parts(tl_gpt_list *list, const tl_gpt_config *config, const tl_gpt_found *found,
                       bool with_head, const tl_gpt *model);
void tl_gpt_list_free(tl_gpt_list *list);

#endif
