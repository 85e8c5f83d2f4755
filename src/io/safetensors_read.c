/* Opening a safetensors file and reading tensors from it. Only the header is kept in memory. A tensor's bytes are read
 * from the file when it is asked for, block by block, and converted. */
#define _XOPEN_SOURCE 700
#include "complain.h"
#include "dtype.h"
#include "elements.h"
#include "safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct tl_safetensors {
    int fd;
    char *path;
    uint64_t size, data; /* data: where the tensors' bytes begin in the file */
    tl_safetensors_index index;
};

/* Reads exactly size bytes at an offset. Returns 0, an errno, or -1 if the file ends before. */
static int read_at(int fd, void *bytes, size_t size, uint64_t place) {
    char *next = bytes;
    while (size > 0) {
        ssize_t got = pread(fd, next, size, (off_t)place);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno;
        if (got == 0) return -1;
        next += got;
        size -= (size_t)got;
        place += (uint64_t)got;
    }
    return 0;
}

static bool fail_shorter(tl_error *error, const char *path) {
    char shown[TL_SHOWN];
    return tl_error_set(error, "%s became shorter while it was read; read it again when nobody writes it",
                        tl_shown_path(path, shown));
}

/* Reads some of a tensor's bytes. */
static bool read_bytes(const tl_safetensors *file, void *bytes, size_t size, uint64_t place,
                       tl_error *error) {
    const int number = read_at(file->fd, bytes, size, file->data + place);
    if (number > 0) return tl_fail_errno(error, "read", file->path, number);
    return number == 0 || fail_shorter(error, file->path);
}

/* Checks the first 8 bytes against the file's size. */
static bool read_header_size(tl_safetensors *file, uint64_t *header, uint64_t *size, tl_error *error) {
    struct stat about;
    char shown[TL_SHOWN];
    unsigned char bytes[9] = {0};
    if (fstat(file->fd, &about) != 0) return tl_fail_errno(error, "read", file->path, errno);
    if (S_ISDIR(about.st_mode)) return tl_fail_errno(error, "read", file->path, EISDIR);
    tl_shown_path(file->path, shown);
    if (!S_ISREG(about.st_mode))
        return tl_error_set(error, "%s is a device, a pipe or a socket, expected a regular file; remove it",
                            shown);
    *size = about.st_size > 0 ? (uint64_t)about.st_size : 0;
    if (*size < 8)
        return tl_error_set(error,
                            "%s: %llu bytes, expected at least 8; this is no safetensors file, or a cut-off "
                            "one: check the path, or make or fetch it again",
                            shown, (unsigned long long)*size);
    int number = read_at(file->fd, bytes, *size > 8 ? 9 : 8, 0);
    if (number > 0) return tl_fail_errno(error, "read", file->path, number);
    if (number < 0) return fail_shorter(error, file->path);
    *header = 0;
    for (int i = 0; i < 8; i++) *header |= (uint64_t)bytes[i] << 8 * i;
    bool looks_right = *header <= TL_SAFETENSORS_HEADER_MAX && (*size == 8 || bytes[8] == '{');
    if (*header > *size - 8 && looks_right)
        return tl_safetensors_cut_off(error, file->path, *size, "its header alone goes on to", 8 + *header);
    if (*header > *size - 8 || *header > TL_SAFETENSORS_HEADER_MAX) {
        uint64_t most = *size - 8 < TL_SAFETENSORS_HEADER_MAX ? *size - 8 : TL_SAFETENSORS_HEADER_MAX;
        return tl_error_set(
            error,
            "%s: byte 0: a header of %llu bytes, expected at most %llu; this is no safetensors "
            "file, or a cut-off one: check the path, or make or fetch it again",
            shown, (unsigned long long)*header, (unsigned long long)most);
    }
    return true;
}

static bool read_header(tl_safetensors *file, tl_error *error) {
    uint64_t header, size;
    if (!read_header_size(file, &header, &size, error)) return false;
    file->size = size;
    char *text = malloc((size_t)header + 1);
    if (!text) return tl_fail_memory(error, "reading the header of", file->path);
    int number = read_at(file->fd, text, (size_t)header, 8);
    bool ok = number > 0   ? tl_fail_errno(error, "read", file->path, number)
              : number < 0 ? fail_shorter(error, file->path)
                           : tl_safetensors_parse(text, (size_t)header, size - 8 - header, file->path,
                                                  &file->index, error);
    file->data = 8 + header;
    free(text);
    return ok;
}

