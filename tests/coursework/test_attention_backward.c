/* Task 6 of the course: right solutions get all points, and mistakes are named. The marker's model agrees with the
 * library's gradients and with finite differences of task 5's model. Solutions of tasks 5 and 6 together pass the
 * operation's gradient check. */
#include "kit.h"

#define SOLUTION "coursework/attention_backward/attention_backward.c"
#define OPERATION "coursework/attention_backward/attention_backward_op.c"

START_TEST(right_solutions_get_all_points) {
    kit_is_right("attention_backward", 1, SOLUTION);
    kit_is_right("attention_backward", 1, "coursework/attention_backward/other/matrices.c");
    kit_is_right("attention_backward", 1, "coursework/attention_backward/other/one_number.c");
}
END_TEST

START_TEST(the_operation_gets_all_points) {
    if (!kit_has_tier2)
        TL_SKIP("tier 2: runners exchange floats");
    else
        kit_is_right("attention_backward", 2, OPERATION);
}
END_TEST

/* A backward that gets its gradients from the library: by the fused operation, or with dropout by the steps of
 * attention. Keys whose probability is 0 are masked. */
static const char librarys[] =
    "#include \"attention.h\"\n"
    "void attention_backward(tl_back *b) {\n"
    "    const attention_saved *s = b->saved;\n"
    "    tl_tape *t = tl_tape_new();\n"
    "    const long n = s->B * s->H * s->T * s->S;\n"
    "    uint8_t *seen = tl_tape_memory(t, (size_t)n + 1);\n"
    "    for (long k = 0; k < n; k++) seen[k] = s->probs[k] != 0;\n"
    "    const tl_mask mask = {.attend = seen, .attend_dim = {s->B, s->H, s->T, s->S}};\n"
    "    tl_var x[3], y;\n"
    "    for (int i = 0; i < 3; i++) {\n"
    "        tl_tensor copy = tl_tape_tensor(t, tl_shape_of(tl_back_x(b, i)));\n"
    "        tl_tensor_copy(copy, tl_back_x(b, i));\n"
    "        for (long k = 0; s->kept && k < tl_numel(copy); k++)\n"
    "            if (!(copy.data[k] - copy.data[k] == 0)) copy.data[k] = 0;\n"
    "        x[i] = tl_variable(t, copy);\n"
    "    }\n"
    "    if (!s->kept)\n"
    "        y = tl_scaled_dot_product_attention(x[0], x[1], x[2], TL_NO_VAR, &mask, 0, s->scale);\n"
    "    else {\n"
    "        tl_var w = tl_masked_softmax(tl_scale(tl_matmul(x[0], tl_transpose(x[1], -1, -2)), s->scale), "
    "&mask);\n"
    "        tl_tensor kept = tl_tensor_of((tl_real *)s->kept, TL_SHAPE(s->B, s->H, s->T, s->S));\n"
    "        y = tl_merge_heads(tl_matmul(tl_mul(w, tl_constant(t, kept)), x[2]));\n"
    "    }\n"
    "    tl_backward_from(y, b->dy);\n"
    "    for (int i = 0; i < 3; i++)\n"
    "        if (tl_back_wants(b, i) && tl_grad(x[i]).data) tl_give(b, i, tl_grad(x[i]));\n"
    "    tl_tape_free(t);\n"
    "}\n";

START_TEST(the_librarys_gradients_get_all_points) {
    if (!kit_has_tier2) {
        TL_SKIP("tier 2: runners exchange floats");
        return;
    }
    char file[128];
    snprintf(file, sizeof file, "%s/librarys.c", kit_temporary());
    FILE *f = fopen(file, "w");
    must(f && fputs(librarys, f) >= 0 && fclose(f) == 0);
    kit_is_right("attention_backward", 2, file);
}
END_TEST

