/* Whole files: reading every kind of path, atomic writing that leaves the old file when it fails, folders. */
#define _XOPEN_SOURCE 700
#include "scratch.h"

#include "io/atomic_file.h"
#include "io/complain.h"
#include "tapeloom/io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

/* Makes malloc return NULL on failure under the address sanitizer, as it does without. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "allocator_may_return_null=1"; }

START_TEST(reads_what_was_written) {
    scratch s = scratch_new();
    tl_error error = {""};
    const char *path = scratch_path(&s, "a");
    size_t sizes[] = {0, 1, 4095, 4096, 4097, 300000};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        char *bytes = malloc(sizes[k] + 1), *read;
        size_t size;
        for (size_t i = 0; i < sizes[k]; i++) bytes[i] = (char)(i * 31 + k);
        ck_assert_msg(tl_file_write(path, bytes, sizes[k], &error), "%s", error.message);
        ck_assert_msg(tl_file_read(path, &read, &size, &error), "%s", error.message);
        ck_assert_uint_eq(size, sizes[k]);
        ck_assert_int_eq(memcmp(read, bytes, size), 0);
        ck_assert_int_eq(read[size], 0);
        free(read);
        free(bytes);
    }
    ck_assert_int_eq(count_files(s.folder), 1);
    scratch_remove(&s);
}
END_TEST

static void assert_unreadable(const char *path, const char *part1, const char *part2) {
    tl_error error = {""};
    char *bytes = (char *)1;
    size_t size = 7;
    ck_assert(!tl_file_read(path, &bytes, &size, &error));
    ck_assert_ptr_null(bytes);
    ck_assert_uint_eq(size, 0);
    assert_contains(error.message, part1);
    assert_contains(error.message, part2);
}

START_TEST(read_errors_say_what_to_do) {
    scratch s = scratch_new();
    const char *missing = scratch_path(&s, "missing"), *file = scratch_path(&s, "file"),
               *huge = scratch_path(&s, "huge");
    assert_unreadable(missing, missing, "No such file or directory; check the path");
    assert_unreadable(s.folder, s.folder, "this is a folder: give the path of a file");
    put_text(file, "x");
    const char *below = scratch_path(&s, "file/below");
    assert_unreadable(below, "Not a directory", "a part of the path is a file");
    assert_unreadable(NULL, "NULL", "give a path");
    /* larger than any limit for reading, but sparse: it takes no room on the disk */
    int fd = open(huge, O_WRONLY | O_CREAT, 0666);
    if (ftruncate(fd, (off_t)1 << 43) == 0)
        assert_unreadable(huge, "a file of 8796093 MB, expected at most 2147 MB; check the path", huge);
    else
        TL_SKIP("this file system has no 8 TB files");
    close(fd);
    scratch_remove(&s);
}
END_TEST

START_TEST(long_and_odd_paths_leave_room_for_the_advice) {
    char path[3000];
    memset(path, 'd', sizeof path);
    for (size_t i = 0; i < sizeof path; i += 100) path[i] = '/';
    strcpy(path + sizeof path - 9, "\n\x1b\xff.txt");
    tl_error error = {""};
    char *bytes;
    size_t size;
    ck_assert(!tl_file_read(path, &bytes, &size, &error));
    assert_contains(error.message, "\\x0a\\x1b\\xff.txt: No such file or directory; check the path");
    assert_contains(error.message, "cannot read …dd/ddd");
    ck_assert_ptr_null(strpbrk(error.message, "\n\x1b"));
}
END_TEST

START_TEST(reads_pipes_and_files_without_a_size) {
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    char sent[10000], path[40], *bytes;
    size_t size;
    tl_error error = {""};
    memset(sent, 'p', sizeof sent);
    ck_assert_int_eq(write(ends[1], sent, sizeof sent), (int)sizeof sent);
    close(ends[1]);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    if (access(path, R_OK) != 0) {
        TL_SKIP("no /dev/fd here");
        return;
    }
    ck_assert_msg(tl_file_read(path, &bytes, &size, &error), "%s", error.message);
    ck_assert_uint_eq(size, sizeof sent);
    ck_assert_int_eq(memcmp(bytes, sent, size), 0);
    free(bytes);
    close(ends[0]);
}
END_TEST

