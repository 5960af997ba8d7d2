/*
 * The keeper's own process: keeper.c waits and looks, watch.c is told of
 * directories, again.c covers, member.c knows when it is over.
 */
#ifndef NSPIN_KEEPING_H
#define NSPIN_KEEPING_H

#include "../keeper.h"
#include "syslog.h"

enum { TRIES = 50 }; /* in a row, of a host that does not keep still */

/* Never returns; what struct record has of it. */
_Noreturn void keeper_run(void *daemon);

u64 microseconds(void); /* CLOCK_MONOTONIC */

/* A line for syslog(3), unless there was one about this target just now. */
void say_kept(struct keeper *keeper, struct kept *kept, enum kept_event event,
              const char *link, long error);

/*
 * keeper->visitor: watches each directory on the way, as path_walk() goes it.
 * Then those are forgotten that were on no way in this look.
 */
void watch_directory(struct visitor *visitor, long directory);
void forget_directories(struct keeper *keeper);

/* Walks to it, in this mount namespace. 0 or -errno. */
long open_target(const struct kept *kept, struct place *place,
                 struct visitor *visitor);

/* Is what is open there covered, or what lies on the cover? 1, 0 or -errno. */
long is_covered(const struct kept *kept, const struct place *place);

/*
 * The target that is open there. 0 or -errno. -EISDIR, -ENOTDIR, -EBUSY: of
 * another kind than what shall cover it. -ENOENT: it is being replaced just
 * now; -EAGAIN: its directory has a mount of its own from now on, look again.
 */
long cover_again(struct keeper *keeper, struct kept *kept,
                 const struct place *place);

/*
 * Shows the source that is open instead of the old one. 0 or -errno: -EINVAL
 * before Linux 6.5, which cannot exchange a mount; -ESTALE: not just now, the
 * program has something on its cover.
 */
long exchange(struct keeper *keeper, struct kept *kept, long source);

/* For the next time, when the source itself may be gone. */
void make_spare(struct kept *kept);

/*
 * The process that was watched has ended: another one in its mount namespace is
 * watched from here on. 0: there is none.
 */
int find_next_member(struct keeper *keeper);

#endif
