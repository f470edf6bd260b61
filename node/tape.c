#include "node/tape.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gossip/gossip.h"

enum { NUMBERS_SIZE = 80, LINE_SIZE = NUMBERS_SIZE + 2 * GOSSIP_HEAD_MAX + 2 };

struct tape {
    int fd;
    char *path;
    char line[LINE_SIZE];
};

/* In one call, so that a line is whole or the last. */
static int append(struct tape *t, size_t size, struct error *error)
{
    ssize_t written = write(t->fd, t->line, size);

    if (written == (ssize_t)size)
        return 0;
    return error_set(error, -EIO, "%s: cannot be written: %s", t->path,
                     written < 0 ? strerror(errno) : "the disk is full");
}

int tape_open(struct tape **tape, const char *path, struct error *error)
{
    struct tape *t = calloc(1, sizeof *t);
    int code = -ENOMEM;

    *tape = NULL;
    if (t == NULL || (t->path = strdup(path)) == NULL) {
        free(t);
        return error_set(error, code, "%s: out of memory", path);
    }
    t->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (t->fd < 0)
        code = error_set(error, -errno, "%s: %s", path, strerror(errno));
    else
        code = append(t,
                      (size_t)snprintf(t->line, sizeof t->line, "\nlife %ld\n",
                                       (long)getpid()),
                      error);
    if (code == 0)
        *tape = t;
    else
        tape_close(t);
    return code;
}

void tape_close(struct tape *t)
{
    if (t == NULL)
        return;
    if (t->fd >= 0)
        close(t->fd);
    free(t->path);
    free(t);
}

int tape_sent(struct tape *t, uint32_t to, const uint8_t *head,
              size_t head_size, size_t body_size, struct error *error)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    int used =
        snprintf(t->line, NUMBERS_SIZE, "%" PRIu64 " %" PRIu32 " %zu ",
                 (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec, to,
                 body_size);
    size_t end = (size_t)used + 2 * head_size;
    if (head_size > GOSSIP_HEAD_MAX)
        return error_set(error, -EINVAL, "%s: a head of %zu bytes", t->path,
                         head_size);
    sodium_bin2hex(t->line + used, 2 * head_size + 1, head, head_size);
    t->line[end] = '\n';
    return append(t, end + 1, error);
}
