/* Whether an entry fits the data, the network and the matrices that it is to
 * run with: what would be computed as something else is refused. */

#ifndef LAB_FIT_H
#define LAB_FIT_H

#include "sim/lab/plan.h"

/* run: all but its spectrum. Returns 0 or -EINVAL, -ENOMEM. */
int fit_check(const struct plan_run *run, const struct plan *plan,
              const struct experiment_entry *entry, struct error *error);

#endif
