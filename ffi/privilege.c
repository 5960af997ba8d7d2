#include "privilege.h"
#include "syscall.h"
#include "text.h"

#include <asm/errno.h>
#include <linux/capability.h>
#include <linux/sched.h>

/* 1, 0 or -errno. */
static long is_capable(unsigned capability) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
  long result = CALL(__NR_capget, &header, sets);
  if (result < 0)
    return result;
  u64 mask = CAP_TO_MASK(capability);
  return (sets[CAP_TO_INDEX(capability)].effective & mask) != 0;
}

long may_mount(void) { return is_capable(CAP_SYS_ADMIN); }

long privilege_check(void) {
  long result = may_mount();
  return result == 0 ? -EPERM : result;
}

int can_return(void) {
  return is_capable(CAP_SYS_CHROOT) == 1 &&
         CALL(__NR_setns, -1, CLONE_NEWNS) == -EBADF &&
         CALL(__NR_fchdir, -1) == -EBADF && CALL(__NR_chroot, "") == -ENOENT;
}
