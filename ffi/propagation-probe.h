/* The kernel's propagation graph, tried out before it is relied on. */
#ifndef NSPIN_PROPAGATION_PROBE_H
#define NSPIN_PROPAGATION_PROBE_H

#include "mount-namespace.h"

/*
 * Is the peer group of a slave that rejoins sound? Linux 5.15 to 6.15 lost
 * track (fixed in 6.16 by d8cc0362f918, and in stable releases): a later mount
 * appears twice and stays. Tried out on three tmpfs in a mount namespace of
 * its own. 1; 0, also where it cannot be tried; or -errno: it could not be left
 * or, worse, not be returned from.
 */
long propagation_is_sound(struct host *host);

#endif
