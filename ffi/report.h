/* What the user reads where a step failed. */
#ifndef NSPIN_REPORT_H
#define NSPIN_REPORT_H

#include "sequence.h"

/*
 * Writes "nspin: cannot VERB OBJECT: TEXT (NAME)" and perhaps a hint to stderr.
 * Returns the exit status, as env(1) and nsenter(1) have it: 126 or 127 where
 * it was the program, found or not; else 125. 0 where no step failed.
 */
unsigned report(const struct launch *launch, const struct program *program);

/* A warning for each entry of /etc/netns/ID that covers nothing. */
void report_left_out(const struct launch *launch);

/* A lock is waited for; process: who holds it, 0 where that is not known. */
void report_waiting(const char *lock, u64 process);

/* A warning: what the program mounts does not propagate. */
void report_propagation(void);

/* A warning: no keeper stays with the program. */
enum { REFUSED_KEEPER = 1, LONE_KEEPER };
void report_no_keeper(int why);

#endif
