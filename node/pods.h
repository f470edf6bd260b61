/* `pods:` of a study file: which sites are one pod, and how pods average. */

#ifndef NODE_PODS_H
#define NODE_PODS_H

#include "gossip/mix.h"
#include "model/error.h"
#include "node/reader.h"
#include "node/study.h"

enum { PODS_SITES_MAX = 4096, PODS_MAX = 1024, PODS_EXACT_SITES_MAX = 64 };

/* After the sites. Thresholds are not yet filled in. Returns 0, -EINVAL or
 * -ENOMEM. */
int pods_read(struct study *study, const struct reader *reader, int node,
              struct error *error);
void pods_free(struct study *study);
/* Pods of one site and `sum: {masks: none}` only together; the lines are of the
 * two keys. Returns 0 or -EINVAL. */
int pods_check_masks(const struct study *study, const struct reader *reader,
                     uint32_t pods_line, uint32_t masks_line,
                     struct error *error);

/* The study as one pod's members see it: its own sites, in sites[site_count],
 * and its own thresholds. Everything else is borrowed from `whole`. */
void pods_view(struct study *view, struct study_site *sites,
               const struct study *whole, uint32_t pod);

/* In which pod a site is, and its place there. */
void pods_find(const struct study *whole, uint32_t site, uint32_t *pod,
               uint32_t *member);

/* Members, thresholds and signing keys of all pods, as gossip/mix.h wants them;
 * of a study with pods and keys. NULL: out of memory. */
struct pods_table *pods_table_new(const struct study *whole);
const struct mix_pod *pods_table_of(const struct pods_table *table);
void pods_table_free(struct pods_table *table);

#endif
