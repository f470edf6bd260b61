/* What a site would contribute to a study, in words: member_check's inside. */

#ifndef NODE_CHECK_H
#define NODE_CHECK_H

#include <stddef.h>

#include "model/error.h"
#include "node/member.h"

/* Lines into text[size], cut at its size. The phases are gone through with this
 * site's sums standing for all sites': nothing is sent, nothing is kept.
 * Returns 0 or a negative errno: the reason why this site would decline. */
int check_write(char *text, size_t size, const struct member_config *config,
                struct error *error);

#endif
