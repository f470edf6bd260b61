/* `starling sim converge`. */

#ifndef LAB_CONVERGE_H
#define LAB_CONVERGE_H

/* argv[0] is "converge". Returns the exit status. */
int converge_main(int argc, char **argv);

#endif
