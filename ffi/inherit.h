/*
 * What this process was started with, as the entry guard recorded it before
 * the bun runtime changed some of it, is what execve(2) shall pass on.
 */
#ifndef NSPIN_INHERIT_H
#define NSPIN_INHERIT_H

#include "started.h"

/* All of these: 0 or -errno. */

/* Back to the working directory, where the guard had to leave it. */
long inherit_directory(const struct record *record);

/*
 * Close-on-exec: off for what was inherited, on for everything else. Bun turns
 * it on for all from 4 on. To be called before the sequence opens any.
 */
long inherit_descriptors(const struct record *record);

/*
 * Dispositions (bun: SIGPIPE, SIGXFSZ and those of a crash), the mask, and what
 * was pending (bun: SIGPWR, which it lets through).
 */
long inherit_signals(const struct record *record);

/* The limits become those in here, and these what they were before. */
long inherit_limits(struct rlimit64 limits[GUARD_LIMIT_COUNT]);

#endif
