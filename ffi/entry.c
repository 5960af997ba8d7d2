/* The sequence as the command line calls it, by bun:ffi. */
#include "report.h"

static const struct record *const record = (const struct record *)GUARD_RECORD;

/* Each returns the exit status, the reason said; 0 where nothing failed. */

unsigned nspin_launch(struct launch *launch) {
  struct program program;
  sequence_launch(launch, record, &program);
  return report(launch, &program);
}

unsigned nspin_decide(struct launch *launch) {
  struct program program;
  sequence_decide(launch, record, &program);
  return report(launch, &program);
}

unsigned nspin_unpin(struct launch *launch) {
  sequence_unpin(launch);
  return report(launch, NULL);
}
