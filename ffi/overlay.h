/*
 * An overlay over a target's directory, read-only, whose lower layer is that
 * directory: a cover in it is out of the reach of the host's renames.
 */
#ifndef NSPIN_OVERLAY_H
#define NSPIN_OVERLAY_H

#include "cover.h"

/* Opens the directory that shall be the lower layer. 0 or -errno. */
long overlay_open(struct target *target);

/*
 * Lays the overlay; is_lacking: the directory has no resolv.conf, the overlay
 * an empty one. -EBUSY: something is mounted in the directory, which the
 * overlay would hide.
 */
long overlay_lay(const struct target *target, int is_lacking);

#endif
