/* What the inits of layers share: naming a parameter, and checks of numbers in a config. A number out of range fails the
 * set with a message, and so every tape that uses the set. Defaults have been filled in before. Each check returns
 * whether the number is valid. */
#ifndef TL_NN_CHECK_H
#define TL_NN_CHECK_H

#include "tapeloom/nn.h"

#include <math.h>

/* The parameter "LAYER.PART". */
static inline tl_param *tl_add_part(tl_params *params, const char *layer, const char *part, tl_shape shape,
                                    tl_init init) {
    return tl_params_add(params, tl_params_text(params, "%s.%s", layer, part), shape, init);
}

/* name and config must not be NULL. `init` is the function's name, for the message. */
static inline bool tl_check_given(tl_params *params, const char *init, const char *name, const void *config) {
    if (name && config) return true;
    return tl_params_fail(params, "%s: the %s is NULL", init, name ? "config" : "name");
}

static inline bool tl_check_size(tl_params *params, const char *name, const char *what, long size) {
    return size >= 1 || tl_params_fail(params, "%s: %s is %ld, should be 1 or more", name, what, size);
}

static inline bool tl_check_number(tl_params *params, const char *name, const char *what, double value) {
    return (value >= 0 && isfinite(value)) ||
           tl_params_fail(params, "%s: %s is %g, should be 0 or more, and finite", name, what, value);
}

static inline bool tl_check_share(tl_params *params, const char *name, const char *what, double value) {
    return (value >= 0 && value < 1) ||
           tl_params_fail(params, "%s: %s %g is not in [0, 1)", name, what, value);
}

/* choice must be one of an enum's values 0 … last. */
static inline bool tl_check_choice(tl_params *params, const char *name, const char *what, int choice,
                                   int last) {
    return (choice >= 0 && choice <= last) ||
           tl_params_fail(params, "%s: there is no %s number %d: they are 0 … %d", name, what, choice, last);
}

#endif
