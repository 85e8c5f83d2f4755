/* How much weight a head puts on the first token and on line ends. */
#include "claim_sink.h"

void sink_add_window(sink_sums *h, tl_tensor weights, const int *ids) {
    const long rows = weights.dim[0];
    double first = 0, ends = 0, raw = 0, others = 0;
    for (long i = 0; i < rows; i++) {
        double sum = 0, of_ends = 0;
        for (long k = 0; k <= i; k++) {
            const double weight = tl_item(tl_at(weights, i, k));
            sum += weight;
            if (k && ids[k] == TL_EOS) of_ends += weight;
        }
        const double one = tl_item(tl_at(weights, i, 0));
        if (sum > 0) first += one / sum, ends += of_ends / sum;
        raw += one;
        if (i) others += (sum - one) / (double)i;
    }
    h->first += first / (double)rows;
    h->ends += ends / (double)rows;
    h->raw += raw / (double)rows;
    if (rows > 1) h->others += others / (double)(rows - 1);
}

void sink_add_even_window(sink_sums *h, long rows, const int *ids) {
    double first = 0, ends = 0;
    long seen = 0;
    for (long i = 0; i < rows; i++) {
        seen += i && ids[i] == TL_EOS;
        first += 1 / (double)(i + 1);
        ends += (double)seen / (double)(i + 1);
    }
    h->first += first / (double)rows;
    h->ends += ends / (double)rows;
}
