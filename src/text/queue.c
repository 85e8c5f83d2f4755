/* A binary heap: no place comes before its parent, which is at (i - 1) / 2. */
#include "queue.h"
#include "base/memory.h"

static bool comes_before(tl_place a, tl_place b) { return a.rank != b.rank ? a.rank < b.rank : a.at < b.at; }

bool tl_queue_push(tl_queue *queue, tl_place place) {
    if (!TL_RESERVE(queue->places, queue->room, queue->used + 1)) return false;
    size_t i = queue->used++;
    for (; i > 0 && comes_before(place, queue->places[(i - 1) / 2]); i = (i - 1) / 2)
        queue->places[i] = queue->places[(i - 1) / 2];
    queue->places[i] = place;
    return true;
}

tl_place tl_queue_pop(tl_queue *queue) {
    const tl_place first = queue->places[0], moved = queue->places[--queue->used];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < queue->used; i = child) {
        if (child + 1 < queue->used && comes_before(queue->places[child + 1], queue->places[child])) child++;
        if (!comes_before(queue->places[child], moved)) break;
        queue->places[i] = queue->places[child];
    }
    queue->places[i] = moved;
    return first;
}

void tl_queue_free(tl_queue *queue) {
    free(queue->places);
    *queue = (tl_queue){0};
}
