/* The folders of a local cluster: OUT/study.yaml, and for each site
 * OUT/SITE/rows.csv with its own rows only and OUT/SITE/node.keys. */

#ifndef SIM_STAGE_H
#define SIM_STAGE_H

#include "model/error.h"
#include "node/study.h"

enum { STAGE_PATH_SIZE = 4096 };

/* OUT/NAME, or OUT/SITE/NAME; names that do not fit are cut. */
void stage_path(char path[STAGE_PATH_SIZE], const char *out, const char *site,
                const char *name);

/* Makes the folder and its missing parents. */
int stage_folder(const char *path, struct error *error);

/* ports[study->site_count] on loopback. Removes what an earlier cluster left
 * there. Resolves the study's features from the first site's file. */
int stage_fill(struct study *study, const char *out, const uint16_t *ports,
               struct error *error);

#endif
