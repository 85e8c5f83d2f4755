/* Of the claim bottleneck, what can be looked at by itself. */
#ifndef CLAIM_BOTTLENECK_H
#define CLAIM_BOTTLENECK_H

/* Two lines of words with single spaces between, place by place: at how many places both have the same word, and how many there are in
 * the longer one. Both are added to what is there. */
void add_places(const char *written, const char *reference, long *same, long *all);

#endif
