/* Preloaded into a node: the disk is full for one write, the FULL_AT-th to a
 * WAL, and never again. Whoever overlooks that goes on. */

#define _GNU_SOURCE 1 /* RTLD_NEXT, pwrite64 */

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_full(int file)
{
    static long writes;
    const char *at = getenv("FULL_AT");
    char link[64], path[4096];

    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t size = readlink(link, path, sizeof path);
    if (at == NULL || size < 4 || memcmp(path + size - 4, "-wal", 4) != 0)
        return false;
    return ++writes == strtol(at, NULL, 10);
}

static ssize_t put(const char *name, int file, const void *bytes, size_t size,
                   off64_t at)
{
    ssize_t (*next)(int, const void *, size_t, off64_t);
    void *found = dlsym(RTLD_NEXT, name);

    memcpy(&next, &found, sizeof next);
    if (!is_full(file))
        return next(file, bytes, size, at);
    errno = ENOSPC;
    return -1;
}

ssize_t pwrite64(int file, const void *bytes, size_t size, off64_t at)
{
    return put("pwrite64", file, bytes, size, at);
}

ssize_t pwrite(int file, const void *bytes, size_t size, off_t at)
{
    return put("pwrite", file, bytes, size, at);
}
