/* Attention alone loses rank doubly exponentially: stacks of attention at initialisation, without and with skips, in double. */
#include "claim_rank.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 32, PLACES = 16, LAYERS = 12 };
#define LOW 1e-13 /* the window that the issue names: above rounding, below what is no collapse yet */
#define HIGH 0.1
#define GRADIENT_LOW 1e-6 /* gradients go with the square, which is lost in rounding below this */

#define SMALL_SCALE \
 0.05 /* of queries' and keys' weights: the theorem's factor stays below 1 in all of the window */

#define SMALL "attention with small weights"
#define USUAL "attention alone"
#define SKIPS "attention with skips"
enum kind { WITHIN_THEOREM, ALONE, WITH_SKIPS };

/* ---- a stack of one head a layer, no norm, no feed-forward, no bias ---- */

typedef struct stack {
    const job *job;
    tl_params *params;
    tl_tape *tape;
    tl_attention layer[LAYERS];
    tl_var x[LAYERS + 1]; /* what goes in, and what each layer gives, [1,PLACES,WIDTH] */
    tl_real input[PLACES * WIDTH], direction[PLACES * WIDTH];
    points pairs, queries, keys; /* logarithms */
    growth growth;
    double factor; /* the theorem's, the largest */
} stack;

/* Queries', keys' or values' part of the packed weight or its gradient. */
static tl_tensor part(tl_tensor packed, int which) {
    return tl_tensor_slice(packed, 0, which * WIDTH, (which + 1) * WIDTH);
}

static void scale_by(tl_tensor t, double factor) {
    for (long i = 0; i < t.dim[0] * t.dim[1]; i++) t.data[i] *= (tl_real)factor;
}

/* Xavier's bound over the packed matrix gives a variance of 1/(2·WIDTH): √2 makes it 1/WIDTH, which keeps the length of a vector, as
 * out_proj has it already. */
static bool begin(stack *s, const job *j) {
    s->job = j;
    s->growth = (growth){INFINITY, -INFINITY};
    s->params = tl_params_new(j->real_seed);
    s->tape = tl_tape_new();
    if (!s->params || !s->tape) return false;
    for (int l = 0; l < LAYERS; l++) {
        char name[32];
        snprintf(name, sizeof name, "layers.%d", l);
        s->layer[l] = tl_attention_init(
            s->params, name, &(tl_attention_config){.d_model = WIDTH, .heads = 1, .no_bias = true});
        if (tl_params_error(s->params)) return false;
        const tl_tensor packed = tl_param_value(s->layer[l].in_proj_weight);
        const double queries = j->arm.number == WITHIN_THEOREM ? SMALL_SCALE : 1;
        scale_by(part(packed, 0), queries * sqrt(2));
        scale_by(part(packed, 1), queries * sqrt(2));
        scale_by(part(packed, 2), sqrt(2));
    }
    tl_params_changed(s->params);
    return true;
}

/* A vector that all places share, and `apart` times another one of each place; the gradient that comes from above, another draw. */
static void draw(stack *s, long number, double apart) {
    const tl_rng_key key = tl_rng_key_mix(tl_rng_key_of(s->job->real_seed, "inputs"), (uint64_t)number);
    const tl_rng_key above = tl_rng_key_mix(key, 1);
    for (long i = 0; i < PLACES * WIDTH; i++) {
        s->input[i] = (tl_real)(tl_rng_normal(key, (uint64_t)(i % WIDTH)) +
                                apart * tl_rng_normal(key, (uint64_t)(WIDTH + i)));
        s->direction[i] = (tl_real)tl_rng_normal(above, (uint64_t)i);
    }
}

/* Forward, and backward from that direction. */
static bool run(stack *s) {
    tl_tape_reset(s->tape);
    tl_zero_grad(s->params);
    const tl_shape shape = TL_SHAPE(1, PLACES, WIDTH);
    s->x[0] = tl_constant(s->tape, tl_tensor_of(s->input, shape));
    for (int l = 0; l < LAYERS; l++) {
        const tl_var given = tl_attention_forward(&s->layer[l], s->x[l], s->x[l], NULL, NULL);
        s->x[l + 1] = s->job->arm.number == WITH_SKIPS ? tl_add(s->x[l], given) : given;
    }
    return tl_backward_from(s->x[LAYERS], tl_tensor_of(s->direction, shape));
}

