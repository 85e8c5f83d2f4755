/* Every function of the lens with missing or impossible arguments: NULL, impossible numbers, zeroed structs. Nothing
 * crashes. The result is false, NULL, 0 or NaN, with a sentence if something can keep it. */
#define _XOPEN_SOURCE 700
#include "fresh_runs.h"
#include "nothing.h"

#include <limits.h>
#include <math.h>

static tl_error error;
static tl_run *run; /* an untrained translator, of one sentence that was looked at */
static const tl_model *model;
static tl_tape *tape;
static tl_sentences looked;
static tl_seen seen;
static const tl_seen_attention *cross;

static const tl_model no_model;
static const tl_batch no_batch;
static const tl_seen not_seen;
static const tl_seen_attention no_attention;
static const tl_sentence no_sentence;
static const tl_tensor no_tensor;
static const tl_objective a_logit = {.kind = TL_OF_LOGIT, .token = 5, .other = -1};

static void says(const char *part) {
    assert_contains(error.message, part);
    tl_error_clear(&error);
}
static void tape_says(const char *part) {
    ck_assert_ptr_nonnull(tl_tape_error(tape));
    assert_contains(tl_tape_error(tape), part);
    tl_tape_clear_error(tape);
}
static void run_says(const char *part) {
    ck_assert_ptr_nonnull(tl_run_error(run));
    assert_contains(tl_run_error(run), part);
    tl_run_clear_error(run);
    tl_tape_clear_error(tape);
}
/* After a NULL tape the error is kept by the thread until the next tape is asked. */
static void no_tape_says(const char *part) { tape_says(part); }

static void begin(void) {
    run = fresh_translator(false);
    model = tl_run_model(run), tape = tl_run_tape(run);
    const char *source = "the dog sleeps", *target = "le chien dort";
    ck_assert(tl_sentences_of(run, &source, &target, 1, &looked));
    ck_assert(tl_look(model, tape, &looked.batch, NULL, &seen));
    cross = tl_seen_of(&seen, "decoder.layers.0.cross");
    ck_assert_ptr_nonnull(cross);
}
static void end(void) {
    assert_no_error(tl_run_error(run));
    assert_no_error(tl_tape_error(tape));
    tl_sentences_free(&looked);
    tl_run_free(run);
}

START_TEST(no_function_is_forgotten) {
    static const char *const headers[] = {"lens",   "page", "heads",  "prune",   "patch",
                                          "logits", "flow", "checks", "compare", "kept"};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        char path[80];
        snprintf(path, sizeof path, "include/tapeloom/%s.h", headers[i]);
        every_function_is_called(path, "tests/lens/test_nothing.c");
    }
}
END_TEST

START_TEST(no_names) {
    tl_place_name name;
    char to[64] = "before";
    ck_assert(tl_place_count(NULL) == 0 && tl_place_count(&no_model) == 0);
    ck_assert(!tl_place_at_number(NULL, 0, &name) && !tl_place_at_number(&no_model, 0, &name));
    begin();
    ck_assert(!tl_place_at_number(model, -1, &name) && !tl_place_at_number(model, LONG_MAX, &name));
    ck_assert(!tl_place_at_number(model, LONG_MIN, &name) && !tl_place_at_number(model, 0, NULL));
    ck_assert(!tl_place_matches(NULL, "*") && !tl_place_matches("a", NULL) && !tl_place_matches("a", ""));
    ck_assert_ptr_null(tl_attention_name(model, TL_CROSS, 0, NULL));
    ck_assert_str_eq(tl_attention_name(model, (tl_attention_kind)7, 0, to), "");
    ck_assert_str_eq(tl_attention_name(model, (tl_attention_kind)-1, 0, to), "");
    ck_assert_str_eq(tl_attention_name(NULL, TL_CROSS, 1, to), "decoder.layers.1.cross");
    end();
}
END_TEST

START_TEST(no_places) {
    tl_model_maps maps;
    begin();
    ck_assert_str_eq(tl_places_error(NULL), "places: out of memory");
    ck_assert(!tl_places_keep(NULL, "*") && !tl_places_replace(NULL, "*", NULL, NULL));
    ck_assert(!tl_places_gate(NULL, "*", 0, 0));
    tl_places_forget(NULL), tl_places_free(NULL);
    const tl_model *none[] = {NULL, &no_model};
    for (int i = 0; i < 2; i++) {
        tl_places *places = tl_places_new(none[i]);
        assert_contains(tl_places_error(places), "the model is NULL or zeroed");
        ck_assert(!tl_places_keep(places, "*") && !tl_places_replace(places, "*", NULL, NULL));
        ck_assert(!tl_places_gate(places, "*", 0, 0) && !tl_places_maps(places, tape, &maps));
        tape_says("the model is NULL or zeroed");
        tl_places_forget(places), tl_places_free(places);
    }
    tl_places *places = tl_places_new(model);
    ck_assert(!tl_places_keep(places, NULL));
    assert_contains(tl_places_error(places), "no place of the model matches (NULL)");
    tl_places_forget(places);
    ck_assert(!tl_places_replace(places, NULL, NULL, NULL));
    tl_places_forget(places);
    ck_assert(tl_places_replace(places, "*", NULL, NULL) && !tl_places_gate(places, NULL, 0, 1));
    tl_places_forget(places);
    const int heads[] = {-2, 2, INT_MIN, INT_MAX};
    for (int i = 0; i < 4; i++) {
        ck_assert(!tl_places_gate(places, "*", heads[i], 1));
        assert_contains(tl_places_error(places), "give 0 … 1, or -1 for all");
        tl_places_forget(places);
    }
    ck_assert(!tl_places_maps(places, tape, NULL));
    tape_says("the place for maps is NULL");
    ck_assert(!tl_places_maps(NULL, tape, &maps));
    tape_says("places: out of memory");
    ck_assert(!tl_places_maps(places, NULL, &maps));
    maps = (tl_model_maps){0};
    ck_assert(!tl_ok(tl_place_var(NULL, &maps, "decoder.embedding")));
    ck_assert(!tl_ok(tl_place_var(model, NULL, "decoder.embedding")));
    ck_assert(!tl_ok(tl_place_var(model, &maps, NULL)) && !tl_place_grad(model, &maps, NULL).data);
    const char *const names[] = {"decoder.embedding", "decoder.layers.0.cross.pattern"};
    for (int i = 0; i < 2; i++) {
        ck_assert(!tl_ok(tl_place_var(model, &maps, names[i])));
        ck_assert(!tl_place_grad(model, &maps, names[i]).data && !tl_place_grad(NULL, &maps, names[i]).data);
        ck_assert(!tl_place_grad(model, NULL, names[i]).data);
    }
    tl_run_act_at(NULL, places), tl_run_act_at(NULL, NULL), tl_run_act_at(run, NULL);
    tl_places_free(places);
    tl_tape_clear_error(tape);
    end();
}
END_TEST

