/* `starling run`: one member of one study on this machine. */

#ifndef NODE_RUN_H
#define NODE_RUN_H

/* arguments[count] after "run". Returns the exit status. */
int run_main(int count, char *const *arguments);

#endif
