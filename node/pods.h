/* `pods:` of a study file: which sites are one pod, and how pods average. */

#ifndef NODE_PODS_H
#define NODE_PODS_H

#include "model/error.h"
#include "node/reader.h"
#include "node/study.h"

enum { PODS_SITES_MAX = 4096, PODS_MAX = 1024, PODS_EXACT_SITES_MAX = 64 };

/* After the sites. Thresholds are not yet filled in. Returns 0, -EINVAL or
 * -ENOMEM. */
int pods_read(struct study *study, const struct reader *reader, int node,
              struct error *error);
void pods_free(struct study *study);

/* The study as one pod's members see it: its own sites, in sites[site_count],
 * and its own thresholds. Everything else is borrowed from `whole`. */
void pods_view(struct study *view, struct study_site *sites,
               const struct study *whole, uint32_t pod);

/* 0 if the study is one pod, else -EINVAL: of real processes only those are run
 * so far. */
int pods_refuse(const struct study *study, struct error *error);

#endif
