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
 * failed. nspin_launch becomes the program where nothing fails. nspin_unpin
 * needs the record, for what is in there of aside.h.
 */
EXPORT unsigned nspin_launch(struct launch *launch,
                             const struct record *record);
EXPORT unsigned nspin_decide(struct launch *launch,
                             const struct record *record);
EXPORT unsigned nspin_unpin(struct launch *launch, const struct record *record);

#endif
