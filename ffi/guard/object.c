#include "object.h"
#include "../proc.h"

#include <asm/errno.h>
#include <linux/memfd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

extern const char object[], object_end[]; /* object.S */

static long fill(long fd) {
  for (const char *at = object; at < object_end;) {
    long written = CALL(__NR_write, fd, at, object_end - at);
    if (written <= 0)
      return written < 0 ? written : -EIO;
    at += written;
  }
  return 0;
}

/* Tried, not asked: a noexec mount, SELinux and seccomp refuse it here. */
static long check_executable(long fd) {
  u64 bytes = (u64)(object_end - object);
  long at = CALL(__NR_mmap, 0, bytes, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd);
  if (is_error(at))
    return at;
  return CALL(__NR_munmap, at, bytes);
}

static long sealed_memfd(void) {
  static const char name[] = "nspin";
  unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  /* Without MFD_EXEC, Linux 6.3, it is the sysctl vm.memfd_noexec that says. */
  long fd = CALL(__NR_memfd_create, name, flags | MFD_EXEC);
  if (fd == -EINVAL)
    fd = CALL(__NR_memfd_create, name, flags);
  if (fd < 0)
    return fd;
  long result = fill(fd);
  if (result == 0)
    result = CALL(__NR_fcntl, fd, F_ADD_SEALS,
                  F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
  if (result == 0)
    result = check_executable(fd);
  if (result < 0)
    CALL(__NR_close, fd);
  return result < 0 ? result : fd;
}

/* It cannot be sealed, but its one writable descriptor is closed again. */
static long unnamed_file(const char *directory) {
  enum { READ_BY_OWNER = 0400 };
  long fd = CALL(__NR_openat, AT_FDCWD, directory,
                 O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, READ_BY_OWNER);
  if (fd < 0)
    return fd;
  long result = fill(fd);
  if (result == 0)
    result = check_executable(fd);
  if (result == 0) {
    char path[FD_PATH_BYTES];
    fd_path(path, fd);
    result = CALL(__NR_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  }
  CALL(__NR_close, fd);
  return result;
}

/* Not where stdio would be, and is closed. */
static long above_stdio(long fd) {
  enum { FIRST = 3 };
  if (fd < 0 || fd >= FIRST)
    return fd;
  long above = CALL(__NR_fcntl, fd, F_DUPFD_CLOEXEC, FIRST);
  CALL(__NR_close, fd);
  return above;
}

long object_open(void) {
  static const char *const directories[] = {"/run", "/dev/shm", "/"};
  long result = sealed_memfd(), fd = result;
  for (size_t i = 0; fd < 0 && i < sizeof directories / sizeof *directories;)
    fd = unnamed_file(directories[i++]);
  return fd < 0 ? result : above_stdio(fd);
}
