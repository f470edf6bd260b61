/* Where a node of a local cluster is stopped, and there dies. */

#ifndef SIM_HOLD_H
#define SIM_HOLD_H

#include "sim/fleet.h"

struct hold {
    char at[48];       /* "y@3" as `starling run --hold` takes it; "": no */
    uint64_t received; /* ... only when all others hold the slices of so many
                          rounds */
    bool returns;
    uint64_t return_ms; /* after its death */
};

/* Whether `text` is PHASE@ROUND with a phase that there is; round may be NULL.
 */
bool hold_parse(uint64_t *round, const char *text);

/* The hold number `place` of what the study's crashes, then the options say
 * about a site. */
void hold_find(struct hold *hold, const struct study *study,
               const struct fleet_options *options, uint32_t site,
               size_t place);

#endif
