/*
 * A host that does not keep still: storm DIRECTORY mounts and unmounts on eight
 * directories below it, as fast as it can, until a signal ends it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>

int main(int argc, char **argv) {
  enum { DIRECTORIES = 8 };
  char points[DIRECTORIES][4096];
  if (argc != 2)
    return 2;
  for (int i = 0; i < DIRECTORIES; i++) {
    snprintf(points[i], sizeof points[i], "%s/%d", argv[1], i);
    mkdir(points[i], 0755);
  }
  for (;;) {
    const char *point = points[random() % DIRECTORIES];
    if (umount2(point, MNT_DETACH) < 0)
      mount("storm", point, "tmpfs", 0, "size=4k");
  }
}
