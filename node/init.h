/* `starling init`: makes a node's keys. */

#ifndef NODE_INIT_H
#define NODE_INIT_H

#define INIT_KEYS "starling.keys" /* the file, unless another is named */

/* arguments[count] after "init". Returns the exit status. */
int init_main(int count, char *const *arguments);

#endif
