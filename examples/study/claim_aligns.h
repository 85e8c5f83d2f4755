/* Error rates of the alignments that attention makes, and baselines beside them. */
#ifndef STUDY_CLAIM_ALIGNS_H
#define STUDY_CLAIM_ALIGNS_H

#include "study.h"

/* Links each row of words [T,S] to its largest column. With `end` words is [T,S+1], the last column being <eos>; a
 * row whose largest is <eos> has no link. links [T]; returns how many. */
long aligns_links(tl_tensor words, bool end, tl_link *links);

/* Baselines without attention, for T target and S source words: link each word to the source word of the same number
 * (or the last one), or to the source word at the same share of the sentence. links [T]; both return how many. */
long aligns_same_place(long targets, long sources, tl_link *links);
long aligns_same_share(long targets, long sources, tl_link *links);
/* How many true links are found on average if each of T targets draws its source word uniformly. */
double aligns_by_chance(long true_links, long sources);
/* The most true links that can be found with one link a word: the number of targets that have a true link. */
long aligns_at_most(const tl_link *truth, long true_count, long targets);

/* The lowest error over the layers, `at` 1 …; NaN if there is none. */
double aligns_best(const numbers *n, const char *arm, long seed, const char *what);

/* Measures one arm: the claim's work (claim_aligns_measure.c). Numbers belong to arms "NAME by weights" and "NAME by
 * norms", with `at` a layer from 1, in %: "output step", "input step", the same with " of words" if <eos> is
 * excluded, and with " head 0" for each head. The arm itself has "diagonal", "chance", "least" and "loss". `number`
 * selects one of its stops. */
bool aligns_measure(const job *j, numbers *out, tl_error *error);

#endif