/* Links both files before the library, as task 9 does. */
START_TEST(both_tasks_are_one_operation) {
    char command[1024], main_c[128];
    const char *cc = getenv("CC") ? getenv("CC") : "cc", *build = getenv("BUILD") ? getenv("BUILD") : "build";
    snprintf(main_c, sizeof main_c, "%s/main.c", kit_temporary());
    FILE *f = fopen(main_c, "w");
    must(f);
    fputs("#include <tapeloom.h>\n"
          "extern const tl_grad_case tl_cases_scaled_dot_product_attention[];\n"
          "int main(void) {\n"
          "    int cases = 0;\n"
          "    for (const tl_grad_case *c = tl_cases_scaled_dot_product_attention; c->f; c++, cases++) {\n"
          "        tl_gradcheck_report r;\n"
          "        if (!tl_gradcheck_case(c, &r)) return puts(r.error.message), 1;\n"
          "    }\n"
          "    return cases != 2;\n" /* the library's own has more */
          "}\n",
          f);
    must(fclose(f) == 0);
    snprintf(command, sizeof command,
             "%s -std=c11 -O2 -Wall -Wextra -Werror -Iinclude -Icoursework/kit/runner %s "
             "coursework/attention_forward/attention_forward_op.c " OPERATION
             " %s/libtapeloom.a -lm -o %s/both `grep -o -e -fopenmp -e '-fsanitize=[a-z,]*' -e '-DTL_[A-Z]*' "
             "%s/flags | sort -u` && %s/both",
             cc, main_c, build, kit_temporary(), build, kit_temporary());
    must(system(command) == 0);
}
END_TEST

static void says(const char *from, const char *to, const char *what) {
    kit_says("attention_backward", 1, SOLUTION, from, to, what, 20);
}

START_TEST(mistakes_are_named) {
    says("p[j] * (g[j] - dot)", "p[j] * g[j]", "without its second term");
    says("dot += p[j] * g[j]", "dot += g[j]", "the row's sum of dprobs");
    says("scale = 1 / sqrtf((float)n.d)", "scale = 1", "not multiplied by the scores' scale");
    says("scale = 1 / sqrtf((float)n.d)", "scale = 1 / (float)n.d", "the scores' scale twice");
    says("dk[key] += g * q[query]", "dk[key] += g * k[key]", "summed up of keys");
    says("dv[at(b, n.H, h, n.S, j, n.d, c)] += probs[here] * g",
         "dv[at(b, n.H, h, n.S, j, n.d, c)] = probs[here] * g", "written anew for each query");
    says("+= probs[here] * g", "+= probs[at(b, n.H, h, n.S, j, n.T, i)] * g", "memory read as [S,T]");
    says("dy[at(b, n.T, i, n.H, h, n.d, c)]", "dy[at(b, n.H, h, n.T, i, n.d, c)]",
         "dy read as if it were [B,H,T,d]");
    says("    free(dcontext);", "", "memory never freed");
}
END_TEST

START_TEST(mistakes_of_the_operation_are_named) {
    static const char *const wrong[][3] = {
        {"ds[j] = p[j] * (ds[j] - sum)", "ds[j] = p[j] * ds[j]", "without its second term"},
        {"weight = p[j] * (s->kept ? s->kept[row * s->S + j] : 1)", "weight = p[j]", "dv with probs alone"},
        {"dot * (s->kept ? s->kept[row * s->S + j] : 1)", "dot", "dprobs without dropout"},
        {"dscores.data, s, b->dy.data);\n    for",
         "dscores.data, s, b->dy.data);\n  ((attention_saved "
         "*)s)->scale = 1;\n    for",
         "not multiplied by the scores' scale"},
        {"c < s->e && p[j] != 0; c++", "c < s->e; c++", "is NaN"}, /* 0 times the NaN of a masked key */
        {"continue; /* nobody wants it */", "return;", "nothing was written"}};
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong && kit_has_tier2; k++)
        kit_says("attention_backward", 2, OPERATION, wrong[k][0], wrong[k][1], wrong[k][2], 0);
    if (!kit_has_tier2) TL_SKIP("tier 2: runners exchange floats");
}
END_TEST

