/* Functions of the claim "bottleneck", for its test. */
#ifndef CLAIM_BOTTLENECK_H
#define CLAIM_BOTTLENECK_H

/* Compares two lines of words with single spaces, position by position. Adds the number of equal words to *same and
 * the longer line's number of words to the other. */
void add_places(const char *written, const char *reference, long *same, long *all);

#endif
