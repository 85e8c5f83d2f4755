/* Looking at a tape: the picture's boxes, frames and arrows, and the table's columns. Those of whole models are in
 * tests/models/test_pictures.c. */
#define _POSIX_C_SOURCE 200809L
#include "picture.h"
#include "refuse.h"

#include <tapeloom/op.h>

static tl_real numbers[6] = {1, -2, 3, 0.5, -0.25, 2};
static tl_var source(tl_tape *tape) { return tl_variable(tape, tl_tensor_of(numbers, TL_SHAPE(2, 3))); }
static tl_var total(tl_var x) { return tl_sum(x, TL_ALL_AXES, false); }

/* An operation in a scope. */
static tl_var within(const char *scope, tl_var f(tl_var), tl_var x) {
    tl_scope_enter(x.tape, scope);
    const tl_var y = f(x);
    tl_scope_leave(x.tape);
    return y;
}
static void every_depth(tl_tape *tape) {
    for (int depth = 0; depth < 5; depth++) picture_is_good(tape, depth);
    picture_is_good(tape, TL_ALL_SCOPES);
}

/* ---- attention, step by step as in examples/attention_steps.c ---- */

enum { B = 2, T = 3, D = 8, H = 2 };

static tl_var project(tl_tape *tape, tl_params *params, const char *name, tl_var x) {
    tl_param *w = tl_params_add(params, name, TL_SHAPE(D, D), (tl_init){TL_INIT_XAVIER, 0});
    return tl_linear(x, tl_use(tape, w), TL_NO_VAR);
}

static tl_var attention(tl_tape *tape, tl_params *params, tl_var x) {
    tl_var q = tl_split_heads(project(tape, params, "W_q", x), H),
           k = tl_split_heads(project(tape, params, "W_k", x), H),
           v = tl_label(tl_split_heads(project(tape, params, "W_v", x), H), "V heads"),
           scores = tl_label(tl_matmul(q, tl_transpose(k, -1, -2)), "scores");
    tl_keep(scores);
    return project(tape, params, "W_o", tl_merge_heads(tl_matmul(tl_softmax(scores, -1), v)));
}

START_TEST(attention_steps) {
    tl_real memory[B * T * D];
    for (int i = 0; i < B * T * D; i++) memory[i] = (tl_real)(i % 7) - 3;
    tl_tape *tape = tl_tape_new();
    tl_params *params = tl_params_new(1);
    tl_var x = tl_label(tl_variable(tape, tl_tensor_of(memory, TL_SHAPE(B, T, D))), "x");
    const tl_var y = attention(tape, params, x);
    ck_assert(tl_backward(total(tl_mul(y, y))));
    every_depth(tape);
    picture p = picture_of(tape, TL_ALL_SCOPES);
    assert_contains(p.text, "[shape=ellipse,fillcolor=\"#e2f0d9\",label=\"variable\\nx\"];");
    assert_contains(p.text, "label=\" split_heads, transpose \\n [2,2,4,3] \"");
    assert_contains(p.text, "label=\" V heads \\n [2,2,3,4] \"");
    assert_contains(p.text, "matmul\\nscores\"");
    assert_contains(p.text, "label=\" [2,2,3,3] \\n |grad| "); /* kept: of scores */
    assert_contains(p.text, "W_q [8,8]\\n|grad| ");
    assert_contains(p.text, "label=\" 2 × [2,3,8] \""); /* y, which mul reads twice */
    picture_free(&p);
    tl_tape_free(tape), tl_params_free(params);
}
END_TEST

/* A step with pictures and tables before and after backward has the gradients of one without, bit for bit, and the
 * tape's memory is as it would have been. */