START_TEST(no_objective) {
    char text[200];
    begin();
    ck_assert(!tl_ok(tl_objective_var(NULL, tape, &looked.batch, NULL, NULL)));
    tape_says("the model or the batch is NULL");
    ck_assert(!tl_ok(tl_objective_var(&no_model, tape, &looked.batch, NULL, NULL)));
    tape_says("the model or the batch is NULL");
    ck_assert(!tl_ok(tl_objective_var(model, tape, NULL, NULL, NULL)));
    tape_says("the model or the batch is NULL");
    for (int kind = TL_OF_LOSS; kind <= TL_OF_LOGIT + 1; kind++) {
        const tl_objective o = {.kind = (tl_objective_kind)kind, .token = -1, .other = -1};
        ck_assert(!tl_ok(tl_objective_var(model, tape, &no_batch, NULL, &o)));
        tape_says(kind < TL_OF_LOG_P ? "batch" : "there are 0 sentences");
        ck_assert(!tl_ok(tl_objective_var(model, NULL, &looked.batch, NULL, &o)));
        tl_tape_clear_error(tape);
    }
    const long numbers[] = {-1, 99, LONG_MIN, LONG_MAX};
    for (int i = 0; i < 4; i++) {
        tl_objective o = {.kind = TL_OF_LOG_P, .sentence = numbers[i], .token = -1, .other = -1};
        ck_assert(!tl_ok(tl_objective_var(model, tape, &looked.batch, NULL, &o)));
        tape_says("but there are 1 sentences of 4 words");
        ck_assert_ptr_nonnull(strstr(tl_objective_text(&o, &looked, text, sizeof text), "the true token"));
        o.sentence = 0, o.position = numbers[i] == LONG_MAX ? LONG_MAX - 1 : numbers[i];
        ck_assert(!tl_ok(tl_objective_var(model, tape, &looked.batch, NULL, &o)));
        tape_says("but there are 1 sentences of 4 words");
        ck_assert_ptr_nonnull(strstr(tl_objective_text(&o, &looked, text, sizeof text), "the true token"));
    }
    const tl_objective far = {.kind = TL_OF_LOGIT, .token = INT_MAX, .other = INT_MAX};
    ck_assert(!tl_ok(tl_objective_var(model, tape, &looked.batch, NULL, &far)));
    tape_says("objective: token 2147483647");
    assert_contains(tl_objective_text(&far, &looked, text, sizeof text), "#2147483647");
    assert_contains(tl_objective_text(NULL, NULL, text, sizeof text), "L = the loss");
    assert_contains(tl_objective_text(&a_logit, &(tl_sentences){0}, text, sizeof text), "#5");
    ck_assert_str_eq(tl_objective_name(&a_logit, NULL, text, sizeof text), "logit of \"#5\" (word 1)");
    ck_assert_str_eq(tl_objective_name(NULL, NULL, text, 9), "the loss");
    ck_assert_str_eq(tl_objective_text(NULL, NULL, text, 9), "L = the ");
    ck_assert_str_eq(tl_objective_text(NULL, NULL, text, 3), "L ");
    ck_assert(!tl_objective_text(&a_logit, NULL, NULL, 10) && !tl_objective_name(&a_logit, NULL, NULL, 10));
    strcpy(text, "before");
    ck_assert_str_eq(tl_objective_text(&a_logit, NULL, text, 0), "before");
    end();
}
END_TEST

START_TEST(no_look) {
    tl_seen s;
    begin();
    ck_assert(!tl_look(NULL, tape, &looked.batch, NULL, &s) &&
              !tl_look(&no_model, tape, &looked.batch, NULL, &s));
    tape_says("tl_look: the model, the batch");
    ck_assert(!tl_look(model, tape, NULL, NULL, &s) && !tl_look(model, tape, &looked.batch, NULL, NULL));
    tape_says("or the place for what is seen is NULL");
    ck_assert(!tl_look(model, tape, &no_batch, NULL, &s));
    tape_says("batch");
    ck_assert(!tl_look(model, NULL, &looked.batch, NULL, &s));
    tl_tape_clear_error(tape);
    ck_assert(!tl_seen_of(NULL, "decoder.layers.0.cross") && !tl_seen_of(&not_seen, "pooling"));
    ck_assert_ptr_null(tl_seen_of(&seen, NULL));
    end();
}
END_TEST

START_TEST(no_quantity) {
    tl_quantity q = TL_SEE_S;
    const tl_quantity odd[] = {(tl_quantity)-1, (tl_quantity)TL_QUANTITIES, (tl_quantity)INT_MAX};
    begin();
    for (int i = 0; i < 3; i++) {
        ck_assert(!tl_quantity_name(odd[i]) && !tl_quantity_meaning(odd[i]) && !tl_quantity_is_grad(odd[i]));
    }
    ck_assert(!tl_quantity_of(NULL, &q) && !tl_quantity_of("", &q) && !tl_quantity_of("A", NULL));
    ck_assert_int_eq(q, TL_SEE_S);
    ck_assert(tl_look(model, tape, &looked.batch, &(tl_look_options){.norms = true}, &seen));
    cross = tl_seen_of(&seen, "decoder.layers.0.cross");
    for (int i = 0; i < 3; i++) ck_assert(tl_seen_value(cross, odd[i], 0, 0, 0, 0) == 0);
    const long out[] = {-1, 99, LONG_MIN, LONG_MAX};
    for (int k = 0; k < TL_QUANTITIES; k++) {
        q = (tl_quantity)k;
        ck_assert(tl_seen_value(NULL, q, 0, 0, 0, 0) == 0 &&
                  tl_seen_value(&no_attention, q, 0, 0, 0, 0) == 0);
        for (int i = 0; i < 4; i++) {
            ck_assert(tl_seen_value(cross, q, out[i], 0, 0, 0) == 0);
            ck_assert(tl_seen_value(cross, q, 0, out[i], 0, 0) == 0 || q == TL_SEE_NORM);
            ck_assert(tl_seen_value(cross, q, 0, 0, out[i], 0) == 0);
            ck_assert(tl_seen_value(cross, q, 0, 0, 0, out[i]) == 0);
        }
    }
    ck_assert_int_eq(tl_why_blocked(NULL, 0, 0, 0, 0, 1, 1), TL_SEES);
    const tl_mask *masks[] = {NULL, &cross->mask, &(tl_mask){0}};
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(tl_why_blocked(masks[i], 0, 0, 0, 0, 0, 0), TL_BY_PADDING);
        ck_assert_int_eq(tl_why_blocked(masks[i], -1, -1, -1, -1, 1, 1), TL_BY_PADDING);
        ck_assert_int_eq(tl_why_blocked(masks[i], 0, 0, LONG_MAX, LONG_MIN, 1, 1), TL_BY_PADDING);
    }
    ck_assert_str_eq(tl_why_text((tl_why)-1), "");
    ck_assert_str_eq(tl_why_text((tl_why)99), "");
    end();
}
END_TEST

START_TEST(no_sentences) {
    tl_sentences s;
    const char *const line[] = {"the dog", NULL};
    begin();
    ck_assert(!tl_sentences_of(NULL, line, NULL, 1, &s) && !s.count && !s.sentence);
    ck_assert(!tl_sentences_of(run, line, NULL, 1, NULL));
    run_says("sentences: give one or more, and the place for them");
    ck_assert(!tl_sentences_of(run, line, NULL, 0, &s) && !tl_sentences_of(run, line, NULL, LONG_MIN, &s));
    run_says("sentences: give one or more");
    ck_assert(!tl_sentences_of(run, NULL, NULL, 1, &s) && !s.memory);
    run_says("there is no sentence to look at");
    ck_assert(!tl_sentences_of(run, line, NULL, 2, &s) && !s.memory);
    run_says("there is no sentence to look at");
    tl_sentences_free(NULL), tl_sentences_free(&s);
    ck_assert_ptr_null(looked.token(&looked, -1));
    ck_assert_ptr_null(looked.token(&looked, INT_MAX));
    ck_assert(!tl_seen_rows(NULL, &no_sentence) && !tl_seen_rows(cross, NULL));
    ck_assert(!tl_seen_columns(NULL, &no_sentence) && !tl_seen_columns(cross, NULL));
    ck_assert_int_eq(tl_seen_rows(&no_attention, &no_sentence)->count, 0);
    ck_assert_int_eq(tl_seen_columns(&no_attention, &no_sentence)->count, 0);
    end();
}
END_TEST

