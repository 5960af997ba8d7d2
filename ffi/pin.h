/*
 * The mount of method pin: the host's file, bound onto itself, private. It is
 * the one thing that a launch changes on the host, and other launches rely on
 * it; so whoever makes one, relies on one or takes one away holds the lock.
 */
#ifndef NSPIN_PIN_H
#define NSPIN_PIN_H

#include "cover.h"

/* Waits for the lock: its descriptor, or -errno. */
long pin_lock(const char *path);

/* Both 0 or -errno; target->pin where this launch has made it. */
long pin_bind(struct target *target);
long pin_make_private(struct target *target);

/*
 * Both take away the pin that this launch has made, and nothing that the host
 * has mounted on it; the first from the program's mount namespace, by
 * propagation (-ENOENT: not from there), the second in the host's. 0 or -errno:
 * the pin stays.
 */
long pin_undo_here(struct target *target);
long pin_undo_on_host(struct target *target);

/*
 * Opens what is to be unpinned. -EINVAL: what is there shows anything else than
 * what lies below it, or in another way. -EBUSY: mounts lie on it or in it.
 */
long pin_find(struct target *target);

/* A process that has it covered, in another mount namespace; 0: none. */
long pin_user(const struct target *target);

long pin_remove(struct target *target, struct host *host); /* 0 or -errno */

#endif
