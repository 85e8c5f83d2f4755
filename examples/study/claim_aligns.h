/* Error rates of alignments that attention makes: what the claim counts, and beside what. */
#ifndef STUDY_CLAIM_ALIGNS_H
#define STUDY_CLAIM_ALIGNS_H

#include "study.h"

/* Links of a sentence's words, a row each, to the column that each gives most: `words` [T,S], or with `end` [T,S+1], where the last column
 * is <eos>, and a row that gives it most has no link. links [T]; returns how many. */
long aligns_links(tl_tensor words, bool end, tl_link *links);

/* What needs no attention, for the words of T targets and S sources: each word linked to the source word of the same number (the last one, if
 * there are fewer), and to the one as far into the sentence as itself. links [T]; both return how many. */
long aligns_same_place(long targets, long sources, tl_link *links);
long aligns_same_share(long targets, long sources, tl_link *links);
/* How many of the true links a source word drawn anew for each of T targets, all alike, gets right on average. */
double aligns_by_chance(long true_links, long sources);
/* How many at most can be right where every word has one link: those of T targets that have a true one. */
long aligns_at_most(const tl_link *truth, long true_count, long targets);

/* The error of the best layer, the lowest over `at` 1 …; NaN if there is none. */
double aligns_best(const numbers *n, const char *arm, long seed, const char *what);

/* Measures one arm: the work of the claim (claim_aligns_measure.c). Numbers are those of arms "NAME by weights" and "NAME by norms", `at` a
 * layer from 1, in %: "output step", "input step", the same with " of words" where <eos> cannot be looked at, and of each head with " head
 * 0"; of the arm itself "diagonal", "chance", "least" and "loss". `number` is which of its stops is looked at. */
bool aligns_measure(const job *j, numbers *out, tl_error *error);

#endif
