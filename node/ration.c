#include "node/ration.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    QUESTIONS = 100, /* at once; with short answers, three times what a pod
                        keeps of its own */
    VECTORS = 8      /* at once: what waits in our memory if it reads none */
};

int ration_open(struct ration *r, const uint32_t *pods, size_t count,
                size_t vector_bytes)
{
    assert(count <= MIX_NEIGHBOURS_MAX + 1);
    *r = (struct ration){.count = count};
    memcpy(r->pods, pods, count * sizeof *pods);
    r->credit_ms = (uint64_t)QUESTIONS * RATION_ASK_MS +
                   VECTORS * vector_bytes / RATION_BYTES_PER_MS;
    r->paid_ms = calloc(count + 1, sizeof *r->paid_ms);
    return r->paid_ms == NULL ? -ENOMEM : 0;
}

void ration_close(struct ration *r)
{
    free(r->paid_ms);
    r->paid_ms = NULL;
}

static uint64_t *account(const struct ration *r, uint32_t pod, uint32_t member)
{
    for (size_t k = 0; k < r->count; k++)
        if (r->pods[k] == pod && member < MIXWIRE_MEMBERS_MAX)
            return &r->paid_ms[k][member];
    return NULL;
}

bool ration_allows(const struct ration *r, uint32_t pod, uint32_t member,
                   uint64_t now_ms)
{
    const uint64_t *paid_ms = account(r, pod, member);

    return paid_ms != NULL && *paid_ms <= now_ms + r->credit_ms;
}

void ration_charge(struct ration *r, uint32_t pod, uint32_t member,
                   size_t bytes, uint64_t now_ms)
{
    uint64_t *paid_ms = account(r, pod, member);

    assert(paid_ms != NULL);
    if (*paid_ms < now_ms)
        *paid_ms = now_ms;
    *paid_ms += RATION_ASK_MS + bytes / RATION_BYTES_PER_MS;
}
