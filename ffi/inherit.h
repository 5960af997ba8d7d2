/*
 * What the bun runtime changed in this process before our first line ran, and
 * execve(2) would pass on. Each is checked by test/root/state.test.ts.
 */
#ifndef NSPIN_INHERIT_H
#define NSPIN_INHERIT_H

/*
 * Bun marks every descriptor from 4 on as close-on-exec when it starts. Take
 * the mark off all but bun's own. To be called before the sequence opens any.
 */
long inherit_descriptors(void);

/* SIGPIPE and SIGXFSZ, ignored by bun; RLIMIT_NOFILE, raised by bun. */
long inherit_signals_and_limits(void);

#endif
