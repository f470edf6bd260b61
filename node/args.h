/* Flags of a command line, from a table. */

#ifndef NODE_ARGS_H
#define NODE_ARGS_H

#include <stdbool.h>
#include <stddef.h>

enum { ARGS_MISUSE = 2 }; /* the exit status */

struct args_flag {
    const char *name;   /* "--out" */
    const char **value; /* where its value goes, or */
    bool *set;          /* a flag without one */
};

struct args {
    const char *command; /* "starling run" */
    const struct args_flag *flags;
    size_t flag_count;
    const char **operand; /* the one argument that is no flag; NULL: none */
};

/* arguments[count] after the command's name. Returns 0, or ARGS_MISUSE with one
 * line on stderr that says what to do. */
int args_parse(const struct args *args, char *const *arguments, int count);

/* That line, and ARGS_MISUSE. */
int args_misuse(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
