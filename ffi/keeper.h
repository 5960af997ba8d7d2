/*
 * The keeper: a process that stays in the program's mount namespace, and covers
 * again what the host uncovers. The kernel detaches a mount, in every other
 * mount namespace, when what it lies on is unlinked or renamed over: without a
 * word to the program, which would go on with the host's file.
 *
 * It is of the code that aside.h speaks of: a runtime's process would be too
 * big to stay.
 */
#ifndef NSPIN_KEEPER_H
#define NSPIN_KEEPER_H

struct launch;
struct target;

/*
 * Starts it, for the covers of launch whose targets are kept; process is this
 * one's id, program a name for people. 0, or -errno, after which this process
 * has to end: what was opened for it stays open, close-on-exec. targets NULL:
 * for all of them, beside a program that runs already, process, whose mount
 * namespace this thread has entered. What covers its files is found there; the
 * keeper's first look does the rest.
 */
long keeper_start(const struct launch *launch, const struct target *targets,
                  const char *process, const char *program);

#endif
