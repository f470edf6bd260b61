/* Any bytes as a file in memory, for readers that want a path. */

#ifndef TESTS_FUZZ_FILE_H
#define TESTS_FUZZ_FILE_H

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "model/error.h"

enum { FILE_PATH_SIZE = 40 };

struct file {
    int descriptor;
    char path[FILE_PATH_SIZE]; /* "": not made yet */
};

/* What a finding looks like to libFuzzer. */
static inline void file_must(int holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

static inline void file_make(struct file *file)
{
    static int count;
    char name[64];

    snprintf(name, sizeof name, "/starling-fuzz-%ld-%d", (long)getpid(),
             count++);
    file->descriptor = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    file_must(file->descriptor >= 0, "a file in memory can be made");
    shm_unlink(name);
    snprintf(file->path, sizeof file->path, "/proc/self/fd/%d",
             file->descriptor);
}

/* The path of a file that holds these bytes and no others. */
static inline const char *file_fill(struct file *file, const void *bytes,
                                    size_t size)
{
    if (file->path[0] == '\0')
        file_make(file);
    file_must(ftruncate(file->descriptor, 0) == 0 &&
                  pwrite(file->descriptor, bytes, size, 0) == (ssize_t)size,
              "a file in memory can be written");
    return file->path;
}

/* A refusal is one line that begins with the file's name. */
static inline void file_refused(int code, const struct error *error,
                                const char *path)
{
    file_must(code < 0, "a refusal is a negative errno");
    file_must(strncmp(error->text, path, strlen(path)) == 0,
              "a refusal names the file");
    for (const char *c = error->text; *c != '\0'; c++)
        file_must((unsigned char)*c >= 0x20 && *c != 0x7f,
                  "a refusal is one line without control bytes");
}

#endif
