/* What an algorithm's own mathematics allow: values of its parameters, and
 * what becomes of a message that is lost. */

#ifndef LAB_RANGE_H
#define LAB_RANGE_H

#include "node/reader.h"
#include "sim/lab/experiment.h"

/* values[]: an entry's parameters, in the order of enum alg_takes. */
int range_check(const struct experiment_entry *entry,
                const struct reader *reader, const struct reader_value *values,
                struct error *error);

/* on_loss: of the entry, or of the network, against the entry's matrices. */
int range_check_rule(const struct experiment_entry *entry,
                     const struct experiment *experiment,
                     const struct reader *reader, struct error *error);
/* Of the matrix whose rows sum to 1 and of the one whose columns do. */
void range_rules(enum faults_rule rules[2],
                 const struct experiment_entry *entry,
                 const struct experiment *experiment);

#endif
