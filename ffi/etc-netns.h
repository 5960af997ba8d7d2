/* /etc/netns/ID, ip-netns(8): each entry covers its namesake in /etc. */
#ifndef NSPIN_ETC_NETNS_H
#define NSPIN_ETC_NETNS_H

#include "block.h"
#include "sequence.h"

/*
 * Copies launch->covers, which the sequence writes into, and appends a cover
 * for each entry of launch->etc, where there is one, sorted by name, but for
 * the targets that are named already. No such directory: none. All of it is in
 * block. 0 or -errno.
 */
long etc_list(struct launch *launch, struct block *block);

/* Has one of the covers that target? 1 or 0. */
int etc_covers(const struct launch *launch, const char *target);

/* Does any cover lie on resolv.conf, or on all of /etc? 0, or -ENOENT. */
long etc_find_resolv_conf(const struct launch *launch);

#endif
