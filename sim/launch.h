/* How a local cluster starts one `starling run`. */

#ifndef SIM_LAUNCH_H
#define SIM_LAUNCH_H

#include "model/error.h"
#include "node/study.h"
#include "sim/crew.h"
#include "sim/stage.h"

/* The path of `starling`, which stands beside this program. */
int launch_program(char path[STAGE_PATH_SIZE], struct error *error);

/* Starts the node of site `name` as child `site` with the files of its folder
 * (sim/stage.h), to be held at `hold` ("recv@3") if that is not NULL.
 * settings[] as in crew_start; `unmasked` agrees to `masks: none`. */
int launch_node(struct crew *crew, uint32_t site, const char *program,
                const char *out, const char *name, const char *hold,
                const char *const *settings, bool unmasked,
                struct error *error);

#endif
