/* What the keeper says. */
#ifndef NSPIN_SYSLOG_H
#define NSPIN_SYSLOG_H

#include "../text.h"

/*
 * A keeper's line, to syslog(3)'s socket, which the journal reads too; lost
 * where nobody listens, or who listens does not keep up.
 */
struct kept_line {
  const char *target, *source, *process, *program;
  const char *link; /* what the symbolic link leads to, if it is one; or "" */
  u64 microseconds; /* from the change's notice to the end of what was done */
  u64 unsaid;       /* such lines left out since the last one */
  long error;
};
enum kept_event { COVERED_AGAIN, FOLLOWED, NOT_FOLLOWED, MISSING, NOT_COVERED };
void report_kept(enum kept_event event, const struct kept_line *line);

#endif
