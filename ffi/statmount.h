/*
 * statmount(2), Linux 6.8, where the kernel's headers here are older: one mount
 * by its unique id, without reading the whole table, which takes a millisecond
 * for every thousand mounts.
 */
#ifndef NSPIN_STATMOUNT_H
#define NSPIN_STATMOUNT_H

#include "proc.h"

#ifndef __NR_statmount
#define __NR_statmount 457 /* on every machine */
#endif
#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x4000
#endif

enum { WANT_SB_BASIC = 1, WANT_MNT_BASIC = 2, WANT_ROOT = 8, WANT_POINT = 16 };

struct statmount_request { /* struct mnt_id_req, its first version */
  unsigned size, spare;
  u64 id, want;
};

struct statmount_answer { /* struct statmount */
  unsigned size, options;
  u64 mask;
  unsigned device_major, device_minor;
  u64 magic;
  unsigned sb_flags, type;
  u64 id, parent;
  unsigned old_id, old_parent; /* as in mountinfo */
  u64 attributes, propagation, peer_group, master, propagate_from;
  unsigned root, point; /* where in text */
  u64 spare[50];
  char text[2 * (PATH_BYTES + 1)];
};

#endif
