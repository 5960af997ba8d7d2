/*
 * All that dist/nspin.so exports. bun:ffi calls it from src/library.ts; any
 * other language can: docs/object.md.
 */
#ifndef NSPIN_EXPORTS_H
#define NSPIN_EXPORTS_H

#include "sequence.h"

/* The object is compiled with everything else hidden. */
#define EXPORT __attribute__((visibility("default")))

/*
 * record: what this process was started with, which only who ran before its
 * runtime can know; or NULL: what execve(2) would pass on now, with the
 * arguments and the environment that /proc/self has.
 *
 * Each returns the exit status, the reason said on stderr; 0 where nothing
 * failed. nspin_launch becomes the program where nothing fails.
 */
EXPORT unsigned nspin_launch(struct launch *launch,
                             const struct record *record);
EXPORT unsigned nspin_decide(struct launch *launch,
                             const struct record *record);
EXPORT unsigned nspin_unpin(struct launch *launch);

/*
 * The steps of the published program, each a call of its own, for `nspin
 * selftest --unpinned` to hand to whichever thread is free: 0 or -errno.
 */
EXPORT int unpinned_self_bind(const char *hello);
EXPORT int unpinned_private(const char *hello);
EXPORT int unpinned_unshare(void);
EXPORT int unpinned_bind(const char *world, const char *hello);
/* Writes the report to stdout, then becomes the command. */
EXPORT int unpinned_execute(const char *report, unsigned long bytes,
                            char **argv, const struct record *record);
/* Where the calling thread is: its id, the inode of its mount namespace. */
EXPORT int unpinned_thread(void);
EXPORT unsigned unpinned_mounts(void);

#endif
