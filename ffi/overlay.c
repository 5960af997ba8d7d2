#include "overlay.h"

#include <asm/errno.h>
#include <linux/stat.h>

long overlay_open(struct target *target) {
  struct place place;
  long result = path_open(-1, target->directory, LINK_ITSELF, &place);
  target->lower = place.fd;
  return result;
}

struct layer {
  const struct target *target;
  char holder[NUMBER_BYTES]; /* the id of the mount that it is on */
};

static int is_hidden(const struct mount *mount, const void *data) {
  const struct layer *layer = data;
  const struct target *target = layer->target;
  size_t length = text_length(target->directory);
  length -= length == 1; /* "/" */
  return text_equal(mount->parent, layer->holder) &&
         text_starts(mount->point, target->directory) &&
         mount->point[length] == '/' && mount->point[length + 1] != '\0' &&
         !text_equal(mount->point, target->on_host.path);
}

/*
 * Is anything mounted below the directory, but on the target? 1, 0, -errno. Not
 * what lies below it on another mount, which this one hides already.
 */
static long is_hiding(const struct target *target) {
  struct layer layer = {.target = target};
  struct mount mount;
  MUST(mount_id(target->lower, layer.holder));
  return mount_search(OWN_TABLE, is_hidden, &layer, &mount);
}

/*
 * Without an upper layer overlayfs wants two lower ones: the second is an empty
 * tmpfs, laid on the directory first. The layers are named by descriptor: no
 * character of a path needs an escape.
 */
static long lay_on(long lower, long place, const char *directory,
                   int is_lacking) {
  char layers[16 + 2 * FD_PATH_BYTES], path[FD_PATH_BYTES];
  struct place empty;
  struct mount mount;
  MUST(mount_of(place, &mount));
  if (mount.is_shared)
    return -ESTALE; /* the host has mounted it before the holder was a slave */
  fd_path(path, place);
  MUST(CALL(__NR_mount, "nspin", path, "tmpfs", 0, "mode=755,size=4k"));
  MUST(path_open(-1, directory, LINK_ITSELF, &empty));
  long result = is_lacking ? CALL(__NR_mknodat, empty.fd, "resolv.conf",
                                  S_IFREG | 0644, 0)
                           : 0;
  char *end = text_copy(layers, "lowerdir=");
  fd_path(end, lower);
  end = text_copy(end + text_length(end), ":");
  fd_path(end, empty.fd);
  fd_path(path, empty.fd);
  if (result == 0)
    result = CALL(__NR_mount, "nspin", path, "overlay", MS_RDONLY, layers);
  CALL(__NR_close, empty.fd);
  return result;
}

/* The place is walked to again: it can be within an overlay that was laid. */
long overlay_lay(const struct target *target, int is_lacking) {
  struct place place;
  long result = is_hiding(target);
  if (result != 0)
    return result < 0 ? result : -EBUSY;
  MUST(path_open(-1, target->directory, LINK_ITSELF, &place));
  result = lay_on(target->lower, place.fd, target->directory, is_lacking);
  CALL(__NR_close, place.fd);
  return result;
}
