/* Fingerprints and names of what must be the same on all ranks. */
#ifndef TL_RUN_FINGERPRINT_H
#define TL_RUN_FINGERPRINT_H

#include "tapeloom/models.h"

#include <stdint.h>

#define TL_FINGERPRINT 14695981039346656037u /* of no bytes */
uint64_t tl_fingerprint_add(uint64_t fingerprint, const void *data, size_t bytes);

/* The fingerprint of names, sizes and frozen flags; with `values` of the values too. */
uint64_t tl_params_fingerprint(tl_params *params, bool values);

enum { TL_BUILD_NAME = 128 };
/* The parts of a build that numbers depend on, precision and instruction set: "float, avx2". Written to `name`,
 * which is returned. */
const char *tl_build_name(char name[TL_BUILD_NAME]);

#endif