/* ---- the handout's numbers ---- */

static const course_exercise *exercise(const char *task, const char *function) {
    const course_exercise *of = course_task_named(task)->tier1;
    while (of->function && strcmp(of->function, function) != 0) of++;
    must(of->function);
    return of;
}

START_TEST(the_worked_example_stands_in_the_handout) {
    char *handout = kit_read("coursework/attention_backward/handout.md"), *text;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    course_task_named("attention_backward")->example(to);
    must(fclose(to) == 0);
    must_msg(strstr(handout, text), "the handout does not hold\n%s", text);
    free(text), free(handout);
}
END_TEST

START_TEST(questions_have_the_models_answers) {
    const course_question *q = course_task_named("attention_backward")->questions;
    const course_exercise *softmax = exercise("attention_backward", "attention_softmax_backward"),
                          *mix = exercise("attention_backward", "mix_backward");
    course_case c = {.of = softmax, .n = {1, 1, 1, 3, 1, 1}};
    memcpy(course_array_new(&c, COURSE_IN, "probs", COURSE_DIMS(1, 1, 1, 3)), (double[]){0.25, 0.25, 0.5},
           3 * sizeof(double));
    course_array_new(&c, COURSE_IN, "dprobs", COURSE_DIMS(1, 1, 1, 3))[2] = 1;
    const double *ds = course_array_new(&c, COURSE_OUT, "dscores", COURSE_DIMS(1, 1, 1, 3));
    softmax->model(&c, 0);
    must_msg(ds[2] == q[0].answer, "%g", ds[2]);
    course_case_free(&c);
    /* whatever the weights are, rows of them sum to 1 */
    c = (course_case){.of = mix, .n = {1, 1, 2, 3, 4, 4}};
    memcpy(course_array_new(&c, COURSE_IN, "probs", COURSE_DIMS(1, 1, 2, 3)),
           (double[]){0.88, 0.12, 0, 0.04, 0.85, 0.11}, 6 * sizeof(double));
    course_array_new(&c, COURSE_IN, "v", COURSE_DIMS(1, 1, 3, 4));
    double *dcontext = course_array_new(&c, COURSE_IN, "dcontext", COURSE_DIMS(1, 1, 2, 4)), sum = 0;
    for (int k = 0; k < 8; k++) dcontext[k] = 1;
    course_array_new(&c, COURSE_OUT, "dprobs", COURSE_DIMS(1, 1, 2, 3));
    const double *dv = course_array_new(&c, COURSE_ADD, "dv", COURSE_DIMS(1, 1, 3, 4));
    mix->model(&c, 0);
    for (int k = 0; k < 12; k++) sum += dv[k];
    must_msg(sum - q[1].answer < 1e-9 && q[1].answer - sum < 1e-9, "%g", sum);
    course_case_free(&c);
}
END_TEST

/* ---- the backward's model compared with finite differences of the forward's, for each element of q, k and v ---- */

/* The sum of y times dy, where y is from task 5's model; also sets probs. Task 6 has q, k and v as [1,H,·,d], task 5 as
 * [1,·,H·d]. */
