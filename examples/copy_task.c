/* The copy task: an encoder-decoder Transformer learns to copy sequences of numbers, also sequences that it has
 * never seen. Shows the whole way: corpus, vocabulary, batches, model, optimiser, training, decoding. It takes
 * seconds.
 *
 *     build/copy_task
 * */
#include <tapeloom.h>

#include <stdlib.h>
#include <string.h>

enum { TRAIN = 20000, TEST = 500, EPOCHS = 4 };

/* Sequences first … first+count-1 of a stream without repetitions: "7 3 19" to "7 3 19". */
static tl_corpus *sequences(long first, long count) {
    tl_corpus *corpus = tl_corpus_new();
    tl_corpus_toy(corpus, &(tl_toy_config){.task = "copy", .first = first, .sentences = count, .seed = 1});
    return corpus;
}

/* How many of the test sequences the model copies without a mistake; -1 if the tape fails. */
static long count_exact(const tl_transformer *model, tl_tape *tape, tl_batches *test) {
    tl_search_result said;
    tl_batch batch;
    long exact = 0;
    while (tl_batches_next(test, &batch)) {
        tl_tape_reset(tape);
        if (!tl_search(&model->model, tape, &batch, &(tl_search_options){.beam = 1}, &said)) return -1;
        for (long b = 0; b < batch.sentences; b++) {
            const int *hypothesis = said.ids + b * said.capacity,
                      *reference = batch.tgt_out + b * batch.tgt_len;
            /* + 1: the target's length includes <eos> */
            exact += said.lengths[b] + 1 == batch.tgt_lengths[b] &&
                     !memcmp(hypothesis, reference, sizeof *reference * (size_t)batch.tgt_lengths[b]);
        }
    }
    return exact;
}

int main(void) {
    tl_streams_open(); /* so that failed writes are reported below */
    tl_corpus *train = sequences(0, TRAIN), *unseen = sequences(TRAIN, TEST);
    tl_vocab_counts *counts = tl_vocab_counts_new();
    tl_corpus_count(train, TL_SOURCE, counts);
    tl_vocab *vocab = tl_vocab_new(counts, NULL);
    tl_corpus_encode(train, vocab, vocab);
    tl_corpus_encode(unseen, vocab, vocab);
    tl_batches *batches = tl_batches_new(train, &(tl_batches_config){.tokens = 512});
    tl_batches *test = tl_batches_new(unseen, &(tl_batches_config){.order = TL_BY_LENGTH});

    tl_params *params = tl_params_new(1 /* seed */);
    tl_transformer_config config = {
        .tie = TL_TIE_ALL, .d_model = 32, .heads = 4, .layers = 1, .pre_norm = true};
    config.src_vocab = config.tgt_vocab = tl_vocab_size(vocab);
    tl_transformer model = tl_transformer_init(params, "", &config);
    tl_adam *adam = tl_adam_new(params, &(tl_adam_config){.beta2 = 0.98});
    tl_tape *tape = tl_tape_new();

    long last_step = EPOCHS * tl_batches_per_epoch(batches), step = 0, exact = 0;
    const char *error = tl_batches_error(batches) ? tl_batches_error(batches) : tl_batches_error(test);
    while (step < last_step && !error) {
        tl_batch batch;
        if (!tl_batches_next(batches, &batch)) { /* the end of an epoch: the next call begins a new one */
            error = tl_batches_error(batches);
            continue;
        }
        tl_tape_reset(tape); /* forget the last step's graph */
        tl_tape_set_training(tape, ++step);
        tl_var loss = tl_transformer_loss(&model, tape, &batch); /* nats per target token */
        tl_zero_grad(params);
        if (!tl_backward(loss))
            error = tl_tape_error(tape);
        else if (!tl_adam_step(adam, tl_cosine(0.005, 0, 100, last_step, step)))
            error = tl_adam_error(adam);
        else if (step == 1 || step % 100 == 0)
            printf("step %4ld  loss %.4f\n", step, tl_item(tl_value(loss)));
    }
    if (!error && (exact = count_exact(&model, tape, test)) < 0) error = tl_tape_error(tape);
    if (!error) printf("unseen sequences: %d, exact match: %.1f %%\n", TEST, 100.0 * (double)exact / TEST);
    tl_error unwritten = {""}; /* output that could not be written is a failure too */
    if (!error && !tl_output_close(stdout, &unwritten)) error = unwritten.message;
    if (error) fprintf(stderr, "copy_task: %s\n", error);

    tl_tape_free(tape);
    tl_adam_free(adam);
    tl_params_free(params);
    tl_batches_free(test);
    tl_batches_free(batches);
    tl_vocab_free(vocab);
    tl_vocab_counts_free(counts);
    tl_corpus_free(unseen);
    tl_corpus_free(train);
    return error ? EXIT_FAILURE : EXIT_SUCCESS;
}
