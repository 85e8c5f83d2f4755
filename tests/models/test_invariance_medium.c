/* The same tests as test_invariance.c, with weights' products in bfloat16 instead of float32. */
#define MODEL_PRECISION TL_MEDIUM
#include "test_invariance.c"