START_TEST(looking_changes_nothing) {
    tl_real memory[B * T * D], plain[4 * D * D + B * T * D];
    for (int i = 0; i < B * T * D; i++) memory[i] = (tl_real)(i % 7) - 3;
    size_t used = 0;
    for (int look = 0; look < 2; look++) {
        tl_tape *tape = tl_tape_new();
        tl_params *params = tl_params_new(1);
        FILE *out = tmpfile();
        ck_assert_ptr_nonnull(out);
        const tl_var x = tl_variable(tape, tl_tensor_of(memory, TL_SHAPE(B, T, D)));
        const tl_var y = attention(tape, params, x), loss = total(tl_mul(y, y));
        if (look) every_depth(tape), tl_tape_print(tape, out);
        ck_assert(tl_backward(loss));
        if (look) every_depth(tape), tl_tape_print(tape, out);
        tl_real found[4 * D * D + B * T * D], *at = found;
        memcpy(at, tl_grad(x).data, B * T * D * sizeof *at), at += B * T * D;
        for (int i = 0; i < 4; i++, at += D * D)
            memcpy(at, tl_param_grad(tl_params_at(params, i)).data, D * D * sizeof *at);
        const tl_tape_stats stats = tl_tape_stats_of(tape);
        if (look) {
            ck_assert(!memcmp(found, plain, sizeof plain));
            ck_assert_uint_eq(stats.peak, used);
        }
        memcpy(plain, found, sizeof plain);
        used = stats.peak;
        assert_no_error(tl_tape_error(tape));
        fclose(out), tl_tape_free(tape), tl_params_free(params);
    }
}
END_TEST

/* ---- scopes ---- */

/* a, b, a again, and b beside it: a needs two boxes, b does not. */
START_TEST(a_scope_before_and_after_another_has_parts) {
    tl_tape *tape = tl_tape_new();
    tl_var x = source(tape), a = within("a", tl_exp, x), b = within("b", tl_neg, a);
    within("b", tl_exp, x);
    within("a", tl_tanh, x); /* no cycle so far: in the first part */
    tl_var again = within("a", tl_tanh, b);
    within("a", tl_neg, again);
    within("c", tl_neg, again);
    every_depth(tape);
    picture p = picture_of(tape, 0);
    ck_assert_int_eq(p.parts, 2);
    assert_contains(p.text, "\"a\\npart 1 of 2\\n2 operations\"");
    assert_contains(p.text, "\"a\\npart 2 of 2\\n2 operations\"");
    assert_contains(p.text, "\"b\\n2 operations\"");
    assert_contains(p.text, "\"c\\nneg\"");
    picture_free(&p);
    tl_tape_free(tape);
}
END_TEST

/* What one scope's later node reads need not come before all of it: r would close a cycle through two boxes. */
START_TEST(a_cycle_through_several_boxes) {
    tl_tape *tape = tl_tape_new();
    tl_var x = source(tape), a = within("a", tl_exp, x), q = within("q", tl_exp, x),
           b = within("b", tl_neg, a), c = within("c", tl_neg, q);
    (void)within("q", tl_tanh, b); /* a -> b -> q -> c */
    within("a", tl_tanh, c);
    every_depth(tape);
    picture p = picture_of(tape, 0);
    ck_assert_int_eq(p.parts, 2);
    assert_contains(p.text, "\"a\\npart 2 of 2\\ntanh\"");
    picture_free(&p);
    tl_tape_free(tape);
}
END_TEST

START_TEST(frames_nest_as_scopes_do) {
    tl_tape *tape = tl_tape_new();
    tl_var x = within("encoder", tl_exp, source(tape));
    x = within("encoder.layers.0", tl_exp, x);
    x = within("encoder.layers.0.norm", tl_exp, x);
    x = within("encoder.layers.10.norm", tl_exp, x);
    x = within("encoder2", tl_exp, x);
    within("encoder", tl_neg, x); /* entered again */
    every_depth(tape);
    picture p = picture_of(tape, TL_ALL_SCOPES);
    ck_assert_str_eq(p.frame[3], "encoder.layers.0.norm");
    assert_contains(p.text, "subgraph \"cluster encoder\" {\n    label=\"encoder\";");
    assert_contains(p.text, "subgraph \"cluster encoder.layers.0\" {\n      label=\"layers.0\";");
    ck_assert_str_eq(p.frame[6], p.frame[1]);
    picture_free(&p);
    p = picture_of(tape, 1);
    assert_contains(p.text, "label=\"layers.10\\nexp\"");
    picture_free(&p);
    p = picture_of(tape, -5);
    ck_assert(!strstr(p.text, "cluster"));
    picture_free(&p);
    tl_tape_free(tape);
}
END_TEST