START_TEST(no_map) {
    begin();
    const tl_sentence *sentence = &looked.sentence[0];
    const tl_tokens *rows = tl_seen_rows(cross, sentence), *columns = tl_seen_columns(cross, sentence),
                    none = {0};
    tl_real numbers[64] = {0};
    const tl_tensor to = tl_tensor_of(numbers, TL_SHAPE(rows->words, columns->words));
    const tl_tensor from = tl_at(cross->weights, 0, 0);
    tl_words_of(no_tensor, rows, columns, to), tl_words_of(from, NULL, columns, to);
    tl_words_of(from, rows, NULL, to), tl_words_of(from, rows, columns, no_tensor);
    tl_words_of(from, &none, &none, to), tl_words_of(no_tensor, NULL, NULL, no_tensor);
    for (int i = 0; i < 64; i++) ck_assert(numbers[i] == 0);
    for (int words = 0; words < 2; words++) {
        ck_assert_ptr_null(tl_seen_map(NULL, TL_SEE_A, 0, 0, sentence, words, tape).data);
        tape_says("a map: what was seen or its sentence is NULL");
        ck_assert_ptr_null(tl_seen_map(cross, TL_SEE_A, 0, 0, NULL, words, tape).data);
        tape_says("a map: what was seen or its sentence is NULL");
        ck_assert_ptr_null(tl_seen_map(cross, TL_SEE_A, 0, 0, sentence, words, NULL).data);
        tl_seen_map(&no_attention, TL_SEE_A, 0, 0, &no_sentence, words, tape);
        tl_tape_clear_error(tape);
        const tl_tensor map = tl_seen_map(cross, (tl_quantity)99, -1, 99, sentence, words, tape);
        ck_assert(map.data && tl_tensor_norm(map) == 0);
        ck_assert_str_eq(tl_seen_label(NULL, 0, words, tape), "");
        ck_assert_str_eq(tl_seen_label(&none, 0, words, tape), "");
        ck_assert_str_eq(tl_seen_label(rows, -7, words, tape), "");
        ck_assert_str_eq(tl_seen_label(rows, LONG_MAX, words, tape), "");
        ck_assert_int_eq(tl_seen_why(NULL, 0, 0, 0, 0, sentence, words), TL_SEES);
        ck_assert_int_eq(tl_seen_why(&no_attention, 0, -1, 0, 0, &no_sentence, words), TL_SEES);
        tl_seen_why(cross, 0, 99, 0, 0, sentence, words), tl_seen_why(cross, -1, -1, -1, 99, sentence, words);
    }
    ck_assert_str_eq(tl_seen_label(rows, 0, true, NULL), "");
    ck_assert_int_eq(tl_seen_why(cross, 0, 0, 0, 0, NULL, true), TL_SEES);
    ck_assert_int_eq(tl_seen_why(cross, 0, 0, 0, 0, NULL, false), TL_SEES);
    tl_tape_clear_error(tape);
    end();
}
END_TEST

START_TEST(no_files) {
    const tl_seen *what[] = {NULL, &seen, &seen};
    tl_sentences empty = {0}, *whose[] = {&looked, NULL, &empty};
    begin();
    for (int i = 0; i < 3; i++) {
        if (i < 2) {
            ck_assert(!tl_seen_csv("/nowhere/x.csv", what[i], whose[i], NULL, false, tape, &error));
            says("give what was seen, and its sentences");
        }
        ck_assert(!tl_seen_safetensors("/nowhere/x", what[i], whose[i], NULL, false, NULL, tape, &error));
        says("give what was seen, and its sentences");
        ck_assert(!tl_seen_safetensors(NULL, what[i], whose[i], NULL, false, NULL, NULL, NULL));
    }
    ck_assert(!tl_seen_csv(NULL, &seen, &looked, NULL, true, tape, &error) && tl_failed(&error));
    tl_error_clear(&error);
    ck_assert(!tl_seen_csv("/nowhere/x.csv", &seen, &looked, NULL, true, tape, NULL));
    ck_assert(!tl_seen_csv("/dev/null", &seen, &looked, NULL, true, NULL, NULL));
    ck_assert(!tl_seen_safetensors(NULL, &seen, &looked, NULL, true, NULL, tape, &error) &&
              tl_failed(&error));
    tl_error_clear(&error);
    ck_assert(!tl_seen_safetensors("/nowhere/x", &seen, &looked, "none such", true, NULL, tape, NULL));
    ck_assert(!tl_seen_safetensors("/nowhere/x", &seen, &looked, NULL, true, NULL, NULL, &error));
    ck_assert(tl_failed(&error));
    tl_error_clear(&error);
    tl_tape_clear_error(tape);
    end();
}
END_TEST

START_TEST(no_set) {
    tl_batch batch;
    tl_quality quality;
    long count = 7;
    begin();
    ck_assert_ptr_null(tl_set_new(NULL, NULL));
    ck_assert_ptr_null(tl_set_new(run, &(tl_set_options){.most = -1}));
    run_says("neither can be negative");
    ck_assert_ptr_null(tl_set_new(run, &(tl_set_options){.batch_tokens = LONG_MIN}));
    run_says("neither can be negative");
    ck_assert_ptr_null(tl_set_new(run, &(tl_set_options){.file = ""}));
    ck_assert_ptr_nonnull(tl_run_error(run));
    tl_run_clear_error(run);
    tl_run *empty = tl_run_new(NULL, NULL);
    ck_assert_ptr_null(tl_set_new(empty, NULL));
    ck_assert_ptr_nonnull(tl_run_error(empty));
    tl_run_free(empty);
    ck_assert(tl_set_count(NULL) == 0 && !tl_set_name(NULL) && !tl_set_next(NULL, &batch));
    ck_assert(!tl_set_source(NULL, 0) && !tl_set_target(NULL, 0) && !tl_set_alignment(NULL, 0, &count));
    ck_assert(count == 0 && !tl_set_alignment(NULL, 0, NULL) && !tl_set_measure(NULL, true, &quality));
    tl_set_free(NULL);
    tl_set *set = tl_set_new(run, &(tl_set_options){.most = 3});
    ck_assert(set && !tl_set_next(set, NULL) && !tl_set_source(set, -1) && !tl_set_source(set, LONG_MAX));
    ck_assert(!tl_set_target(set, -1) && !tl_set_target(set, 3) && tl_set_alignment(set, 0, NULL));
    ck_assert(!tl_set_alignment(set, -1, &count) && !tl_set_alignment(set, LONG_MAX, &count));
    ck_assert(!tl_set_measure(set, false, NULL));
    run_says("the place for the quality is NULL");
    tl_set_free(set);
    end();
}
END_TEST

START_TEST(no_page) {
    size_t size = 7;
    char digits[17];
    begin();
    tl_sentences empty = {0}, more = looked;
    more.count = 2;
    const struct {
        tl_sentences *sentences;
        const tl_seen *seen;
        size_t *size;
    } lacks[] = {{NULL, &seen, &size},        {&empty, &seen, &size}, {&looked, NULL, &size},
                 {&looked, &not_seen, &size}, {&looked, &seen, NULL}, {&more, &seen, &size}};
    for (size_t i = 0; i < sizeof lacks / sizeof *lacks; i++) {
        ck_assert_ptr_null(tl_page_text(NULL, lacks[i].sentences, lacks[i].seen, NULL, lacks[i].size));
        ck_assert_ptr_null(tl_page_text(run, lacks[i].sentences, lacks[i].seen, NULL, lacks[i].size));
        run_says("page: give sentences, what was seen of them, and room for the page's size");
    }
    ck_assert_ptr_null(tl_page_text(run, &looked, &seen, &(tl_page_options){.most_bytes = 1}, &size));
    run_says("take more bytes than it may have");
    ck_assert_ptr_null(tl_page_fingerprint(tl_run_params(run), NULL));
    ck_assert_uint_eq(strlen(tl_page_fingerprint(NULL, digits)), 16);
    end();
}
END_TEST

START_TEST(no_heads) {
    tl_alignment_errors errors = {0};
    tl_real numbers[4] = {1, 0, 0, 1};
    const tl_tensor matrix = tl_tensor_of(numbers, TL_SHAPE(2, 2));
    const tl_link link = {0};
    double one = 1;
    ck_assert(isnan(tl_head_gate_grad(no_tensor, no_tensor)) && isnan(tl_head_gate_grad(matrix, no_tensor)));
    ck_assert(isnan(tl_head_gate_grad_per_token(no_tensor, matrix)));
    tl_heads_normalise(NULL, 3), tl_heads_normalise(&one, 0), tl_heads_normalise(&one, LONG_MIN);
    ck_assert(one == 1);
    tl_head_sums *sums = tl_head_sums_new();
    const tl_head_map map = {.weights = matrix}, none = {0};
    ck_assert(!tl_head_sums_add(NULL, &map) && !tl_head_sums_add(sums, NULL) &&
              !tl_head_sums_add(sums, &none));
    ck_assert(isnan(tl_head_habits_of(NULL).confidence) && isnan(tl_head_habits_of(sums).entropy));
    tl_head_sums_free(sums), tl_head_sums_free(NULL);
    ck_assert(tl_head_links(no_tensor, &(tl_link){0}) == 0 && tl_head_links(matrix, NULL) == 0);
    tl_alignment_errors_add(NULL, &link, 1, &link, 1);
    tl_alignment_errors_add(&errors, NULL, 1, &link, 1), tl_alignment_errors_add(&errors, &link, 1, NULL, 1);
    tl_alignment_errors_add(&errors, &link, -1, &link, 1),
        tl_alignment_errors_add(&errors, &link, 1, &link, -1);
    tl_alignment_errors_add(&errors, NULL, 0, NULL, 0);
    ck_assert(isnan(tl_alignment_error_rate(&errors)) && isnan(tl_alignment_error_rate(NULL)));
    ck_assert(isnan(tl_rank_correlation(NULL, &one, 1)) && isnan(tl_rank_correlation(&one, NULL, 1)));
    ck_assert(isnan(tl_rank_correlation(&one, &one, 0)) && isnan(tl_rank_correlation(&one, &one, -1)));
}
END_TEST

