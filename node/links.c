#include "node/links.h"

#include <errno.h>

#include "node/blend.h"
#include "node/pods.h"

static int too_many(const struct study *study, uint32_t pod,
                    struct error *error)
{
    return error_set(error, -E2BIG,
                     "%s: pods: found more than %d sites in pod %u and its "
                     "neighbours together, expected at most so many links; "
                     "choose a graph with fewer links or smaller pods",
                     study->path, LINKS_MAX, pod);
}

/* Which pods' sites are linked with, by pod. */
static int meet(bool *meets, const struct study *view, struct error *error)
{
    uint32_t list[MIX_NEIGHBOURS_MAX];
    size_t count;
    int code = blend_neighbours(list, &count, view, error);

    for (size_t k = 0; code == 0 && k < count; k++)
        meets[list[k]] = true;
    meets[view->pod] = true;
    return code;
}

int links_find(struct links *links, const struct study *view, uint32_t self,
               struct error *error)
{
    const struct study *whole = view->whole == NULL ? view : view->whole;
    bool meets[PODS_MAX] = {false};
    int code = view->whole == NULL ? 0 : meet(meets, view, error);

    *links = (struct links){0};
    for (uint32_t site = 0; code == 0 && site < whole->site_count; site++) {
        struct link link = {.site = site, .member = site, .fellow = true};
        if (view->whole != NULL) {
            pods_find(whole, site, &link.pod, &link.member);
            link.fellow = link.pod == view->pod;
            if (!meets[link.pod])
                continue;
        }
        if (links->count == LINKS_MAX)
            return too_many(view, view->pod, error);
        if (link.fellow && link.member == self)
            links->self = links->count;
        links->of[links->count++] = link;
    }
    return code;
}

int links_place(const struct links *links, uint32_t pod, uint32_t member)
{
    for (uint32_t i = 0; i < links->count; i++)
        if (links->of[i].pod == pod && links->of[i].member == member)
            return (int)i;
    return -1;
}
