/* What a study says of its sums (`sum:`): who may pool what they see, how many
 * have to sign, which lanes; and the proofs that none of it is impossible. */

#ifndef NODE_SUMS_H
#define NODE_SUMS_H

#include "model/error.h"
#include "node/reader.h"
#include "node/study.h"

/* After the task and the pods. line 0: the key is not there; pods_line: of
 * `pods:`, or 0. Returns 0, -EINVAL or -ENOMEM. */
int sums_read(struct study *study, const struct reader *reader, int node,
              uint32_t line, uint32_t pods_line, struct error *error);

#endif