START_TEST(no_heads_of_a_set) {
    tl_heads_table table;
    double numbers[64];
    begin();
    tl_set *set = tl_set_new(run, &(tl_set_options){.most = 2});
    tl_run *empty = tl_run_new(NULL, NULL);
    ck_assert(set && tl_heads_count(NULL) == 0 && tl_heads_count(empty) == 0);
    ck_assert(!tl_heads_importance(NULL, set, false, numbers) && !tl_heads_measure(NULL, set, NULL, &table));
    ck_assert(!tl_heads_importance(run, NULL, false, numbers));
    run_says("heads: give a set and room for the importance of each head");
    ck_assert(!tl_heads_importance(run, set, true, NULL));
    run_says("heads: give a set and room for the importance of each head");
    ck_assert(!tl_heads_measure(run, NULL, NULL, &table) && !table.row && !table.count);
    run_says("heads: give a set and a place for the table");
    ck_assert(!tl_heads_measure(run, set, NULL, NULL));
    run_says("heads: give a set and a place for the table");
    tl_heads_table_free(NULL), tl_heads_table_free(&table);
    ck_assert(tl_seen_real_rows(NULL, cross, 0) == 0 && tl_seen_real_columns(NULL, cross, 0) == 0);
    ck_assert(tl_seen_real_rows(&seen, NULL, 0) == 0 && tl_seen_real_columns(&seen, NULL, 0) == 0);
    ck_assert(isnan(tl_seen_gate_grad(NULL, cross, 0, 0, false)));
    ck_assert(isnan(tl_seen_gate_grad(&seen, NULL, 0, 0, true)));
    ck_assert(isnan(tl_seen_gate_grad(&seen, &no_attention, 0, 0, true)));
    ck_assert(isnan(tl_seen_gate_grad(&not_seen, cross, 0, 0, true)));
    const long out[] = {-1, 99, LONG_MIN, LONG_MAX};
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(tl_seen_real_rows(&seen, cross, out[i]), 0);
        ck_assert_int_eq(tl_seen_real_columns(&seen, cross, out[i]), 0);
        ck_assert(isnan(tl_seen_gate_grad(&seen, cross, out[i], 0, false)));
        ck_assert(isnan(tl_seen_gate_grad(&seen, cross, 0, out[i], true)));
    }
    tl_run_free(empty);
    tl_set_free(set);
    end();
}
END_TEST

START_TEST(no_pruning) {
    tl_head_name name;
    tl_quality quality;
    bool keep[64] = {0};
    double gates[64], one = 1;
    long order[64] = {0};
    ck_assert(tl_prune_heads(NULL) == 0 && tl_prune_heads(&no_model) == 0);
    ck_assert(!tl_prune_head(NULL, 0, &name) && !tl_prune_head(&no_model, 0, &name));
    ck_assert(!tl_prune_by_importance(NULL, 1, order) && !tl_prune_by_importance(&one, 1, NULL));
    ck_assert(!tl_prune_by_importance(&one, -1, order) && tl_prune_by_importance(NULL, 0, NULL));
    tl_prune_by_chance(3, 1, NULL), tl_prune_by_chance(LONG_MIN, 1, order);
    ck_assert(tl_prune_points(0, 0, NULL) == 1 && tl_prune_points(LONG_MIN, LONG_MIN, order) == 1);
    ck_assert_int_eq(tl_prune_points(5, LONG_MAX, NULL), 2);
    ck_assert(isnan(tl_spread_of(NULL, 2).mean) && isnan(tl_spread_of(&one, 0).deviation));
    ck_assert(isnan(tl_spread_of(&one, -1).mean));
    begin();
    tl_set *set = tl_set_new(run, &(tl_set_options){.most = 2});
    ck_assert(!tl_prune_head(model, -1, &name) && !tl_prune_head(model, LONG_MAX, &name));
    ck_assert(!tl_prune_head(model, 0, NULL));
    ck_assert(!tl_prune_measure(NULL, set, order, 1, false, &quality));
    ck_assert(!tl_prune_measure(run, NULL, order, 1, false, &quality));
    run_says("the set, the order or the place is NULL");
    ck_assert(!tl_prune_measure(run, set, NULL, 1, false, &quality));
    run_says("the set, the order or the place is NULL");
    ck_assert(!tl_prune_measure(run, set, order, 1, false, NULL));
    run_says("the set, the order or the place is NULL");
    ck_assert(!tl_prune_measure(run, set, order, -1, false, &quality));
    run_says("-1 heads to be removed");
    order[0] = -1;
    ck_assert(!tl_prune_measure(run, set, order, 1, false, &quality));
    run_says("names one that the model has not");
    ck_assert(!tl_prune_gates(NULL, gates) && !tl_prune_gates(run, NULL));
    run_says("the place for the gates of heads is NULL");
    ck_assert(!tl_prune(NULL, keep, "nowhere", false, &error) && tl_failed(&error));
    tl_error_clear(&error);
    ck_assert(!tl_prune(run, NULL, "nowhere", false, &error));
    says("keep is NULL");
    ck_assert(!tl_prune(run, keep, NULL, false, &error) && tl_failed(&error));
    tl_error_clear(&error);
    ck_assert(!tl_prune(run, keep, "", false, NULL));
    tl_set_free(set);
    end();
}
END_TEST

START_TEST(no_patch) {
    tl_patched got;
    double x[] = {1, 2};
    const tl_batch *const batches[] = {NULL, &no_batch};
    begin();
    const tl_batch *b = &looked.batch;
    ck_assert(!tl_patch_new(NULL, tape, b, b, &a_logit) && !tl_patch_new(model, tape, b, b, NULL));
    tape_says("patch: give a model, its tape, two batches and what is measured");
    ck_assert_ptr_null(tl_patch_new(&no_model, tape, b, b, &a_logit));
    tape_says("the model is NULL or zeroed");
    ck_assert_ptr_null(tl_patch_new(model, NULL, b, b, &a_logit));
    no_tape_says("patch: give a model, its tape");
    for (int i = 0; i < 2; i++) {
        ck_assert_ptr_null(tl_patch_new(model, tape, batches[i], b, &a_logit));
        tape_says("patch: ");
        ck_assert_ptr_null(tl_patch_new(model, tape, b, batches[i], &a_logit));
        tape_says("patch: ");
    }
    ck_assert_ptr_null(tl_patch_new(model, tape, &no_batch, &no_batch, &(tl_objective){0}));
    tape_says("batch");
    const long out[] = {-1, 99, LONG_MIN, LONG_MAX};
    for (int i = 0; i < 4; i++)
        for (int token = -1; token < 2; token += 2) {
            tl_objective o = {.kind = TL_OF_LOGIT, .sentence = out[i], .token = token, .other = -1};
            ck_assert_ptr_null(tl_patch_new(model, tape, b, b, &o));
            tape_says("of sentence ");
            o.sentence = 0, o.position = out[i];
            ck_assert_ptr_null(tl_patch_new(model, tape, b, b, &o));
            tape_says("word ");
        }
    ck_assert(isnan(tl_patch_value_a(NULL)) && isnan(tl_patch_value_b(NULL)) &&
              isnan(tl_patch_score(NULL, 1)));
    ck_assert(!tl_patch_has_score(NULL) && !tl_patch_run(NULL, &(tl_patch_place){.places = "*"}, 1, &got));
    ck_assert(isnan(got.value) && !tl_patch_table_new(NULL, NULL));
    tl_patch_free(NULL), tl_patch_table_free(NULL);
    tl_patch *patch = tl_patch_new(model, tape, b, b, &a_logit);
    const tl_patch_place all = {.places = "*"}, none = {0};
    ck_assert(patch && !tl_patch_run(patch, &all, 1, NULL) && !tl_patch_run(patch, NULL, 1, &got));
    ck_assert(!tl_patch_run(patch, &all, 0, &got) && !tl_patch_run(patch, &all, INT_MIN, &got));
    tape_says("patch: give places, one or more, and room for what comes out");
    ck_assert(!tl_patch_run(patch, &none, 1, &got) && isnan(got.effect));
    tape_says("patch: no place of this model is called (NULL)");
    ck_assert_ptr_null(tl_patch_table_new(patch, &(tl_patch_options){.places = "none such"}));
    tape_says("is called none such");
    tl_patch_table *table = tl_patch_table_new(patch, &(tl_patch_options){.by = (tl_patch_by)99});
    tl_patch_table_free(table);
    tl_tape_clear_error(tape);
    tl_patch_free(patch);
    ck_assert(isnan(tl_correlation(NULL, x, 2)) && isnan(tl_correlation(x, NULL, 2)));
    ck_assert(isnan(tl_correlation(x, x, 0)) && isnan(tl_correlation(x, x, LONG_MIN)));
    end();
}
END_TEST

