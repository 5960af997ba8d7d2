#include "object.h"
#include "../proc.h"

#include <linux/elf.h>

#include <asm/errno.h>
#include <linux/memfd.h>
#include <linux/resource.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

/* The limit counts for a memfd too, and ends the process by SIGXFSZ. */
static long check_limit(u64 bytes) {
  struct rlimit64 limit;
  long result = CALL(__NR_prlimit64, 0, RLIMIT_FSIZE, 0, &limit);
  return result == 0 && limit.rlim_cur < bytes ? -EFBIG : result;
}

/* Tried, not asked: SELinux and seccomp refuse it here. */
static long check_executable(long fd, u64 bytes) {
  long at =
      CALL(__NR_mmap, 0, bytes, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
  return is_error(at) ? at : CALL(__NR_munmap, at, bytes);
}

static long fill(long fd, u64 bytes) {
  MUST(check_limit(bytes));
  if (CALL(__NR_write, fd, object, bytes) != (long)bytes)
    return -EIO;
  MUST(CALL(__NR_fcntl, fd, F_ADD_SEALS,
            F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL));
  return check_executable(fd, bytes);
}

u64 aside_entry(void) {
  return (u64)aside_image + ((const Elf64_Ehdr *)aside_image)->e_entry;
}

long object_open(void) {
  static const char name[] = "nspin";
  unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  /* Without MFD_EXEC, Linux 6.3, it is the sysctl vm.memfd_noexec that says. */
  long fd = CALL(__NR_memfd_create, name, flags | MFD_EXEC);
  if (fd == -EINVAL)
    fd = CALL(__NR_memfd_create, name, flags);
  if (fd < 0)
    return fd;
  long result = fill(fd, (u64)(object_end - object));
  if (result < 0)
    CALL(__NR_close, fd);
  return result < 0 ? result : fd;
}
