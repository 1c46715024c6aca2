/* What a machine may tell wrongly to a process that has this preloaded (LD_PRELOAD):
 * the time, by CLOCK_OFFSET seconds; and that the disk is full, for as long as the file FULL_DISK exists.
 * Both are asked for by symbols of the C library, so Python's time and files go by them. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *at)
{
    int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, at);
    const char *offset = getenv("CLOCK_OFFSET");
    if (result == 0 && clock == CLOCK_REALTIME && offset != NULL) {
        long long told = at->tv_sec * 1000000000LL + at->tv_nsec + llround(atof(offset) * 1e9);
        at->tv_sec = told / 1000000000LL;
        at->tv_nsec = told % 1000000000LL;
    }
    return result;
}

static int disk_is_full(void)
{
    const char *mark = getenv("FULL_DISK");
    return mark != NULL && access(mark, F_OK) == 0;
}

/* Output that was given at the start, as a log, is not what the disk is too full for. */
ssize_t write(int file, const void *data, size_t size)
{
    ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    struct stat about;
    if (file > STDERR_FILENO && disk_is_full() && fstat(file, &about) == 0 && S_ISREG(about.st_mode)) {
        errno = ENOSPC;
        return -1;
    }
    return real(file, data, size);
}

int statvfs64(const char *path, struct statvfs64 *about)
{
    int (*real)(const char *, struct statvfs64 *) = dlsym(RTLD_NEXT, "statvfs64");
    int result = real(path, about);
    if (result == 0 && disk_is_full()) {
        about->f_bavail = 0;
    }
    return result;
}
