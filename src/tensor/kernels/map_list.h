/* The list of element-wise kernels, a line each. A file that includes it defines the five macros first: map.h makes
 * members of the table tl_map_kernels from the list, map.c makes the kernels and, in each instruction set, the table.
 *
 * A formula is an expression over vectors. The variables are those named here; p is one number.
 *
 *     MAP1(name, f, df)      y = f of x and p              name_grad: dx (+)= df, of dy, x, y and p
 *     MAP1_GRAD(name, df)    dx (+)= df alone
 *     MAP2(name, f)          z = f of x and y
 *     MAP2_GRAD(name, df)    dx (+)= df, of dy and two operands a and b
 *     MAP3(name, f)          w = f of x, y and z
 *
 * A formula that takes more than a line is a function in formulas.h. There is no include guard, because this file is
 * included several times. */
/* clang-format off */

/* ---- y = f(x; p), and dx (+)= dy·f'(x) ---- */

MAP1(copy, x, dy)
MAP1(neg, -x, -dy)
MAP1(scale, p * x, p * dy)
MAP1(power, tl_vec_power(x, p), tl_vec_power_grad(dy, x, p))
MAP1(exp, tl_vec_exp(x), dy * y)
MAP1(log, tl_vec_log(x), dy / x)
MAP1(sqrt, tl_vec_sqrt(x), dy / (2 * y)) /* correctly rounded */
MAP1(tanh, tl_vec_tanh(x), dy * (1 - y * y))
MAP1(sigmoid, tl_vec_sigmoid(x), dy * (y * (1 - y)))
MAP1(abs, tl_vec_abs(x), tl_vec_select(x < 0, -dy, tl_vec_where(x > 0, dy)))
MAP1(relu, tl_vec_where(~(x <= 0), x), tl_vec_where(y > 0, dy)) /* max(x, 0); NaN stays */
MAP1(gelu, tl_vec_gelu(x), tl_vec_gelu_grad(dy, x))
MAP1(gelu_tanh, tl_vec_gelu_tanh(x), tl_vec_gelu_tanh_grad(dy, x))
MAP1_GRAD(clamp_grad, tl_vec_where(x == y, dy))

/* ---- z = f(x, y) ---- */

MAP2(add, x + y)
MAP2(sub, x - y)
MAP2(mul, x * y)
MAP2(div, x / y)
MAP2(maximum, tl_vec_maximum(x, y)) /* NaN if one of them is */
MAP2(minimum, tl_vec_minimum(x, y)) /* NaN if one of them is */
MAP2(squared_difference, (x - y) * (x - y))

/* ---- dx (+)= dy times a derivative; where a or b does not appear the caller may pass anything ---- */

MAP2_GRAD(sub_grad_y, -dy)
MAP2_GRAD(mul_grad, dy * a)
MAP2_GRAD(div_grad_x, dy / a)
MAP2_GRAD(div_grad_y, -dy * a / b) /* a the quotient, b the divisor */
MAP2_GRAD(larger_grad, tl_vec_where(~(a < b), tl_vec_select(a == b, dy / 2, dy))) /* half to each where a = b */
MAP2_GRAD(taken_grad, tl_vec_where(a != 0, dy))       /* 0 where a is 0, whatever dy is there */
MAP2_GRAD(passed_over_grad, tl_vec_where(a == 0, dy)) /* 0 where a is not 0, whatever dy is there */
MAP2_GRAD(squared_difference_grad, 2 * (dy * (a - b)))

/* ---- w = f(x, y, z) ---- */

MAP3(where, tl_vec_select(x != 0, y, z)) /* NaN is not 0 */
MAP3(clamp, tl_vec_minimum(tl_vec_maximum(x, y), z)) /* not below y, then not above z; NaN stays */
MAP3(binary_cross_entropy, tl_vec_binary_cross_entropy(x, y, z))       /* x a logit, y its target, z a weight */
MAP3(binary_cross_entropy_dx, tl_vec_binary_cross_entropy_dx(x, y, z)) /* the derivative by x */
MAP3(binary_cross_entropy_dy, tl_vec_binary_cross_entropy_dy(x, z))    /* the derivative by y */

#undef MAP1
#undef MAP1_GRAD
#undef MAP2
#undef MAP2_GRAD
#undef MAP3
/* clang-format on */
