#include "sim/outcome.h"

#include <inttypes.h>
#include <string.h>

/* In the words of who declined; the others only know that it did. */
static const char *decline_of(const struct world *w, uint64_t members)
{
    for (uint32_t i = 0; i < w->study.site_count; i++)
        if ((members >> i & 1) != 0 && w->sites[i].end.decline[0] != '\0')
            return w->sites[i].end.decline;
    return "";
}

static void explain_end(struct world *w, const struct scene_site *s,
                        const char *name)
{
    const char *why = decline_of(w, s->end.members);
    char names[256] = "";

    trace_names(names, sizeof names, &w->study, s->end.members);
    switch (s->end.reason) {
    case GOSSIP_FINISHED:
        return;
    case GOSSIP_STOPPED:
        snprintf(w->reason, sizeof w->reason,
                 "%s stopped: missing %s, and on_loss is stop", name, names);
        return;
    case GOSSIP_DECLINED:
        snprintf(w->reason, sizeof w->reason, "%s declined%s%s", names,
                 why[0] == '\0' ? "" : ": ", why);
        return;
    case GOSSIP_SPOILED:
        snprintf(w->reason, sizeof w->reason,
                 "%s ended: a contributed vector was out of range", name);
        return;
    case GOSSIP_TIMED_OUT:
        snprintf(w->reason, sizeof w->reason,
                 "%s gave up waiting for %s after wait_ms", name, names);
    }
}

static void explain_wait(struct world *w, const struct scene_site *s,
                         const char *name)
{
    struct gossip_view view;
    char names[256];
    uint64_t down = 0;

    for (uint32_t j = 0; j < w->study.site_count; j++)
        down |= (uint64_t)!w->sites[j].up << j;
    if (s->member == NULL) {
        snprintf(w->reason, sizeof w->reason, "%s was still away", name);
        return;
    }
    member_view(s->member, &view);
    if (view.awaited != 0)
        snprintf(w->reason, sizeof w->reason,
                 "%s still awaits %s in round %" PRIu64 " after %" PRIu64 " ms",
                 name,
                 trace_names(names, sizeof names, &w->study, view.awaited),
                 view.round, w->now_ms);
    else
        snprintf(w->reason, sizeof w->reason,
                 "%s is in attempt %" PRIu64 " of round %" PRIu64
                 " after %" PRIu64 " ms; raise deadline_ms or end_ms",
                 name, view.attempt, view.round, w->now_ms);
    if (down != 0)
        snprintf(w->reason + strlen(w->reason),
                 sizeof w->reason - strlen(w->reason), "; down: %s",
                 trace_names(names, sizeof names, &w->study, down));
}

static void explain(struct world *w, uint32_t i, bool *anybody)
{
    const struct scene_site *s = &w->sites[i];

    if (w->reason[0] != '\0')
        return;
    if (!s->up || !s->done)
        explain_wait(w, s, w->study.sites[i].name);
    else
        explain_end(w, s, w->study.sites[i].name);
    *anybody = true;
}

/* Not asked: who lies, and who declined where the others go on. */
static bool counts(const struct world *w, uint32_t i)
{
    const struct scene_site *s = &w->sites[i];

    return (w->config.liars >> i & 1) == 0 &&
           !(w->study.on_loss == GOSSIP_CONTINUE && s->done &&
             s->end.reason == GOSSIP_DECLINED &&
             s->end.members == UINT64_C(1) << i);
}

/* Those who are up know best; those who are gone for good are not asked. */
void outcome_conclude(struct world *w)
{
    bool anybody = false;

    for (uint32_t i = 0; i < w->study.site_count; i++)
        if (w->sites[i].up && counts(w, i))
            explain(w, i, &anybody);
    for (uint32_t i = 0; i < w->study.site_count; i++)
        if (!w->sites[i].up && w->sites[i].returning && counts(w, i))
            explain(w, i, &anybody);
    if (!anybody && w->reason[0] == '\0')
        snprintf(w->reason, sizeof w->reason, "every member is gone");
}