static double loss(const course_case *back, const double *x[3]) {
    const long H = back->n[1], d = back->n[4], length[3] = {back->n[2], back->n[3], back->n[3]};
    const course_exercise *forward = exercise("attention_forward", "attention_forward");
    course_case c = {.of = forward, .n = {1, H, back->n[2], back->n[3], d, d, 1}};
    const char *const name[3] = {"q", "k", "v"};
    for (int a = 0; a < 3; a++) {
        double *to = course_array_new(&c, COURSE_IN, name[a], COURSE_DIMS(1, length[a], H * d));
        for (long k = 0; k < H * length[a] * d; k++)
            to[k / d % length[a] * H * d + k / d / length[a] * d + k % d] = x[a][k];
    }
    *course_array_new(&c, COURSE_IN, "key_lengths", COURSE_DIMS(1)) = (double)back->n[3] - 1;
    course_array_new(&c, COURSE_OUT, "scores", COURSE_DIMS(1, H, back->n[2], back->n[3]));
    course_array_new(&c, COURSE_OUT, "visible", COURSE_DIMS(1, back->n[2], back->n[3]));
    double *p = course_array_new(&c, COURSE_OUT, "probs", COURSE_DIMS(1, H, back->n[2], back->n[3]));
    const double *y = course_array_new(&c, COURSE_OUT, "y", COURSE_DIMS(1, back->n[2], H * d));
    forward->model(&c, 0);
    memcpy(course_data(back, "probs"), p, (size_t)(H * back->n[2] * back->n[3]) * sizeof *p);
    double sum = 0;
    for (long k = 0; k < back->n[2] * H * d; k++) sum += y[k] * course_data(back, "dy")[k];
    course_case_free(&c);
    return sum;
}

START_TEST(the_model_is_the_gradient_of_task_5) {
    enum { H = 2, T = 3, S = 5, D = 3 };
    const course_exercise *backward = exercise("attention_backward", "attention_backward");
    course_rng rng = course_rng_of(1, "differences");
    course_case c = {.of = backward, .n = {1, H, T, S, D, D}};
    double *x[3] = {course_array_normal(&c, "q", 1, &rng, COURSE_DIMS(1, H, T, D)),
                    course_array_normal(&c, "k", 1, &rng, COURSE_DIMS(1, H, S, D)),
                    course_array_normal(&c, "v", 1, &rng, COURSE_DIMS(1, H, S, D))};
    course_array_new(&c, COURSE_IN, "probs", COURSE_DIMS(1, H, T, S));
    course_array_normal(&c, "dy", 1, &rng, COURSE_DIMS(1, T, H * D));
    course_array_new(&c, COURSE_OUT, "dprobs", COURSE_DIMS(1, H, T, S));
    course_array_new(&c, COURSE_OUT, "dscores", COURSE_DIMS(1, H, T, S));
    const double *dx[3] = {course_array_new(&c, COURSE_ADD, "dq", COURSE_DIMS(1, H, T, D)),
                           course_array_new(&c, COURSE_ADD, "dk", COURSE_DIMS(1, H, S, D)),
                           course_array_new(&c, COURSE_ADD, "dv", COURSE_DIMS(1, H, S, D))};
    loss(&c, (const double *[]){x[0], x[1], x[2]}); /* sets probs */
    backward->model(&c, 0);
    const long count[3] = {H * T * D, H * S * D, H * S * D};
    double largest = 0;
    for (int a = 0; a < 3; a++)
        for (long k = 0; k < count[a]; k++) {
            const double was = x[a][k], step = 1e-5;
            x[a][k] = was + step;
            const double more = loss(&c, (const double *[]){x[0], x[1], x[2]});
            x[a][k] = was - step;
            const double less = loss(&c, (const double *[]){x[0], x[1], x[2]});
            x[a][k] = was;
            const double off = (more - less) / (2 * step) - dx[a][k];
            must_msg(off < 1e-8 && off > -1e-8, "input %d, element %ld: %g, by differences %g", a, k,
                     dx[a][k], (more - less) / (2 * step));
            if (dx[a][k] > largest) largest = dx[a][k];
        }
    must(largest > 0.1);
    course_case_free(&c);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, right_solutions_get_all_points);
    tcase_add_test(tc, the_operation_gets_all_points);
    tcase_add_test(tc, the_librarys_gradients_get_all_points);
    tcase_add_test(tc, both_tasks_are_one_operation);
    tcase_add_test(tc, mistakes_are_named);
    tcase_add_test(tc, mistakes_of_the_operation_are_named);
    tcase_add_test(tc, the_worked_example_stands_in_the_handout);
    tcase_add_test(tc, questions_have_the_models_answers);
    tcase_add_test(tc, the_model_is_the_gradient_of_task_5);
}
TL_TEST_MAIN("coursework: attention backward")
