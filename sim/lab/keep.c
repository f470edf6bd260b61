#include "sim/lab/keep.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct head {
    unsigned char hash[DIGEST_BYTES];
    uint64_t index, count, has_spectrum;
    struct spectrum spectrum;
};

void keep_path(char path[KEEP_PATH_SIZE], const struct keep *k, size_t index,
               const char *end)
{
    snprintf(path, KEEP_PATH_SIZE, "%s/%zu%s", k->folder, index, end);
}

/* Two runs in one folder would take each other's files away. */
static int lock(struct keep *k, struct error *error)
{
    int code = 0;

    k->lock = open(k->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (k->lock < 0)
        code = error_set(error, -errno, "%s: %s", k->folder, strerror(errno));
    else if (flock(k->lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        code = error_set(error, -EBUSY,
                         "%s: found another run at work in it, expected none; "
                         "wait for it or choose another --out",
                         k->folder);
    if (code != 0 && k->lock >= 0)
        close(k->lock);
    if (code != 0)
        k->folder[0] = '\0'; /* not ours to remove */
    return code;
}

int keep_open(struct keep *k, const char *out, const struct experiment *e,
              struct error *error)
{
    *k = (struct keep){.lock = -1};
    if (out == NULL)
        return 0;
    int code = digest_experiment(k->hash, e, error);
    if (code != 0)
        return code;
    snprintf(k->folder, sizeof k->folder, "%s/.runs", out);
    if (mkdir(k->folder, 0777) == 0 || errno == EEXIST)
        return lock(k, error);
    code = error_set(error, -errno, "%s: %s", k->folder, strerror(errno));
    k->folder[0] = '\0';
    return code;
}

bool keep_load(const struct keep *k, size_t index, struct course_row *rows,
               size_t count, struct spectrum *spectrum, bool *has_spectrum)
{
    char path[KEEP_PATH_SIZE];
    struct head head;

    if (k->folder[0] == '\0')
        return false;
    keep_path(path, k, index, "");
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    bool good = fread(&head, sizeof head, 1, file) == 1 &&
                memcmp(head.hash, k->hash, sizeof head.hash) == 0 &&
                head.index == index && head.count == count &&
                fread(rows, sizeof *rows, count, file) == count;
    fclose(file);
    if (good) {
        *spectrum = head.spectrum;
        *has_spectrum = head.has_spectrum != 0;
    }
    return good;
}

int keep_save(const struct keep *k, size_t index, const struct course_row *rows,
              size_t count, const struct spectrum *spectrum, bool has_spectrum,
              struct error *error)
{
    char path[KEEP_PATH_SIZE], part[KEEP_PATH_SIZE];
    struct head head;

    if (k->folder[0] == '\0')
        return 0;
    memset(&head, 0, sizeof head); /* padding too: the file is all of it */
    memcpy(head.hash, k->hash, sizeof head.hash);
    head.index = index;
    head.count = count;
    head.has_spectrum = has_spectrum;
    head.spectrum = *spectrum;
    keep_path(path, k, index, "");
    keep_path(part, k, index, ".part");
    FILE *file = fopen(part, "wb");
    if (file == NULL)
        return error_set(error, -errno, "%s: %s", part, strerror(errno));
    bool good = fwrite(&head, sizeof head, 1, file) == 1 &&
                fwrite(rows, sizeof *rows, count, file) == count &&
                fflush(file) == 0 && fsync(fileno(file)) == 0;
    good = fclose(file) == 0 && good;
    if (good && rename(part, path) == 0)
        return 0;
    error_set(error, -EIO, "%s: %s; is the disk full?", part, strerror(errno));
    unlink(part);
    return -EIO;
}

void keep_close(struct keep *k)
{
    if (k->folder[0] == '\0')
        return;
    rmdir(k->folder);
    if (k->lock >= 0)
        close(k->lock);
    k->lock = -1;
}

/* All of them: an earlier experiment may have had more runs than this one. */
void keep_clear(struct keep *k)
{
    char path[KEEP_PATH_SIZE];
    const struct dirent *entry;

    if (k->folder[0] == '\0')
        return;
    DIR *folder = opendir(k->folder);
    while (folder != NULL && (entry = readdir(folder)) != NULL)
        if (isdigit((unsigned char)entry->d_name[0])) {
            snprintf(path, sizeof path, "%s/%.64s", k->folder, entry->d_name);
            unlink(path);
        }
    if (folder != NULL)
        closedir(folder);
    keep_close(k);
}