/* The advice fits the reason: only a disk error mentions the disk. */
START_TEST(reasons_and_advice_belong_together) {
    static const struct {
        int number;
        const char *advice;
    } cases[] = {{EACCES, "check the permissions"},
                 {EROFS, "a file system that can be written"},
                 {EMFILE, "ulimit -n"},
                 {ENFILE, "ulimit -n"},
                 {ELOOP, "lead in a circle"},
                 {EEXIST, "choose another name, or remove what is there"},
                 {EBADF, "it was closed before the program began"},
                 {ENOMEM, "a machine with more memory"},
                 {ENXIO, "nobody at the other end"},
                 {EINVAL, "this file system cannot do that"},
                 {EPIPE, "whoever reads it has ended"},
                 {ETXTBSY, "it is in use"},
                 {EDOM, "try again, or choose another file"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {""};
        ck_assert(!tl_fail_errno(&error, "read", "x", cases[i].number));
        assert_contains(error.message, cases[i].advice);
        ck_assert_ptr_null(strstr(error.message, "disk"));
    }
    tl_error error = {""};
    tl_fail_errno(&error, "read", "x", EIO);
    assert_contains(error.message, "use another disk");
}
END_TEST

/* Other files are refused: without waiting, and without reading endlessly. An alarm ends the test if it waits. */
START_TEST(of_a_folder_only_regular_files_are_read) {
    scratch s = scratch_new();
    const char *fifo = scratch_path(&s, "fifo"), *file = scratch_path(&s, "file"),
               *link = scratch_path(&s, "link"), *to_fifo = scratch_path(&s, "to fifo");
    char *bytes;
    size_t size;
    alarm(60);
    ck_assert_int_eq(mkfifo(fifo, 0666), 0);
    ck_assert_int_eq(symlink("file", link), 0);
    ck_assert_int_eq(symlink("fifo", to_fifo), 0);
    put_text(file, "12345");
    const char *const others[] = {fifo, to_fifo, "/dev/zero", "/dev/null"};
    for (int i = 0; i < 4; i++) {
        tl_error error[3] = {{""}, {""}, {""}};
        bytes = (char *)file;
        ck_assert(!tl_file_read_regular(others[i], 100, &bytes, &size, &error[0]) && !bytes && !size);
        ck_assert_ptr_null(tl_config_read(others[i], &error[1]));
        ck_assert_ptr_null(tl_safetensors_open(others[i], &error[2]));
        for (int k = 0; k < 3; k++)
            assert_contains(error[k].message, "is a device, a pipe or a socket, expected a regular file");
    }
    tl_error error = {""};
    ck_assert(tl_file_read_regular(link, 5, &bytes, &size, &error) && size == 5);
    free(bytes);
    ck_assert(!tl_file_read_regular(link, 4, &bytes, &size, &error));
    assert_contains(error.message, "/link: a file of 0 MB, expected at most 0 MB");
    tl_error_clear(&error);
    ck_assert(!tl_file_read_regular(s.folder, 4, &bytes, &size, &error));
    assert_contains(error.message, "this is a folder");
    tl_error_clear(&error);
    const char *columns[] = {"a"}; /* opening a log does not wait for a pipe's reader either */
    ck_assert_ptr_null(tl_csv_open(fifo, columns, 1, false, &error));
    assert_contains(error.message, "it is a pipe");
    scratch_remove(&s);
}
END_TEST

/* If the system reports no size, bytes are counted while they are read. (Here the limit is low, so that an endless
 * device is given up soon.) */
START_TEST(a_device_without_end_is_given_up) {
    char *bytes;
    size_t size;
    tl_error error = {""};
    struct rlimit old, small;
    if (access("/dev/zero", R_OK) != 0) {
        TL_SKIP("no /dev/zero here");
        return;
    }
    getrlimit(RLIMIT_AS, &old);
    small = (struct rlimit){(rlim_t)1 << 29, old.rlim_max};
#ifndef TL_SANITIZED /* whose shadow memory exceeds this limit */
    setrlimit(RLIMIT_AS, &small);
    ck_assert(!tl_file_read("/dev/zero", &bytes, &size, &error));
    setrlimit(RLIMIT_AS, &old);
    assert_contains(error.message, "out of memory");
    tl_error_clear(&error);
#endif
    (void)small;
    const long memory = sysconf(_SC_AVPHYS_PAGES) / 1024 * (sysconf(_SC_PAGESIZE) / 1024); /* MB */
    if (memory < 6000) {
        TL_SKIP("2 GB of zeros: only %ld MB of memory are free", memory);
        return;
    }
    ck_assert(!tl_file_read("/dev/zero", &bytes, &size, &error) && !bytes && !size);
    assert_contains(error.message, "/dev/zero: more than 2147 MB, expected at most 2147 MB");
}
END_TEST

static void assert_unwritable(const char *path, const char *part1, const char *part2) {
    tl_error error = {""};
    ck_assert(!tl_file_write(path, "new", 3, &error));
    assert_contains(error.message, part1);
    assert_contains(error.message, part2);
}

START_TEST(write_errors_say_what_to_do) {
    scratch s = scratch_new();
    const char *nowhere = scratch_path(&s, "missing/file"), *folder = scratch_path(&s, "folder");
    assert_unwritable(nowhere, "No such file or directory; check the path", nowhere);
    ck_assert_int_eq(mkdir(folder, 0777), 0);
    assert_unwritable(folder, "this is a folder", folder);
    assert_unwritable("", "path is empty", "give a path");
    assert_unwritable(NULL, "path is empty", "give a path");
    /* a pipe of this test, never a device of the machine: if the test fails, the file has been replaced */
    const char *fifo = scratch_path(&s, "fifo");
    ck_assert_int_eq(mkfifo(fifo, 0666), 0);
    assert_unwritable(fifo, "a device or a pipe", "regular file");
    struct stat about;
    ck_assert(lstat(fifo, &about) == 0 && S_ISFIFO(about.st_mode));
    ck_assert_int_eq(count_files(s.folder), 2);
    scratch_remove(&s);
}
END_TEST

/* A full disk has the same effect as a limit for file sizes, which every user can set. */
START_TEST(failed_write_leaves_the_old_file) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "file");
    put_text(path, "old");
    static char big[100000];
    tl_error error = {""};
    struct rlimit old, small;
    getrlimit(RLIMIT_FSIZE, &old);
    small = (struct rlimit){50000, old.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    bool ok = tl_file_write(path, big, sizeof big, &error);
    setrlimit(RLIMIT_FSIZE, &old);
    ck_assert(!ok);
    assert_contains(error.message, "cannot write");
    assert_contains(error.message, "ulimit -f");
    assert_file(path, "old");
    ck_assert_int_eq(count_files(s.folder), 1); /* no temporary left */
    tl_error_clear(&error);
    ck_assert(tl_file_write(path, big, sizeof big, &error));
    ck_assert_int_eq(count_files(s.folder), 1);
    scratch_remove(&s);
}
END_TEST

