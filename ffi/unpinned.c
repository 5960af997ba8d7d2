/*
 * The steps of the published program, each a call of its own, for `nspin
 * selftest --unpinned` to hand to whichever thread is free.
 */
#include "inherit.h"

#include <linux/mount.h>
#include <linux/sched.h>
#include <linux/stat.h>

/* Each returns 0, or -errno. */
int unpinned_self_bind(const char *hello) {
  return (int)CALL(__NR_mount, hello, hello, 0, MS_BIND);
}

int unpinned_private(const char *hello) {
  return (int)CALL(__NR_mount, 0, hello, 0, MS_PRIVATE);
}

int unpinned_unshare(void) { return (int)CALL(__NR_unshare, CLONE_NEWNS); }

int unpinned_bind(const char *world, const char *hello) {
  return (int)CALL(__NR_mount, world, hello, 0, MS_BIND);
}

/* Writes the report to stdout, then becomes the command. */
int unpinned_execute(const char *report, unsigned long bytes, char **argv) {
  const struct record *record = (const struct record *)GUARD_RECORD;
  CALL(__NR_write, 1, report, bytes);
  return (int)CALL(__NR_execve, argv[0], argv, record->environment);
}

/* Where the calling thread is: its id, the inode of its mount namespace. */
int unpinned_thread(void) { return (int)CALL(__NR_gettid); }

unsigned unpinned_mounts(void) {
  struct statx status;
  if (CALL(__NR_statx, AT_FDCWD, "/proc/thread-self/ns/mnt", 0, STATX_INO,
           &status) < 0)
    return 0;
  return (unsigned)status.stx_ino; /* a proc inode: 32 bits */
}
