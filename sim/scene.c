#include "sim/scene.h"

enum { HINT_MS = 5 }; /* until a peer's transport notices a dead process */

void scene_hint(struct world *w, uint32_t member, uint32_t about,
                uint64_t after_ms)
{
    queue_push(&w->queue, (struct queue_item){.at_ms = w->now_ms + after_ms,
                                              .kind = QUEUE_HINT,
                                              .member = member,
                                              .from = about});
}

void scene_hint_all(struct world *w, uint32_t about, bool comes)
{
    for (uint32_t j = 0; j < w->study.site_count; j++)
        if (j != about)
            scene_hint(w, j, about,
                       comes ? network_latency(&w->network) : HINT_MS);
}

void scene_crash(struct world *w, uint32_t i, uint64_t restart_after_ms)
{
    struct scene_site *s = &w->sites[i];

    trace_say(&w->trace, i, "crashes");
    w->crashes++;
    s->crashes++;
    member_free(s->member);
    s->member = NULL;
    s->up = false;
    s->life++;
    queue_unsend(&w->queue, i, w->now_ms * 1000);
    scene_hint_all(w, i, false);
    if (restart_after_ms == WORLD_NEVER)
        return;
    s->returning = true;
    queue_push(&w->queue,
               (struct queue_item){.at_ms = w->now_ms + restart_after_ms,
                                   .kind = QUEUE_RESTART,
                                   .member = i,
                                   .life = s->life});
}

void scene_lose_store(struct world *w, uint32_t i)
{
    struct scene_site *s = &w->sites[i];

    trace_say(&w->trace, i, "loses its store");
    for (int k = 0; k < MEMBER_SLOTS; k++)
        s->saved[k].set = false;
    s->has_lost_store = true;
    s->loss_effects = s->effects;
    check_lost(w->check, i);
}