START_TEST(folder_that_is_not_writable_keeps_the_old_file) {
    if (geteuid() == 0) { /* root may write everywhere, so this test's process becomes another user */
        if (setgid(65534) != 0 || setuid(65534) != 0) {
            TL_SKIP("cannot become another user");
            return;
        }
    }
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "file");
    put_text(path, "old");
    ck_assert_int_eq(chmod(s.folder, 0555), 0);
    assert_unwritable(path, "Permission denied", "check the permissions of the file and its folder");
    assert_file(path, "old");
    ck_assert_int_eq(count_files(s.folder), 1);
    ck_assert_int_eq(chmod(s.folder, 0777), 0);
    ck_assert_int_eq(chmod(path, 0), 0);
    assert_unreadable(path, "Permission denied", "check the permissions");
    scratch_remove(&s);
}
END_TEST

START_TEST(permissions_and_links_are_kept) {
    scratch s = scratch_new();
    const char *file = scratch_path(&s, "file"), *link = scratch_path(&s, "link"),
               *fresh = scratch_path(&s, "fresh");
    tl_error error = {""};
    struct stat about;
    put_text(file, "old");
    ck_assert_int_eq(chmod(file, 0640), 0);
    ck_assert_int_eq(symlink("file", link), 0);
    ck_assert_msg(tl_file_write(link, "new", 3, &error), "%s", error.message);
    assert_file(file, "new");
    ck_assert(lstat(link, &about) == 0 && S_ISLNK(about.st_mode));
    ck_assert(stat(file, &about) == 0);
    ck_assert_uint_eq(about.st_mode & 0777, 0640);
    umask(027);
    ck_assert(tl_file_write(fresh, "x", 1, &error));
    ck_assert(stat(fresh, &about) == 0);
    ck_assert_uint_eq(about.st_mode & 0777, 0640);
    scratch_remove(&s);
}
END_TEST

