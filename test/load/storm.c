/*
 * A host that does not keep still: storm DIRECTORY [MICROSECONDS] mounts and
 * unmounts on eight directories below it until a signal ends it, with a pause
 * between two changes, or as fast as it can.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv) {
  enum { DIRECTORIES = 8 };
  char points[DIRECTORIES][4096];
  if (argc < 2)
    return 2;
  for (int i = 0; i < DIRECTORIES; i++) {
    snprintf(points[i], sizeof points[i], "%s/%d", argv[1], i);
    mkdir(points[i], 0755);
  }
  for (;;) {
    const char *point = points[random() % DIRECTORIES];
    if (umount2(point, MNT_DETACH) < 0)
      mount("storm", point, "tmpfs", 0, "size=4k");
    if (argc > 2)
      usleep((useconds_t)atoi(argv[2]));
  }
}
