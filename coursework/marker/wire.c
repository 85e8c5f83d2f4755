/* Calls and answers as the runner reads and writes them (kit/runner/wire.h). */
#include "../kit/runner/wire.h"
#include "marking.h"

#include <stdlib.h>
#include <string.h>

bool course_append(course_bytes *b, const void *more, size_t size) {
    if (b->size + size > b->room) {
        const size_t room = 2 * (b->size + size) + 4096;
        unsigned char *data = realloc(b->data, room);
        if (!data) return false;
        b->data = data, b->room = room;
    }
    if (size > 0) memcpy(b->data + b->size, more, size);
    b->size += size;
    return true;
}

bool course_pack(course_bytes *to, const course_case *cases, int calls, unsigned ticket) {
    bool ok = true;
    for (int i = 0; ok && i < calls; i++) {
        const course_case *c = &cases[i];
        wire_call w;
        memset(&w, 0, sizeof w); /* also the padding between fields */
        w.flags = c->flags, w.arrays = c->arrays, w.ticket = ticket + (unsigned)i;
        snprintf(w.function, sizeof w.function, "%s", c->of->function);
        memcpy(w.n, c->n, sizeof w.n);
        memcpy(w.p, c->p, sizeof w.p);
        for (int k = 0; k < c->arrays; k++) w.count[k] = c->a[k].count;
        ok = course_append(to, &w, sizeof w);
        for (int k = 0; ok && k < c->arrays; k++)
            ok = course_append(to, c->a[k].data, (size_t)c->a[k].count * sizeof(double));
    }
    return ok;
}

static size_t size_of(const course_case *c) {
    size_t size = sizeof(wire_answer);
    for (int k = 0; k < c->arrays; k++) size += (size_t)(c->a[k].count + 2 * COURSE_GUARD) * sizeof(double);
    return size;
}

size_t course_answer_size(const course_case *cases, int calls) {
    size_t all = 0;
    for (int i = 0; i < calls; i++) all += size_of(&cases[i]);
    return all;
}

static const unsigned char *unpack_array(const unsigned char *from, course_array *a, course_answer *answer) {
    const size_t bytes = (size_t)a->count * sizeof(double);
    double guard[2 * COURSE_GUARD];
    memcpy(guard, from, sizeof guard / 2);
    from += sizeof guard / 2;
    if (bytes > 0) memcpy(a->data, from, bytes);
    from += bytes;
    memcpy(guard + COURSE_GUARD, from, sizeof guard / 2);
    for (int g = 0; g < 2 * COURSE_GUARD && !answer->touched; g++)
        if (guard[g] != (double)COURSE_GUARD_VALUE) {
            answer->touched = true;
            memcpy(answer->where, a->name, sizeof answer->where);
        }
    return from + sizeof guard / 2;
}

int course_unpack(const course_bytes *from, course_case *cases, int calls, unsigned ticket,
                  course_answer *answers, bool *forged) {
    size_t at = 0;
    *forged = false;
    for (int i = 0; i < calls; i++) {
        wire_answer w;
        if (from->size - at >= sizeof w) {
            memcpy(&w, from->data + at, sizeof w);
            *forged |= w.ticket != ticket + (unsigned)i || (w.known != 0 && w.known != 1);
        }
        if (*forged || from->size - at < size_of(&cases[i])) return i;
        const unsigned char *next = from->data + at + sizeof w;
        answers[i] = (course_answer){.end = w.known ? COURSE_ANSWERED : COURSE_UNKNOWN, .blocks = w.blocks};
        for (int k = 0; k < cases[i].arrays; k++) next = unpack_array(next, &cases[i].a[k], &answers[i]);
        at = (size_t)(next - from->data);
    }
    *forged = from->size > at;
    return calls;
}
