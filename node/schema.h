/* The tables of the study file's keys, section by section, and what fills
 * `struct study` from them. study.h is the door; this is its inside. */

#ifndef NODE_SCHEMA_H
#define NODE_SCHEMA_H

#include "model/error.h"
#include "node/reader.h"
#include "node/study.h"

/* Fills a zeroed study with path set. Returns 0, -EINVAL or -ENOMEM; what was
 * taken until then is the study's, for study_free. */
int schema_read(struct study *study, const struct reader *reader,
                struct error *error);

#endif
