/* e2e_stage STUDY OUT: what a local cluster does before it starts its nodes.
 * Prints "ready", then holds the ports until it is killed. */

#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

#include "sim/port.h"
#include "sim/stage.h"

int main(int argc, char **argv)
{
    uint16_t ports[GOSSIP_MEMBERS_MAX];
    struct study *study = NULL;
    struct error error = {"usage: e2e_stage STUDY OUT"};
    int code = argc != 3 || sodium_init() < 0;

    if (code == 0)
        code = study_read(&study, argv[1], &error);
    for (uint32_t i = 0; code == 0 && i < study->site_count; i++)
        code = port_reserve(&ports[i]) < 0;
    if (code == 0)
        code = stage_fill(study, argv[2], ports, &error);
    study_free(study);
    if (code != 0) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    puts("ready");
    fflush(stdout);
    for (;;)
        pause();
}
