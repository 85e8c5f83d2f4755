/* What harnesses share (fuzz.h). */
#define _XOPEN_SOURCE 700
#include "fuzz.h"

#include "base/utf8.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- faults ---- */

void fuzz_fault(const char *file, int line, const char *format, ...) {
    va_list list;
    va_start(list, format);
    fprintf(stderr, "%s:%d: FAULT: ", file, line);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
    abort();
}

void *fuzz_memory(size_t size) {
    void *memory = malloc(size ? size : 1);
    FUZZ_MUST(memory, "the harness is out of memory");
    return memory;
}

void fuzz_message(const char *message) {
    FUZZ_MUST(message && *message, "a failure without a message");
    const size_t size = strlen(message);
    FUZZ_MUST(size < TL_ERROR_MAX, "a message of %zu bytes", size);
    FUZZ_MUST(tl_utf8_valid(message, size) == size, "a message that is not UTF-8");
    for (const char *c = message; *c; c++)
        FUZZ_MUST((unsigned char)*c >= 0x20 && *c != 0x7F, "a control character in: %s", message);
}

void fuzz_outcome(bool ok, const tl_error *error) {
    FUZZ_MUST(ok == !*error->message, "%s", ok ? error->message : "failed");
    if (!ok) fuzz_message(error->message);
}

/* ---- reading the input ---- */

fuzz_part fuzz_part_of(const void *bytes, size_t size) {
    fuzz_part part = {malloc(size), size}; /* of exactly the size, 0 included */
    if (!part.bytes) part.bytes = fuzz_memory(size);
    if (size) memcpy(part.bytes, bytes, size);
    return part;
}

fuzz_part fuzz_next(fuzz_bytes *in) {
    const size_t left = (size_t)(in->end - in->at);
    const uint8_t *cut = left ? memchr(in->at, FUZZ_END, left) : NULL;
    const fuzz_part part = fuzz_part_of(in->at, cut ? (size_t)(cut - in->at) : left);
    in->at = cut ? cut + 1 : in->end;
    return part;
}

fuzz_part fuzz_rest(fuzz_bytes *in) {
    const fuzz_part part = fuzz_part_of(in->at, (size_t)(in->end - in->at));
    in->at = in->end;
    return part;
}

char *fuzz_string_of(const char *bytes, size_t size) {
    const char *nul = size ? memchr(bytes, 0, size) : NULL;
    const size_t length = nul ? (size_t)(nul - bytes) : size;
    char *text = fuzz_memory(length + 1);
    if (length) memcpy(text, bytes, length);
    text[length] = 0;
    return text;
}

char *fuzz_string(fuzz_bytes *in) {
    fuzz_part part = fuzz_next(in);
    char *text = fuzz_string_of(part.bytes, part.size);
    free(part.bytes);
    return text;
}

/* ---- files ---- */

static char folder[512];
static pid_t owner;

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where) {
    (void)about, (void)kind, (void)where;
    return remove(path);
}

static void remove_folder(void) {
    if (owner == getpid()) nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *fuzz_folder(void) {
    if (owner == getpid()) return folder;
    const char *in = getenv("TL_FUZZ_FOLDER");
    if (!in) in = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(folder, sizeof folder, "%s/tapeloom-fuzz-XXXXXX", in);
    FUZZ_MUST(mkdtemp(folder), "no folder %s", folder);
    owner = getpid();
    atexit(remove_folder);
    return folder;
}

const char *fuzz_path(const char *name) {
    static char path[8][1024];
    static int turn;
    turn = (turn + 1) % 8;
    snprintf(path[turn], sizeof path[turn], "%s/%s", fuzz_folder(), name);
    return path[turn];
}

const char *fuzz_file(const char *name, const void *bytes, size_t size) {
    const char *path = fuzz_path(name);
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    FUZZ_MUST(fd >= 0, "cannot write %s", path);
    FUZZ_MUST(!size || write(fd, bytes, size) == (ssize_t)size, "cannot write %s", path);
    close(fd);
    return path;
}

char *fuzz_read(const char *path, size_t *size) {
    struct stat about;
    const int fd = open(path, O_RDONLY);
    FUZZ_MUST(fd >= 0 && fstat(fd, &about) == 0, "cannot read %s", path);
    *size = (size_t)about.st_size;
    char *bytes = fuzz_memory(*size + 1);
    FUZZ_MUST(read(fd, bytes, *size) == (ssize_t)*size, "cannot read %s", path);
    bytes[*size] = 0;
    close(fd);
    return bytes;
}
