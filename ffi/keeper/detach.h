#ifndef NSPIN_DETACH_H
#define NSPIN_DETACH_H

#include "daemon.h"

/*
 * By itself, first: its session, name and capabilities (of the mask, a bit
 * each); and every descriptor goes that it does not keep. No signal but SIGKILL
 * and SIGSTOP reaches it.
 */
void daemon_detach(const struct daemon *daemon, u64 capabilities);

/* All memory goes that it does not keep, of a runtime for one. */
void daemon_shrink(const struct daemon *daemon);

#endif
