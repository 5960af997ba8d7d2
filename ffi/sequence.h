/* The pinned sequence, for those who enter it: the command line, the launcher.
 */
#ifndef NSPIN_SEQUENCE_H
#define NSPIN_SEQUENCE_H

#include "contract.h"
#include "inherit.h"
#include "program.h"

#define FIELD(name, meaning) u64 name;
struct launch {
  LAUNCH_FIELDS(FIELD)
};
struct cover {
  COVER_FIELDS(FIELD)
};

#define EXTRA(name, bit) EXTRA_##name = bit,
enum { EXTRAS(EXTRA) };

/* cover.is_entry, where it is neither 0 nor 1 */
enum { OF_OWN_DNS = 2 };

/* launch.netns_argument */
enum { NETNS_ONLY = 1, NETNS_AND_ETC };

#define NUMBERED(name, fails, object, does) STEP_##name,
enum step { STEP_NONE, LAUNCH_STEPS(NUMBERED) };

/*
 * Becomes the program; program is room for what it works with. Returns only
 * where a step failed: launch->failed_step, and so on. The host is then as it
 * was, but for what it mounted itself.
 *
 * is_dry: what it would do, the covers, with each one's decision, and the
 * steps. Changes nothing, needs no privilege.
 */
void sequence_run(struct launch *launch, const struct record *record,
                  struct program *program, int is_dry);

/* Does the kernel let a keeper work? 0, -ENOSYS or -EPERM. */
long sequence_keeper_calls(void);

/* Takes away the mount that pin left on the first cover's target. */
void sequence_unpin(struct launch *launch);

#endif
