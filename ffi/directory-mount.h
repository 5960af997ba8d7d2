/*
 * A mount of a target's directory onto that directory itself, in the program's
 * mount namespace, on which the cover lies. The mount that holds the directory
 * stays a peer of the host's below it, so nothing of what the host mounts is
 * ever missed there; the directory's mount can leave the peer group for the
 * moment in which a cover lands, and rejoin it.
 */
#ifndef NSPIN_DIRECTORY_MOUNT_H
#define NSPIN_DIRECTORY_MOUNT_H

#include "mount.h"

struct directory_mount {
  long here; /* its root; or -1: there is none */
  /*
   * A mount of the peer group: the root of the mount that holds the directory,
   * once it has rejoined; or, where that is the directory itself, a detached
   * clone, which who lays it gives. The kernel
   * refuses the host's umount(2) of a mount whose copy somebody has open, but
   * for one that has others on it elsewhere than on its root.
   */
  long peer;
  char id[NUMBER_BYTES], holder_id[NUMBER_BYTES];
};

#define NO_DIRECTORY_MOUNT                                                     \
  { .here = -1, .peer = -1 }
void directory_close(struct directory_mount *directory);

/*
 * Clones the directory with all that is mounted in it, and lays that on it.
 * 0 or -errno; -ESTALE: the mount that holds it is shared, and would pass that
 * on.
 */
long directory_lay(struct directory_mount *directory, const char *path);

/*
 * The mount becomes a slave, and private and a peer again (holder.h). 0 or
 * -errno; -EBUSY: another mount lies on the root of the one that holds it.
 */
long directory_leave(const struct directory_mount *directory);
long directory_rejoin(struct directory_mount *directory);

#endif
