#include "pin.h"
#include "privilege.h"
#include "report.h"

#include <asm/errno.h>
#include <asm/stat.h>

/* In libc's headers only: flock(2), and umount2(2). */
#define LOCK_EX 2
#define LOCK_NB 4
#define MNT_EXPIRE 4
#define UMOUNT_NOFOLLOW 8

/* proc_locks(5): N: FLOCK ADVISORY WRITE PID MAJOR:MINOR:INODE ... */
static u64 lock_owner(long fd) {
  struct reader locks;
  struct stat status;
  char word[64], inode[NUMBER_BYTES];
  u64 owner = 0;
  if (CALL(__NR_fstat, fd, &status) < 0 || read_open(&locks, "/proc/locks") < 0)
    return 0;
  text_number(inode, status.st_ino);
  for (long end = ' '; owner == 0 && end >= 0;) {
    u64 process = 0;
    int is_flock = 0;
    end = read_word(&locks, word, sizeof word);
    for (int field = 1; end == ' '; field++) {
      end = read_word(&locks, word, sizeof word);
      is_flock |= field == 1 && text_equal(word, "FLOCK");
      if (field == 4)
        process = text_value(word, 10);
      if (field == 5 && is_flock && text_ends(word, inode))
        owner = process;
    }
  }
  read_close(&locks);
  return owner;
}

static long wait_for(long fd, const char *path) {
  struct {
    long seconds, nanoseconds;
  } pause = {0, 10 * 1000 * 1000};
  long result = -EAGAIN;
  for (int tries = 0; result == -EAGAIN && tries < 100; tries++) {
    result = CALL(__NR_flock, fd, LOCK_EX | LOCK_NB);
    if (result == -EAGAIN)
      CALL(__NR_nanosleep, &pause, 0);
  }
  if (result == -EAGAIN) { /* for a second */
    report_waiting(path, lock_owner(fd));
    do
      result = CALL(__NR_flock, fd, LOCK_EX);
    while (result == -EINTR);
  }
  return result;
}

/*
 * The lock's file is for root only: anybody can open /proc/self/ns/mnt, and
 * could hold a lock on it. So that, the table that is changed, comes second:
 * where /run cannot be written, as under systemd's ProtectSystem=strict, which
 * all in that mount namespace see alike.
 */
long pin_lock(const char *path) {
  const char *locked = path;
  long fd = CALL(__NR_openat, AT_FDCWD, path,
                 O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd == -EROFS || fd == -ENOENT)
    fd = open_file(locked = "/proc/self/ns/mnt", O_RDONLY);
  if (fd < 0)
    return fd;
  long result = wait_for(fd, locked);
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
  long file = target->on_host.fd;
  long clone = mount_clone(file, 0);
  if (clone < 0)
    return clone;
  long result = mount_propagation(clone, MS_PRIVATE);
  if (result == 0 || result == -ENOSYS || result == -EPERM)
    result = mount_attach(clone, file);
  if (result == 0)
    target->pin = clone;
  else
    CALL(__NR_close, clone);
  return result;
}

/* On a mount that the host has laid there meanwhile it would be passed on. */
static long check_place(const struct target *target, long mount) {
  struct mount pin;
  MUST(mount_of(mount, &pin));
  int is_in_place = text_equal(pin.parent, target->holder.mount.id) &&
                    text_equal(pin.point, target->on_host.path);
  return is_in_place || !target->holder.mount.is_listed ? 0 : -ESTALE;
}

/*
 * Where there is no clone, the new mount is walked to; what is there can also
 * be the host's, laid there meanwhile, which is none of ours.
 */
static long find_pin(struct target *target) {
  struct place place;
  MUST(path_open(-1, target->on_host.path, LINK_ITSELF, &place));
  long result = target_is_host_file(target, place.fd);
  if (result == 1)
    result = check_place(target, place.fd);
  else if (result == 0)
    result = -ESTALE;
  if (result < 0) {
    CALL(__NR_close, place.fd);
    return result;
  }
  target->pin = place.fd;
  target->is_stray = 0;
  return 0;
}

static long bind_by_path(struct target *target) {
  char file[FD_PATH_BYTES];
  fd_path(file, target->on_host.fd);
  MUST(mount_bind(file, target->on_host.fd, 0));
  target->is_stray = 1;
  return find_pin(target);
}

