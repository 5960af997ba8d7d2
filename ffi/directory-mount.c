#include "directory-mount.h"
#include "path.h"

#include <asm/errno.h>

void directory_close(struct directory_mount *directory) {
  close_file(&directory->here);
  close_file(&directory->lower);
  close_file(&directory->holder);
}

static long open_holder(struct directory_mount *directory) {
  struct mount mount;
  char id[NUMBER_BYTES];
  MUST(mount_of(directory->lower, &mount));
  if (mount.is_shared)
    return -ESTALE;
  directory->holder = open_itself(mount.point);
  if (directory->holder < 0)
    return directory->holder;
  MUST(mount_id(directory->holder, id));
  return text_equal(id, mount.id) ? 0 : -EBUSY;
}

long directory_lay(struct directory_mount *directory, const char *path) {
  struct place place;
  MUST(path_open(-1, path, LINK_ITSELF, &place));
  directory->lower = place.fd;
  MUST(open_holder(directory));
  directory->here = mount_clone(directory->lower, AT_RECURSIVE);
  if (directory->here < 0)
    return directory->here;
  MUST(mount_attach(directory->here, directory->lower));
  return mount_id(directory->here, directory->id);
}

long directory_leave(const struct directory_mount *directory) {
  return mount_change(directory->here, MS_SLAVE);
}

long directory_rejoin(const struct directory_mount *directory) {
  MUST(mount_change(directory->here, MS_PRIVATE));
  return mount_set_group(directory->holder, directory->here);
}

/* A mount at that point, on the mount of that id? 1, 0 or -errno. */
static long is_mounted(const char *point, const char *parent) {
  struct reader table;
  struct mount mount;
  long result = read_open(&table, OWN_TABLE);
  MUST(result);
  while (result == 0 && mount_next(&table, &mount))
    result = text_equal(mount.parent, parent) && text_equal(mount.point, point);
  read_close(&table);
  return table.error ? table.error : result;
}

/* A clone of what lies there on the holder; name: within the directory. */
static long lay_clone(const struct directory_mount *directory,
                      const char *name) {
  enum { FLAGS = O_PATH | O_NOFOLLOW | O_CLOEXEC };
  long from = CALL(__NR_openat, directory->lower, name, FLAGS);
  long onto = CALL(__NR_openat, directory->here, name, FLAGS);
  long clone = mount_clone(from, AT_RECURSIVE); /* -EBADF: it has gone again */
  long result = clone < 0 ? clone : mount_attach(clone, onto);
  close_file(&from);
  close_file(&onto);
  close_file(&clone);
  return result;
}

long directory_complete(const struct directory_mount *directory,
                        const char *path) {
  struct reader table;
  struct mount mount;
  char holder[NUMBER_BYTES];
  size_t length = text_length(path);
  long laid = 0;
  MUST(mount_id(directory->lower, holder));
  MUST(read_open(&table, OWN_TABLE));
  while (laid >= 0 && mount_next(&table, &mount)) {
    if (!text_equal(mount.parent, holder) ||
        !text_is_below(mount.point, path) || mount.point[length] == '\0')
      continue;
    long is_here = is_mounted(mount.point, directory->id);
    if (is_here == 0)
      is_here = lay_clone(directory, mount.point + length + 1) == 0 ? -1 : 1;
    laid += is_here < 0;
  }
  read_close(&table);
  return table.error ? table.error : laid;
}
