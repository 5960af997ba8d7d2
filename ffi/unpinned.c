/*
 * The steps of the published program, each a call of its own, for `nspin
 * selftest --unpinned` to hand to whichever thread is free. An object of its
 * own: what launches cannot be taken apart like this.
 */
#include "inherit.h"

#include <linux/mount.h>
#include <linux/sched.h>
#include <linux/stat.h>

#define STEP __attribute__((visibility("default")))

/* Each returns 0, or -errno. */
STEP int unpinned_self_bind(const char *hello) {
  return (int)CALL(__NR_mount, hello, hello, 0, MS_BIND);
}

STEP int unpinned_private(const char *hello) {
  return (int)CALL(__NR_mount, 0, hello, 0, MS_PRIVATE);
}

STEP int unpinned_unshare(void) { return (int)CALL(__NR_unshare, CLONE_NEWNS); }

STEP int unpinned_bind(const char *world, const char *hello) {
  return (int)CALL(__NR_mount, world, hello, 0, MS_BIND);
}

/* Writes the report to stdout, then becomes the command. */
STEP int unpinned_execute(const char *report, unsigned long bytes,
                          char **argv) {
  const struct record *record;
  long result = inherit_record(&record);
  if (result < 0)
    return (int)result;
  CALL(__NR_write, 1, report, bytes);
  return (int)CALL(__NR_execve, argv[0], argv, record->environment);
}

/* Where the calling thread is: its id, the inode of its mount namespace. */
STEP int unpinned_thread(void) { return (int)CALL(__NR_gettid); }

STEP unsigned unpinned_mounts(void) {
  struct statx status;
  if (CALL(__NR_statx, AT_FDCWD, "/proc/thread-self/ns/mnt", 0, STATX_INO,
           &status) < 0)
    return 0;
  return (unsigned)status.stx_ino; /* a proc inode: 32 bits */
}
