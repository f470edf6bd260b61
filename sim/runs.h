/* `starling sim world STUDY.yaml`: one world with its result files, or many
 * seeds with a line each. Returns the exit status: 0 fine, 1 failed, 2 misuse.
 */

#ifndef SIM_RUNS_H
#define SIM_RUNS_H

int runs_main(int argc, char **argv);

#endif
