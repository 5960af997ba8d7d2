#include "directory-mount.h"
#include "path.h"

#include <asm/errno.h>

void directory_close(struct directory_mount *directory) {
  close_file(&directory->here);
  close_file(&directory->peer);
}

static long open_peer(struct directory_mount *directory,
                      const struct mount *mount, const char *path) {
  char id[NUMBER_BYTES];
  if (directory->peer >= 0)
    return 0;
  if (text_equal(mount->point, path))
    return -EINVAL;
  directory->peer = open_itself(mount->point);
  if (directory->peer < 0)
    return directory->peer;
  MUST(mount_id(directory->peer, id));
  return text_equal(id, mount->id) ? 0 : -EBUSY;
}

static long lay(struct directory_mount *directory, long on, const char *path) {
  struct mount mount;
  MUST(mount_of(on, &mount));
  if (mount.is_shared)
    return -ESTALE;
  MUST(open_peer(directory, &mount, path));
  text_copy(directory->holder_id, mount.id);
  directory->here = mount_clone(on, AT_RECURSIVE);
  if (directory->here < 0)
    return directory->here;
  MUST(mount_attach(directory->here, on));
  return mount_id(directory->here, directory->id);
}

long directory_lay(struct directory_mount *directory, const char *path) {
  struct place place;
  long opened = path_open(-1, path, LINK_ITSELF, &place);
  if (opened < 0) /* it was there when it was looked at */
    return opened == -ENOENT || opened == -ENOTDIR ? -ESTALE : opened;
  long result = lay(directory, place.fd, path);
  close_file(&place.fd);
  return result;
}

/* By descriptor, Linux 5.12: the program can have covered /proc. */
long mount_propagation(long fd, u64 kind) {
  struct mount_attr attributes = {.propagation = kind};
  return CALL(__NR_mount_setattr, fd, "", AT_EMPTY_PATH, &attributes,
              sizeof attributes);
}

long directory_leave(const struct directory_mount *directory) {
  return mount_propagation(directory->here, MS_SLAVE);
}

long directory_rejoin(const struct directory_mount *directory) {
  MUST(mount_propagation(directory->here, MS_PRIVATE));
  return mount_set_group(directory->peer, directory->here);
}
