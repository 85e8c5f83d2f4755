/* What changes nothing with weights' products of float32 changes nothing with those of bfloat16 either. */
#define MODEL_PRECISION TL_MEDIUM
#include "test_invariance.c"
