/* Records of a CSV file: RFC 4180, with or without quotes, LF or CRLF, with or
 * without a UTF-8 byte order mark. Blanks around an unquoted field do not
 * count; empty lines are skipped. */

#ifndef MODEL_CSV_H
#define MODEL_CSV_H

#include <stddef.h>

#include "model/error.h"

struct csv {
    const char *path; /* borrowed */
    char *text;       /* the whole file; fields are cut out of it in place */
    size_t size, at;
    size_t line_next;
    size_t line;   /* of the record's first character, from 1 */
    char **fields; /* [count], NUL-terminated, valid until csv_close */
    size_t count, room;
};

/* Reads the file into memory. Returns 0 or a negative errno: the system's, or
 * -EINVAL for a file that is empty or holds a NUL byte. */
int csv_open(struct csv *csv, const char *path, struct error *error);
void csv_close(struct csv *csv);

/* Cuts the next record into csv->fields. Returns 1, 0 at the end of the file,
 * -EINVAL for an unclosed quote or text behind a closing one, -ENOMEM. */
int csv_next(struct csv *csv, struct error *error);

#endif