/* Impossible ranges of heads and positions: refused, or nothing is patched; nothing outside is read. */
START_TEST(no_range) {
    const tl_range ranges[] = {{-1, 0}, {99, 0}, {LONG_MIN, LONG_MAX}, {LONG_MAX, LONG_MIN}, {1, 1}, {0, -1}};
    begin();
    tl_patch *patch = tl_patch_new(model, tape, &looked.batch, &looked.batch, &a_logit);
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        tl_patched got;
        const tl_patch_place place = {.places = "*.context", .where = {.heads = ranges[i]}};
        tl_patch_run(patch, &place, 1, &got);
        tl_tape_clear_error(tape);
        for (int by = TL_PATCH_HEADS; by <= TL_PATCH_PLACES; by++) {
            const tl_patch_options o = {.by = (tl_patch_by)by,
                                        .places = "decoder.layers.0.cross.context",
                                        .where = {.heads = ranges[i], .positions = ranges[i]}};
            tl_patch_table_free(tl_patch_table_new(patch, &o));
            tl_tape_clear_error(tape);
        }
    }
    /* from -1: from 0 */
    tl_patch_table *table = tl_patch_table_new(patch, &(tl_patch_options){.where = {.heads = {-1, 0}}});
    ck_assert(table && table->first == 0 && table->columns == 2 && table->cells == 2 * table->rows);
    tl_patch_table_free(table);
    tl_patch_free(patch);
    end();
}
END_TEST

START_TEST(no_logits) {
    const tl_skip_step step = {0}, added = {.added = (const double[]){1}};
    double read_with = 1, stream = 7, sigma = 7, at = 7;
    tl_attribution a;
    tl_lens lens;
    begin();
    const tl_batch *b = &looked.batch;
    tl_skip_path(NULL, 1, 1, &read_with, &stream, &sigma, &at);
    tl_skip_path(&step, 1, 1, &read_with, &stream, &sigma, &at);
    tl_skip_path(&added, 1, 1, NULL, &stream, &sigma, &at);
    tl_skip_path(&added, 1, 1, &read_with, NULL, &sigma, &at);
    tl_skip_path(&added, 1, 1, &read_with, &stream, NULL, &at);
    tl_skip_path(&added, 1, 1, &read_with, &stream, &sigma, NULL);
    tl_skip_path(&added, 1, -1, &read_with, &stream, &sigma, &at);
    ck_assert(stream == 7 && sigma == 7 && at == 7);
    ck_assert(!tl_attribute_logit(NULL, tape, b, &a_logit, &a) &&
              !tl_attribute_logit(&no_model, tape, b, &a_logit, &a));
    tape_says("logits: there is no model");
    ck_assert(!tl_attribute_logit(model, tape, NULL, &a_logit, &a));
    tape_says("logits: give a tape, a batch, whose logit");
    ck_assert(!tl_attribute_logit(model, tape, b, NULL, &a) &&
              !tl_attribute_logit(model, tape, b, &a_logit, NULL));
    tape_says("logits: give a tape, a batch, whose logit");
    ck_assert(!tl_attribute_logit(model, NULL, b, &a_logit, &a));
    no_tape_says("logits: give a tape");
    ck_assert(!tl_attribute_logit(model, tape, &no_batch, &a_logit, &a) && !a.summand);
    tape_says("sentence 0 is outside");
    ck_assert(!tl_attribute_logit(model, tape, b, &(tl_objective){0}, &a));
    tape_says("of a loss there is no such sum");
    const long out[] = {-1, 99, LONG_MIN, LONG_MAX};
    for (int i = 0; i < 4; i++) {
        tl_objective o = {.kind = TL_OF_LOGIT, .sentence = out[i], .token = -1, .other = -1};
        ck_assert(!tl_attribute_logit(model, tape, b, &o, &a));
        tape_says("is outside 0 … 0");
        o.sentence = 0, o.position = out[i];
        ck_assert(!tl_attribute_logit(model, tape, b, &o, &a));
        tape_says("of the sentence");
    }
    ck_assert(!tl_logit_lens(NULL, tape, b, TL_DECODER, &lens) &&
              !tl_logit_lens(&no_model, tape, b, TL_DECODER, &lens));
    tape_says("logits: there is no model");
    ck_assert(!tl_logit_lens(model, tape, NULL, TL_DECODER, &lens) &&
              !tl_logit_lens(model, tape, b, TL_DECODER, NULL));
    tape_says("logit lens: give a tape, a batch");
    ck_assert(!tl_logit_lens(model, NULL, b, TL_DECODER, &lens));
    no_tape_says("logit lens: give a tape");
    ck_assert(!tl_logit_lens(model, tape, &no_batch, TL_DECODER, &lens) && !lens.depths);
    tape_says("batch");
    ck_assert(!tl_logit_lens(model, tape, b, (tl_stream_side)9, &lens));
    tape_says("look at the decoder's");
    ck_assert_int_eq(tl_lens_say(no_tensor, 0).token, -1);
    const tl_tensor one = tl_tensor_of((tl_real[]){1, 2}, TL_SHAPE(2));
    ck_assert(tl_lens_say(one, INT_MIN).truth_rank == 0 && tl_lens_say(one, INT_MAX).truth_rank == 0);
    end();
}
END_TEST

/* A mean over the positions of a text without lengths. */
START_TEST(no_lengths) {
    const char *text = "the dog sleeps";
    tl_attribution a;
    tl_run_settings settings = small_of("classify");
    settings.data.task = "agreement";
    settings.classify.pooling = "mean";
    run = fresh(&settings);
    tape = tl_run_tape(run), model = tl_run_model(run);
    ck_assert(tl_sentences_of(run, &text, NULL, 1, &looked));
    tl_batch batch = looked.batch;
    batch.src_lengths = NULL;
    const tl_objective o = {.kind = TL_OF_LOGIT, .token = 0, .other = -1};
    ck_assert(!tl_attribute_logit(model, tape, &batch, &o, &a));
    tape_says("src_lengths");
    end();
}
END_TEST

static bool no_function(const double *x, long n, double *value, double *grad, void *context) {
    (void)x, (void)n, (void)value, (void)grad, (void)context;
    return false;
}

