/* A folder of its own for each test program, removed at the end. */

#ifndef TESTS_NODE_SCRATCH_H
#define TESTS_NODE_SCRATCH_H

#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char scratch_folder[256];

static inline int scratch_make(void **state)
{
    const char *base = getenv("TMPDIR");

    (void)state;
    snprintf(scratch_folder, sizeof scratch_folder, "%s/starling-test-XXXXXX",
             base == NULL ? "/tmp" : base);
    return mkdtemp(scratch_folder) == NULL ? -1 : 0;
}

static inline const char *scratch_path(const char *name)
{
    static char paths[4][512];
    static size_t next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", scratch_folder, name);
    return path;
}

static inline int scratch_remove(void **state)
{
    DIR *folder = opendir(scratch_folder);
    struct dirent *entry;

    (void)state;
    if (folder == NULL)
        return -1;
    while ((entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            remove(scratch_path(entry->d_name));
    }
    closedir(folder);
    return rmdir(scratch_folder);
}

static inline const char *scratch_write(const char *name, const char *text)
{
    const char *path = scratch_path(name);
    FILE *file = fopen(path, "w");

    assert(file != NULL);
    fputs(text, file);
    int closed = fclose(file);
    assert(closed == 0);
    return path;
}

/* All of a file, NUL-terminated, malloc'ed; *size without the NUL. */
static inline char *scratch_read(const char *path, size_t *size)
{
    enum { MOST = 1 << 24 };
    FILE *file = fopen(path, "rb");
    char *bytes = calloc(1, MOST + 1);

    assert(bytes != NULL);
    *size = file == NULL ? 0 : fread(bytes, 1, MOST, file);
    if (file != NULL)
        fclose(file);
    return bytes;
}

#endif
