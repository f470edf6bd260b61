#include "gossip/share.h"

/* Less is done before another thread is awake. */
enum { PART_BYTES_MIN = 65536 };

struct split {
    void (*work)(void *context, size_t k, size_t from, size_t n);
    void *context;
    size_t count, part;
};

static void run_part(void *argument, size_t k)
{
    const struct split *s = argument;
    size_t from = s->part * k;
    size_t left = s->count - from;

    s->work(s->context, k, from, left < s->part ? left : s->part);
}

void share_each(const struct gossip *g, size_t count, size_t size,
                void (*work)(void *context, size_t k), void *context)
{
    if (g->config.share != NULL && count > 1 &&
        size >= (size_t)2 * PART_BYTES_MIN) {
        g->config.share(g->config.share_context, count, work, context);
        return;
    }
    for (size_t k = 0; k < count; k++)
        work(context, k);
}

void share_lanes(const struct gossip *g, size_t count, size_t lane,
                 void (*work)(void *context, size_t k, size_t from, size_t n),
                 void *context)
{
    const size_t group = PRG_GROUP_BYTES / lane;
    size_t parts = count * lane / PART_BYTES_MIN;
    struct split s = {work, context, count, count};

    if (g->config.share == NULL || parts < 2) {
        work(context, 0, 0, count);
        return;
    }
    parts = parts < SHARE_PARTS_MAX ? parts : SHARE_PARTS_MAX;
    s.part = ((count + parts - 1) / parts + group - 1) / group * group;
    share_each(g, (count + s.part - 1) / s.part, count * lane, run_part, &s);
}
