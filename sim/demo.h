/* starling demo: a cluster that tells what happens in it. */

#ifndef SIM_DEMO_H
#define SIM_DEMO_H

/* argv[0] is "demo". Returns the exit status: 0 only if the joint fit equals
 * the pooled one and all nodes agree. */
int demo_main(int argc, char **argv);

#endif
