/* The study file's keys of iterative training: those of `task:` that describe
 * the network and the method, those of `rounds:` that describe the steps. */

#ifndef NODE_TRAINING_H
#define NODE_TRAINING_H

#include "model/error.h"
#include "node/reader.h"
#include "node/study.h"

/* Places in the tables that schema.c's own follow. */
enum {
    TRAINING_CLASSES,
    TRAINING_HIDDEN,
    TRAINING_ACTIVATION,
    TRAINING_PRECISION,
    TRAINING_INIT,
    TRAINING_MU,
    TRAINING_SERVER_STEP,
    TRAINING_TASK_KEYS
};
enum {
    TRAINING_LOCAL_STEPS,
    TRAINING_LOCAL_EPOCHS,
    TRAINING_BATCH,
    TRAINING_STEP,
    TRAINING_MOMENTUM,
    TRAINING_SCHEDULE,
    TRAINING_DECAY,
    TRAINING_PATIENCE,
    TRAINING_ROUNDS_KEYS
};
extern const struct reader_key training_task_keys[TRAINING_TASK_KEYS];
extern const struct reader_key training_rounds_keys[TRAINING_ROUNDS_KEYS];

/* Whether the method sums statistics of all rows, and has none of these keys.
 */
bool training_is_exact(const struct study *study);

/* What holds where the file says nothing. */
void training_defaults(struct task_training *training);

/* v[TRAINING_TASK_KEYS], v[TRAINING_ROUNDS_KEYS] as reader_map filled them. A
 * key that the kind or method has no use for is an error, and one that it needs
 * and that is not there (at `line`, the kind's). `rounds` after `task`. Return
 * 0 or -EINVAL. */
int training_task(struct study *study, const struct reader *reader,
                  uint32_t line, const struct reader_value *v,
                  struct error *error);
int training_rounds(struct study *study, const struct reader *reader,
                    const struct reader_value *v, struct error *error);

#endif