tl_safetensors *tl_safetensors_open(const char *path, tl_error *error) {
    if (!path) {
        tl_error_set(error, "cannot read a safetensors file: its path is NULL; give a path");
        return NULL;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* does not wait for a pipe's writer */
    if (fd < 0) {
        tl_fail_errno(error, "read", path, errno);
        return NULL;
    }
    tl_safetensors *file = calloc(1, sizeof *file);
    char *copy = strdup(path);
    if (!file || !copy) {
        tl_fail_memory(error, "opening", path);
        close(fd);
        free(copy);
        free(file);
        return NULL;
    }
    file->fd = fd;
    file->path = copy;
    if (read_header(file, error)) return file;
    tl_safetensors_close(file);
    return NULL;
}

void tl_safetensors_close(tl_safetensors *file) {
    if (!file) return;
    close(file->fd);
    free(file->path);
    tl_safetensors_index_free(&file->index);
    free(file);
}

long tl_safetensors_count(const tl_safetensors *file) { return file ? file->index.count : 0; }

const tl_safetensors_entry *tl_safetensors_at(const tl_safetensors *file, long i) {
    return i < 0 || i >= tl_safetensors_count(file) ? NULL : &file->index.entries[i];
}

static int name_against_entry(const void *name, const void *entry) {
    return strcmp(name, (*(const tl_safetensors_entry *const *)entry)->name);
}

const tl_safetensors_entry *tl_safetensors_find(const tl_safetensors *file, const char *name) {
    if (tl_safetensors_count(file) == 0 || !name) return NULL;
    const tl_safetensors_index *x = &file->index;
    const tl_safetensors_entry *const *hit =
        bsearch(name, x->by_name, (size_t)x->count, sizeof *x->by_name, name_against_entry);
    return hit ? *hit : NULL;
}

long tl_safetensors_metadata_count(const tl_safetensors *file) {
    return file ? file->index.metadata_count : 0;
}

tl_safetensors_pair tl_safetensors_metadata_at(const tl_safetensors *file, long i) {
    return i < 0 || i >= tl_safetensors_metadata_count(file) ? (tl_safetensors_pair){NULL, NULL}
                                                             : file->index.metadata[i];
}

static int key_against_pair(const void *key, const void *pair) {
    return strcmp(key, ((const tl_safetensors_pair *)pair)->key);
}

const char *tl_safetensors_metadata(const tl_safetensors *file, const char *key) {
    if (tl_safetensors_metadata_count(file) == 0 || !key) return NULL;
    const tl_safetensors_index *x = &file->index;
    const tl_safetensors_pair *hit =
        bsearch(key, x->metadata, (size_t)x->metadata_count, sizeof *x->metadata, key_against_pair);
    return hit ? hit->value : NULL;
}

long tl_safetensors_numel(const tl_safetensors *file) {
    uint64_t numel = 0; /* cannot overflow: the entries' bytes are in the file, each once */
    for (long i = 0; i < tl_safetensors_count(file); i++) {
        const tl_safetensors_entry *e = &file->index.entries[i];
        const uint64_t bytes = e->end - e->begin, bits = (uint64_t)tl_dtype_bits(e->dtype);
        numel += bytes / bits * 8 + bytes % bits * 8 / bits;
    }
    return (long)numel;
}

bool tl_safetensors_read(tl_safetensors *file, const char *name, tl_tensor to, tl_error *error) {
    if (!file)
        return tl_error_set(error, "cannot read a tensor: the safetensors file is not open; open it first");
    const tl_safetensors_entry *e = tl_safetensors_find(file, name);
    char path[TL_SHOWN], shown[TL_SHOWN], here[TL_SHAPE_TEXT], there[TL_SHAPE_TEXT];
    tl_shown_path(file->path, path);
    tl_shown(name ? name : "(no name)", name ? strlen(name) : 9, 80, shown);
    if (!e)
        return tl_error_set(error, "%s: found no tensor \"%s\" among its %ld; check the name, or the file",
                            path, shown, tl_safetensors_count(file));
    if (e->rank > TL_MAX_RANK)
        return tl_error_set(error,
                            "%s: tensor \"%s\" has %d axes, and a tensor here at most %d; reshape it first",
                            path, shown, e->rank, TL_MAX_RANK);
    if (!tl_shape_equal(e->shape, tl_shape_of(to)))
        return tl_error_set(error,
                            "%s: tensor \"%s\": found shape %s, expected %s; the model must be made with the "
                            "sizes it was saved with",
                            path, shown, tl_safetensors_shape_text(e, there),
                            tl_shape_text(tl_shape_of(to), here));
    if (!to.data && tl_shape_numel(e->shape) > 0)
        return tl_error_set(
            error, "%s: tensor \"%s\": there is nowhere to put it (no data); make room for it", path, shown);
    if (!tl_dtype_is_real(e->dtype))
        return tl_error_set(
            error, "%s: tensor \"%s\": found dtype %s, expected F64, F32, F16 or BF16; convert it first",
            path, shown, tl_dtype_name(e->dtype));
    if (tl_dtype_is_native(e->dtype) && tl_is_contiguous(to))
        return read_bytes(file, to.data, e->end - e->begin, e->begin, error);
    unsigned char bytes[8192];
    tl_real block[sizeof bytes / 2];
    long size = tl_dtype_size(e->dtype), count = (long)(e->end - e->begin) / size,
         room = (long)sizeof bytes / size;
    for (long first = 0; first < count; first += room) {
        long n = count - first < room ? count - first : room;
        if (!read_bytes(file, bytes, (size_t)(n * size), e->begin + (uint64_t)(first * size), error))
            return false;
        tl_dtype_decode(e->dtype, bytes, n, block);
        tl_elements_put(to, first, n, block);
    }
    return true;
}

const char *tl_safetensors_path(const tl_safetensors *file) { return file->path; }

void tl_safetensors_shorten_names(tl_safetensors *file, size_t size) { /* does not change their order */
    for (long i = 0; i < file->index.count; i++) {
        char *name = (char *)file->index.entries[i].name; /* belongs to the index */
        memmove(name, name + size, strlen(name + size) + 1);
    }
}

void *tl_safetensors_map(const tl_safetensors *file, size_t *size, char **data) {
    if (file->size > SIZE_MAX) return NULL;
    *size = (size_t)file->size;
    char *memory = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file->fd, 0);
    if (memory == MAP_FAILED) return NULL;
    *data = memory + file->data;
    return memory;
}

void tl_safetensors_unmap(void *memory, size_t size) { munmap(memory, size); }
