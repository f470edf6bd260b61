#include "sim/lab/keep.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct head {
    unsigned char hash[DIGEST_BYTES];
    uint64_t index, count, has_spectrum;
    struct spectrum spectrum;
};

enum { PATH_SIZE = 4200 };

static void path_of(char path[PATH_SIZE], const struct keep *k, size_t index,
                    const char *end)
{
    snprintf(path, PATH_SIZE, "%s/%zu%s", k->folder, index, end);
}

int keep_open(struct keep *k, const char *out, const struct experiment *e,
              struct error *error)
{
    *k = (struct keep){0};
    if (out == NULL)
        return 0;
    snprintf(k->folder, sizeof k->folder, "%s/.runs", out);
    digest_experiment(k->hash, e);
    if (mkdir(k->folder, 0777) == 0 || errno == EEXIST)
        return 0;
    return error_set(error, -errno, "%s: %s", k->folder, strerror(errno));
}

bool keep_load(const struct keep *k, size_t index, struct course_row *rows,
               size_t count, struct spectrum *spectrum, bool *has_spectrum)
{
    char path[PATH_SIZE];
    struct head head;

    if (k->folder[0] == '\0')
        return false;
    path_of(path, k, index, "");
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
    char path[PATH_SIZE], part[PATH_SIZE];
    struct head head;

    if (k->folder[0] == '\0')
        return 0;
    memset(&head, 0, sizeof head); /* padding too: the file is all of it */
    memcpy(head.hash, k->hash, sizeof head.hash);
    head.index = index;
    head.count = count;
    head.has_spectrum = has_spectrum;
    head.spectrum = *spectrum;
    path_of(path, k, index, "");
    path_of(part, k, index, ".part");
    FILE *file = fopen(part, "wb");
    if (file == NULL)
        return error_set(error, -errno, "%s: %s", part, strerror(errno));
    bool good = fwrite(&head, sizeof head, 1, file) == 1 &&
                fwrite(rows, sizeof *rows, count, file) == count &&
                fflush(file) == 0 && fsync(fileno(file)) == 0;
    good = fclose(file) == 0 && good;
    if (good && rename(part, path) == 0)
        return 0;
    return error_set(error, -EIO, "%s: %s; is the disk full?", part,
                     strerror(errno));
}

void keep_clear(const struct keep *k, size_t runs)
{
    char path[PATH_SIZE];

    if (k->folder[0] == '\0')
        return;
    for (size_t i = 0; i < runs; i++) {
        path_of(path, k, i, "");
        unlink(path);
        path_of(path, k, i, ".part");
        unlink(path);
    }
    rmdir(k->folder);
}