/* At every moment a reader sees the whole old file or the whole new one. */
START_TEST(a_kill_at_any_moment_leaves_a_whole_file) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "file");
    enum { SIZE = 200000 };
    static char bytes[SIZE];
    memset(bytes, 'a', SIZE);
    put_file(path, bytes, SIZE);
    for (int round = 0; round < 20; round++) {
        pid_t child = fork();
        if (child == 0) {
            for (char c = 'b';; c = c == 'z' ? 'a' : (char)(c + 1)) {
                memset(bytes, c, SIZE);
                tl_file_write(path, bytes, SIZE, NULL);
            }
        }
        nanosleep(&(struct timespec){0, 1000000 + 137000 * round}, NULL);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        size_t size;
        char *read = get_file(path, &size);
        ck_assert_uint_eq(size, SIZE);
        size_t same = 1;
        while (same < size && read[same] == read[0]) same++;
        ck_assert_msg(same == size, "the file is torn at byte %zu", same);
        free(read);
    }
    scratch_remove(&s);
}
END_TEST

START_TEST(stray_temporaries_do_not_stop_a_write) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "file");
    char stray[64];
    snprintf(stray, sizeof stray, ".file.%ld-0.tmp", (long)getpid());
    put_text(scratch_path(&s, stray), "stray");
    tl_error error = {""};
    ck_assert_msg(tl_file_write(path, "new", 3, &error), "%s", error.message);
    assert_file(path, "new");
    char name[256]; /* the longest name that a file system takes */
    memset(name, 'n', 255);
    name[255] = 0;
    ck_assert_int_eq(chdir(s.folder), 0); /* a path without a folder, too */
    ck_assert_msg(tl_file_write(name, "long", 4, &error), "%s", error.message);
    assert_file(name, "long");
    ck_assert_int_eq(count_files(s.folder), 3);
    scratch_remove(&s);
}
END_TEST

START_TEST(makes_folders) {
    scratch s = scratch_new();
    tl_error error = {""};
    const char *deep = scratch_path(&s, "a//b/c/"), *file = scratch_path(&s, "file"),
               *under = scratch_path(&s, "file/d");
    struct stat about;
    ck_assert_msg(tl_make_dirs(deep, &error), "%s", error.message);
    ck_assert(stat(deep, &about) == 0 && S_ISDIR(about.st_mode));
    ck_assert(tl_make_dirs(deep, &error));
    ck_assert(tl_make_dirs("/", &error));
    ck_assert_int_eq(chdir(s.folder), 0);
    ck_assert_msg(tl_make_dirs("r/s", &error), "%s", error.message);
    ck_assert(stat("r/s", &about) == 0 && S_ISDIR(about.st_mode));
    put_text(file, "x");
    ck_assert(!tl_make_dirs(file, &error));
    assert_contains(error.message, "a part of the path is a file, not a folder");
    tl_error_clear(&error);
    ck_assert(!tl_make_dirs(under, &error));
    assert_contains(error.message, "/file: Not a directory");
    tl_error_clear(&error);
    ck_assert(!tl_make_dirs("", &error));
    assert_contains(error.message, "give a path");
    scratch_remove(&s);
}
END_TEST

/* ---- files in a folder ---- */

typedef struct visited {
    const char *folder;
    int count, stop_after; /* 0: never */
    bool remove;
} visited;

static bool visit(void *context, const char *name) {
    visited *v = context;
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", v->folder, name);
    ck_assert_msg(!strncmp(name, "step-", 5), "%s", name);
    if (v->remove) ck_assert(tl_file_remove(path, NULL));
    return ++v->count != v->stop_after;
}

START_TEST(visits_and_removes) {
    scratch s = scratch_new();
    tl_error error = {""};
    const char *names[] = {"step-1", "step-2", "step-3"}, *none = scratch_path(&s, "none");
    ck_assert(!tl_file_is_there(none) && !tl_file_is_there(NULL));
    ck_assert(tl_file_remove(none, &error));
    ck_assert(tl_folder_each(none, visit, NULL, &error));
    visited v = {.folder = s.folder};
    ck_assert(tl_folder_each(s.folder, visit, &v, &error) && v.count == 0);
    for (int i = 0; i < 3; i++) put_text(scratch_path(&s, names[i]), "x");
    ck_assert(tl_file_is_there(s.path[1]));
    ck_assert(tl_folder_each(s.folder, visit, &v, &error) && v.count == 3);
    v = (visited){.folder = s.folder, .stop_after = 2};
    ck_assert(!tl_folder_each(s.folder, visit, &v, &error) && v.count == 2);
    v = (visited){.folder = s.folder, .remove = true};
    ck_assert(tl_folder_each(s.folder, visit, &v, &error) && v.count == 3 && count_files(s.folder) == 0);
    ck_assert_msg(!tl_failed(&error), "%s", error.message);
    put_text(none, "x");
    ck_assert(!tl_folder_each(none, visit, &v, &error));
    assert_contains(error.message, "/none: Not a directory; ");
    tl_error_clear(&error);
    ck_assert(!tl_folder_each(NULL, visit, &v, &error) && tl_failed(&error));
    tl_error_clear(&error);
    ck_assert(!tl_file_remove(NULL, &error));
    assert_contains(error.message, "give a path");
    tl_error_clear(&error);
    ck_assert_int_eq(mkdir(scratch_path(&s, "full"), 0777), 0);
    put_text(scratch_path(&s, "full/x"), "x");
    ck_assert(!tl_file_remove(s.path[4], &error));
    assert_contains(error.message, "cannot remove ");
    scratch_remove(&s);
}
END_TEST

