/* Rotary positions against PyTorch (tests/fixtures, positions), and two properties: products depend on distances
 * alone, and the bits of a position do not depend on the others. */
#include "check.h"
#include "fixtures/fixture.h"

#include <limits.h>

static const struct {
    const char *prefix;
    long from;
    double base;
} rotations[] = {{"rotary_first.", 0, 0}, {"rotary_later.", 37, 100}};

START_TEST(as_pytorch_turns) {
    fixture f = fixture_open("positions", rotations[_i].prefix);
    tl_tape *tape = tl_tape_new();
    tl_var x = tl_variable(tape, fixture_read(&f, "x"));
    tl_var y = tl_rotary(x, rotations[_i].from, rotations[_i].base);
    fixture_same(&f, "output", tl_value(y));
    ck_assert(tl_backward_from(y, fixture_read(&f, "output_weight")));
    fixture_same(&f, "grad.x", tl_grad(x));
    tl_tape_free(tape);
    fixture_close(&f);
}
END_TEST

enum { B = 2, H = 3, T = 40, D = 6, ALL = B * H * T * D };
static tl_real numbers[ALL];
static tl_var some(tl_tape *tape) {
    for (int i = 0; i < ALL; i++) numbers[i] = (tl_real)sin(1.7 * i);
    return tl_variable(tape, tl_tensor_of(numbers, TL_SHAPE(B, H, T, D)));
}

START_TEST(products_tell_of_distances) {
    const double room = sizeof(tl_real) == 4 ? 1e-5 : 1e-13;
    tl_tape *tape = tl_tape_new();
    tl_var x = some(tape), row = tl_slice(x, 2, 0, 1), other = tl_slice(x, 2, 1, 2);
    for (long distance = 0; distance < 30; distance += 7) {
        double first = 0;
        for (long from = 0; from < 50; from += 10) {
            tl_var p = tl_matmul(tl_rotary(row, from + distance, 0),
                                 tl_transpose(tl_rotary(other, from, 0), -1, -2));
            const double product = (double)tl_value(p).data[0];
            if (from == 0) first = product;
            ck_assert_msg(fabs(product - first) < room, "distance %ld at %ld: %.9g, not %.9g", distance, from,
                          product, first);
        }
    }
    assert_no_error(tl_tape_error(tape));
    tl_tape_free(tape);
}
END_TEST

/* One position at a time, as a cache is filled, with any number of threads. */
START_TEST(a_position_alone_has_the_same_bits) {
    tl_set_threads(1 + _i);
    tl_tape *tape = tl_tape_new();
    tl_var x = some(tape);
    const tl_tensor all = tl_value(tl_rotary(x, 5, 0));
    for (long t = 0; t < T; t++) {
        const tl_tensor one = tl_value(tl_rotary(tl_slice(x, 2, t, t + 1), 5 + t, 0));
        for (int n = 0; n < B * H; n++)
            must(!memcmp(one.data + n * D, all.data + (n * T + t) * D, D * sizeof(tl_real)));
    }
    tl_var heads = tl_split_heads(tl_merge_heads(x), H); /* strided, and its gradient too */
    tl_var y = tl_rotary(heads, 5, 0);
    must(!memcmp(tl_value(y).data, all.data, sizeof numbers));
    must(tl_backward_from(y, tl_value(x)));
    static tl_real strided[ALL];
    tl_tensor_copy(tl_tensor_of(strided, TL_SHAPE(B, H, T, D)), tl_grad(x));
    tl_tape_reset(tape);
    x = some(tape);
    must(tl_backward_from(tl_rotary(x, 5, 0), tl_value(x)));
    must(!memcmp(tl_grad(x).data, strided, sizeof strided));
    tl_tape_free(tape);
}
END_TEST

static void fails(tl_tape *tape, tl_var y, const char *part) {
    ck_assert(!tl_ok(y));
    assert_contains(tl_tape_error(tape), part);
    tl_tape_clear_error(tape);
}

START_TEST(errors) {
    tl_tape *tape = tl_tape_new();
    tl_var x = some(tape);
    fails(tape, tl_rotary(tl_slice(x, -1, 0, 5), 0, 0),
          "rotary: [2,3,40,5]: should be [B,H,T,d] with an even d");
    fails(tape, tl_rotary(tl_merge_heads(x), 0, 0), "rotary: [2,40,18]: should be [B,H,T,d]");
    fails(tape, tl_rotary(x, -1, 0), "the first position is -1, should be 0 or more");
    fails(tape, tl_rotary(x, LONG_MAX, 0), "the first position is 9");
    fails(tape, tl_rotary(x, 0, -2), "base is -2, should be more than 0 and finite, or 0 for 10000");
    fails(tape, tl_rotary(x, 0, NAN), "base is nan");
    fails(tape, tl_rotary(x, 0, INFINITY), "base is inf");
    const tl_tensor none = tl_value(tl_rotary(tl_slice(x, 2, 3, 3), 0, 0));
    ck_assert(tl_numel(none) == 0 && none.dim[3] == D);
    assert_no_error(tl_tape_error(tape));
    tl_tape_free(tape);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, as_pytorch_turns, 0, 2);
    tcase_add_test(tc, products_tell_of_distances);
    tcase_add_loop_test(tc, a_position_alone_has_the_same_bits, 0, 3);
    tcase_add_test(tc, errors);
}
TL_TEST_MAIN("autograd: rotary positions")
