/* What checkers have in common: the first violation stands, lists grow. */

#ifndef SIM_FINDING_H
#define SIM_FINDING_H

#include <stddef.h>

enum { FINDING_SIZE = 320 };

struct finding {
    char text[FINDING_SIZE]; /* "": none */
};

__attribute__((format(printf, 2, 3))) void finding_say(struct finding *finding,
                                                       const char *format, ...);

/* Room for one more behind list[count] of `size` bytes each; never NULL. */
void *finding_grown(void *list, size_t count, size_t size);

#endif
