/* Post-norm needs warm-up: the gradient of the last layer before training, by depth, and the cost of leaving out the
 * warm-up. */
#include "claim_warmup.h"

#include "study.h"

#include <math.h>

enum { DEPTHS = 7, FIRST_DEPTH = 6, TRAINED_DEPTH = 6 };
enum { POST, PRE }; /* bit 0 of an arm's number */
enum { WARM = 2 };  /* bit 1 */

/* As in the paper: a pre-norm stream is normalised once, after the last layer; a post-norm stream gets no further
 * norm. */
static tl_run_settings settings_of(const study *s, long norm, long layers) {
    tl_run_settings r = toy_translator(s);
    r.model.layers = layers;
    r.model.pre_norm = norm == PRE;
    r.model.no_final_norm = norm == POST;
    return r;
}

/* ---- before training ---- */

/* Norm of the gradient of the mean -log p of held-out words, with respect to the second matrix of the last
 * feed-forward. */
static bool gradient_of(tl_run *run, long layers, long sentences, double *norm, tl_error *error) {
    const tl_loss_options sum = {.reduction = TL_REDUCE_SUM};
    tl_tape *tape = tl_run_tape(run);
    tl_set *set = tl_set_new(run, &(tl_set_options){.most = sentences, .batch_tokens = 1024});
    tl_batch batch;
    double tokens = 0;
    bool ok = set != NULL;
    tl_zero_grad(tl_run_params(run));
    while (ok && tl_set_next(set, &batch)) {
        tl_tape_reset(tape);
        ok = tl_backward(tl_model_loss(tl_run_model(run), tape, &batch, &sum, NULL, NULL));
        tokens += (double)batch.tgt_tokens;
    }
    /* gradients of sums add up over batches; dividing by all words gives the mean's */
    if (ok && !tl_run_error(run))
        *norm = tl_tensor_norm(tl_param_grad(
                    tl_run_transformer(run)->decoder.layer[layers - 1].feed_forward.linear2.weight)) /
                tokens;
    else
        job_failed(run, "out of memory", error);
    tl_set_free(set);
    return !tl_failed(error);
}

/* The mean over several models and sentences: the norms of two single models differ by more than 10 %. */
static bool expected_gradient(const job *j, long layers, double *mean, tl_error *error) {
    const long draws = budget_of(j->study, 8, 2, 1);
    tl_run_settings settings = settings_of(j->study, j->arm.number, layers);
    settings.data.sentences = budget_of(j->study, 500, 500, 100);
    settings.training.label_smoothing = 0;
    *mean = 0;
    for (long i = 0; i < draws; i++) {
        double norm = 0;
        if (job_stopped(j)) return tl_error_set(error, "interrupted");
        settings.training.seed = (long)j->real_seed * 100 + i;
        tl_run *run = tl_run_fresh(&settings, error);
        const bool ok = run && gradient_of(run, layers, budget_of(j->study, 24, 24, 5), &norm, error);
        tl_run_free(run);
        if (!ok) return false;
        *mean += norm / (double)draws;
    }
    return true;
}

static bool measure_gradient(const job *j, numbers *out, tl_error *error) {
    const long depths = budget_of(j->study, DEPTHS, DEPTHS, 2), step = budget_of(j->study, 2, 2, 1);
    for (long i = 0; i < depths; i++) {
        const long layers = budget_of(j->study, FIRST_DEPTH, FIRST_DEPTH, 1) + step * i;
        double mean;
        if (!expected_gradient(j, layers, &mean, error)) return false;
        put(out, j, "gradient norm", (double)layers, mean);
    }
    return true;
}

double power_fitted(const double *x, const double *y, long n) {
    double mean_x = 0, mean_y = 0, xx = 0, xy = 0;
    bool differ = false;
    for (long i = 0; i < n; i++) {
        mean_x += log(x[i]) / (double)n;
        mean_y += log(y[i]) / (double)n;
        differ = differ || x[i] != x[0];
    }
    for (long i = 0; i < n; i++) {
        const double dx = log(x[i]) - mean_x;
        xx += dx * dx;
        xy += dx * (log(y[i]) - mean_y);
    }
    return differ && isfinite(xx) && isfinite(xy) ? xy / xx : NAN;
}

/* ---- trained ---- */

double loss_counted(double loss, long words) {
    const double guessed = log((double)words);
    return loss < guessed ? loss : guessed;
}

