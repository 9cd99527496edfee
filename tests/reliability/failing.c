/* Lets one call fail that would write to the files of one folder, or that one and all after it: LD_PRELOAD this.

   MLBENCH_FAIL_FOLDER: the folder, as a real path. MLBENCH_FAIL_AT: which call fails, from 1; 0 only counts. MLBENCH_FAIL_ERRNO:
   with what. MLBENCH_FAIL_STAYS: all later calls fail, too; making a file shorter and removing it go on working, as on a
   full disk. MLBENCH_FAIL_COUNT: a file that is given the count as its length. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static long n_calls;

static int is_ours(const char *path)
{
    const char *folder = getenv("MLBENCH_FAIL_FOLDER");
    size_t length = folder ? strlen(folder) : 0;
    return length && !strncmp(path, folder, length) && path[length] == '/';
}

static int is_ours_fd(int fd)
{
    char link[64], path[4001];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, 4000);
    if (length <= 0)
        return 0;
    path[length] = 0;
    return is_ours(path);
}

/* Whether this call is to fail; errno is then set. */
static int fails(int is_ours)
{
    const char *at = getenv("MLBENCH_FAIL_AT"), *count = getenv("MLBENCH_FAIL_COUNT");
    if (!at || !is_ours)
        return 0;
    long number = __sync_add_and_fetch(&n_calls, 1);
    if (count) {
        int saved = errno;
        truncate(count, number);
        errno = saved;
    }
    long wanted = atol(at);
    if (!wanted || number < wanted || (number > wanted && !getenv("MLBENCH_FAIL_STAYS")))
        return 0;
    errno = atoi(getenv("MLBENCH_FAIL_ERRNO"));
    return 1;
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) \
    { \
        va_list rest; \
        va_start(rest, flags); \
        int mode = va_arg(rest, int); \
        va_end(rest); \
        if ((flags & O_CREAT) && access(path, F_OK) && fails(is_ours(path))) \
            return -1; \
        return REAL(name)(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

ssize_t write(int fd, const void *bytes, size_t length)
{
    return fails(is_ours_fd(fd)) ? -1 : REAL(write)(fd, bytes, length);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset)
{
    return fails(is_ours_fd(fd)) ? -1 : REAL(pwrite)(fd, bytes, length, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset)
{
    return fails(is_ours_fd(fd)) ? -1 : REAL(pwrite64)(fd, bytes, length, offset);
}

ssize_t copy_file_range(int from, off64_t *start, int to, off64_t *end, size_t length, unsigned flags)
{
    return fails(is_ours_fd(to)) ? -1 : REAL(copy_file_range)(from, start, to, end, length, flags);
}

#define ON_FD(name) \
    int name(int fd) { return fails(is_ours_fd(fd)) ? -1 : REAL(name)(fd); }
ON_FD(fsync)
ON_FD(fdatasync)

int rename(const char *from, const char *to) { return fails(is_ours(to)) ? -1 : REAL(rename)(from, to); }
int link(const char *from, const char *to) { return fails(is_ours(to)) ? -1 : REAL(link)(from, to); }
int symlink(const char *to, const char *path) { return fails(is_ours(path)) ? -1 : REAL(symlink)(to, path); }
int mkdir(const char *path, mode_t mode) { return fails(is_ours(path)) ? -1 : REAL(mkdir)(path, mode); }
