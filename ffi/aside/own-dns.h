/*
 * What answers for the host past resolv.conf(5), by a socket, is hidden from
 * the program: nscd's and systemd-resolved's by what is empty, and what makes
 * glibc ask others than the servers of resolv.conf by an nsswitch.conf(5) of
 * its own. All of it is in memory.
 */
#ifndef NSPIN_OWN_DNS_H
#define NSPIN_OWN_DNS_H

#include "../aside.h"

/* What of it is here, behind the covers of launch, which have room for it. */
long own_dns_list(struct launch *launch);

/*
 * A detached mount of what covers path, made in a mount namespace of its own;
 * host NULL: only what kind it would be. 0 or -errno. -EPERM: without
 * CAP_SYS_CHROOT there is no way back from there.
 */
long own_dns_make(struct target *target, const char *path, struct host *host);

#endif