static tl_run_settings trained(const job *j) {
    tl_run_settings r =
        settings_of(j->study, j->arm.number & 1, budget_of(j->study, TRAINED_DEPTH, TRAINED_DEPTH, 1));
    r.training.seed = (long)j->real_seed;
    r.training.schedule = "constant"; /* after the warm-up all arms learn at the same rate */
    r.training.lr = 0.002;
    r.training.warmup = j->arm.number & WARM ? budget_of(j->study, 200, 50, 2) : 0;
    r.training.clip = 0;
    r.training.batch_tokens = 512;
    return r;
}

/* Returns the run with its last weights; if training diverged, with those before training (for the vocabulary). */
static tl_run *train(const job *j, const tl_run_settings *settings, bool *diverged, tl_error *error) {
    const char *dir = job_folder(j, error);
    const long stops[2] = {budget_of(j->study, 400, 100, 4), 0};
    if (!dir) return NULL;
    if (!job_train(j, dir, settings, stops, NULL, error)) {
        *diverged = job_diverged(error);
        if (!*diverged) return NULL;
        *error = (tl_error){""};
        return tl_run_fresh(settings, error);
    }
    tl_run *run = tl_run_open(dir, &(tl_run_choice){.weights = "none"}, error);
    if (run && job_weights(run, dir, stops[0], error)) return run;
    tl_run_free(run);
    return NULL;
}

static bool measure_loss(const job *j, numbers *out, tl_error *error) {
    const tl_run_settings settings = trained(j);
    bool diverged = false;
    tl_quality q = {.loss = INFINITY};
    tl_run *run = train(j, &settings, &diverged, error);
    const bool ok = run && (diverged || job_quality(run, budget_of(j->study, 0, 0, 5), false, &q, error));
    if (ok) {
        put(out, j, "loss", 0, loss_counted(q.loss, tl_vocab_size(tl_run_vocab(run, TL_TARGET))));
        put(out, j, "diverged", 0, diverged);
    }
    tl_run_free(run);
    return ok;
}

/* ---- the claim ---- */

static const char *const norms[] = {"post-norm", "pre-norm"};
static const char *const trained_arms[] = {"post-norm without", "pre-norm without", "post-norm with warm-up",
                                           "pre-norm with warm-up"};

static void plan(study *s) {
    for (int norm = POST; norm <= PRE; norm++)
        study_arm(s, &(arm){.name = norms[norm], .work = measure_gradient, .number = norm, .cost = 10});
    for (int i = 0; i < 4; i++)
        study_arm(s, &(arm){.name = trained_arms[i], .work = measure_loss, .number = i, .cost = 17});
}

enum { POST_FLAT, PRE_ROOT, POST_NEEDS, PRE_DOES_NOT };
static const rule rules[] = {
    [POST_FLAT] = {{"post-norm: the gradient does not depend on the number of layers L",
                    "后置归一化：梯度与层数 L 无关"},
                   {"a bound without L (theorem 1)", "上界不含 L（定理 1）"},
                   {"distance of the exponent of L from 0", "L 的指数与 0 之差"},
                   0.1,
                   true},
    [PRE_ROOT] = {{"pre-norm: the gradient shrinks like 1/√L", "前置归一化：梯度按 1/√L 减小"},
                  {"a bound that goes like 1/√L (theorem 1)", "上界按 1/√L 变化（定理 1）"},
                  {"distance of the exponent of L from −1/2", "L 的指数与 −1/2 之差"},
                  0.1,
                  true},
    [POST_NEEDS] = {{"post-norm needs warm-up: without it the loss is higher",
                     "后置归一化需要预热：不预热则损失更高"},
                    {"8.45 BLEU without, about 34 with (section 3.2)",
                     "不预热 8.45 BLEU，预热约 34 BLEU（第 3.2 节）"},
                    {"nats per word", "奈特/词"},
                    0.5,
                    false},
    [PRE_DOES_NOT] = {{"pre-norm does not: without it the loss is hardly higher",
                       "前置归一化则不需要：不预热，损失也几乎不升高"},
                      {"comparable results (abstract)", "结果相当（摘要）"},
                      {"nats per word", "奈特/词"},
                      0.5,
                      true}};

static double exponent(const numbers *n, const char *arm, long seed) {
    double x[16], y[16];
    long count = 0;
    for (long layers = 1; layers <= FIRST_DEPTH + 2 * DEPTHS; layers++) {
        const double norm = numbers_get(n, arm, seed, "gradient norm", (double)layers);
        if (isnan(norm) || count == 16) continue;
        x[count] = (double)layers;
        y[count++] = norm;
    }
    return power_fitted(x, y, count);
}

