#include "keeping.h"

#include <asm/errno.h>

struct within *find_within(const struct keeper *keeper, const char *id) {
  for (u64 i = 0; i < keeper->within_count; i++)
    if (keeper->within[i].mount.here >= 0 &&
        text_equal(keeper->within[i].mount.id, id))
      return &keeper->within[i];
  return NULL;
}

long leave_within(struct within *within) {
  within->is_out = 1;
  return directory_leave(&within->mount);
}

/* Of what the program has made private there is no group to rejoin. */
static int is_alone(long peer) {
  struct mount mount;
  return mount_of(peer, &mount) == 0 && mount.is_listed && !mount.is_shared &&
         !mount.is_slave;
}

long rejoin_within(struct within *within) {
  long result = directory_rejoin(&within->mount);
  if (result == -EINVAL && is_alone(within->mount.peer))
    result = 0;
  within->is_out = result < 0;
  return result;
}

long leave(struct keeper *keeper, long mount) {
  if (keeper->left.mount >= 0)
    return -EAGAIN; /* that one first */
  long peer = mount_clone(mount, 0);
  if (peer < 0)
    return peer;
  long result = mount_propagation(mount, MS_SLAVE);
  if (result < 0)
    close_file(&peer);
  else
    keeper->left = (struct left){mount, peer};
  return result;
}

long rejoin(struct keeper *keeper) {
  struct left *left = &keeper->left;
  long result = mount_propagation(left->mount, MS_PRIVATE);
  if (result == 0)
    result = mount_set_group(left->peer, left->mount);
  if (result == 0)
    *left = (struct left){-1, -1};
  return result;
}

/* --- laying one --- */

long unmount_here(long fd) {
  struct mount_attr private = {.propagation = MS_PRIVATE};
  MUST(CALL(__NR_mount_setattr, fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &private,
            sizeof private));
  return mount_detach(fd);
}

/* With it go the covers that lie on it; their ids are somebody else's then. */
static void forget(struct keeper *keeper, struct within *within) {
  for (u64 i = 0; i < keeper->count; i++)
    if (text_is_below(keeper->kept[i].path, within->path))
      keeper->kept[i].id[0] = '\0';
  directory_close(&within->mount);
}

/*
 * The mount of a directory that was renamed has gone with it, and is of no use
 * there. While the mount that it is on is a slave: so it goes here alone.
 */
static void take_away_moved(struct keeper *keeper, const char *path,
                            const char *holder_id) {
  struct mount mount;
  for (u64 i = 0; i < keeper->within_count; i++) {
    struct within *within = &keeper->within[i];
    if (within->mount.here >= 0 && text_equal(within->path, path) &&
        mount_of(within->mount.here, &mount) == 0 &&
        text_equal(mount.parent, holder_id) && !text_equal(mount.point, path) &&
        unmount_here(within->mount.here) == 0)
      forget(keeper, within);
  }
}

static struct within *find_room(const struct keeper *keeper) {
  for (u64 i = 0; i < keeper->within_count; i++)
    if (keeper->within[i].mount.here < 0)
      return &keeper->within[i];
  return NULL;
}

static long lay_on(struct keeper *keeper, const char *path,
                   const struct mount *holder, long peer) {
  take_away_moved(keeper, path, holder->id);
  struct within *within = find_room(keeper);
  if (within == NULL) {
    CALL(__NR_close, peer);
    return -ENOSPC;
  }
  within->mount = (struct directory_mount)NO_DIRECTORY_MOUNT;
  within->mount.peer = peer;
  within->is_late = within->is_out = 1;
  text_copy(within->path, path);
  long result = within->mount.peer < 0 ? within->mount.peer
                                       : directory_lay(&within->mount, path);
  if (result < 0)
    directory_close(&within->mount);
  return result;
}

long lay_within(struct keeper *keeper, const char *path,
                const struct mount *holder) {
  long root = mount_open_root(holder->point, holder->id);
  if (root < 0)
    return root;
  /* Before it is left; a clone cannot be cloned before Linux 6.15. */
  long own = text_equal(holder->point, path) ? mount_clone(root, 0)
                                             : CALL(__NR_dup, root);
  long result = own < 0 ? own : leave(keeper, root);
  if (result < 0)
    close_file(&own);
  if (result == 0) {
    long peer = keeper->left.peer;
    result = lay_on(keeper, path, holder, own);
    if (result == 0) /* those that were laid without it: start.c */
      find_covers(keeper);
    MUST(rejoin(keeper)); /* both stay open for another try */
    close_file(&peer);
  }
  close_file(&root);
  for (u64 i = 0; i < keeper->within_count; i++)
    if (keeper->within[i].mount.here >= 0 && keeper->within[i].is_out)
      MUST(rejoin_within(&keeper->within[i]));
  return result < 0 ? result : -EAGAIN;
}

