/* Copies of what a study file says, owned by the study. */

#ifndef NODE_TAKE_H
#define NODE_TAKE_H

#include <stdbool.h>
#include <stddef.h>

#include "model/error.h"
#include "node/reader.h"
#include "node/study.h"

/* *to must be NULL or owned; it is replaced. All return 0 or -ENOMEM. */
int take_text(char **to, const struct study *study, const char *text,
              struct error *error);
/* A relative path is relative to the folder of the study file. */
int take_path(char **to, const struct study *study, const char *text,
              struct error *error);
/* A READER_TEXTS list, (*to)[*count]; -EINVAL if a text is there twice. */
int take_texts(char ***to, size_t *count, const struct study *study,
               const struct reader *reader, int list, struct error *error);

/* 1 to 40 characters, each a letter or one of `more`. */
bool take_is_name(const char *text, const char *more);

#endif
