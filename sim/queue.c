#include "sim/queue.h"

#include <stdlib.h>

void queue_free(struct queue *q)
{
    for (size_t i = 0; i < q->count; i++)
        free(q->items[i].head);
    free(q->items);
    *q = (struct queue){0};
}

static bool before(const struct queue_item *a, const struct queue_item *b)
{
    return a->at_ms < b->at_ms || (a->at_ms == b->at_ms && a->age < b->age);
}

static void sift_up(struct queue *q, size_t at)
{
    struct queue_item item = q->items[at];

    for (; at > 0 && before(&item, &q->items[(at - 1) / 2]); at = (at - 1) / 2)
        q->items[at] = q->items[(at - 1) / 2];
    q->items[at] = item;
}

static void sift_down(struct queue *q, size_t at)
{
    struct queue_item item = q->items[at];

    for (size_t child; (child = 2 * at + 1) < q->count; at = child) {
        if (child + 1 < q->count &&
            before(&q->items[child + 1], &q->items[child]))
            child++;
        if (!before(&q->items[child], &item))
            break;
        q->items[at] = q->items[child];
    }
    q->items[at] = item;
}

void queue_push(struct queue *q, struct queue_item item)
{
    if (q->count == q->capacity) {
        q->capacity = q->capacity == 0 ? 256 : 2 * q->capacity;
        q->items = realloc(q->items, q->capacity * sizeof *q->items);
        if (q->items == NULL)
            abort(); /* a simulation has nobody to tell */
    }
    item.age = q->age++;
    q->items[q->count] = item;
    sift_up(q, q->count++);
}

bool queue_pop(struct queue *q, struct queue_item *item)
{
    if (q->count == 0)
        return false;
    *item = q->items[0];
    q->items[0] = q->items[--q->count];
    if (q->count > 0)
        sift_down(q, 0);
    return true;
}

void queue_unsend(struct queue *q, uint32_t from, uint64_t now_us)
{
    size_t kept = 0;

    for (size_t i = 0; i < q->count; i++) {
        const struct queue_item *item = &q->items[i];
        if (item->kind == QUEUE_MESSAGE && item->from == from &&
            item->departs_us > now_us)
            free(item->head);
        else
            q->items[kept++] = *item;
    }
    q->count = kept;
    for (size_t i = kept / 2; i-- > 0;)
        sift_down(q, i);
}
