/* The model that introduced attention, from primitive operations (Bahdanau, Cho and Bengio 2015, "Neural Machine
 * Translation by Jointly Learning to Align and Translate"). It learns to reverse sequences and shows its weights:
 *
 *     build/bahdanau
 *
 *     encode    h_j = a GRU from the left and one from the right, concatenated     [B,S,2D]
 *     score     e_ij = v·tanh(W s_{i-1} + U h_j)        s_{i-1} is the query       [B,S,1]
 *     align     a_i = softmax of the scores, c_i = sum over j of a_ij h_j          [B,1,S], [B,1,2D]
 *     state     s_i = GRU([y_{i-1}; c_i], s_{i-1})                                 [B,D]
 *     predict   p(y_i) = softmax(O tanh(T [s_i; y_{i-1}; c_i]))        (where the paper has maxout, not tanh) */
#include <tapeloom.h>

#include <stdlib.h>

enum { E = 16, D = 32, LONGEST = 6, SYMBOLS = 9, STEPS = 250 };
typedef struct affine { /* x·Wᵀ + b */
    tl_param *w, *b;
} affine;
typedef struct model {
    tl_param *source, *target;             /* embeddings [V,E] */
    affine left[2], right[2], decoder[2];  /* GRU weights: of the input, of the state */
    affine begin, ask, key, v, tell, word; /* s_0; W, U, v of the score; T, O of the output */
} model;

static affine make(tl_params *p, const char *name, long out, long in) {
    const char *w = tl_params_text(p, "%s.weight", name), *b = tl_params_text(p, "%s.bias", name);
    return (affine){tl_params_add(p, w, TL_SHAPE(out, in), (tl_init){TL_INIT_XAVIER, 0}),
                    tl_params_add(p, b, TL_SHAPE(out), (tl_init){TL_INIT_ZEROS, 0})};
}
static void make_gru(tl_params *p, const char *name, affine cell[2], long in) {
    cell[0] = make(p, tl_params_text(p, "%s.in", name), 3 * D, in);
    cell[1] = make(p, tl_params_text(p, "%s.state", name), 3 * D, D);
}
static tl_var apply(affine a, tl_var x) { return tl_linear(x, tl_use(x.tape, a.w), tl_use(x.tape, a.b)); }
static tl_var embed(tl_param *weight, tl_tape *tape, const int *words, long sentences, long length) {
    return tl_embedding(tl_use(tape, weight), words, TL_SHAPE(sentences, length));
}
static tl_var place(tl_var x, long t) { return tl_sum(tl_slice(x, 1, t, t + 1), TL_AXES(1), false); }

/* Cho et al. 2014: r and z decide how much of the state is read, and how much of it stays. x [B,in], h [B,D] */
static tl_var gru(const affine cell[2], tl_var x, tl_var h) {
    tl_var a = apply(cell[0], x), b = apply(cell[1], h);
    tl_var gates = tl_sigmoid(tl_add(tl_slice(a, 1, 0, 2 * D), tl_slice(b, 1, 0, 2 * D)));
    tl_var r = tl_slice(gates, 1, 0, D), z = tl_slice(gates, 1, D, 2 * D);
    tl_var n = tl_tanh(tl_add(tl_slice(a, 1, 2 * D, 3 * D), tl_mul(r, tl_slice(b, 1, 2 * D, 3 * D))));
    return tl_add(n, tl_mul(z, tl_sub(h, n)));
}

/* One direction. After a sentence's end the state stays the same. */
static tl_var read_all(const affine cell[2], const tl_batch *b, tl_var x, bool from_right) {
    tl_var h = tl_zeros(x.tape, TL_SHAPE(b->sentences, D)), states[LONGEST + 1];
    for (long i = 0; i < b->src_len; i++) {
        const long t = from_right ? b->src_len - 1 - i : i;
        tl_real here[256];
        for (long s = 0; s < b->sentences; s++) here[s] = t < b->src_lengths[s];
        tl_var real = tl_constant_copy(x.tape, tl_tensor_of(here, TL_SHAPE(b->sentences, 1)));
        states[t] = h = tl_where(real, gru(cell, place(x, t), h), h);
    }
    return tl_stack(states, (int)b->src_len, 1);
}

typedef struct memory { /* what the decoder attends to, its keys U·h_j, and the decoder's state */
    tl_var h, keys, state;
} memory;
static memory encode(const model *m, tl_tape *tape, const tl_batch *b) {
    tl_var x = embed(m->source, tape, b->src, b->sentences, b->src_len);
    tl_var both[] = {read_all(m->left, b, x, false), read_all(m->right, b, x, true)};
    tl_var h = tl_concat(both, 2, 2), whole = place(both[1], 0), begin = tl_tanh(apply(m->begin, whole));
    return (memory){h, apply(m->key, h), begin};
}

