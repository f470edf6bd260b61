/* starling sim cluster STUDY.yaml: the study as real processes on loopback. */

#ifndef SIM_CLUSTER_H
#define SIM_CLUSTER_H

/* argv[0] is "cluster". Returns the exit status. */
int cluster_main(int argc, char **argv);

#endif
