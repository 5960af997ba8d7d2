#include "exports.h"

#include <linux/mount.h>
#include <linux/sched.h>
#include <linux/stat.h>

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

int unpinned_execute(const char *report, unsigned long bytes, char **argv,
                     const struct record *record) {
  CALL(__NR_write, 1, report, bytes);
  return (int)CALL(__NR_execve, argv[0], argv, record->environment);
}

int unpinned_thread(void) { return (int)CALL(__NR_gettid); }

unsigned unpinned_mounts(void) {
  struct statx status;
  if (CALL(__NR_statx, AT_FDCWD, "/proc/thread-self/ns/mnt", 0, STATX_INO,
           &status) < 0)
    return 0;
  return (unsigned)status.stx_ino; /* a proc inode: 32 bits */
}