/* The mount that it lies on, out of its peer group and back. */
static long leave_below(struct keeper *keeper, const struct within *within,
                        struct within **below) {
  struct mount own, mount, peer;
  MUST(mount_of(within->mount.here, &own));
  MUST(mount_below(&own, &mount));
  *below = find_within(keeper, mount.id);
  if (*below != NULL)
    return leave_within(*below);
  MUST(mount_of(within->mount.peer, &peer));
  if (!peer.is_listed || !text_equal(peer.id, mount.id))
    return -ENOENT; /* no way leads to it */
  long root = CALL(__NR_dup, within->mount.peer);
  long result = root < 0 ? root : leave(keeper, root);
  if (result < 0)
    close_file(&root);
  return result;
}

static long rejoin_below(struct keeper *keeper, struct within *below) {
  struct left left = keeper->left;
  if (below != NULL)
    return rejoin_within(below);
  MUST(rejoin(keeper)); /* both stay open for another try */
  close_file(&left.mount);
  close_file(&left.peer);
  return 0;
}

/*
 * umount(2) goes to every peer of the mount that it unmounts from: to the
 * host's, and to those on which other programs have the like. So that is a
 * slave meanwhile; where it cannot be, all stays as it is.
 */
void take_away(struct keeper *keeper, struct within *within) {
  struct place place;
  struct within *below = NULL;
  char id[NUMBER_BYTES];
  if (leave_below(keeper, within, &below) < 0)
    return;
  int is_there = path_open(-1, within->path, LINK_ITSELF, &place) == 0 &&
                 mount_id(place.fd, id) == 0 &&
                 text_equal(id, within->mount.id);
  within->is_out |= is_there; /* what cannot be unmounted must rejoin */
  int is_gone = is_there && unmount_here(place.fd) == 0;
  close_file(&place.fd);
  if (is_gone)
    forget(keeper, within);
  rejoin_below(keeper, below);
}

/* --- what was missed --- */

struct children { /* of one mount, within the directory: how many, and which */
  u64 count, sum;
};

static u64 hash(const char *text) { /* FNV-1a */
  u64 value = 0xcbf29ce484222325;
  while (*text != '\0')
    value = (value ^ (unsigned char)*text++) * 0x100000001b3;
  return value;
}

static int is_ours(const struct keeper *keeper, const char *point) {
  for (u64 i = 0; i < keeper->count; i++)
    if (text_equal(keeper->kept[i].path, point))
      return 1;
  for (u64 i = 0; i < keeper->within_count; i++)
    if (keeper->within[i].mount.here >= 0 &&
        text_equal(keeper->within[i].path, point))
      return 1;
  return 0;
}

long is_level(const struct keeper *keeper, const struct within *within) {
  struct reader table;
  struct mount mount;
  struct children here = {0, 0}, there = {0, 0};
  MUST(read_open(&table, OWN_TABLE));
  while (mount_next(&table, &mount)) {
    struct children *children =
        text_equal(mount.parent, within->mount.id)          ? &here
        : text_equal(mount.parent, within->mount.holder_id) ? &there
                                                            : NULL;
    if (children == NULL || !text_is_below(mount.point, within->path) ||
        text_equal(mount.point, within->path) || is_ours(keeper, mount.point))
      continue;
    children->count++;
    children->sum += hash(mount.point);
  }
  read_close(&table);
  if (table.error)
    return table.error;
  return here.count == there.count && here.sum == there.sum;
}

/* --- at each look --- */

/* As the program has made that of the mount below it. */
static long follow_propagation(const struct within *within,
                               const struct mount *own,
                               const struct mount *holder) {
  if (!own->is_shared || holder->is_shared)
    return 0;
  return mount_propagation(within->mount.here,
                           holder->is_slave ? MS_SLAVE : MS_PRIVATE);
}

/* Of the one that could not rejoin; where it is gone, there is nothing to do.
 */
static long rejoin_left(struct keeper *keeper) {
  struct left left = keeper->left;
  struct mount mount;
  if (left.mount < 0)
    return 0;
  long result = rejoin(keeper);
  if (result < 0 && mount_of(left.mount, &mount) == 0 && mount.is_listed)
    return result;
  keeper->left = (struct left){-1, -1};
  close_file(&left.mount);
  close_file(&left.peer);
  return 0;
}

static long tend(struct keeper *keeper, struct within *within) {
  struct mount own, below;
  MUST(mount_of(within->mount.here, &own));
  if (!own.is_listed) {
    forget(keeper, within); /* its directory was removed */
    return 0;
  }
  if (mount_below(&own, &below) < 0)
    return 0;
  if (text_equal(below.id, within->mount.holder_id))
    return follow_propagation(within, &own, &below);
  if (within->is_late && !text_equal(below.id, within->old_id))
    take_away(keeper, within);
  return 0;
}

long tend_directories(struct keeper *keeper) {
  long worst = rejoin_left(keeper);
  for (u64 i = 0; i < keeper->within_count; i++) {
    struct within *within = &keeper->within[i];
    if (within->mount.here >= 0 && keeper->is_table_new) {
      long result = tend(keeper, within);
      worst = result < 0 ? result : worst;
    }
  }
  for (u64 i = 0; i < keeper->within_count; i++)
    if (keeper->within[i].mount.here >= 0 && keeper->within[i].is_out) {
      long result = rejoin_within(&keeper->within[i]);
      worst = result < 0 ? result : worst;
    }
  return worst;
}