/* How large the gradient of queries (0) or keys (1) is beside that of values. */
static double beside_values(tl_attention *layer, int which) {
    const tl_tensor grad = tl_param_grad(layer->in_proj_weight);
    return tl_tensor_norm(part(grad, which)) / tl_tensor_norm(part(grad, 2));
}

/* ---- what is measured ---- */

static void add_factor(stack *s, int l) {
    const tl_tensor packed = tl_param_value(s->layer[l].in_proj_weight);
    s->factor = fmax(s->factor, theorem_factor(tl_at(tl_value(s->x[l]), 0), part(packed, 0), part(packed, 1),
                                               part(packed, 2), tl_param_value(s->layer[l].out_proj.weight)));
}

/* The first input, in which every place has as much of its own as it shares, is the one that is drawn layer by layer. */
static void look(stack *s, long input, numbers *out) {
    double residual[LAYERS + 1];
    for (int l = 0; l <= LAYERS; l++) {
        residual[l] = relative_residual(tl_at(tl_value(s->x[l]), 0));
        if (!input) put(out, s->job, "residual", l, residual[l]);
        if (l == LAYERS) break;
        const double queries = beside_values(&s->layer[l], 0), keys = beside_values(&s->layer[l], 1);
        if (!input) {
            put(out, s->job, "queries beside values", l + 1, queries);
            put(out, s->job, "keys beside values", l + 1, keys);
        }
        if (residual[l] >= LOW && residual[l] <= HIGH) add_factor(s, l);
        if (residual[l] < GRADIENT_LOW || residual[l] > HIGH) continue;
        add_point(&s->queries, log(residual[l]), log(queries));
        add_point(&s->keys, log(residual[l]), log(keys));
    }
    add_growth(&s->growth, &s->pairs, residual, LAYERS, LOW, HIGH);
    if (!input && s->job->arm.number == WITH_SKIPS)
        put(out, s->job, "residual kept a layer", 0, pow(residual[LAYERS] / residual[0], 1.0 / LAYERS));
}

static bool measure_all(stack *s, numbers *out) {
    const long inputs = budget_of(s->job->study, 64, 16, 16);
    for (long i = 0; i < inputs; i++) { /* apart 1 … 1e-4: so the window is met everywhere */
        if (job_stopped(s->job)) return false;
        draw(s, i, pow(10, -4.0 * (double)i / (double)(inputs - 1)));
        if (!run(s)) return false;
        look(s, i, out);
    }
    if (!s->pairs.count) return true;
    put(out, s->job, "theorem factor", 0, s->factor);
    put(out, s->job, "layers in the window", 0, (double)s->pairs.count);
    put(out, s->job, "least growth", 0, s->growth.least);
    put(out, s->job, "greatest growth", 0, s->growth.greatest);
    put(out, s->job, "exponent", 0, slope_of(&s->pairs));
    put(out, s->job, "exponent of queries", 0, slope_of(&s->queries));
    put(out, s->job, "exponent of keys", 0, slope_of(&s->keys));
    return true;
}

static bool measure(const job *j, numbers *out, tl_error *error) {
    stack *s = calloc(1, sizeof *s);
    if (!s) return tl_error_set(error, "out of memory");
    const bool ok = begin(s, j) && measure_all(s, out);
    if (!ok) {
        const char *why = s->params && tl_params_error(s->params) ? tl_params_error(s->params)
                          : s->tape && tl_tape_error(s->tape)     ? tl_tape_error(s->tape)
                          : job_stopped(j)                        ? "interrupted"
                                                                  : "out of memory";
        tl_error_set(error, "%s", why);
    }
    tl_tape_free(s->tape);
    tl_params_free(s->params);
    free(s);
    return ok;
}

static void plan(study *s) {
    study_arm(s, &(arm){.name = SMALL, .work = measure, .number = WITHIN_THEOREM, .cost = 0.1});
    study_arm(s, &(arm){.name = USUAL, .work = measure, .number = ALONE, .cost = 0.1});
    study_arm(s, &(arm){.name = SKIPS, .work = measure, .number = WITH_SKIPS, .cost = 0.1});
}

/* ---- rules ---- */

