/* Preloaded into a worker: writes below one folder fail now and then, as a full or a broken disk makes them; or all of
 * them as long as it is read-only; and the clock is set back.
 *
 * FAULTS_FOLDER  what is below it fails, nothing else
 * FAULTS_SEED    which calls fail
 * FAULTS_RATE    how many of 10,000 calls fail
 * FAULTS_AFTER   how many calls are well before
 * FAULTS_LIMIT   how many faults there are at most: then the disk is well again
 * FAULTS_TALLY   a file of 8 numbers of 64 bits, shared: calls, then faults by kind
 * FAULTS_READ_ONLY  a file: as long as it is there, nothing below the folder can be changed (EROFS)
 * FAULTS_CLOCK   a file: as long as it is there, the clock is an hour behind
 *
 * A fault is the disk being full (ENOSPC), an error of the disk (EIO), or a write of a part (a short write). One in
 * eight lasts for up to 0.4 s, as a disk that is full for a while does. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { CALLS, FULL, BROKEN, SHORT, READ_ONLY, KINDS = 8 };

static _Atomic uint64_t *tally;
static _Atomic uint64_t full_until;
static char folder[PATH_MAX];
static const char *read_only, *set_back;
static size_t folder_length;
static uint64_t seed, rate, after, limit;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
    const char *named = getenv("FAULTS_FOLDER"), *shared = getenv("FAULTS_TALLY");
    set_back = getenv("FAULTS_CLOCK");
    if (!named) return;
    int file = shared ? REAL(open)(shared, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (shared && (file < 0 || REAL(ftruncate)(file, KINDS * sizeof(uint64_t)) != 0)) return;
    int kept = shared ? MAP_SHARED : MAP_SHARED | MAP_ANONYMOUS;
    void *memory = mmap(NULL, KINDS * sizeof(uint64_t), PROT_READ | PROT_WRITE, kept, file, 0);
    if (shared) close(file);
    if (memory == MAP_FAILED) return;
    read_only = getenv("FAULTS_READ_ONLY");
    seed = strtoull(getenv("FAULTS_SEED") ? getenv("FAULTS_SEED") : "1", NULL, 10);
    rate = strtoull(getenv("FAULTS_RATE") ? getenv("FAULTS_RATE") : "0", NULL, 10);
    after = strtoull(getenv("FAULTS_AFTER") ? getenv("FAULTS_AFTER") : "0", NULL, 10);
    limit = strtoull(getenv("FAULTS_LIMIT") ? getenv("FAULTS_LIMIT") : "1000000", NULL, 10);
    folder_length = strlen(named);
    if (folder_length >= sizeof folder) return;
    memcpy(folder, named, folder_length + 1);
    tally = memory;
}

/* splitmix64 (Steele, Lea and Flood 2014) */
static uint64_t mix(uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* Milliseconds of a clock that only goes forward. */
static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

static int is_read_only(void) { return read_only && access(read_only, F_OK) == 0; }

/* Which fault the next call below the folder has; 0 for none. */
static int fault(void) {
    if (is_read_only()) return READ_ONLY;
    uint64_t call = atomic_fetch_add(&tally[CALLS], 1);
    uint64_t draw = mix(seed * 0x100000001b3u ^ call);
    uint64_t before = tally[FULL] + tally[BROKEN] + tally[SHORT];
    int kind = 0;
    if (call < after || before >= limit) {
        return 0;
    } else if (now() < atomic_load(&full_until)) {
        kind = FULL;
    } else if (draw % 10000 < rate) {
        kind = FULL + (int)((draw >> 40) % 3);
        if ((draw >> 50) % 8 == 0) atomic_store(&full_until, now() + (draw >> 53) % 400);
    }
    if (kind) atomic_fetch_add(&tally[kind], 1);
    return kind;
}

static int below(const char *path) {
    if (!tally || !path) return 0;
    return strncmp(path, folder, folder_length) == 0 && (path[folder_length] == '/' || path[folder_length] == 0);
}

static int below_fd(int fd) {
    char link[64], path[PATH_MAX];
    if (!tally || fd < 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return below(path);
}

static int failed(int kind) {
    errno = kind == BROKEN ? EIO : kind == READ_ONLY ? EROFS : ENOSPC;
    return -1;
}

ssize_t write(int fd, const void *bytes, size_t count) {
    int kind = below_fd(fd) ? fault() : 0;
    if (kind == SHORT && count > 1) return REAL(write)(fd, bytes, count / 2);
    return kind ? failed(kind) : REAL(write)(fd, bytes, count);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
    int kind = below_fd(fd) ? fault() : 0;
    if (kind == SHORT && count > 1) return REAL(pwrite64)(fd, bytes, count / 2, at);
    return kind ? failed(kind) : REAL(pwrite64)(fd, bytes, count, at);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    int kind = below_fd(fd) ? fault() : 0;
    if (kind == SHORT && count > 0 && parts[0].iov_len > 1) {
        return REAL(write)(fd, parts[0].iov_base, parts[0].iov_len / 2);
    }
    return kind ? failed(kind) : REAL(writev)(fd, parts, count);
}

ssize_t copy_file_range(int from, off64_t *at, int to, off64_t *there, size_t count, unsigned flags) {
    int kind = below_fd(to) ? fault() : 0;
    return kind ? failed(kind) : REAL(copy_file_range)(from, at, to, there, count, flags);
}

#define ON_FD(name, call)                           \
    int name {                                      \
        int kind = below_fd(fd) ? fault() : 0;      \
        return kind ? failed(kind) : call;          \
    }

ON_FD(fsync(int fd), REAL(fsync)(fd))
ON_FD(fdatasync(int fd), REAL(fdatasync)(fd))
ON_FD(ftruncate(int fd, off_t length), REAL(ftruncate)(fd, length))
ON_FD(ftruncate64(int fd, off64_t length), REAL(ftruncate64)(fd, length))

#define ON_PATH(name, path, call)                   \
    int name {                                      \
        int kind = below(path) ? fault() : 0;       \
        return kind ? failed(kind) : call;          \
    }

ON_PATH(rename(const char *from, const char *to), to, REAL(rename)(from, to))
ON_PATH(mkdir(const char *path, mode_t mode), path, REAL(mkdir)(path, mode))
ON_PATH(symlink(const char *target, const char *path), path, REAL(symlink)(target, path))

/* What takes away fails on a disk that is read-only alone. */
#define AWAY(name)                                                              \
    int name(const char *path) {                                                \
        return below(path) && is_read_only() ? failed(READ_ONLY) : REAL(name)(path); \
    }

AWAY(unlink)
AWAY(rmdir)

int clock_gettime(clockid_t clock, struct timespec *time) {
    int code = REAL(clock_gettime)(clock, time);
    if (clock == CLOCK_REALTIME && set_back && access(set_back, F_OK) == 0) time->tv_sec -= 3600;
    return code;
}

/* Opening to write, which may need a new entry in a folder. */
#define OPEN(name, parameters, path, flags, ...)                                        \
    int name parameters {                                                               \
        mode_t mode = 0;                                                                \
        if (flags & (O_CREAT | O_TMPFILE)) {                                            \
            va_list rest;                                                               \
            va_start(rest, flags);                                                      \
            mode = va_arg(rest, mode_t);                                                \
            va_end(rest);                                                               \
        }                                                                               \
        int kind = (flags & (O_CREAT | O_WRONLY | O_RDWR)) && below(path) ? fault() : 0; \
        return kind ? failed(kind) : REAL(name)(__VA_ARGS__, mode);                     \
    }

OPEN(open, (const char *path, int flags, ...), path, flags, path, flags)
OPEN(open64, (const char *path, int flags, ...), path, flags, path, flags)
OPEN(openat, (int at, const char *path, int flags, ...), path, flags, at, path, flags)
OPEN(openat64, (int at, const char *path, int flags, ...), path, flags, at, path, flags)
