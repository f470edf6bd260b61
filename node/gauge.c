#include "node/gauge.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Bytes that have come in since it was opened; 0: none, or not known. */
static uint64_t received(int fd)
{
    struct tcp_info info;
    socklen_t size = sizeof info;

    memset(&info, 0, sizeof info);
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0
               ? info.tcpi_bytes_received
               : 0;
}

static struct gauge_line *find(const struct gauge *g, int fd)
{
    for (size_t i = 0; i < g->count; i++)
        if (g->lines[i].fd == fd)
            return &g->lines[i];
    return NULL;
}

void gauge_free(struct gauge *g)
{
    free(g->lines);
    g->lines = NULL;
    g->count = g->capacity = 0;
}

void gauge_begin(struct gauge *g, int fd)
{
    gauge_end(g, fd); /* whatever had the number before */
    if (g->count == g->capacity) {
        size_t capacity = 2 * g->capacity + 16;
        void *lines = realloc(g->lines, capacity * sizeof *g->lines);
        if (lines == NULL)
            return;
        g->lines = lines;
        g->capacity = capacity;
    }
    g->lines[g->count++] = (struct gauge_line){.fd = fd};
}

void gauge_end(struct gauge *g, int fd)
{
    struct gauge_line *line = find(g, fd);

    if (line != NULL)
        *line = g->lines[--g->count];
}

bool gauge_watches(const struct gauge *g, int fd)
{
    return find(g, fd) != NULL;
}

void gauge_take(struct gauge *g, int fd, size_t size)
{
    struct gauge_line *line = find(g, fd);

    if (line != NULL)
        line->taken += size;
}

int gauge_cut(struct gauge *g)
{
    struct gauge_line *worst = NULL;
    uint64_t most = 0, all = 0;

    for (size_t i = 0; i < g->count; i++) {
        struct gauge_line *line = &g->lines[i];
        uint64_t now = received(line->fd);
        uint64_t open = now > line->taken && !line->cut ? now - line->taken : 0;
        all += open;
        if (open > most) {
            most = open;
            worst = line;
        }
    }
    if (worst == NULL || (most <= g->limit && all <= GAUGE_TOTAL * g->limit))
        return -1;
    shutdown(worst->fd, SHUT_RDWR);
    worst->cut = true; /* once */
    return worst->fd;
}
