/* What a student's file may call: what solutions need, and what compilers add by themselves. */
#include "lecturing.h"

#include <string.h>

static bool listed(const char *const *list, const char *name) {
    for (; list && *list; list++)
        if (strcmp(*list, name) == 0) return true;
    return false;
}

/* <math.h>: each function in double, float (f) and long double (l). */
static const char *const mathematics[] = {
    "acos",      "asin",      "atan",     "atan2",      "cos",          "sin",     "tan",       "acosh",
    "asinh",     "atanh",     "cosh",     "sinh",       "tanh",         "exp",     "exp2",      "expm1",
    "frexp",     "ilogb",     "ldexp",    "log",        "log10",        "log1p",   "log2",      "logb",
    "modf",      "scalbn",    "scalbln",  "cbrt",       "fabs",         "hypot",   "pow",       "sqrt",
    "erf",       "erfc",      "lgamma",   "tgamma",     "ceil",         "floor",   "nearbyint", "rint",
    "lrint",     "llrint",    "round",    "lround",     "llround",      "trunc",   "fmod",      "remainder",
    "remquo",    "nextafter", "copysign", "nexttoward", "fdim",         "fmax",    "fmin",      "fma",
    "nan",       "sincos",    "exp10",    "roundeven",  "__fpclassify", "__isnan", "__isinf",   "__finite",
    "__signbit", NULL};

/* Memory, strings, printing for debugging, and a few more functions that do nothing outside the process. */
static const char *const plain[] = {"course_malloc",
                                    "course_calloc",
                                    "course_realloc",
                                    "course_free",
                                    "memcpy",
                                    "memmove",
                                    "memset",
                                    "memcmp",
                                    "memchr",
                                    "bcmp",
                                    "strlen",
                                    "strcpy",
                                    "strncpy",
                                    "strcat",
                                    "strncat",
                                    "strcmp",
                                    "strncmp",
                                    "strchr",
                                    "strrchr",
                                    "strstr",
                                    "strspn",
                                    "strcspn",
                                    "strpbrk",
                                    "abs",
                                    "labs",
                                    "llabs",
                                    "div",
                                    "ldiv",
                                    "lldiv",
                                    "imaxabs",
                                    "qsort",
                                    "bsearch",
                                    "strtod",
                                    "strtof",
                                    "strtol",
                                    "atof",
                                    "atoi",
                                    "atol",
                                    "tolower",
                                    "toupper",
                                    "__ctype_b_loc",
                                    "__errno_location",
                                    "printf",
                                    "fprintf",
                                    "puts",
                                    "putchar",
                                    "fputs",
                                    "fputc",
                                    "putc",
                                    "fwrite",
                                    "fflush",
                                    "vprintf",
                                    "vfprintf",
                                    "snprintf",
                                    "sprintf",
                                    "vsnprintf",
                                    "stdout",
                                    "stderr",
                                    "abort",
                                    "__assert_fail",
                                    NULL};

/* Symbols that compilers add by themselves. */
static const char *const compilers[] = {"_GLOBAL_OFFSET_TABLE_",
                                        "__stack_chk_fail",
                                        "__stack_chk_guard",
                                        "__mulsc3",
                                        "__muldc3",
                                        "__divsc3",
                                        "__divdc3",
                                        "__powisf2",
                                        "__powidf2",
                                        "__memcpy_chk",
                                        "__memmove_chk",
                                        "__memset_chk",
                                        "__strcpy_chk",
                                        "__strncpy_chk",
                                        "__strcat_chk",
                                        "__strncat_chk",
                                        "__printf_chk",
                                        "__fprintf_chk",
                                        "__vprintf_chk",
                                        "__vfprintf_chk",
                                        "__sprintf_chk",
                                        "__snprintf_chk",
                                        "__vsnprintf_chk",
                                        NULL};

/* What an operation needs from <tapeloom/tensor.h>, autograd.h and op.h. Left out: everything that makes or walks a
 * tape, runs operations, or changes how the library computes. (A test compares the list with the headers.) */
static const char *const of_the_library[] = {
    "tl_shape_numel", "tl_shape_equal", "tl_shape_broadcast", "tl_shape_text", "tl_tensor_of", "tl_shape_of",
    "tl_numel", "tl_is_contiguous", "tl_at_n", "tl_tensor_transpose", "tl_tensor_slice", "tl_tensor_expand",
    "tl_tensor_reshape", "tl_tensor_fill", "tl_tensor_copy", "tl_item", "tl_tensor_norm", "tl_print",
    "tl_rng_key_of", "tl_rng_key_mix", "tl_rng_bits", "tl_rng_uniform", "tl_rng_normal", "tl_rng_below",
    "tl_tape_error", "tl_tape_fail", "tl_tape_training", "tl_ok", "tl_wants_grad", "tl_value",
    "tl_shape_of_var", "tl_call_begin", "tl_call_begin_optional", "tl_call_wants", "tl_call_dense",
    "tl_call_new", "tl_call_view", "tl_call_save", "tl_call_memory", "tl_call_fail", "tl_call_end",
    "tl_back_inputs", "tl_back_x", "tl_back_wants", "tl_sink_open", "tl_sink_open_dense", "tl_sink_close",
    "tl_give", "tl_back_scratch", "tl_tape_memory", "tl_tape_tensor", "tl_tape_next_key", "tl_axis",
    "tl_mask_shows",
    /* views, which compute nothing */
    "tl_slice", "tl_transpose", "tl_permute", NULL};

/* Tier 2 of a task that replaces no operation trains as a user's program does. */
static const char *const of_training[] = {"tl_tape_reset",
                                          "tl_tape_set_training",
                                          "tl_tape_set_micro_batch",
                                          "tl_tape_clear_error",
                                          "tl_zero_grad",
                                          "tl_model_loss",
                                          "tl_transformer_loss",
                                          "tl_backward",
                                          "tl_clip_grad_norm",
                                          "tl_scale_grad",
                                          "tl_noam",
                                          "tl_adam_step",
                                          "tl_adam_error",
                                          "tl_params_error",
                                          NULL};

static bool is_mathematics(const char *name) {
    for (int i = 0; mathematics[i]; i++)
        if (strncmp(name, mathematics[i], strlen(mathematics[i])) == 0) {
            const char *rest = name + strlen(mathematics[i]);
            if (!*rest || strcmp(rest, "f") == 0 || strcmp(rest, "l") == 0) return true;
        }
    return false;
}

bool course_may_call(const char *name, const course_task *task, int tier) {
    return is_mathematics(name) || listed(plain, name) || listed(compilers, name) ||
           strncmp(name, "__asan_", 7) == 0 || strncmp(name, "__ubsan_", 8) == 0 ||
           listed(task->allowed[tier == 2], name) || (tier == 2 && listed(of_the_library, name)) ||
           (tier == 2 && task->tier2 && !(task->operations && task->operations[0]) &&
            listed(of_training, name));
}
