/*
 * The keeper: a process that stays in the program's mount namespace, and covers
 * again what the host uncovers. The kernel detaches a mount, in every other
 * mount namespace, when what it lies on is unlinked or renamed over: without a
 * word to the program, which would go on with the host's file.
 *
 * It waits in one ppoll(2), for the mount table, the directories on the way to
 * what it keeps, and the program; and ends with the last process of that mount
 * namespace.
 */
#ifndef NSPIN_KEEPER_H
#define NSPIN_KEEPER_H

#include "cover.h"

/* Does the kernel have what it needs (pidfd_open(2), Linux 5.3)? 1 or 0. */
int keeper_is_possible(void);

/*
 * Starts it, for the covers of launch whose targets are kept; process is this
 * one's id, program a name for people. 0 or -errno, where nothing was started.
 */
long keeper_start(const struct launch *launch, const struct target *targets,
                  const char *process, const char *program);

#endif
