/*
 * A host or a user that does not keep still: makes as many changes as CHANGES
 * says, or goes on until a signal ends it where that is 0, with a pause of at
 * most 300 us after each.
 *   restless CHANGES replace FILE    renames a new file over FILE
 *   restless CHANGES exchange A B    exchanges what the two names lead to
 *   restless CHANGES mount DIR       mounts over DIR, and unmounts
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

static void change(char **words) {
  if (strcmp(words[0], "replace") == 0)
    replace(words[1]);
  else if (strcmp(words[0], "mount") == 0)
    mount_over(words[1]);
  else
    renameat2(AT_FDCWD, words[1], AT_FDCWD, words[2], RENAME_EXCHANGE);
}

int main(int argc, char **argv) {
  if (argc < 4)
    return 2;
  for (long left = strtol(argv[1], NULL, 10); left != 1; left -= left > 0) {
    change(argv + 2);
    usleep((useconds_t)(random() % 300));
  }
  change(argv + 2);
}