/* Does it exist, whatever it is and whoever may read it? */
START_TEST(what_is_there) {
    scratch s = scratch_new();
    const char *file = scratch_path(&s, "file"), *link = scratch_path(&s, "link"),
               *none = scratch_path(&s, "none");
    bool there;
    tl_error error = {""};
    put_text(file, "");
    ck_assert_int_eq(symlink("/nowhere/at/all", link), 0);
    ck_assert_int_eq(chmod(file, 0), 0);
    ck_assert(tl_file_is_there(file) && tl_file_is_there(link) && tl_file_is_there(s.folder));
    ck_assert(!tl_file_is_there(none) && !tl_file_is_there("") && !tl_file_is_there(NULL));
    ck_assert(tl_file_look(file, &there, &error) && there && tl_file_look(none, &there, &error) && !there);
    char longest[5000];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    /* the system does not tell */
    ck_assert(!tl_file_look(longest, &there, &error) && tl_file_is_there(longest));
    assert_contains(error.message, "cannot look at ");
    assert_contains(error.message, "File name too long; choose a shorter name");
    ck_assert(tl_file_is_regular(file) && !tl_file_is_regular(s.folder) && !tl_file_is_regular(link) &&
              !tl_file_is_regular(none) && !tl_file_is_regular(NULL));
    tl_error_clear(&error);
    ck_assert(!tl_file_remove(s.folder, &error)); /* not even an empty folder */
    assert_contains(error.message, "this is a folder: give the path of a file");
    scratch_remove(&s);
}
END_TEST

/* More than is written at once, in pieces of every size around that. */
START_TEST(pieces_of_every_size) {
    static const size_t sizes[] = {1, 65535, 65536, 65537, 0, 3, 200000, 65536, 65533, 2, 1, 131072};
    enum { PIECES = sizeof sizes / sizeof *sizes, ALL = 700000 };
    static char bytes[ALL];
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "file");
    tl_error error = {""};
    tl_atomic_file f;
    size_t all = 0, size;
    for (size_t i = 0; i < ALL; i++) bytes[i] = (char)(i * 2654435761u >> 13);
    tl_atomic_open(&f, path, &error);
    for (int i = 0; i < PIECES; all += sizes[i++]) ck_assert(tl_atomic_add(&f, bytes + all, sizes[i]));
    ck_assert_msg(tl_atomic_commit(&f), "%s", error.message);
    char *found = get_file(path, &size);
    ck_assert(size == all && all < ALL && memcmp(found, bytes, all) == 0);
    free(found);
    scratch_remove(&s);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, reads_what_was_written);
    tcase_add_test(tc, read_errors_say_what_to_do);
    tcase_add_test(tc, long_and_odd_paths_leave_room_for_the_advice);
    tcase_add_test(tc, reads_pipes_and_files_without_a_size);
    tcase_add_test(tc, reasons_and_advice_belong_together);
    tcase_add_test(tc, of_a_folder_only_regular_files_are_read);
    tcase_add_test(tc, a_device_without_end_is_given_up);
    tcase_add_test(tc, write_errors_say_what_to_do);
    tcase_add_test(tc, failed_write_leaves_the_old_file);
    tcase_add_test(tc, folder_that_is_not_writable_keeps_the_old_file);
    tcase_add_test(tc, permissions_and_links_are_kept);
    tcase_add_test(tc, a_kill_at_any_moment_leaves_a_whole_file);
    tcase_add_test(tc, stray_temporaries_do_not_stop_a_write);
    tcase_add_test(tc, makes_folders);
    tcase_add_test(tc, visits_and_removes);
    tcase_add_test(tc, what_is_there);
    tcase_add_test(tc, pieces_of_every_size);
}
TL_TEST_MAIN("io: files")