static double difference(const numbers *n, int rule, long seed) {
    if (rule == POST_FLAT) return fabs(exponent(n, norms[POST], seed));
    if (rule == PRE_ROOT) return fabs(exponent(n, norms[PRE], seed) + 0.5);
    const int norm = rule == POST_NEEDS ? POST : PRE;
    return numbers_get(n, trained_arms[norm], seed, "loss", 0) -
           numbers_get(n, trained_arms[norm + WARM], seed, "loss", 0);
}

static const panel panels[] = {
    {.what = "gradient norm",
     .label = "norm of the gradient before training",
     .x_label = "layers on each side",
     .low = 0,
     .high = 1},
    {.what = "loss",
     .label = "nats per word after training",
     .arms = {"post-norm with warm-up", "post-norm without", "pre-norm with warm-up", "pre-norm without"},
     .bars = true,
     .low = 0,
     .high = 6}};

const claim claim_warmup = {
    .name = "warmup",
    .title = {"Post-norm needs warm-up", "后置归一化需要学习率预热"},
    .source = "Xiong et al. 2020, theorem 1 and section 3",
    .paragraph =
        {"Post-norm is the norm of the original Transformer: it follows each sum of a branch and the "
         "stream. Pre-norm stands inside the branch, so the stream grows with depth. Xiong et al. bound, "
         "for models before training, the gradient of the second feed-forward matrix of the last "
         "layer: with post-norm the bound does not depend on the number of layers L, with pre-norm it "
         "shrinks like 1/√L. So post-norm needs small first steps, and pre-norm does not. Measured first: "
         "the norm of that gradient in en-fr translators (64 wide) of 6, 8, … 18 layers on each side, mean "
         "over 8 random models of each depth on 24 held-out sentences each, and the exponent of L in it, "
         "by least squares on logarithms. The exponents may be 0.1 from 0 and from −1/2. The theorem "
         "itself asks for that much: its stream grows like 1 + L/2 to 1 + 3L/2, and from 6 to 18 layers "
         "this gives −0.42 to −0.47 for −1/2. Measured second: translators of 6+6 layers after 400 "
         "updates, with and without a warm-up of 200 updates, after which the rate is constant and the "
         "same for all. The rate, 0.002, is the one of 0.001, 0.002 and 0.004 that served post-norm with "
         "warm-up best on another seed. Gradients are not clipped. The loss is that of 500 held-out "
         "sentences with the true words read. A loss above that of guessing among all words counts as "
         "guessing, and so does a run whose numbers become infinite. 0.5 nats are the margin: two thirds "
         "more in perplexity. The paper trains wider models (512) for many more updates, on real text.",
         "后置归一化是原始 Transformer 的做法：归一化放在支路与主干相加之后。前置归一化放在支路之内，因此主"
         "干随深度增大。Xiong 等（2020）给出了训练之前最后一层前馈网络第二个矩阵的梯度的上界：用后置归一化"
         "，上界与层数 L 无关；用前置归一化，上界按 1/√L 减小。所以后置归一化开头的步子要小，前置归一化则不"
         "必。先测梯度：英法翻译模型（宽 64）的编码器与解码器各 6、8、……、18 层，每个深度取 8 个随机模型，"
         "各用 24 个未见过的句子，求该梯度的平均范数，再对取对数后的数据作最小二乘，求出 L 的指数。指数与 0"
         "、与 −1/2 之差允许达到 0.1。定理本身就需要这样的余地：其主干按 1 + L/2 到 1 + 3L/2 增大，在 6 到 "
         "18 层之间得到的指数是 −0.42 到 −0.47，而不是 −1/2。再测训练：编码器与解码器各 6 层的翻译模型更新 "
         "400 次，有的先做 200 次更新的学习率预热，有的不预热，此后学习率恒定，各组相同。学习率 0.002 是在"
         "另一个种子上从 0.001、0.002、0.004 中选出的，对带预热的后置归一化最好。不做梯度裁剪。损失在 500 "
         "个未见过的句子上以教师强制计算。若损失高于在所有词中猜测的损失，则按猜测计；训练中数值变为无穷的"
         "，也按猜测计。界限为 0.5 奈特，即困惑度高出三分之二。论文的模型更宽（512），更新次数多得多，用的"
         "是真实文本。"},
    .version = 1,
    .plan = plan,
    WITH_RULES(rules),
    .difference = difference,
    WITH_PANELS(panels),
    .shown = {"gradient norm", "loss", "diverged"}};
