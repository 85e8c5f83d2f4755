/* What tl_tape_dot draws: boxes, and arrows from a box to each box that reads its values. The arrows form no cycle.
 *
 * A view that something reads has no box. Its arrow begins at the box of the node that owns the memory. */
#ifndef TL_PICTURE_H
#define TL_PICTURE_H

#include "autograd/tape.h"

/* In box_of: the node has no box yet, or is a view that something reads. */
enum { TL_PICTURE_NO_BOX = -1, TL_PICTURE_VIEW = -2 };

/* A node that stands alone, or a closed scope: one box for all of its nodes. */
typedef struct tl_picture_box {
    int node;          /* its first node */
    const char *scope; /* of that node */
    /* The first bytes of `scope` name the frame that the box stands in. */
    size_t frame_bytes;
    /* Closed: the first bytes of `scope` name the closed scope. Otherwise 0. */
    size_t name_bytes;
    /* Closed: how many nodes of each kind. Inputs are constants and variables. */
    int operations, inputs, parameters;
    long numbers;    /* closed: elements of all its parameters */
    int group, part; /* closed: index of its tl_picture_group, and its part of the scope, from 1 */
    int in;          /* while boxes are made: the last arrow to this box, or -1 */

    /* A parameter: the box of the next one with the same readers, or -1. They are drawn as one box, the first one's. */
    int next;
    int out;     /* a parameter that something reads: the first arrow from it */
    bool joined; /* a parameter: it is drawn in another one's box */
    /* A parameter stands beside its first reader if both are in the same frame. */
    bool placed; /* a parameter: it does */
    int beside;  /* a reader: the box of the first parameter that stands beside it, or -1 */
    int after;   /* a parameter: the box of the next one beside the same reader, or -1 */
} tl_picture_box;

typedef struct tl_picture_arrow {
    int from, to; /* boxes */
    int value;    /* the node that is read: one of `from`, or a view of it */
    int times;    /* how often */
    int next;     /* while boxes are made: another arrow to the same box, or -1 */
} tl_picture_arrow;

/* A closed scope. It has several boxes if one box would be both before and after another. */
typedef struct tl_picture_group {
    const char *scope; /* its first `bytes` bytes are the name */
    size_t bytes;
    int newest, parts; /* the newest box, and how many there are */
} tl_picture_group;

typedef struct tl_picture {
    tl_tape *tape;
    int *box_of; /* [nodes] */
    tl_picture_box *box;
    tl_picture_arrow *arrow; /* sorted by from, to, value */
    tl_picture_group *group;
    int *mark, *stack; /* [nodes], scratch */
    int boxes, arrows, groups, marks;
} tl_picture;

/* How many of a scope's first bytes name its outermost `levels` levels. A number belongs to the level before it:
 * "encoder.layers.0.norm1" has three levels. */
size_t tl_scope_cut(const char *scope, int levels);
/* Scopes of more than `depth` levels are closed. If there is no memory the tape fails, and the result is false.
 * Free the picture in both cases. */
bool tl_picture_make(tl_picture *p, tl_tape *tape, int depth);
void tl_picture_free(tl_picture *p);
/* Where arrows of a node's value begin: the node itself, or what a view without a box is a view of. */
int tl_picture_shown(const tl_picture *p, int node);
/* Is this box a parameter that stands outside closed scopes? */
bool tl_picture_is_parameter(const tl_picture *p, int box);

#endif