long pin_bind(struct target *target) {
  if (target_is_on_itself(target) == 1)
    return 0; /* and shared: a launch was killed here */
  if (!target->holder.mount.is_shared && !can_return())
    return -EPERM; /* then nothing could undo it */
  long result = bind_private(target);
  if (result == 0)
    result = check_place(target, target->pin);
  else if (result == -ENOSYS || result == -EPERM)
    result = bind_by_path(target);
  return result == -ENOENT ? -ESTALE : result; /* the host has replaced it */
}

/* Then the holder is that mount: what the next steps find must be its copy. */
long pin_make_private(struct target *target) {
  long pin = target->pin < 0 ? target->on_host.fd : target->pin;
  MUST(mount_change(pin, MS_PRIVATE));
  MUST(mount_id(pin, target->host_id));
  return mount_of(pin, &target->holder.mount);
}

/* "/proc/self/fd/N/NAME": the target by its directory, an open one. */
static void name_in(char path[FD_PATH_BYTES + 256], long directory,
                    const char *target) {
  const char *name = target + text_length(target);
  while (name[-1] != '/')
    name--;
  fd_path(path, directory);
  text_copy(text_copy(path + text_length(path), "/"), name);
}

/* Is it the topmost there? 1, 0 or -errno. */
static long is_topmost(const char *path, const char *id) {
  char topmost[NUMBER_BYTES];
  long fd = open_itself(path);
  if (fd < 0)
    return fd;
  long result = mount_id(fd, topmost);
  CALL(__NR_close, fd);
  return result < 0 ? result : text_equal(topmost, id);
}

/*
 * umount(2) knows no mount but the topmost, and the host can mount something at
 * any time. So in two calls with MNT_EXPIRE: the first marks a mount (EAGAIN),
 * the second takes away a marked one; in between the table says that nothing
 * lies on ours, so what comes later bears no mark. -EBUSY: something does, or
 * uses it.
 */
static long expire(const char *path, const char *id) {
  enum { TRIES = 50 }; /* each use of the mount takes the mark off */
  long result = -EAGAIN;
  for (int tries = 0; result == -EAGAIN && tries < TRIES; tries++) {
    result = CALL(__NR_umount2, path, MNT_EXPIRE | UMOUNT_NOFOLLOW);
    long is_parent = result == -EAGAIN ? mount_is_parent(OWN_TABLE, id) : 0;
    if (is_parent != 0)
      return is_parent < 0 ? is_parent : -EBUSY;
  }
  return result;
}

/*
 * The mount that is open there, which is closed. Where no path leads to it (its
 * directory was moved, or lies under another mount) nothing can land on it.
 */
static long remove_bare(const struct target *target, long *mount) {
  char id[NUMBER_BYTES], path[FD_PATH_BYTES + 256];
  struct place directory;
  MUST(mount_id(*mount, id));
  long result = path_open(-1, target->directory, LINK_ITSELF, &directory);
  if (result == 0) {
    name_in(path, directory.fd, target->on_host.path);
    result = is_topmost(path, id);
  }
  if (result == 1) {
    close_file(mount);
    result = expire(path, id);
  } else {
    result = mount_is_parent(OWN_TABLE, id);
    if (result == 1)
      result = -EBUSY;
    if (result == 0)
      result = mount_detach(*mount);
  }
  close_file(&directory.fd);
  return result;
}

/*
 * In a copy of the mount namespace, where this is the copy of the pin and the
 * mount below it a peer of the host's: an unmount there goes to the host, where
 * the kernel takes the pin away, and puts back in its place what the host has
 * mounted on it meanwhile (propagate_umount()). First go the covers that lie on
 * the copy; once that is gone itself, there is nothing to unmount (EINVAL).
 */
static long remove_by_propagation(struct target *target) {
  long result = mount_detach(target->here.fd);
  MUST(result);
  while (result == 0)
    result = mount_detach(target->here.fd);
  return result == -EINVAL ? 0 : result;
}

/* Not where the mount below is (still) a slave, for a cover that rejoins it. */
static int does_propagate(const struct target *target) {
  struct mount pin, below;
  return mount_of(target->here.fd, &pin) == 0 &&
         mount_below(&pin, &below) == 0 && below.is_shared;
}

static int is_copy(const struct mount *mount, const void *data) {
  const struct mount *pin = data;
  return mount->device == pin->device && text_equal(mount->root, pin->root);
}

/*
 * The pin's copy, where the walk to it led to what the host has mounted on the
 * pin: copies of that, which lie on a private mount, are taken away here alone.
 */