START_TEST(no_flow) {
    double one = 1;
    const tl_flow_layers empty = {0};
    const tl_flow_edge edge = {0, 1, 1};
    const long to = 1;
    ck_assert(!tl_flow_layers_of(NULL, 0, TL_FLOW_WEIGHTS) &&
              !tl_flow_layers_of(&not_seen, 0, TL_FLOW_WEIGHTS));
    ck_assert(!tl_flow_layers_new(-1, 1, 1, 1, true, true) &&
              !tl_flow_layers_new(1, LONG_MIN, 1, 1, true, true));
    ck_assert(!tl_flow_layers_new(1, 1, INT_MIN, 1, true, true));
    ck_assert(!tl_flow_layers_new(LONG_MAX, LONG_MAX, INT_MAX, INT_MAX, true, true));
    tl_flow_layers_free(NULL);
    ck_assert(tl_flow_rows(NULL) == 0 && tl_flow_rows(&empty) == 0);
    ck_assert(!tl_attention_rollout(NULL, 0, &one, &one) && tl_attention_rollout(&empty, 0, NULL, NULL));
    ck_assert(!tl_attention_max_flow(NULL, 0, 0, &one, &one) &&
              !tl_attention_max_flow(&empty, 0, 0, NULL, NULL));
    ck_assert(!tl_relevance(NULL, &one, &one) && tl_relevance(&empty, NULL, NULL));
    tl_flow_layers *layers = tl_flow_layers_new(1, 1, 1, 1, true, true);
    ck_assert(!tl_attention_rollout(layers, -1, NULL, NULL) &&
              !tl_attention_rollout(layers, INT_MIN, NULL, NULL));
    ck_assert(!tl_attention_max_flow(layers, -1, 0, NULL, NULL) &&
              !tl_attention_max_flow(layers, INT_MIN, 0, NULL, NULL));
    ck_assert(!tl_attention_max_flow(layers, 0, -1, NULL, NULL) &&
              !tl_attention_max_flow(layers, 0, LONG_MAX, NULL, NULL));
    ck_assert(tl_attention_rollout(layers, INT_MAX, NULL, NULL) && tl_relevance(layers, NULL, NULL));
    ck_assert(tl_attention_max_flow(layers, INT_MAX, 0, NULL, NULL));
    tl_flow_layers_free(layers);
    ck_assert(!tl_max_flow(2, NULL, 1, 0, &to, 1, &one) && !tl_max_flow(2, &edge, 1, 0, NULL, 1, &one));
    ck_assert(!tl_max_flow(2, &edge, 1, 0, &to, 1, NULL) && !tl_max_flow(0, &edge, 1, 0, &to, 1, &one));
    ck_assert(!tl_max_flow(2, &edge, -1, 0, &to, 1, &one) && !tl_max_flow(2, &edge, 1, 2, &to, 1, &one));
    ck_assert(tl_max_flow(2, NULL, 0, 0, NULL, 0, NULL));
    ck_assert(!tl_integrate_grads(NULL, NULL, 1, &one, &one, NULL, &one, NULL));
    ck_assert(!tl_integrate_grads(no_function, NULL, 1, NULL, &one, NULL, &one, NULL));
    ck_assert(!tl_integrate_grads(no_function, NULL, 1, &one, NULL, NULL, &one, NULL));
    ck_assert(!tl_integrate_grads(no_function, NULL, 1, &one, &one, NULL, NULL, NULL));
    ck_assert(!tl_integrate_grads(no_function, NULL, -1, &one, &one, NULL, &one, NULL));
    ck_assert(!tl_integrate_grads(no_function, NULL, 0, NULL, NULL, NULL, NULL, NULL));
    ck_assert(
        !tl_integrate_grads(no_function, NULL, 1, &one, &one, &(tl_path_options){.first = -1}, &one, NULL));
    tl_gauss_legendre(2, NULL, &one), tl_gauss_legendre(2, &one, NULL), tl_gauss_legendre(-1, &one, &one);
    ck_assert(one == 1 && isnan(tl_kendall_tau(NULL, &one, 1)) && isnan(tl_kendall_tau(&one, NULL, 1)));
    ck_assert(isnan(tl_kendall_tau(&one, &one, 0)) && isnan(tl_kendall_tau(&one, &one, LONG_MIN)));
}
END_TEST

START_TEST(no_input) {
    tl_input_shares shares = {0};
    tl_path_report report;
    tl_grad_taus taus;
    const char *name = "decoder.layers.0.cross";
    begin();
    const tl_batch *b = &looked.batch;
    const tl_flow_of odd = (tl_flow_of)9;
    ck_assert(!tl_flow_layers_of(&seen, -1, odd) && !tl_flow_layers_of(&seen, LONG_MAX, TL_FLOW_RELEVANCE));
    tl_input_shares_free(NULL), tl_input_shares_free(&shares);
    const tl_input_shares old = {.source = (double[]){1}, .sources = 1}; /* zeroed, but not freed */
    const struct {
        const tl_model *model;
        const tl_batch *batch;
        const tl_objective *objective;
        tl_input_shares *shares;
    } lacks[] = {{NULL, b, &a_logit, &shares},
                 {&no_model, b, &a_logit, &shares},
                 {model, NULL, &a_logit, &shares},
                 {model, b, NULL, &shares},
                 {model, b, &a_logit, NULL}};
    for (size_t i = 0; i < sizeof lacks / sizeof *lacks; i++) {
        shares = old;
        ck_assert(
            !tl_input_grads(lacks[i].model, tape, lacks[i].batch, lacks[i].objective, NULL, lacks[i].shares));
        tape_says("gradients at the input: give a model, a batch");
        ck_assert(!lacks[i].shares || !shares.source);
        shares = old;
        ck_assert(!tl_integrated_grads(lacks[i].model, tape, lacks[i].batch, lacks[i].objective, NULL,
                                       lacks[i].shares, &report));
        tape_says("gradients at the input: give a model, a batch");
        ck_assert(!lacks[i].shares || !shares.source);
        shares = (tl_input_shares){0};
        taus.positions = 3;
        ck_assert(!tl_grad_taus_of(lacks[i].model, tape, lacks[i].batch, lacks[i].objective, name, 0,
                                   lacks[i].shares ? &taus : NULL));
        tape_says("weights and gradients: give a model, a batch");
        ck_assert(!lacks[i].shares || !taus.positions);
    }
    ck_assert(!tl_grad_taus_of(model, tape, b, &a_logit, NULL, 0, &taus));
    tape_says("weights and gradients: give a model, a batch");
    const long out[] = {-1, 99, LONG_MIN, LONG_MAX};
    for (int i = 0; i < 4; i++) {
        tl_objective o = {.kind = TL_OF_LOGIT, .sentence = out[i], .token = 5, .other = -1};
        for (int turn = 0; turn < 2; turn++) {
            ck_assert(!tl_input_grads(model, tape, b, &o, NULL, &shares) && !shares.source);
            tape_says("objective");
            ck_assert(!tl_integrated_grads(model, tape, b, &o, NULL, &shares, NULL) && !shares.source);
            tape_says("objective");
            ck_assert(!tl_grad_taus_of(model, tape, b, &o, name, 0, &taus));
            tape_says(turn ? "word" : "objective");
            o.sentence = 0, o.position = out[i];
        }
    }
    ck_assert(!tl_input_grads(model, tape, &no_batch, &a_logit, NULL, &shares));
    tape_says("the batch has 0");
    ck_assert(!tl_input_grads(model, tape, &(tl_batch){.sentences = 1}, &a_logit, NULL, &shares));
    tape_says("batch");
    ck_assert(!tl_integrated_grads(model, tape, &(tl_batch){.sentences = 1}, &a_logit, NULL, &shares, NULL));
    tape_says("batch");
    ck_assert(!tl_grad_taus_of(model, tape, &(tl_batch){.sentences = 1}, &a_logit, name, 0, &taus));
    tape_says("there are 1 sentences of 0 words");
    ck_assert(!tl_grad_taus_of(model, tape, b, &a_logit, "", 0, &taus));
    tape_says("the model has no attention \"\"");
    ck_assert(!tl_grad_taus_of(model, tape, b, &a_logit, name, INT_MAX, &taus));
    tape_says("or -1 for the mean of all");
    ck_assert(!tl_integrated_grads(model, tape, b, &a_logit, &(tl_path_options){.first = -1}, &shares, NULL));
    ck_assert_ptr_null(shares.source);
    ck_assert(!tl_input_grads(model, NULL, b, &a_logit, NULL, &shares));
    ck_assert(!tl_integrated_grads(model, NULL, b, &a_logit, NULL, &shares, NULL));
    ck_assert(!tl_grad_taus_of(model, NULL, b, &a_logit, name, 0, &taus));
    tl_tape_clear_error(tape);
    end();
}
END_TEST

