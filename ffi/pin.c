#include "pin.h"

#include <asm/errno.h>
#include <linux/fs.h>

#define LOCK_EX 2    /* flock(2) */
#define MNT_DETACH 2 /* umount2(2); both in libc's headers only */

long pin_lock(const char *path) {
  long fd = CALL(__NR_openat, AT_FDCWD, path,
                 O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0)
    return fd;
  long result;
  do
    result = CALL(__NR_flock, fd, LOCK_EX);
  while (result == -EINTR);
  if (result == 0)
    return fd;
  CALL(__NR_close, fd);
  return result;
}

/*
 * The clone is private before it lands: as a peer of the mount that holds the
 * file it would, by its own end, take away what covers the file in other
 * namespaces. Linux 5.12; else it is a peer until pin_make_private().
 */
static long bind_private(struct target *target) {
  struct mount_attr private = {.propagation = MS_PRIVATE};
  long file = target->on_host.fd;
  long clone = CALL(__NR_open_tree, file, "",
                    AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  if (clone < 0)
    return clone;
  long result = CALL(__NR_mount_setattr, clone, "", AT_EMPTY_PATH, &private,
                     sizeof private);
  if (result == 0)
    result = CALL(__NR_move_mount, clone, "", file, "",
                  MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
  if (result == 0)
    target->pin = clone;
  else
    CALL(__NR_close, clone);
  return result;
}

/* The topmost mount at that place: umount(2) goes up, by a descriptor too. */
static long detach_top(long fd) {
  char path[FD_PATH_BYTES];
  fd_path(path, fd);
  return CALL(__NR_umount2, path, MNT_DETACH);
}

long pin_bind(struct target *target) {
  char file[FD_PATH_BYTES];
  struct place place;
  if (target_is_on_itself(target) == 1)
    return 0; /* and shared: a launch was killed here */
  target->is_below_shared = target->holder.mount.is_shared;
  long result = bind_private(target);
  if (result == -ENOSYS || result == -EPERM) {
    fd_path(file, target->on_host.fd);
    result = mount_bind(file, target->on_host.fd, 0);
    if (result == 0) {
      result = path_open(-1, target->on_host.path, LINK_ITSELF, &place);
      target->pin = place.fd;
      if (result < 0)
        detach_top(target->on_host.fd);
    }
  }
  return result == -ENOENT ? -ESTALE : result; /* the host has replaced it */
}

/* Then the holder is that mount: what the next steps find must be its copy. */
long pin_make_private(struct target *target) {
  long pin = target->pin < 0 ? target->on_host.fd : target->pin;
  MUST(mount_change(pin, MS_PRIVATE));
  MUST(mount_id(pin, target->host_id));
  return mount_of(pin, &target->holder.mount);
}

/* Only where nothing is on it; the host can mount something in between. */
static long remove_bare(long mount) {
  char id[NUMBER_BYTES];
  MUST(mount_id(mount, id));
  long is_parent = mount_is_parent(OWN_TABLE, id);
  if (is_parent != 0)
    return is_parent < 0 ? is_parent : -EBUSY;
  return detach_top(mount);
}

/*
 * In a copy of the mount namespace, where this is the copy of the pin and the
 * mount below it a peer of the host's: an unmount there goes to the host, where
 * the kernel takes the pin away, and puts back in its place what the host has
 * mounted on it meanwhile (propagate_umount()). The covers on it go first: they
 * are of this namespace alone.
 */
static long remove_by_propagation(struct target *target) {
  char id[NUMBER_BYTES];
  long pin = target->here.fd, is_parent;
  MUST(mount_id(pin, id));
  while ((is_parent = mount_is_parent(OWN_TABLE, id)) == 1)
    MUST(detach_top(pin));
  return is_parent < 0 ? is_parent : detach_top(pin);
}

/* Not where the mount below is (still) a slave, for a cover that rejoins it. */
static int does_propagate(const struct target *target) {
  struct mount pin, below;
  return mount_of(target->here.fd, &pin) == 0 &&
         mount_below(&pin, &below) == 0 && below.is_shared;
}

long pin_undo(struct target *target, struct host *host) {
  if (target->pin < 0)
    return 0;
  if (host->is_left && target->here.fd >= 0 && does_propagate(target))
    return remove_by_propagation(target);
  MUST(host_return(host));
  return remove_bare(target->pin);
}

long pin_find(struct target *target) {
  MUST(mount_of(target->on_host.fd, &target->holder.mount));
  long result = target_is_on_itself(target);
  if (result != 1)
    return result == 0 ? -EINVAL : result;
  struct mount below;
  MUST(mount_below(&target->holder.mount, &below));
  target->is_below_shared = below.is_shared;
  result = mount_is_parent(OWN_TABLE, target->holder.mount.id);
  return result == 1 ? -EBUSY : result;
}

struct search {
  const struct mount *pin;
  u64 own, last; /* mount namespaces: this one, and the last that was read */
  long user;     /* or -errno */
};

/*
 * Is anything mounted on a copy of the pin in that table? 1, 0 or -errno. In a
 * second reading: a cover can be listed before what it lies on. A copy that
 * unshare(2) made is private; one that came later, by propagation, is shared,
 * and lies below a cover that does without.
 */
static long has_cover(const char *table_path, const struct mount *pin) {
  struct reader table;
  struct mount mount;
  int is_found = 0;
  MUST(read_open(&table, table_path));
  while (!is_found && mount_next(&table, &mount))
    is_found = !mount.is_shared && mount.device == pin->device &&
               text_equal(mount.root, pin->root);
  read_close(&table);
  if (table.error)
    return table.error;
  return is_found ? mount_is_parent(table_path, mount.id) : 0;
}

static void visit_process(long pid, void *data) {
  struct search *search = data;
  char path[64];
  char *end = text_number(text_copy(path, "/proc/"), (u64)pid);
  text_copy(end, "/ns/mnt");
  u64 namespace = file_inode(path);
  if (search->user != 0 || namespace == 0 || namespace == search->own ||
      namespace == search->last)
    return;
  search->last = namespace;
  text_copy(end, "/mountinfo");
  long result = has_cover(path, search->pin);
  if (result == 1)
    search->user = pid;
  else if (is_shortage(result)) /* else the process has ended */
    search->user = result;
}

long pin_user(const struct target *target) {
  struct search search = {.pin = &target->holder.mount,
                          .own = file_inode("/proc/self/ns/mnt")};
  MUST(each_number("/proc", visit_process, &search));
  return search.user;
}

long pin_remove(struct target *target, struct host *host) {
  struct mount copy;
  if (!target->is_below_shared)
    return remove_bare(target->on_host.fd);
  MUST(host_leave(host));
  MUST(target_open_here(target));
  MUST(mount_of(target->here.fd, &copy));
  if (!text_equal(copy.point, target->on_host.path))
    return -ESTALE;
  return remove_by_propagation(target);
}
