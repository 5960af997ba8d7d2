#include "../aside.h"
#include "../keeper.h"
#include "own-dns.h"
#include "sys.h"

long aside(unsigned what, struct launch *launch, struct target *target,
           void *more, const char *name) {
  switch ((enum aside)what) {
  case ASIDE_KEEPER:
    return keeper_start(launch, target, more, name);
  case ASIDE_SYS:
    return sys_lay();
  case ASIDE_OWN_DNS:
    return own_dns_list(launch);
  case ASIDE_SOURCE:
    return own_dns_make(target, name, more);
  case ASIDE_UNPIN:
    sequence_unpin(launch);
    return 0;
  }
  return -EINVAL;
}
