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
 * By itself, first: a session of its own, and, once the process that has
 * started it has executed a program or ended, its command line. No signal but
 * SIGKILL and SIGSTOP reaches it.
 */
void daemon_own(const struct daemon *daemon);

/* All memory goes that it does not keep, of a runtime for one. */
void daemon_shrink(const struct daemon *daemon);

#endif
