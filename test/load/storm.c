/*
 * A host that does not keep still: storm MICROSECONDS POINT... mounts on the
 * points, which it makes where they are not there, and unmounts again what it
 * has mounted, at random, until a signal ends it; with a pause between two
 * changes, or none at 0.
 */
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv) {
  enum { MOST = 64 };
  int is_mounted[MOST] = {0}, points = argc - 2;
  if (points < 1 || points > MOST)
    return 2;
  for (int i = 0; i < points; i++)
    mkdir(argv[2 + i], 0755);
  for (;;) {
    int i = (int)(random() % points);
    if (is_mounted[i])
      umount2(argv[2 + i], MNT_DETACH);
    else
      mount("storm", argv[2 + i], "tmpfs", 0, "size=4k");
    is_mounted[i] = !is_mounted[i];
    if (atoi(argv[1]) > 0)
      usleep((useconds_t)atoi(argv[1]));
  }
}
