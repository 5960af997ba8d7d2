/* How a target is covered: the rows of DECISIONS, contract.h, as they apply. */
#ifndef NSPIN_DECISION_H
#define NSPIN_DECISION_H

#include "cover.h"

/*
 * asked: one of METHODS, or STATIC.
 * Takes the first row that fits: target->act and cover->decision. -EOPNOTSUPP:
 * that row refuses. -errno where a condition could not be looked at.
 */
long target_decide(struct target *target, struct cover *cover, int asked,
                   int is_dry, struct host *host);

#endif
