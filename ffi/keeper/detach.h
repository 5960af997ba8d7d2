#ifndef NSPIN_DETACH_H
#define NSPIN_DETACH_H

#include "daemon.h"

/*
 * In the process between: the name; and what it shall not have goes, of the
 * descriptors, the capabilities and the working directory. 0 or -errno: it
 * would keep open what the program closes, or nobody would know it.
 */
long daemon_detach(const struct daemon *daemon);

/*
 * By itself, once daemon->starter says that the memory is its own: its command
 * line.
 */
void daemon_own(struct daemon *daemon);

/* And later all memory goes that it does not keep, of a runtime for one. */
void daemon_shrink(const struct daemon *daemon);

#endif