enum { CONDITION, GROWTH_SMALL, CUBIC, GROWTH_USUAL, SLOWED, NOT_STOPPED, QUERIES, KEYS };
static const rule rules[] = {
    [CONDITION] = {{"with small weights the theorem's condition holds", "权重较小时，定理的条件成立"},
                   {"needed (theorem 2.2)", "为定理 2.2 之前提"},
                   {"largest factor of the bound", "上界中的最大因子"},
                   1,
                   true},
    [GROWTH_SMALL] = {{"there the logarithm of the residual grows at least twofold a layer",
                       "此时残差的对数每层至少增长到两倍"},
                      {"threefold, as a bound (theorem 2.2)", "三倍，作为上界（定理 2.2）"},
                      {"fold, the least of all layers", "倍，取各层最小值"},
                      2,
                      false},
    [CUBIC] = {{"a layer's residual goes with the third power of the one before",
                "每层的残差与前一层残差的三次方成比例"},
               {"third power (theorem 2.2)", "三次方（定理 2.2）"},
               {"distance of the fitted exponent from 3", "拟合指数与 3 之差"},
               0.25,
               true},
    [GROWTH_USUAL] = {{"with the usual weights, too, the logarithm grows at least twofold a layer",
                       "权重为通常大小时，对数每层也至少增长到两倍"},
                      {"–", "–"},
                      {"fold, the least of all layers", "倍，取各层最小值"},
                      2,
                      false},
    [SLOWED] = {{"with skips it never grows twofold: they slow the loss of rank",
                 "有残差连接时，对数从不增长到两倍：秩的损失变慢"},
                {"skips stop it (abstract)", "残差连接使之停止（摘要）"},
                {"fold, the greatest of all layers", "倍，取各层最大值"},
                2,
                true},
    [NOT_STOPPED] = {{"but they do not stop it: a layer leaves less than 0.9 of the residual",
                      "但并未停止：每层留下的残差不到 0.9"},
                     {"skips stop it (abstract)", "残差连接使之停止（摘要）"},
                     {"of the residual a layer", "每层留下的比例"},
                     0.9,
                     true},
    [QUERIES] = {{"the gradient of W_Q vanishes with the residual, or faster",
                  "W_Q 的梯度随残差一同消失，甚至更快"},
                 {"it vanishes (Noci et al. 2022, abstract)", "消失（Noci 等 2022，摘要）"},
                 {"power of the residual, beside W_V", "残差的幂次，与 W_V 相比"},
                 1,
                 false},
    [KEYS] = {{"and so does that of W_K", "W_K 的梯度也是如此"},
              {"it vanishes (Noci et al. 2022, abstract)", "消失（Noci 等 2022，摘要）"},
              {"power of the residual, beside W_V", "残差的幂次，与 W_V 相比"},
              1,
              false}};

static double difference(const numbers *n, int rule, long seed) {
    switch (rule) {
    case CONDITION:
        return numbers_get(n, SMALL, seed, "theorem factor", 0);
    case GROWTH_SMALL:
        return numbers_get(n, SMALL, seed, "least growth", 0);
    case CUBIC:
        return fabs(numbers_get(n, SMALL, seed, "exponent", 0) - 3);
    case GROWTH_USUAL:
        return numbers_get(n, USUAL, seed, "least growth", 0);
    case SLOWED:
        return numbers_get(n, SKIPS, seed, "greatest growth", 0);
    case NOT_STOPPED:
        return numbers_get(n, SKIPS, seed, "residual kept a layer", 0);
    case QUERIES:
        return numbers_get(n, USUAL, seed, "exponent of queries", 0);
    default:
        return numbers_get(n, USUAL, seed, "exponent of keys", 0);
    }
}

static const panel panels[] = {{.what = "residual",
                                .label = "residual beside all of X",
                                .x_label = "layers",
                                .arms = {SMALL, USUAL, SKIPS},
                                .log_y = true},
                               {.what = "queries beside values",
                                .label = "gradient of W_Q beside that of W_V",
                                .x_label = "layer",
                                .arms = {SMALL, USUAL, SKIPS},
                                .log_y = true}};

