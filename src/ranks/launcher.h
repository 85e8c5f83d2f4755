/* What started this process, according to the environment. */
#ifndef TL_RANKS_LAUNCHER_H
#define TL_RANKS_LAUNCHER_H

/* How many copies of this program an MPI launcher has started together, and the names of the variables that say so,
 * separated by commas. 1, and names "", if none does. */
#define TL_LAUNCHED_BY 100
int tl_ranks_launched(char names[TL_LAUNCHED_BY]);

#endif
