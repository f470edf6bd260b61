#include "node/storefile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096 };

int storefile_lock(int *file, const char *store, struct error *error)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char path[PATH_SIZE];

    if (snprintf(path, sizeof path, "%s.lock", store) >= (int)sizeof path)
        return error_set(error, -ENAMETOOLONG, "%s: the name is too long",
                         store);
    *file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*file < 0)
        return error_set(error, -errno,
                         "%s: %s; expected a folder that can be written", path,
                         strerror(errno));
    if (fcntl(*file, F_SETLK, &lock) == 0)
        return 0;
    if (fcntl(*file, F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK)
        return error_set(error, -EBUSY,
                         "store %s is in use by another process; stop that one "
                         "first",
                         store);
    return error_set(error, -EBUSY,
                     "store %s is in use by another process (%ld); stop that "
                     "one first",
                     store, (long)lock.l_pid);
}

/* SQLite's own words for these do not help. */
static int check(const char *path, struct error *error)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return error_set(error, -errno,
                         "%s: %s; expected a store, or nothing, where one can "
                         "be made",
                         path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return error_set(
            error, S_ISDIR(status.st_mode) ? -EISDIR : -EINVAL,
            "%s: found %s, expected a file; name another with --store", path,
            S_ISDIR(status.st_mode) ? "a folder" : "no plain file");
    if (access(path, R_OK | W_OK) != 0)
        return error_set(error, -errno,
                         "%s: %s; expected a store that can be read and "
                         "written; check who owns it",
                         path, strerror(errno));
    return 0;
}

/* Made before SQLite does, so that nobody else may read it. Never opened when
 * it is there: closing it would drop SQLite's locks of this process. */
int storefile_make(const char *path, struct error *error)
{
    int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (file < 0 && errno != EEXIST)
        return error_set(error, -errno,
                         "%s: %s; expected a folder that can be written", path,
                         strerror(errno));
    if (file >= 0) {
        close(file);
        return 0;
    }
    return check(path, error);
}

int storefile_sync_parent(const char *path, struct error *error)
{
    char copy[PATH_SIZE];

    if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy)
        return error_set(error, -ENAMETOOLONG, "%s: the name is too long",
                         path);
    const char *parent = dirname(copy);
    int folder = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int code = folder < 0 ? -errno : 0;
    if (folder >= 0 && fsync(folder) != 0 && errno != EINVAL)
        code = -errno; /* EINVAL: a file system that does it unasked */
    if (folder >= 0)
        close(folder);
    if (code == 0 || code == -EACCES) /* may be written, not read */
        return 0;
    return error_set(error, code, "%s: %s; expected a folder on a sound disk",
                     parent, strerror(-code));
}

bool storefile_is_empty(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && status.st_size == 0;
}

bool storefile_has_wal(const char *path)
{
    char name[PATH_SIZE];

    snprintf(name, sizeof name, "%s-wal", path);
    return access(name, F_OK) == 0;
}
