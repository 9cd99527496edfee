/* Records what a process does to the files of one folder, in order: LD_PRELOAD this.

   MLBENCH_RECORD_FOLDER: the folder, as a real path. MLBENCH_RECORD_TRACE: the file that is appended to. One record is
   a line "op inode offset length path-length other-length\n", then path, other path and the data. `reliability/power.py`
   reads it. Calls that glibc makes inside of itself are not seen, so each function is wrapped that Python, DuckDB and
   cp call. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

static int is_ours(const char *path)
{
    const char *folder = getenv("MLBENCH_RECORD_FOLDER");
    size_t length = folder ? strlen(folder) : 0;
    return length && !strncmp(path, folder, length) && (path[length] == '/' || !path[length]);
}

static void record(const char *op, long inode, long offset, const void *bytes, long length, const char *path,
                   const char *other)
{
    const char *name = getenv("MLBENCH_RECORD_TRACE");
    char head[200];
    int trace, saved = errno;
    if (!name || (trace = syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_APPEND, 0600)) < 0)
        return;
    struct iovec parts[4] = {
        {head, snprintf(head, sizeof head, "%s %ld %ld %ld %zu %zu\n", op, inode, offset, length, strlen(path),
                        strlen(other))},
        {(void *)path, strlen(path)}, {(void *)other, strlen(other)}, {(void *)bytes, length}};
    syscall(SYS_writev, trace, parts, 4);
    syscall(SYS_close, trace);
    errno = saved;
}

/* The path of an open file, if it is one of ours; its inode. */
static int known(int fd, char *path, long *inode)
{
    char link[64];
    struct stat status;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, 4000);
    if (length <= 0)
        return 0;
    path[length] = 0;
    if (!is_ours(path) || fstat(fd, &status))
        return 0;
    *inode = status.st_ino;
    return 1;
}

static void record_fd(const char *op, int fd, long offset, const void *bytes, long length)
{
    char path[4001];
    long inode;
    if (known(fd, path, &inode))
        record(op, inode, offset, bytes, length, path, "");
}

#define LOCKED(call) \
    pthread_mutex_lock(&one_at_a_time); \
    __typeof__(call) result = (call); \
    int saved = errno;
#define DONE \
    pthread_mutex_unlock(&one_at_a_time); \
    errno = saved; \
    return result;

#define OPEN(name) \
    int name(const char *path, int flags, ...) \
    { \
        va_list rest; \
        va_start(rest, flags); \
        int mode = va_arg(rest, int); \
        va_end(rest); \
        LOCKED(REAL(name)(path, flags, mode)) \
        if (result >= 0 && (flags & O_CREAT)) \
            record_fd(flags & O_TRUNC ? "truncated" : "opened", result, 0, "", 0); \
        DONE \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name) \
    int name(int folder, const char *path, int flags, ...) \
    { \
        va_list rest; \
        va_start(rest, flags); \
        int mode = va_arg(rest, int); \
        va_end(rest); \
        LOCKED(REAL(name)(folder, path, flags, mode)) \
        if (result >= 0 && (flags & (O_CREAT | O_TRUNC))) \
            record_fd(flags & O_TRUNC ? "truncated" : "opened", result, 0, "", 0); \
        DONE \
    }
OPENAT(openat)
OPENAT(openat64)

ssize_t write(int fd, const void *bytes, size_t length)
{
    LOCKED(REAL(write)(fd, bytes, length))
    if (result > 0)
        record_fd("write", fd, lseek(fd, 0, SEEK_CUR) - result, bytes, result);
    DONE
}

#define PWRITE(name, offset_type) \
    ssize_t name(int fd, const void *bytes, size_t length, offset_type offset) \
    { \
        LOCKED(REAL(name)(fd, bytes, length, offset)) \
        if (result > 0) \
            record_fd("write", fd, offset, bytes, result); \
        DONE \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

/* What was copied inside of the kernel is read back. */
ssize_t copy_file_range(int from, off64_t *start, int to, off64_t *end, size_t length, unsigned flags)
{
    LOCKED(REAL(copy_file_range)(from, start, to, end, length, flags))
    char path[4001];
    long inode;
    if (result > 0 && known(to, path, &inode)) {
        char *bytes = malloc(result);
        int again = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
        long offset = (end ? *end : lseek(to, 0, SEEK_CUR)) - result;
        if (bytes && again >= 0 && syscall(SYS_pread64, again, bytes, result, offset) == result)
            record("write", inode, offset, bytes, result, path, "");
        syscall(SYS_close, again);
        free(bytes);
    }
    DONE
}

#define SYNC(name) \
    int name(int fd) \
    { \
        LOCKED(REAL(name)(fd)) \
        if (!result) \
            record_fd("sync", fd, 0, "", 0); \
        DONE \
    }
SYNC(fsync)
SYNC(fdatasync)

#define CUT(name, offset_type) \
    int name(int fd, offset_type length) \
    { \
        LOCKED(REAL(name)(fd, length)) \
        if (!result) \
            record_fd("cut", fd, length, "", 0); \
        DONE \
    }
CUT(ftruncate, off_t)
CUT(ftruncate64, off64_t)

int rename(const char *from, const char *to)
{
    LOCKED(REAL(rename)(from, to))
    if (!result && (is_ours(from) || is_ours(to)))
        record("rename", 0, 0, "", 0, from, to);
    DONE
}

int symlink(const char *target, const char *path)
{
    LOCKED(REAL(symlink)(target, path))
    if (!result && is_ours(path))
        record("symlink", 0, 0, "", 0, path, target);
    DONE
}

int mkdir(const char *path, mode_t mode)
{
    LOCKED(REAL(mkdir)(path, mode))
    if (!result && is_ours(path))
        record("mkdir", 0, 0, "", 0, path, "");
    DONE
}

#define GONE(name) \
    int name(const char *path) \
    { \
        LOCKED(REAL(name)(path)) \
        if (!result && is_ours(path)) \
            record("unlink", 0, 0, "", 0, path, ""); \
        DONE \
    }
GONE(unlink)
GONE(remove)
GONE(rmdir)
