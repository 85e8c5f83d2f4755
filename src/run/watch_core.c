/* Names, bins and sums of what is watched: functions of their arguments alone. */
#include "watch.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

/* ---- groups of parameters ---- */

/* A parameter's name in its model, and its group's name, which is a place (lens.h). If several match, the first
 * counts. */
typedef struct naming {
    const char *begins, *group;
} naming;

static const naming inside_layers[] = {{"self_attn.", "self"},
                                       {"attn.", "self"},
                                       {"multihead_attn.", "cross"},
                                       {"linear", "feed_forward"},
                                       {"mlp.", "feed_forward"},
                                       {"norm", "norms"},
                                       {"ln_", "norms"},
                                       {NULL, NULL}};
static const naming outside[] = {{"src_embedding.", "encoder.embedding"},
                                 {"patch_projection.", "encoder.embedding"},
                                 {"embedding.", "encoder.embedding"},
                                 {"cls.", "encoder.embedding"},
                                 {"tgt_embedding.", "decoder.embedding"},
                                 {"transformer.wte.", "decoder.embedding"},
                                 {"positions.", "encoder.positions"},
                                 {"src_positions.", "encoder.positions"},
                                 {"encoder_positions.", "encoder.positions"},
                                 {"encoder.distances.", "encoder.positions"},
                                 {"tgt_positions.", "decoder.positions"},
                                 {"decoder_positions.", "decoder.positions"},
                                 {"decoder.distances.", "decoder.positions"},
                                 {"transformer.wpe.", "decoder.positions"},
                                 {"transformer.distances.", "decoder.positions"},
                                 {"encoder.norm.", "encoder.norm"},
                                 {"decoder.norm.", "decoder.norm"},
                                 {"transformer.ln_f.", "decoder.norm"},
                                 {"attention.", "decoder.layers.0.cross"},
                                 {"lm_head.", "output"},
                                 {"head.", "output"},
                                 {NULL, NULL}};

static const char *named(const naming *names, const char *text) {
    for (; names->begins; names++)
        if (!strncmp(text, names->begins, strlen(names->begins))) return names->group;
    return NULL;
}

/* Does the name begin with a stack's layer, "encoder.layers.3."? Then sets its side and number, and returns the
 * rest. */
static const char *in_layer(const char *name, const char **side, long *layer) {
    static const naming stacks[] = {{"encoder.layers.", "encoder"},
                                    {"decoder.layers.", "decoder"},
                                    {"transformer.h.", "decoder"},
                                    {NULL, NULL}};
    for (const naming *s = stacks; s->begins; s++) {
        const char *at = name + strlen(s->begins);
        if (strncmp(name, s->begins, strlen(s->begins)) || !isdigit((unsigned char)*at)) continue;
        for (*layer = 0; isdigit((unsigned char)*at) && *layer < 100000; at++)
            *layer = 10 * *layer + (*at - '0');
        *side = s->group;
        if (*at == '.') return at + 1;
    }
    return NULL;
}

char *tl_watch_group(const char *parameter, char to[TL_WATCH_NAME]) {
    const char *side, *inner, *group;
    long layer;
    if ((inner = in_layer(parameter, &side, &layer)) != NULL) {
        group = named(inside_layers, inner);
        snprintf(to, TL_WATCH_NAME, "%s.layers.%ld.%.*s", side, layer,
                 group ? (int)strlen(group) : (int)strcspn(inner, "."), group ? group : inner);
    } else if ((group = named(outside, parameter)) != NULL)
        snprintf(to, TL_WATCH_NAME, "%s", group);
    else
        snprintf(to, TL_WATCH_NAME, "%.*s", (int)strcspn(parameter, "."), parameter);
    return to;
}

/* ---- bins of positions ---- */

enum { SINGLE = 4 }; /* this many bins of one position each; after them two bins an octave */

static long first_of(int bin) {
    if (bin < SINGLE) return bin;
    const long octave = 1L << (2 + (bin - SINGLE) / 2);
    return octave + (bin - SINGLE) % 2 * (octave / 2);
}

int tl_watch_bin(long position) {
    int bin = 0;
    while (bin < SINGLE + 2 * 40 && first_of(bin + 1) <= position) bin++;
    return bin;
}

int tl_watch_bins(long positions) { return positions < 1 ? 0 : tl_watch_bin(positions - 1) + 1; }

char *tl_watch_bin_text(int bin, char to[TL_WATCH_NAME]) {
    const long first = first_of(bin), last = first_of(bin + 1) - 1;
    if (first == last)
        snprintf(to, TL_WATCH_NAME, "%ld", first);
    else
        snprintf(to, TL_WATCH_NAME, "%ld-%ld", first, last);
    return to;
}

/* ---- sums ---- */

enum { LANES = 8 };

static double sum_of(const double lane[LANES]) {
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

double tl_watch_squares(const tl_real *x, long n) {
    double lane[LANES] = {0};
    long i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++) lane[l] += (double)x[i + l] * (double)x[i + l];
    for (int l = 0; i < n; i++, l++) lane[l] += (double)x[i] * (double)x[i];
    return sum_of(lane);
}

double tl_watch_distance(const tl_real *x, const tl_real *y, long n) {
    double lane[LANES] = {0};
    long i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++) {
            const double d = (double)x[i + l] - (double)y[i + l];
            lane[l] += d * d;
        }
    for (int l = 0; i < n; i++, l++) {
        const double d = (double)x[i] - (double)y[i];
        lane[l] += d * d;
    }
    return sum_of(lane);
}

/* With q = p / s, s = Σ p:  -Σ q·ln q  =  ln s - (Σ p·ln p) / s. */
double tl_watch_entropy(const tl_real *p, long n, long stride) {
    double sum = 0, sum_log = 0;
    for (long i = 0; i < n; i++) {
        const double w = (double)p[i * stride];
        if (!(w > 0)) continue;
        sum += w;
        sum_log += w * (sizeof(tl_real) == sizeof(float) ? (double)logf((float)w) : log(w));
    }
    if (!(sum > 0)) return -1;
    const double entropy = log(sum) - sum_log / sum;
    return entropy > 0 ? entropy : 0; /* a row with a single key: 0 up to rounding */
}