static tl_var no_var(tl_tape *on, const tl_var *unused, void *data) {
    (void)on, (void)unused, (void)data;
    return TL_NO_VAR;
}

START_TEST(no_fault) {
    tl_fault fault = {0};
    tl_blamed blamed;
    ck_assert(!tl_fault_kind_name((tl_fault_kind)-1) &&
              !tl_fault_kind_meaning((tl_fault_kind)TL_FAULT_KINDS));
    ck_assert(!tl_fault_of(NULL, &fault, &error));
    says("fault: give an operation's name, and the place for the fault");
    ck_assert(!tl_fault_of("softmax", NULL, &error));
    says("fault: give an operation's name");
    ck_assert(!tl_fault_of("", &fault, &error));
    says("fault: there is no operation \"\"");
    ck_assert(!tl_fault_of("softmax:", &fault, NULL) && !tl_fault_of(":", &fault, NULL));
    tl_fault_backward(NULL, NULL), tl_fault_backward(&fault, NULL);
    tl_blame_free(NULL);
    ck_assert(!tl_blame_find(NULL, NULL, NULL) && !tl_blame_find(NULL, &fault, &blamed) && blamed.node == -1);
    tl_checked *const functions[] = {NULL, no_var};
    for (int i = 0; i < 2; i++) {
        tl_blame *b = tl_blame_new(NULL, functions[i], NULL, NULL);
        ck_assert(b && !tl_blame_find(b, &fault, &blamed) && !blamed.ok && tl_failed(&blamed.error));
        tl_blame_free(b);
    }
    tl_blame *b = tl_blame_new(NULL, no_var, NULL, &(tl_blame_options){.tolerance = NAN});
    ck_assert(b && !tl_blame_find(b, NULL, &blamed) && tl_failed(&blamed.error));
    tl_blame_free(b);
}
END_TEST

START_TEST(no_check) {
    tl_model_gradcheck report;
    tl_leak_report leaks;
    begin();
    const tl_batch *b = &looked.batch, lone = {.sentences = 1}, negative = {.sentences = -1, .tgt_len = -1};
    const tl_model *const none[] = {NULL, &no_model};
    for (int i = 0; i < 2; i++) {
        ck_assert(!tl_model_gradcheck_of(none[i], b, NULL, &report) && tl_failed(&report.elements.error));
        ck_assert(!tl_leak_check(none[i], tape, b, NULL, NULL, &leaks));
        assert_contains(leaks.error.message, "leak: there is no model, tape or batch");
        ck_assert(!tl_leak_check(none[i], NULL, NULL, NULL, NULL, NULL));
    }
    ck_assert(!tl_model_gradcheck_of(model, NULL, NULL, NULL));
    ck_assert(!tl_leak_check(model, NULL, b, NULL, NULL, &leaks) && tl_failed(&leaks.error));
    ck_assert(!tl_leak_check(model, tape, NULL, NULL, NULL, &leaks) && tl_failed(&leaks.error));
    const tl_batch *const batches[] = {&no_batch, &lone, &negative};
    for (int i = 0; i < 3; i++) {
        ck_assert(!tl_model_gradcheck_of(model, batches[i], NULL, &report) &&
                  tl_failed(&report.elements.error));
        ck_assert(!tl_leak_check(model, tape, batches[i], NULL, NULL, &leaks) && tl_failed(&leaks.error));
    }
    ck_assert(tl_mask_count(NULL, 0, 0).pairs == 0 && tl_mask_count(&no_attention, 0, -1).pairs == 0);
    ck_assert(tl_mask_count(cross, -1, 0).pairs == 0 && tl_mask_count(cross, LONG_MAX, 0).pairs == 0);
    ck_assert_int_eq(tl_mask_count(cross, 0, LONG_MAX).pairs, 0);
    ck_assert(!tl_masks_same(NULL, 0, cross, 0, 0) && !tl_masks_same(cross, 0, NULL, 0, 0));
    ck_assert(!tl_masks_same(NULL, 0, NULL, 0, 0) && tl_masks_same(&no_attention, -1, &no_attention, 9, -1));
    ck_assert(!tl_batch_copy_of(NULL, 0) && !tl_batch_copy_of(&negative, 1));
    ck_assert_ptr_null(tl_batch_copy_of(&(tl_batch){.sentences = -1}, 0));
    tl_batch_copy_free(tl_batch_copy_of(&no_batch, -1)), tl_batch_copy_free(NULL);
    tl_tape_clear_error(tape);
    end();
}
END_TEST

START_TEST(no_gates) {
    double nll[16];
    tl_measured measured = {0}, odd = {0};
    tl_gate gates[TL_GATES];
    begin();
    const tl_batch *b = &looked.batch, lone = {.sentences = 1};
    ck_assert(tl_plain_count(NULL) == 0 && tl_plain_count(&no_batch) == 0 && !tl_plain_is_real(NULL, 0));
    ck_assert(!tl_plain_is_real(&no_batch, 0) && !tl_plain_is_real(b, -1) && !tl_plain_is_real(b, LONG_MAX));
    ck_assert(!tl_plain_is_real(&(tl_batch){.sentences = 1, .tgt_len = 1}, 0));
    ck_assert(!tl_plain_nll(NULL, tape, b, NULL, nll, NULL) &&
              !tl_plain_nll(&no_model, tape, b, NULL, nll, NULL));
    tape_says("the loss: give a model, a batch, and the place");
    ck_assert(!tl_plain_nll(model, tape, NULL, NULL, nll, NULL));
    tape_says("the loss: give a model, a batch, and the place");
    ck_assert(!tl_plain_nll(model, tape, b, NULL, NULL, NULL));
    tape_says("the loss: give a model, a batch, and the place");
    ck_assert(!tl_plain_nll(model, tape, &no_batch, NULL, nll, NULL));
    tape_says("the batch has neither targets nor labels");
    ck_assert(!tl_plain_nll(model, NULL, b, NULL, nll, NULL));
    tl_tape_clear_error(tape);
    tl_paired_add(NULL, 1, 2, 3);
    ck_assert(tl_paired_mean(NULL) == 0 && tl_paired_moved(NULL) == 0 && isinf(tl_paired_error(NULL)));
    ck_assert(tl_paired_mean(&measured.order) == 0 && isinf(tl_paired_error(&measured.order)));
    measured = tl_measured_of(NULL, true, true);
    ck_assert(!measured.decoder && !tl_measured_of(&no_model, true, true).decoder);
    const tl_model *const none[] = {NULL, &no_model};
    for (int i = 0; i < 2; i++) {
        ck_assert(!tl_measure_batch(&measured, none[i], tape, b, NULL));
        tape_says("checks: give a model, a batch of one sentence or more");
        ck_assert(!tl_measure_overfit(&measured, none[i], tape, b, 1, NULL, NULL));
        tape_says("checks: give a model, a batch");
        ck_assert(!tl_measure_batch(i ? &measured : NULL, model, tape, i ? NULL : b, NULL));
        tape_says("checks: give a model, a batch of one sentence or more");
        ck_assert(!tl_measure_overfit(i ? &measured : NULL, model, tape, i ? NULL : b, 1, NULL, NULL));
        tape_says("checks: give a model, a batch");
    }
    ck_assert(!tl_measure_overfit(&measured, model, tape, b, -1, NULL, NULL) && !measured.steps);
    tape_says("steps of 0 or more");
    ck_assert(!tl_measure_overfit(&measured, model, tape, &no_batch, 1, NULL, NULL));
    tape_says("batch");
    ck_assert(!tl_measure_batch(&measured, model, tape, &no_batch, NULL));
    tape_says("a batch of one sentence or more");
    ck_assert(!tl_measure_batch(&measured, model, tape, &lone, NULL));
    tape_says("batch");
    odd = tl_measured_of(model, false, true);
    ck_assert(!tl_measure_batch(&odd, model, NULL, b, NULL));
    ck_assert(!tl_measure_overfit(&odd, model, NULL, b, 1, NULL, NULL));
    tl_tape_clear_error(tape);
    ck_assert(tl_gates_judge(&measured, NULL) == 0 && tl_gates_judge(NULL, NULL) == 0);
    ck_assert_int_eq(tl_gates_judge(NULL, gates), 0);
    for (int i = 0; i < TL_GATES; i++) {
        ck_assert_int_eq(gates[i].verdict, TL_GATE_NOT_ASKED);
        ck_assert_str_eq(gates[i].measured, "nothing was measured");
    }
    tl_gates_judge(&(tl_measured){0}, gates);
    end();
}
END_TEST