static long find_copy(struct target *target) {
  enum { TRIES = 50 };
  struct mount top, below;
  for (int tries = 0; tries < TRIES; tries++) {
    MUST(path_open(-1, target->on_host.path, LINK_ITSELF, &target->here));
    MUST(mount_of(target->here.fd, &top));
    if (is_copy(&top, &target->holder.mount))
      return 0;
    MUST(mount_below(&top, &below));
    if (below.is_shared)
      return -ENOENT;
    MUST(mount_detach(target->here.fd));
    close_file(&target->here.fd);
  }
  return -EBUSY;
}

long pin_undo_here(struct target *target) {
  if (target->pin < 0)
    return 0;
  if (target->here.fd < 0)
    MUST(find_copy(target));
  long result =
      does_propagate(target) ? remove_by_propagation(target) : -ENOENT;
  target->is_undone = result == 0;
  return result;
}

long pin_undo_on_host(struct target *target) {
  struct mount pin;
  if (target->is_stray && find_pin(target) < 0)
    return -EBUSY;
  if (target->pin < 0 ||
      (target->is_undone &&
       mount_find(OWN_TABLE, target->host_id, &pin) == -ENOENT))
    return 0;
  return remove_bare(target, &target->pin);
}

long pin_find(struct target *target) {
  MUST(mount_of(target->on_host.fd, &target->holder.mount));
  long result = target_is_on_itself(target);
  if (result == 1 && target_is_directory(target))
    result = 0; /* no launch makes such */
  if (result != 1)
    return result == 0 ? -EINVAL : result;
  result = mount_is_parent(OWN_TABLE, target->holder.mount.id);
  return result == 1 ? -EBUSY : result;
}

struct search {
  const struct mount *pin;
  u64 own, last, user_namespace; /* mount namespaces: ours, the last one read */
  long process, user;            /* looked at; found, or -errno */
};

/*
 * Is anything mounted on a copy of the pin in that table? 1, 0 or -errno. In a
 * second reading: a cover can be listed before what it lies on.
 */
static long has_cover(const char *table_path, const struct mount *pin) {
  struct mount mount;
  long result = mount_search(table_path, is_copy, pin, &mount);
  return result == 1 ? mount_is_parent(table_path, mount.id) : result;
}

/*
 * One thread's. In another user namespace anybody may mount what they like on
 * their copies, and nspin was not started by us.
 */
static void visit_thread(long thread, void *data) {
  struct search *search = data;
  char path[64];
  char *end = text_number(text_copy(path, "/proc/"), (u64)search->process);
  end = text_number(text_copy(end, "/task/"), (u64)thread);
  text_copy(end, "/ns/mnt");
  u64 namespace = file_inode(path);
  if (search->user != 0 || namespace == 0 || namespace == search->own ||
      namespace == search->last)
    return;
  search->last = namespace;
  text_copy(end, "/ns/user");
  if (file_inode(path) != search->user_namespace)
    return;
  text_copy(end, "/mountinfo");
  long result = has_cover(path, search->pin);
  if (result == 1)
    search->user = search->process;
  if (is_shortage(result))
    search->user = result; /* any other: it has ended */
}

static void visit_process(long process, void *data) {
  struct search *search = data;
  char path[64];
  char *end = text_number(text_copy(path, "/proc/"), (u64)process);
  text_copy(end, "/task");
  search->process = process;
  long result = search->user == 0 ? each_number(path, visit_thread, data) : 0;
  if (is_shortage(result))
    search->user = result;
}

long pin_user(const struct target *target) {
  struct search search = {.pin = &target->holder.mount,
                          .own = file_inode("/proc/self/ns/mnt"),
                          .user_namespace = file_inode("/proc/self/ns/user")};
  MUST(each_number("/proc", visit_process, &search));
  return search.user;
}

static long remove_from_copy(struct target *target, struct host *host) {
  target->is_pinned = 1;
  MUST(pin_make_private(target)); /* a launch may have been killed before */
  MUST(host_leave(host));
  MUST(target_open_here(target));
  return does_propagate(target) ? remove_by_propagation(target) : -ESTALE;
}

/* The holder can have been made private since: so it is looked at after. */
long pin_remove(struct target *target, struct host *host) {
  struct mount below, pin;
  int is_shared =
      mount_below(&target->holder.mount, &below) == 0 && below.is_shared;
  if (is_shared) {
    long result = remove_from_copy(target, host);
    if (host_return(host) < 0)
      return result;
    if (result == 0 && mount_find(OWN_TABLE, target->host_id, &pin) == -ENOENT)
      return 0;
  }
  return remove_bare(target, &target->on_host.fd);
}
