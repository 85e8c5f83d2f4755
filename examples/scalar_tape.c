/* A tape on scalars: one neuron, y = tanh(w·x + b), its squared error L = (y - target)², and every derivative.
 *
 * Shows: operations are recorded as they are called; tl_backward goes through the record in reverse, each operation
 * multiplying by its own derivative (the chain rule); the tape can be printed as a table and as a drawing.
 *
 *     build/scalar_tape
 *     build/scalar_tape | sed -n '/^digraph/,/^}/p' | dot -Tsvg > tape.svg
 */
#include <tapeloom.h>

#include <math.h>
#include <stdlib.h>

int main(void) {
    tl_streams_open(); /* so that failed writes are reported below */
    tl_tape *tape = tl_tape_new();

    /* A variable gets a gradient, a constant does not. Both use the memory that they are given. */
    tl_real w_number = (tl_real)0.6, b_number = (tl_real)-0.4;
    tl_var w = tl_label(tl_variable(tape, tl_tensor_of(&w_number, TL_SCALAR_SHAPE)), "w");
    tl_var b = tl_label(tl_variable(tape, tl_tensor_of(&b_number, TL_SCALAR_SHAPE)), "b");
    tl_var x = tl_label(tl_scalar(tape, 1.5), "x");
    tl_var target = tl_label(tl_scalar(tape, 0.9), "target");

    /* The formula, written as a formula. Each call computes a number and adds a line to the tape. */
    tl_var sum = tl_label(tl_add(tl_mul(w, x), b), "sum");
    tl_var y = tl_label(tl_tanh(sum), "y");
    tl_var loss = tl_label(tl_power(tl_sub(y, target), 2), "loss");

    /* The memory of inner gradients is reused as soon as possible, unless a gradient is kept. */
    tl_keep(y);

    printf("the tape before backward\n\n");
    tl_tape_print(tape, stdout);

    /* also false if any operation above failed: one check for the whole step */
    bool ok = tl_backward(loss);

    printf("\nthe tape after backward (w and b are variables and y was kept, so theirs are there)\n\n");
    tl_tape_print(tape, stdout);
    printf("\nthe same for Graphviz\n\n");
    tl_tape_dot(tape, stdout, TL_ALL_SCOPES);

    if (!ok) {
        fprintf(stderr, "scalar_tape: %s\n", tl_tape_error(tape));
        tl_tape_free(tape);
        return EXIT_FAILURE;
    }

    /* By hand: dL/dy = 2(y - target), dy/dsum = 1 - y², dsum/dw = x, dsum/db = 1. */
    double y_hand = tanh(0.6 * 1.5 - 0.4), dy_hand = 2 * (y_hand - 0.9);
    double dw_hand = dy_hand * (1 - y_hand * y_hand) * 1.5;
    double dw = tl_item(tl_grad(w));
    printf("\n   y = %.6f\n   L = %.6f\n", tl_item(tl_value(y)), tl_item(tl_value(loss)));
    printf("dL/dy = %.6f\ndL/db = %.6f\ndL/dw = %.6f\n", tl_item(tl_grad(y)), tl_item(tl_grad(b)), dw);
    printf("dL/dw by hand = %.6f, they differ by %.1e: %s\n", dw_hand, fabs(dw - dw_hand),
           fabs(dw - dw_hand) < 1e-6 ? "equal" : "NOT equal");

    tl_tape_free(tape); /* this frees everything that was recorded */

    tl_error error = {""}; /* output that could not be written is a failure too */
    if (tl_output_close(stdout, &error)) return EXIT_SUCCESS;
    fprintf(stderr, "scalar_tape: %s\n", error.message);
    return EXIT_FAILURE;
}
