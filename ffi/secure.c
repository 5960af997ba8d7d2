#include "secure.h"
#include "proc.h"

#include <asm/errno.h>
#include <linux/auxvec.h>

long secure_check(const void *auxiliary_vector) {
  u64 is_secure = 0, user = 0;
  for (const u64 *entry = auxiliary_vector; *entry != AT_NULL; entry += 2) {
    if (entry[0] == AT_SECURE)
      is_secure = entry[1];
    if (entry[0] == AT_UID)
      user = entry[1];
  }
  return is_secure && user != 0 ? -EPERM : 0;
}