START_TEST(a_deep_scope) {
    char name[400] = "s";
    while (strlen(name) + 3 < sizeof name) strcat(name, ".s");
    tl_tape *tape = tl_tape_new();
    within(name, tl_exp, source(tape));
    char *text = picture_text(tape, TL_ALL_SCOPES);
    const char *at = text;
    int frames = 0, closed = 0;
    for (; (at = strstr(at, "subgraph")); at++) frames++;
    for (at = text; (at = strstr(at, "}\n")); at++) closed++;
    ck_assert_int_eq(frames, TL_ALL_SCOPES);
    ck_assert_int_eq(closed, TL_ALL_SCOPES + 1);
    free(text);
    tl_tape_free(tape);
}
END_TEST

START_TEST(names_are_quoted) {
    tl_tape *tape = tl_tape_new();
    tl_label(within("a\"b\\c\n", tl_exp, source(tape)), "say \"x\"\t");
    char *text = picture_text(tape, TL_ALL_SCOPES);
    assert_contains(text, "subgraph \"cluster a\\\"b\\\\c\\\\x0a\" {");
    assert_contains(text, "label=\"exp\\nsay \\\"x\\\"\\\\x09\\n[2,3]\"");
    free(text);
    text = picture_text(tape, 0);
    assert_contains(text, "label=\"a\\\"b\\\\c\\\\x0a\\nexp\"");
    free(text);
    tl_tape_free(tape);
}
END_TEST

/* ---- parameters ---- */

START_TEST(parameters) {
    tl_tape *tape = tl_tape_new();
    tl_params *params = tl_params_new(1);
    const tl_init init = {TL_INIT_XAVIER, 0};
    tl_param *w = tl_params_add(params, "one.weight", TL_SHAPE(3, 3), init),
             *b = tl_params_add(params, "one.bias", TL_SHAPE(3), init),
             *tied = tl_params_add(params, "tied", TL_SHAPE(3, 3), init);
    tl_scope_enter(tape, "one");
    tl_var use_w = tl_use(tape, w), x = tl_linear(source(tape), use_w, tl_use(tape, b));
    x = tl_linear(x, tl_use(tape, tied), TL_NO_VAR);
    tl_scope_leave(tape);
    tl_scope_enter(tape, "two");
    x = tl_add(x, tl_slice(tl_use(tape, tied), 0, 0, 2));
    tl_scope_leave(tape);
    every_depth(tape);
    picture p = picture_of(tape, 0);
    assert_contains(p.text, "label=\"one\\n2 operations\\n2 parameters: 12 numbers\"");
    assert_contains(p.text, "label=\"two\\nadd\"");
    assert_contains(p.text, "shape=note,fillcolor=\"#fdf0d5\",label=\"tied [3,3]\"");
    ck_assert(!strstr(p.text, "\"one.weight"));
    picture_free(&p);
    p = picture_of(tape, 1);
    assert_contains(p.text, "label=\"weight [3,3]\\nbias [3]\""); /* beside the operation that reads both */
    assert_contains(p.text, "subgraph \"cluster beside n");
    assert_contains(p.text, "label=\" slice \\n [2,3] \"");
    picture_free(&p);
    tl_tape_free(tape), tl_params_free(params);
}
END_TEST

/* Only wte reads wpe's weight, but it is not wte's own. */
START_TEST(a_parameter_of_another_scope) {
    tl_tape *tape = tl_tape_new();
    tl_params *params = tl_params_new(1);
    const tl_init init = {TL_INIT_XAVIER, 0};
    tl_param *wpe = tl_params_add(params, "wpe.weight", TL_SHAPE(2, 3), init),
             *wte = tl_params_add(params, "wte.weight", TL_SHAPE(2, 3), init);
    tl_scope_enter(tape, "wpe");
    tl_var places = tl_use(tape, wpe);
    tl_scope_leave(tape);
    tl_scope_enter(tape, "wte");
    tl_exp(tl_add(tl_use(tape, wte), places));
    tl_scope_leave(tape);
    every_depth(tape);
    picture p = picture_of(tape, 0);
    assert_contains(p.text, "label=\"wte\\n2 operations\\n1 parameter: 6 numbers\"");
    assert_contains(p.text, "label=\"wpe.weight [2,3]\"");
    picture_free(&p);
    tl_tape_free(tape), tl_params_free(params);
}
END_TEST

