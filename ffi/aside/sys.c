#include "sys.h"
#include "../mount.h"
#include "../path.h"

#include <asm/statfs.h>
#include <linux/magic.h>

#ifndef ST_RDONLY
#define ST_RDONLY 1 /* in libc's headers only: statfs(2) */
#endif

/* What is mounted there: the whole of a sysfs; its flags. */
static long look_at(const struct place *place, struct mount *mount,
                    u64 *attributes) {
  struct statfs filesystem;
  MUST(mount_of(place->fd, mount));
  MUST(CALL(__NR_fstatfs, place->fd, &filesystem));
  if (filesystem.f_type != SYSFS_MAGIC || !text_equal(mount->root, "/") ||
      !text_equal(mount->point, place->path))
    return -ENODEV;
  *attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  if (filesystem.f_flags & ST_RDONLY) /* as a container has it */
    *attributes |= MOUNT_ATTR_RDONLY;
  return 0;
}

/* A new one: mount(2) would lay it on what is shared before it is private. */
static long make_sysfs(u64 attributes) {
  long context = CALL(__NR_fsopen, "sysfs", FSOPEN_CLOEXEC);
  if (context < 0)
    return context;
  long result =
      CALL(__NR_fsconfig, context, FSCONFIG_SET_STRING, "source", "sysfs", 0);
  if (result == 0)
    result = CALL(__NR_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
  if (result == 0)
    result = CALL(__NR_fsmount, context, FSMOUNT_CLOEXEC, attributes);
  CALL(__NR_close, context);
  return result;
}

struct below {
  const char *id, *point; /* of the mount that they are on */
};

static int is_below(const struct mount *mount, const void *data) {
  const struct below *below = data;
  return text_equal(mount->parent, below->id) &&
         text_is_below(mount->point, below->point) &&
         !text_equal(mount->point, below->point);
}

/* Neither follows a link: the kernel's table names what was walked to. */
static long move(long from, long to, const char *name, const char *id) {
  enum { FLAGS = O_PATH | O_NOFOLLOW | O_CLOEXEC };
  char seen[NUMBER_BYTES];
  long mount = CALL(__NR_openat, from, name, FLAGS);
  long point = CALL(__NR_openat, to, name, FLAGS);
  long result = mount < 0 ? mount : point < 0 ? point : mount_id(mount, seen);
  if (result == 0 && !text_equal(seen, id))
    result = -EBUSY; /* another lies on it */
  if (result == 0)
    result = mount_attach(mount, point);
  close_file(&mount);
  close_file(&point);
  return result;
}

/* One by one, until none is left: the host's come to the old one meanwhile. */
static long move_all(long from, long to, const struct mount *old) {
  const struct below below = {old->id, old->point};
  const size_t length = text_length(old->point) + 1;
  struct mount mount;
  long result;
  while ((result = mount_search(OWN_TABLE, is_below, &below, &mount)) == 1)
    MUST(move(from, to, mount.point + length, mount.id));
  return result;
}

static long lay(const struct place *old, long *sysfs) {
  struct mount mount;
  u64 attributes = 0;
  MUST(look_at(old, &mount, &attributes));
  MUST(mount_change(old->fd, MS_SLAVE));
  long result = *sysfs = make_sysfs(attributes);
  MUST(result);
  MUST(mount_attach(*sysfs, old->fd));
  return move_all(old->fd, *sysfs, &mount);
}

long sys_lay(void) {
  struct place old;
  long sysfs = -1;
  MUST(path_open(-1, "/sys", LINK_FOLLOWED, &old));
  long result = lay(&old, &sysfs);
  close_file(&sysfs);
  close_file(&old.fd);
  return result;
}
