#include "keeping.h"

#include <asm/errno.h>
#include <asm/stat.h>
#include <linux/sched.h>

long elsewhere(const struct keeper *keeper, struct kept *kept,
               long (*make)(const struct keeper *keeper, struct kept *kept)) {
  long own =
      CALL(__NR_openat, keeper->proc, "self/ns/mnt", O_RDONLY | O_CLOEXEC);
  long root = CALL(__NR_openat, AT_FDCWD, "/", O_PATH | O_CLOEXEC);
  long result = own < 0    ? own
                : root < 0 ? root
                           : CALL(__NR_unshare, CLONE_NEWNS);
  if (result == 0) {
    result = make(keeper, kept);
    if (CALL(__NR_setns, own, CLONE_NEWNS) < 0 || CALL(__NR_fchdir, root) < 0 ||
        CALL(__NR_chroot, ".") < 0)
      daemon_end(); /* never keep in another's place */
  }
  close_file(&own);
  close_file(&root);
  return result;
}

static long copy(long from, long to) {
  char bytes[1024];
  struct stat status;
  long got;
  MUST(CALL(__NR_fstat, from, &status));
  MUST(CALL(__NR_fchmod, to, status.st_mode & 07777));
  CALL(__NR_fchown, to, status.st_uid, status.st_gid); /* by root, or not */
  while ((got = CALL(__NR_read, from, bytes, sizeof bytes)) > 0)
    if (CALL(__NR_write, to, bytes, got) != got)
      return -EIO;
  return got;
}

/* "/proc/self/fd/N" of what is open by O_PATH, opened to be read or written. */
static long open_again(long fd, long flags) {
  char path[FD_PATH_BYTES];
  fd_path(path, fd);
  return CALL(__NR_openat, AT_FDCWD, path, flags | O_CLOEXEC);
}

static long copy_into(const struct keeper *keeper, const struct kept *kept,
                      long directory) {
  long from = open_again(kept->spare, O_RDONLY);
  long to = CALL(__NR_openat, directory, "copy",
                 O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  long result = from < 0 ? from : to < 0 ? to : copy(from, to);
  long clone = result < 0 ? result : clone_source(keeper, kept, to);
  close_file(&from);
  close_file(&to);
  return clone;
}

long make_copy(const struct keeper *keeper, struct kept *kept) {
  struct place directory;
  char path[FD_PATH_BYTES], name[PATH_BYTES];
  long root = open_itself("/");
  long result = root < 0 ? root : mount_change(root, MS_PRIVATE | MS_REC);
  close_file(&root);
  MUST(result);
  path_directory(kept->target, name);
  MUST(path_open(-1, name, LINK_FOLLOWED, &directory));
  fd_path(path, directory.fd);
  /* By its name who looks at the mount table later knows what it is of. */
  const char *of = kept->source[0] == '\0' ? "nspin" : kept->source;
  result = CALL(__NR_mount, of, path, "tmpfs", 0, "mode=755");
  close_file(&directory.fd);
  MUST(result);
  MUST(path_open(-1, name, LINK_FOLLOWED, &directory)); /* the tmpfs */
  result = copy_into(keeper, kept, directory.fd);
  close_file(&directory.fd);
  return result;
}