/* Both are read in two places, each through its own views: one box, and a line for each at the arrows. */
START_TEST(parameters_read_through_views) {
    tl_tape *tape = tl_tape_new();
    tl_params *params = tl_params_new(1);
    const tl_init init = {TL_INIT_XAVIER, 0};
    const tl_var w = tl_use(tape, tl_params_add(params, "w", TL_SHAPE(5, 3), init)),
                 b = tl_use(tape, tl_params_add(params, "b", TL_SHAPE(5), init)), x = source(tape);
    tl_linear(x, tl_slice(w, 0, 0, 2), tl_slice(b, 0, 0, 2));
    tl_linear(x, tl_slice(w, 0, 2, 5), tl_slice(b, 0, 2, 5));
    const tl_var twice = tl_use(tape, tl_params_add(params, "v", TL_SHAPE(5), init));
    tl_mul(twice, twice);
    every_depth(tape);
    picture p = picture_of(tape, TL_ALL_SCOPES);
    assert_contains(p.text, "label=\"w [5,3]\\nb [5]\"");
    assert_contains(p.text, "label=\" slice \\n [2,3] \\n slice \\n [2] \"];");
    assert_contains(p.text, "label=\" slice \\n [3,3] \\n slice \\n [3] \"];");
    assert_contains(p.text, "color=\"#b08a3c\",label=\" 2 times \"];");
    picture_free(&p);
    tl_tape_free(tape), tl_params_free(params);
}
END_TEST

/* ---- what an arrow says ---- */

START_TEST(arrows) {
    tl_tape *tape = tl_tape_new();
    tl_var w = tl_label(tl_variable(tape, tl_tensor_of(numbers, TL_SCALAR_SHAPE)), "w"), x = source(tape),
           fixed = tl_constant(tape, tl_tensor_of(numbers, TL_SHAPE(2, 3)));
    tl_var y = tl_mul(tl_mul(tl_mul(x, x), w), fixed);
    (void)tl_transpose(x, 0, 1); /* nothing reads it: it has a box */
    ck_assert(tl_backward(total(y)));
    every_depth(tape);
    picture p = picture_of(tape, TL_ALL_SCOPES);
    assert_contains(p.text, "label=\" 2 × [2,3] \\n |grad| ");
    assert_contains(p.text, "label=\" 1 \\n grad ");
    assert_contains(p.text, ",style=dashed,label=\" [2,3] \"");
    assert_contains(p.text, "label=\"transpose\\n[3,2]");
    int dashed = 0;
    for (const char *at = p.text; (at = strstr(at, "dashed")); at++) dashed++;
    ck_assert_int_eq(dashed, 1);
    picture_free(&p);
    tl_tape_free(tape);
}
END_TEST

/* Keeping is not wanting: a constant that is kept is a constant. */
START_TEST(constants_that_are_kept) {
    tl_tape *tape = tl_tape_new();
    tl_tape_set_keep_all(tape, true);
    const tl_var x = source(tape), one = tl_scalar(tape, 1), sum = tl_add(x, one);
    ck_assert(tl_backward(total(sum)));
    picture p = picture_of(tape, TL_ALL_SCOPES);
    assert_contains(p.text, "n0 [shape=ellipse,fillcolor=\"#e2f0d9\",label=\"variable\"];");
    assert_contains(p.text, "n1 [shape=ellipse,fillcolor=\"#eeeeee\",label=\"constant\"];");
    assert_contains(p.text, "label=\" [2,3] \\n |grad| 2.449 \"");
    picture_free(&p);
    tl_tape_free(tape);
}
END_TEST

START_TEST(an_empty_tape) {
    tl_tape *tape = tl_tape_new();
    char *text = picture_text(tape, 0);
    assert_contains(text, "digraph tape {");
    ck_assert(!strstr(text, "shape=") && !strstr(text, "->"));
    free(text);
    tl_tape_free(tape);
}
END_TEST

START_TEST(no_memory_for_the_picture) {
    if (!CAN_REFUSE) {
        TL_SKIP("malloc cannot be refused here");
        return;
    }
    tl_tape *tape = tl_tape_new();
    within("a", tl_exp, source(tape));
    static char buffer[4096];
    FILE *out = tmpfile();
    setvbuf(out, buffer, _IOFBF, sizeof buffer);
    int refusals = 0;
    for (bool refused = true; refused; refusals += refused) {
        const long before = alive;
        refuse_after(refusals, false);
        tl_tape_dot(tape, out, 0);
        refused = grant_again();
        ck_assert_int_eq(alive, before);
        ck_assert(refused == (ftell(out) == 0));
        if (refused) assert_contains(tl_tape_error(tape), "out of memory");
        tl_tape_clear_error(tape);
    }
    ck_assert_int_gt(refusals, 0);
    fclose(out);
    tl_tape_free(tape);
}
END_TEST

