#include "node/letter.h"

#include <stdlib.h>

/* ZMTP 3.1: a short or a long head; CurveZMQ (RFC 26): what a MESSAGE adds */
enum { SHORT_MAX = 255, SHORT_HEAD = 2, LONG_HEAD = 9, SEAL = 33 };

static size_t on_the_line(const zframe_t *frame)
{
    size_t size = zframe_size((zframe_t *)frame) + SEAL;

    return size + (size > SHORT_MAX ? LONG_HEAD : SHORT_HEAD);
}

void letter_free(struct letter *l)
{
    zframe_destroy(&l->id);
    zframe_destroy(&l->study);
    zframe_destroy(&l->head);
    zframe_destroy(&l->body);
    l->count = l->size = 0;
}

bool letter_take(struct letter *l, void *socket, bool has_id)
{
    zframe_t **places[] = {&l->id, &l->study, &l->head, &l->body};
    const size_t most = sizeof places / sizeof *places, first = has_id ? 0 : 1;
    zframe_t *frame = zframe_recv_nowait(socket);
    size_t at = first;

    letter_free(l);
    if (frame == NULL)
        return false;
    while (frame != NULL) {
        bool more = zframe_more(frame) != 0;

        if (at > 0) /* an id is this side's own */
            l->size += on_the_line(frame);
        if (at < most)
            *places[at] = frame;
        else
            zframe_destroy(&frame);
        at++;
        frame = more ? zframe_recv(socket) : NULL;
    }
    l->count = at - 1;
    return true;
}

static const char *meta(const struct letter *l, const char *name)
{
    return l->study == NULL ? NULL : zframe_meta(l->study, name);
}

int letter_sender(const struct letter *l, uint32_t members)
{
    const char *user = meta(l, "User-Id");
    char *end;
    unsigned long member;

    if (user == NULL || *user == '\0')
        return -1;
    member = strtoul(user, &end, 10);
    return *end == '\0' && member < members ? (int)member : -1;
}

int letter_fd(const struct letter *l)
{
    const char *fd = meta(l, "__fd");

    return fd == NULL ? -1 : (int)strtol(fd, NULL, 10);
}