/* Reads word y [B,E]; returns what the output reads [B,D], and the attention weights [B,1,1,S]. */
static tl_var step(const model *m, const tl_batch *b, memory *of, tl_var y, tl_var *align) {
    const tl_mask mask = {.key_lengths = b->src_lengths};
    tl_var query = tl_reshape(apply(m->ask, of->state), TL_SHAPE(b->sentences, 1, D));
    tl_var scores = apply(m->v, tl_tanh(tl_add(query, of->keys)));
    *align = tl_masked_softmax(tl_reshape(scores, TL_SHAPE(b->sentences, 1, 1, b->src_len)), &mask);
    tl_var context = place(tl_matmul(tl_reshape(*align, TL_SHAPE(b->sentences, 1, b->src_len)), of->h), 0);
    of->state = gru(m->decoder, tl_concat((const tl_var[]){y, context}, 2, 1), of->state);
    return tl_tanh(apply(m->tell, tl_concat((const tl_var[]){of->state, y, context}, 3, 1)));
}

static tl_var loss_of(const model *m, tl_tape *tape, const tl_batch *b) {
    tl_var said[LONGEST + 1], align, y = embed(m->target, tape, b->tgt_in, b->sentences, b->tgt_len);
    memory of = encode(m, tape, b);
    for (long t = 0; t < b->tgt_len; t++) said[t] = step(m, b, &of, place(y, t), &align);
    const tl_loss_options real = {.ignore = true, .ignore_id = b->pad};
    return tl_cross_entropy(apply(m->word, tl_stack(said, (int)b->tgt_len, 1)), b->tgt_out, &real, NULL);
}

/* Decodes the batch's first sentence greedily, and prints the alignment's row with each word. */
static void show(const model *m, tl_tape *tape, tl_batch b, const tl_vocab *vocab) {
    b.sentences = 1;
    memory of = encode(m, tape, &b);
    printf("\nalignment");
    for (long j = 0; j < b.src_lengths[0]; j++) printf("%7s", tl_vocab_token(vocab, b.src[j]));
    for (int i = 0, word = TL_BOS; i <= LONGEST && word != TL_EOS; i++) {
        tl_var align, said = step(m, &b, &of, place(embed(m->target, tape, &word, 1, 1), 0), &align);
        tl_tensor logits = tl_value(apply(m->word, said));
        word = 0;
        for (int v = 1; logits.data && v < logits.dim[1]; v++)
            if (logits.data[v] > logits.data[word]) word = v;
        printf("\n%9s", tl_vocab_token(vocab, word));
        for (long j = 0; tl_ok(align) && j < b.src_lengths[0]; j++) printf("%7.2f", tl_value(align).data[j]);
    }
    printf("\n");
}

int main(void) {
    tl_streams_open(); /* so that failed writes are reported below */
    tl_set_threads(1); /* the model is so small that more threads only wait */
    const tl_toy_config toy = {"reverse", .sentences = 4000, .max_length = LONGEST, .symbols = SYMBOLS};
    tl_corpus *corpus = tl_corpus_new();
    tl_vocab_counts *counts = tl_vocab_counts_new();
    tl_corpus_toy(corpus, &toy);
    tl_corpus_count(corpus, TL_SOURCE, counts);
    tl_vocab *vocab = tl_vocab_new(counts, NULL);
    tl_corpus_encode(corpus, vocab, vocab);
    tl_batches *batches = tl_batches_new(corpus, &(tl_batches_config){.tokens = 256});
    tl_params *p = tl_params_new(1 /* seed */);
    const tl_shape words = TL_SHAPE(tl_vocab_size(vocab), E);
    model m;
    m.source = tl_params_add(p, "source", words, (tl_init){TL_INIT_NORMAL, 0.3});
    m.target = tl_params_add(p, "target", words, (tl_init){TL_INIT_NORMAL, 0.3});
    make_gru(p, "left", m.left, E), make_gru(p, "right", m.right, E);
    make_gru(p, "decoder", m.decoder, E + 2 * D), m.begin = make(p, "begin", D, D);
    m.ask = make(p, "ask", D, D), m.key = make(p, "key", D, 2 * D), m.v = make(p, "v", 1, D);
    m.tell = make(p, "tell", D, D + E + 2 * D), m.word = make(p, "word", words.dim[0], D);
    tl_adam *adam = tl_adam_new(p, NULL);
    tl_tape *tape = tl_tape_new();
    tl_batch batch = {0};
    tl_error error = {""};
    for (long s = 1; s <= STEPS && !tl_failed(&error); s++) {
        while (!tl_batches_next(batches, &batch) && !tl_batches_error(batches)) continue; /* a new epoch */
        tl_tape_reset(tape);
        tl_var loss = loss_of(&m, tape, &batch);
        tl_zero_grad(p);
        if (!tl_backward(loss) || !tl_adam_step(adam, 0.01))
            tl_error_set(&error, "%s", tl_tape_error(tape) ? tl_tape_error(tape) : tl_adam_error(adam));
        else if (s == 1 || s % 50 == 0)
            printf("step %4ld  loss %.4f\n", s, tl_item(tl_value(loss)));
    }
    if (!tl_failed(&error)) show(&m, tape, batch, vocab);
    if (!tl_output_close(stdout, &error) || tl_failed(&error))
        fprintf(stderr, "bahdanau: %s\n", error.message);
    tl_tape_free(tape), tl_adam_free(adam), tl_params_free(p), tl_batches_free(batches);
    tl_vocab_free(vocab), tl_vocab_counts_free(counts), tl_corpus_free(corpus);
    return tl_failed(&error) ? EXIT_FAILURE : EXIT_SUCCESS;
}
