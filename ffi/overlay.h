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
 * Lays the overlay. -EBUSY: something is mounted in the directory, which the
 * overlay would hide.
 */
long overlay_lay(const struct target *target);

#endif
