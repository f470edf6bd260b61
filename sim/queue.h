/* What is to come in a world: a binary heap ordered by time, then by age, so
 * that ties never depend on an address. */

#ifndef SIM_QUEUE_H
#define SIM_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum queue_kind {
    QUEUE_MESSAGE,
    QUEUE_TIMER,
    QUEUE_HINT, /* `member` is told how its link to `from` is */
    QUEUE_JOB,
    QUEUE_RESTART,
    QUEUE_POST /* from `from` of `pod`, about pods */
};

struct queue_item {
    uint64_t at_ms, age;
    enum queue_kind kind;
    uint32_t member, from, pod;
    uint64_t life;       /* of the member that it is for; timers and jobs */
    uint64_t departs_us; /* messages: when the last bit has left the sender */
    uint8_t *head;       /* owned by the item; body follows in the same block */
    size_t head_size, body_size;
};

struct queue {
    struct queue_item *items; /* [count], a heap */
    size_t count, capacity;
    uint64_t age; /* items ever */
};

void queue_free(struct queue *queue);
/* Takes over item->head; sets age. Aborts if out of memory. */
void queue_push(struct queue *queue, struct queue_item item);
/* False if empty. The caller owns item->head. */
bool queue_pop(struct queue *queue, struct queue_item *item);
/* Messages of `from` that have not left by `now_us` vanish. */
void queue_unsend(struct queue *queue, uint32_t from, uint64_t now_us);

#endif
