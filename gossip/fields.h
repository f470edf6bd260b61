/* Two studies, field by field: which one differs. */

#ifndef GOSSIP_FIELDS_H
#define GOSSIP_FIELDS_H

#include "gossip/gossip.h"

/* The first field that either list lacks or has otherwise: its name, in one of
 * the lists. NULL: none. */
const char *fields_difference(const struct gossip_field *fields, size_t count,
                              const struct gossip_field *others,
                              size_t other_count);

#endif
