#include "exports.h"
#include "aside.h"
#include "report.h"

/* The given record, or the state as it is now; NULL: no such, and reported. */
static const struct record *record_or_now(struct launch *launch,
                                          const struct record *given,
                                          struct record *now) {
  if (given != NULL)
    return given;
  launch->failed_step = STEP_ARGUMENTS;
  long result = started_words(now);
  if (result == 0) {
    launch->failed_step = STEP_INHERIT;
    result = started_descriptors(now);
  }
  if (result == 0) {
    launch->failed_step = STEP_RESTORE;
    result = started_signals(now);
  }
  if (result == 0)
    result = started_limits(now);
  if (result < 0) {
    launch->failed_errno = (u64)-result;
    return NULL;
  }
  now->directory = now->object = -1;
  now->aside = NULL;
  return now;
}

static unsigned run(struct launch *launch, const struct record *record,
                    int is_dry) {
  struct program program;
  struct record now;
  record = record_or_now(launch, record, &now);
  if (record != NULL)
    sequence_run(launch, record, &program, is_dry);
  return report(launch, &program);
}

unsigned nspin_launch(struct launch *launch, const struct record *record) {
  return run(launch, record, 0);
}

unsigned nspin_decide(struct launch *launch, const struct record *record) {
  return run(launch, record, 1);
}

unsigned nspin_unpin(struct launch *launch, const struct record *record) {
  launch->failed_step = STEP_CONTRACT;
  launch->failed_errno = EOPNOTSUPP;
  if (record != NULL)
    record->aside(ASIDE_UNPIN, launch, NULL, NULL, NULL);
  return report(launch, NULL);
}
