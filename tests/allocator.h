/* malloc and its kin for a whole program, of glibc's own allocator. Who includes this defines before
 *     static bool refused(void);              shall this request fail? If so, errno is set
 *     static void *counted(void *memory);     a new block, or NULL
 *     static void uncounted(void *memory);    a block that is freed */
#ifndef TL_TESTS_ALLOCATOR_H
#define TL_TESTS_ALLOCATOR_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);

void *malloc(size_t size) { return refused() ? NULL : counted(__libc_malloc(size)); }
void *calloc(size_t count, size_t size) { return refused() ? NULL : counted(__libc_calloc(count, size)); }
void *aligned_alloc(size_t alignment, size_t size) {
    return refused() ? NULL : counted(__libc_memalign(alignment, size));
}
void *memalign(size_t alignment, size_t size) { return aligned_alloc(alignment, size); }
int posix_memalign(void **to, size_t alignment, size_t size) {
    void *memory = aligned_alloc(alignment, size);
    if (memory) *to = memory;
    return memory ? 0 : ENOMEM;
}
void *realloc(void *memory, size_t size) {
    if (refused()) return NULL;
    return memory ? __libc_realloc(memory, size) : counted(__libc_malloc(size));
}
void *reallocarray(void *memory, size_t count, size_t size) {
    if (size && count > SIZE_MAX / size) return errno = ENOMEM, NULL;
    return realloc(memory, count * size);
}
void free(void *memory) {
    const int number = errno; /* free changes no errno */
    uncounted(memory);
    __libc_free(memory);
    errno = number;
}

#endif
