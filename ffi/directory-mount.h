/*
 * A mount of a target's directory onto that directory itself, in the program's
 * mount namespace, on which the cover lies. The mount that holds the directory
 * stays a peer of the host's below it, so nothing of what the host mounts is
 * ever missed there; the directory's mount can leave the peer group for the
 * moment in which a cover lands, and rejoin it from that one.
 */
#ifndef NSPIN_DIRECTORY_MOUNT_H
#define NSPIN_DIRECTORY_MOUNT_H

#include "mount.h"

struct directory_mount {
  long here;   /* its root; or -1: there is none */
  long lower;  /* the directory below it, on the mount that holds it */
  long holder; /* the root of that mount */
  char id[NUMBER_BYTES];
};

#define NO_DIRECTORY_MOUNT                                                     \
  { .here = -1, .lower = -1, .holder = -1 }
void directory_close(struct directory_mount *directory);

/*
 * Clones the directory with all that is mounted in it, and lays that on it.
 * 0 or -errno; -ESTALE: the mount that holds it is shared, and would pass that
 * on; -EBUSY: another mount lies on the root of that mount.
 */
long directory_lay(struct directory_mount *directory, const char *path);

/* The mount becomes a slave, and a peer again (holder.h). 0 or -errno. */
long directory_leave(const struct directory_mount *directory);
long directory_rejoin(const struct directory_mount *directory);

/*
 * While it is a slave: lays on it what the host has mounted in the directory,
 * of which the mount that holds it was told, and this one not: in the moment in
 * which it was neither slave nor peer. How many that were, or -errno.
 */
long directory_complete(const struct directory_mount *directory,
                        const char *path);

#endif