const claim claim_rank = {
    .name = "rank",
    .title = {"Attention alone loses rank doubly exponentially, skips slow it",
              "纯注意力以双重指数的速度失去秩，残差连接使之变慢"},
    .source = "Dong et al. 2021, theorem 2.2; Noci et al. 2022",
    .paragraph =
        {"Attention mixes places. Layers of attention alone make all places alike: what a place has of its "
         "own, "
         "the residual, falls at least with its third power in every layer, as Dong et al. prove for small "
         "weights, and so the logarithm of the residual grows threefold a layer. With skips it does not. "
         "Where "
         "the residual is gone, Noci et al. show, queries and keys learn nothing any more. Nothing is "
         "trained "
         "here: stacks of 12 layers are looked at as they are initialised, in double precision, one head of "
         "width 32 a layer, 16 places, no norm, no feed-forward, no bias. The residual is X less the mean of "
         "its "
         "rows, divided by X, both in the paper's norm √(‖·‖₁·‖·‖∞). Each seed has 64 inputs, in which "
         "places have "
         "as much of their own as they share, then less and less, down to a ten-thousandth. A layer counts "
         "if the "
         "residual is between 1e-13 and 0.1 both before and after it: above, nothing has collapsed yet; "
         "below, "
         "numbers are rounding. W_V and W_O have a variance of 1/32, which keeps the length of vectors. The "
         "theorem needs small scores: its bound multiplies the residual by 4γ‖W_QK‖₁‖W_V‖‖res X‖²/√32, and "
         "only a "
         "factor below 1 makes it smaller. So W_Q and W_K are made 0.05 times as large as usual, and the "
         "factor is "
         "measured, with γ = 1, its value where attention is even. With the usual weights the theorem "
         "promises "
         "nothing; whether the law holds all the same is a rule of its own. The margin of twofold is below "
         "the "
         "promised three, because the constant of the law counts while the residual is large; the fitted "
         "exponent "
         "has no such excuse, and may be 0.25 off. That skips only slow the loss is said twice: growth stays "
         "below "
         "twofold, and yet a layer leaves less than 0.9, which is a third after 12 layers. The gradients of "
         "W_Q and "
         "W_K, of a random direction at the top, are divided by that of W_V in the same layer, and fitted as "
         "a "
         "power of the residual that the layer reads, from 1e-6 on; 1 would be in proportion, and theory "
         "says 2. "
         "The paper looks at trained BERT, ALBERT and XLNet on text, and says that skips stop the collapse.",
         "注意力把各个位置混合起来。只有注意力的多层网络会使所有位置趋于一致：每个位置所独有的部分，即残差，"
         "每过一层"
         "至少按三次方缩小（Dong "
         "等人在权重较小时证明了这一点），因此残差的对数每层增长到三倍。有残差连接时则不然。"
         "Noci 等人指出，残差消失之后，查询与键便学不到任何东西。这里不做训练，只考察刚刚初始化的 12 "
         "层网络：双精度，"
         "每层一个宽度为 32 的头，16 个位置，没有归一化、前馈层和偏置。残差是 X 减去各行的平均，再除以 "
         "X，二者都用论文"
         "中的范数 √(‖·‖₁·‖·‖∞)。每个种子有 64 "
         "个输入，位置独有的部分起初与共有的部分一样多，然后逐渐减少到万分之一。"
         "只有前后残差都在 1e-13 与 0.1 之间的层才计入：在此之上尚未塌缩，在此之下只是舍入误差。W_V 与 W_O "
         "的方差为 "
         "1/32，使向量长度保持不变。定理要求分数较小：其上界把残差乘以 4γ‖W_QK‖₁‖W_V‖‖res "
         "X‖²/√32，只有这个因子小于 1 "
         "时残差才会缩小。因此 W_Q 与 W_K 取通常大小的 0.05 倍，并测量该因子，其中 γ 取 "
         "1，即注意力均匀时的值。权重为"
         "通常大小时定理不作任何保证；规律是否仍然成立，另有一条规则。两倍的界限低于定理所说的三倍，因为残差"
         "较大时规律"
         "中的常数会起作用；拟合的指数没有这个问题，允许偏差 "
         "0.25。“残差连接只是使之变慢”由两条规则表述：对数的增长不到"
         "两倍，但每层留下的残差仍不到 0.9，12 层之后不到三分之一。W_Q 与 W_K "
         "的梯度来自顶层的一个随机方向，除以同一层 W_V "
         "的梯度，再拟合为该层所读残差的幂（残差不小于 1e-6）；1 表示成正比，理论值为 "
         "2。论文考察的是在文本上训练过的 "
         "BERT、ALBERT 和 XLNet，并认为残差连接使塌缩停止。"},
    .doubles = true,
    .version = 1,
    .plan = plan,
    .rules = rules,
    .rule_count = sizeof rules / sizeof *rules,
    .difference = difference,
    .panels = panels,
    .panel_count = sizeof panels / sizeof *panels,
    .shown = {"theorem factor", "least growth", "exponent", "greatest growth", "exponent of queries",
              "exponent of keys"}};