/* ---- the table ---- */

/* Where a column's text begins in a line, in characters. */
static int column(const char *line, const char *at) {
    int characters = 0;
    for (; line < at; line++) characters += (*line & 0xc0) != 0x80;
    return characters;
}
static const char *character(const char *line, int count) {
    for (; *line && (count || (*line & 0xc0) == 0x80); line++) count -= (line[1] & 0xc0) != 0x80;
    return line;
}

/* Every column begins in every line where its heading does, behind two spaces. */
START_TEST(columns) {
    static const char *const scopes[] = {
        "", "x", "decoder.layers.0.multihead_attn",
        "encodeur.très.très.très.très.très.très.très.très.très.très.très.long.layers.11.self_attn.out_proj"};
    tl_tape *tape = tl_tape_new();
    tl_var x = source(tape);
    for (int i = 0; i < 4; i++) x = tl_label(within(scopes[i], tl_exp, x), i ? "é" : "résultat");
    tl_var many[40];
    for (int i = 0; i < 40; i++) many[i] = x;
    tl_var joined = tl_concat(many, 40, 0);
    tl_reshape(joined, TL_SHAPE(80, 1, 1, 3));
    ck_assert(tl_backward(total(joined)));
    FILE *f = tmpfile();
    tl_tape_print(tape, f);
    rewind(f);
    static const char *const headings[] = {"operation", "name", "shape", "inputs", "gradient norm"};
    int start[5], lines = 0;
    char head[800], line[800];
    ck_assert_ptr_nonnull(fgets(head, sizeof head, f));
    for (int i = 0; i < 5; i++) start[i] = column(head, strstr(head, headings[i]));
    for (; fgets(line, sizeof line, f); lines++) {
        for (int i = 0; i < 5; i++)
            ck_assert_msg(!strncmp(character(line, start[i]) - 2, "  ", 2), "%s is not at %d in: %s",
                          headings[i], start[i], line);
        ck_assert_msg(*character(line, start[2]) == '[', "shape: %s", line);
        ck_assert_msg(strchr(" 0123456789", *character(line, start[3])), "inputs: %s", line);
        ck_assert_msg(*character(line, start[4]) > ' ', "gradient: %s", line);
        if (lines == 3) ck_assert_msg(strstr(line, "  decoder.layers.0.multihead_attn.é  "), "%s", line);
        if (lines == 4) { /* 48 characters: as many of the end as of the front, or one more */
            const char *name = character(line, start[1]), *end = strstr(name, "  ");
            ck_assert_int_eq(column(name, end), 48);
            ck_assert_msg(!strncmp(name, "encodeur.très.très.très…", 24), "%s", name);
            assert_contains(name, &"layers.11.self_attn.out_proj.é  "[6]);
        }
        if (lines == 5) assert_contains(line, "4 4 4 4");
    }
    ck_assert_int_eq(lines, tl_tape_stats_of(tape).nodes);
    fclose(f);
    tl_tape_free(tape);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, attention_steps);
    tcase_add_test(tc, looking_changes_nothing);
    tcase_add_test(tc, a_scope_before_and_after_another_has_parts);
    tcase_add_test(tc, a_cycle_through_several_boxes);
    tcase_add_test(tc, frames_nest_as_scopes_do);
    tcase_add_test(tc, a_deep_scope);
    tcase_add_test(tc, names_are_quoted);
    tcase_add_test(tc, parameters);
    tcase_add_test(tc, a_parameter_of_another_scope);
    tcase_add_test(tc, parameters_read_through_views);
    tcase_add_test(tc, arrows);
    tcase_add_test(tc, constants_that_are_kept);
    tcase_add_test(tc, an_empty_tape);
    tcase_add_test(tc, no_memory_for_the_picture);
    tcase_add_test(tc, columns);
}

TL_TEST_MAIN("show: pictures and tables of a tape")
