/*
 * A host or a user that does not keep still, until a signal ends it, with a
 * pause of at most 300 us after each change:
 *   restless replace FILE    renames a new file over FILE
 *   restless exchange A B    exchanges what the two names lead to
 *   restless mount DIR       mounts over DIR, and unmounts
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static void replace(const char *file) {
  char new[4096];
  snprintf(new, sizeof new, "%s.new", file);
  int fd = open(new, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (fd < 0 || write(fd, "host\n", 5) != 5 || close(fd) < 0)
    _exit(1);
  rename(new, file); /* EBUSY where it is pinned */
}

static void mount_over(const char *directory) {
  static int is_mounted;
  if (is_mounted)
    umount2(directory, MNT_DETACH);
  else if (mount("restless", directory, "tmpfs", 0, "size=4k") < 0)
    _exit(1);
  is_mounted = !is_mounted;
}

int main(int argc, char **argv) {
  if (argc < 3)
    return 2;
  for (;;) {
    if (strcmp(argv[1], "replace") == 0)
      replace(argv[2]);
    else if (strcmp(argv[1], "mount") == 0)
      mount_over(argv[2]);
    else
      renameat2(AT_FDCWD, argv[2], AT_FDCWD, argv[3], RENAME_EXCHANGE);
    usleep((useconds_t)(random() % 300));
  }
}
