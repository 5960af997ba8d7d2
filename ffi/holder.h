/*
 * The mount that holds a target, while its propagation is off. A mount that is
 * shared passes on what lands on it, whatever is said of the thing that lands;
 * so it must stop being shared before a cover lands, and be a peer of the
 * host's again before the program runs: every later mount goes both ways.
 */
#ifndef NSPIN_HOLDER_H
#define NSPIN_HOLDER_H

#include "mount.h"

struct holder {
  int is_leaving;   /* a step has been taken, or told, that leaves it */
  int is_covered;   /* at its root, by a mount of that directory on itself */
  long there, here; /* its root: on the host, in this mount namespace; or -1 */
  struct mount mount;         /* on the host */
  char here_id[NUMBER_BYTES]; /* here can be closed until it rejoins */
};

/* Opens the holder on the host. -ENOENT, -EBUSY: its root cannot be reached. */
long holder_open(struct holder *holder);
void holder_close(struct holder *holder);

/*
 * Here, it becomes a slave: the host's mounts still arrive, nothing goes out.
 * -ESTALE: what is at its place is not a copy of it, the table has changed.
 */
long holder_leave(struct holder *holder);

/*
 * Private, and at once a peer again (MOVE_MOUNT_SET_GROUP, Linux 5.15; it
 * takes neither a shared mount nor a slave). What the host mounts on it
 * between the two calls is missed for ever: ask host_changed() after.
 */
long holder_rejoin(struct holder *holder);

#endif
