/* What single sites note about their own rows, for a result of all sites: each
 * such note once, with the names of its sites in front. */

#ifndef SIM_NOTES_H
#define SIM_NOTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/study.h"

enum { NOTES_MAX = 16, NOTES_TEXT_SIZE = 256, NOTES_LINE_SIZE = 4096 };

struct notes { /* zero at the start */
    struct {
        char text[NOTES_TEXT_SIZE];
        uint64_t sites; /* bitmap */
    } local[NOTES_MAX];
    size_t count;
};

/* Takes a note that is about the rows of `site`. False: it is about all sites,
 * or there is no more room, and is the caller's to tell. */
bool notes_take(struct notes *notes, const char *text, uint32_t site);

/* "va, switzerland: all training rows of this site ..." */
void notes_line(char line[NOTES_LINE_SIZE], const struct notes *notes,
                size_t index, const struct study *study);

#endif
