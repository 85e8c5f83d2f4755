/* What a failed operation returns: a var that names its tape and no node. */
#include "tape.h"

tl_var tl_inert(tl_tape *tape) { return (tl_var){tape, -1, 0}; }
