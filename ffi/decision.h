/* How a target is covered: the rows of DECISIONS, contract.h, as they apply. */
#ifndef NSPIN_DECISION_H
#define NSPIN_DECISION_H

#include "cover.h"

/* What the kernel has once answered holds for all targets of a launch. */
struct grounds {
  struct host *host;
  int is_dry;
  long rejoining;     /* ask_to_rejoin()'s answer; 0: not asked yet */
  u64 user_namespace; /* its inode; 0: not looked up yet */
};

/*
 * asked: one of METHODS, or STATIC.
 * Takes the first row that fits: target->act and cover->decision. -EOPNOTSUPP:
 * that row refuses. -errno where a condition could not be looked at.
 */
long target_decide(struct target *target, struct cover *cover, int asked,
                   struct grounds *grounds);

#endif