START_TEST(no_rows) {
    const tl_real one[] = {1};
    tl_head_statistic statistic = TL_HEAD_LAST;
    ck_assert(tl_row_entropy(NULL, 1, 1) == -1 && tl_row_entropy(one, 0, 1) == -1 &&
              tl_row_entropy(one, LONG_MIN, 1) == -1);
    ck_assert(tl_row_divergence(NULL, 1, one, 1, 1) == -1 && tl_row_divergence(one, 1, NULL, 1, 1) == -1);
    ck_assert(tl_row_divergence(one, 1, one, 1, -1) == -1);
    ck_assert(!tl_head_statistic_name((tl_head_statistic)-1) &&
              !tl_head_statistic_meaning((tl_head_statistic)99));
    ck_assert(!tl_head_statistic_of(NULL, &statistic) && !tl_head_statistic_of("last", NULL) &&
              !tl_head_statistic_of("", &statistic));
}
END_TEST

START_TEST(no_comparison) {
    long order[64];
    char name[64] = "before";
    begin();
    tl_run *empty = tl_run_new(NULL, NULL);
    ck_assert(!tl_comparable(NULL, run, &error));
    says("to compare two models give two runs that have one");
    ck_assert(!tl_comparable(run, empty, &error) && !tl_comparable(NULL, NULL, NULL));
    says("to compare two models give two runs that have one");
    tl_run_free(empty);
    ck_assert(!tl_comparison_add(NULL, &seen, &seen) && tl_comparison_count(NULL) == 0);
    ck_assert_int_eq(tl_comparison_head(NULL, 0).head, -1);
    tl_comparison_order(NULL, TL_BY_DIVERGENCE, order), tl_comparison_free(NULL);
    ck_assert(!tl_offsets_add(NULL, &seen) && tl_offsets_count(NULL) == 0);
    ck_assert(tl_offsets_head(NULL, 0, name) == -1 && tl_offsets_head(NULL, 0, NULL) == -1 && !*name);
    ck_assert(isnan(tl_offsets_mean(NULL, 0, 0)) && tl_offsets_rows(NULL, 0, 0) == 0);
    ck_assert(isnan(tl_offsets_beyond(NULL, 0)) && !tl_offsets_new(model, -1) &&
              !tl_offsets_new(model, LONG_MAX));
    tl_offsets_free(NULL);
    const tl_model *const models[] = {NULL, &no_model, model};
    for (int i = 0; i < 3; i++) {
        tl_comparison *c = tl_comparison_new(models[i]);
        tl_offsets *o = tl_offsets_new(models[i], 0);
        ck_assert(c && o && !tl_comparison_add(c, NULL, &seen) && !tl_comparison_add(c, &seen, NULL));
        ck_assert(!tl_offsets_add(o, NULL) && (i == 1 || !tl_offsets_add(o, &not_seen)));
        ck_assert(i == 1 || !tl_comparison_add(c, &not_seen, &not_seen));
        ck_assert(tl_comparison_head(c, -1).head == -1 && tl_comparison_head(c, LONG_MAX).head == -1);
        tl_comparison_order(c, (tl_comparison_by)9, NULL), tl_comparison_order(c, (tl_comparison_by)9, order);
        ck_assert(tl_offsets_head(o, -1, name) == -1 && tl_offsets_head(o, LONG_MAX, name) == -1);
        ck_assert_int_eq(tl_offsets_head(o, 1, NULL), i == 2 ? 1 : -1);
        ck_assert(isnan(tl_offsets_mean(o, 0, LONG_MIN)) && tl_offsets_rows(o, LONG_MAX, 0) == 0);
        ck_assert(isnan(tl_offsets_mean(o, -1, 0)) && isnan(tl_offsets_beyond(o, -1)));
        tl_comparison_free(c), tl_offsets_free(o);
    }
    ck_assert(isnan(tl_head_value(NULL, cross, TL_HEAD_LAST, 0, 0)));
    ck_assert(isnan(tl_head_value(&seen, NULL, TL_HEAD_LAST, 0, 0)));
    ck_assert(isnan(tl_head_value(&seen, &no_attention, TL_HEAD_LAST, 0, 0)));
    ck_assert(isnan(tl_head_value(&not_seen, cross, TL_HEAD_LAST, 0, 0)));
    ck_assert(isnan(tl_head_value(&seen, cross, (tl_head_statistic)99, 0, 0)));
    const long out[] = {-1, 99, LONG_MIN, LONG_MAX};
    for (int i = 0; i < 4; i++) {
        ck_assert(isnan(tl_head_value(&seen, cross, TL_HEAD_SAME, out[i], 0)));
        ck_assert(isnan(tl_head_value(&seen, cross, TL_HEAD_SAME, 0, out[i])));
    }
    end();
}
END_TEST

START_TEST(no_heads_are_kept) {
    bool flags[4] = {0};
    const tl_head_shape none = {0}, one = {.layers = {1, 0, 0}, .heads = 2},
                        negative = {.layers = {1, 0, 0}, .heads = -1},
                        less = {.layers = {-1, 2, 0}, .heads = 2};
    ck_assert(tl_head_shape_of(NULL).heads == 0 && tl_head_shape_of(&no_model).heads == 0);
    ck_assert(tl_head_attentions(NULL) == 0 && tl_head_count(NULL) == 0 && tl_head_count(&none) == 0);
    ck_assert(!tl_head_kind_text((tl_attention_kind)-1) && !tl_head_kind_text((tl_attention_kind)99));
    ck_assert(!tl_heads_parse(NULL, &one, true, flags, &error));
    says("heads: a text, a model's shape and a place for flags are needed");
    ck_assert(!tl_heads_parse("", NULL, true, flags, &error));
    says("heads: a text, a model's shape");
    ck_assert(!tl_heads_parse("", &one, true, NULL, &error));
    says("heads: a text, a model's shape");
    ck_assert(!tl_heads_parse("encoder.0:0", &none, true, flags, &error));
    says("the model has none of these");
    ck_assert(tl_heads_parse("", &none, true, flags, NULL) && !flags[0]);
    ck_assert(!tl_heads_parse("encoder.0:none", &negative, true, flags, &error) && tl_failed(&error));
    tl_error_clear(&error);
    ck_assert(!tl_heads_parse("decoder.0:none", &less, true, flags, &error) && tl_failed(&error));
    tl_error_clear(&error);
    ck_assert(!tl_heads_text(NULL, &one, true) && !tl_heads_text(flags, NULL, true));
    char *text = tl_heads_text(flags, &none, true);
    ck_assert_str_eq(text, "");
    free(text);
    ck_assert(!tl_heads_text(flags, &negative, true) && !tl_heads_text(flags, &less, true));
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, no_function_is_forgotten);
    tcase_add_test(tc, no_names);
    tcase_add_test(tc, no_places);
    tcase_add_test(tc, no_objective);
    tcase_add_test(tc, no_look);
    tcase_add_test(tc, no_quantity);
    tcase_add_test(tc, no_sentences);
    tcase_add_test(tc, no_map);
    tcase_add_test(tc, no_files);
    tcase_add_test(tc, no_set);
    tcase_add_test(tc, no_page);
    tcase_add_test(tc, no_heads);
    tcase_add_test(tc, no_heads_of_a_set);
    tcase_add_test(tc, no_pruning);
    tcase_add_test(tc, no_patch);
    tcase_add_test(tc, no_range);
    tcase_add_test(tc, no_logits);
    tcase_add_test(tc, no_lengths);
    tcase_add_test(tc, no_flow);
    tcase_add_test(tc, no_input);
    tcase_add_test(tc, no_fault);
    tcase_add_test(tc, no_check);
    tcase_add_test(tc, no_gates);
    tcase_add_test(tc, no_rows);
    tcase_add_test(tc, no_comparison);
    tcase_add_test(tc, no_heads_are_kept);
}
TL_TEST_MAIN("lens: nothing")
