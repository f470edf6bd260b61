/* One line for a person: what was found, where, what was expected, what to do.
 */

#ifndef MODEL_ERROR_H
#define MODEL_ERROR_H

enum { ERROR_TEXT_SIZE = 512 };

struct error {
    char text[ERROR_TEXT_SIZE]; /* no newline, no program name */
};

/* Formats into error->text, cut at its size, and returns `code` (a negative
 * errno), so that a failing function ends with `return error_set(...)`.
 * `error` may be NULL. */
int error_set(struct error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
