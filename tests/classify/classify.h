/* The classifier as a user runs it, on texts small enough to be learnt in a second. */
#ifndef TL_TESTS_CLASSIFY_H
#define TL_TESTS_CLASSIFY_H

#define PROGRAM "classify"
#include "translate/failures.h"

/* Two labels; one word decides. */
#define TEXTS                            \
 "good\ta fine film\n"                   \
 "good\tI like this film very much\n"    \
 "bad\ta dull film\n"                    \
 "bad\tI hate this film very much\n"     \
 "good\twhat a fine story , I like it\n" \
 "bad\twhat a dull story , I hate it\n"  \
 "good\tfine actors\n"                   \
 "bad\tdull actors\n"
enum { TEXT_COUNT = 8 };

static inline void write_texts(void) {
    put_text(in_folder("a.tsv"), TEXTS);
    put_text(in_folder("plain.txt"),
             "this film is fine\nthe story is dull\nwe like fine actors and hate dull ones\n");
}

#define FILES " --train $D/a.tsv --valid $D/a.tsv"
#define SMALL " --d-model 16 --heads 2 --layers 1 --threads 1"
#define TEXT_OPTIONS " --units words --min-count 1"
#define QUICK " --batch-tokens 24 --lr 0.01 --warmup 4 --steps 6 --quiet"
#define TRAIN "$T train" FILES SMALL TEXT_OPTIONS QUICK
#define PRETRAIN " --pretrain 5 --pretrain-text $D/plain.txt"

/* Trains $D/run until it knows the texts by heart. */
static inline void train_well(void) {
    write_texts();
    sh("$T train" FILES SMALL TEXT_OPTIONS
       " --batch-tokens 24 --lr 0.01 --warmup 4 --epochs 20 --dropout 0 --out $D/run "
       "--quiet");
}

/* Compares two logs without column 3 (the time) and the last column (the speed). */
static inline bool same_log(const char *a, const char *b) {
    char command[512];
    snprintf(command, sizeof command,
             "for run in %s %s; do sed -E 's/^([0-9]*,[0-9]*),[^,]*/\\1/; s/,[^,]*$//' $D/$run/log.csv "
             ">$D/log.$(echo $run | tr / "
             "_); done; cmp $D/log.$(echo %s | tr / _) $D/log.$(echo %s | tr / _)",
             a, b, a, b);
    return try(command) == 0;
}

#endif
