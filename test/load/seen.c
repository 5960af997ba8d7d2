/*
 * The program of a launch under load: seen TEXT NETNS exits with 0 where
 * /etc/resolv.conf is TEXT and /proc/self/ns/net leads to NETNS, and otherwise
 * says what it sees. Static, so that its own start costs next to nothing.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
  char text[256] = "", netns[64] = "";
  int file = open("/etc/resolv.conf", O_RDONLY);
  if (argc != 3 || file < 0 || read(file, text, sizeof text - 1) < 0 ||
      readlink("/proc/self/ns/net", netns, sizeof netns - 1) < 0)
    return 2;
  if (strcmp(text, argv[1]) == 0 && strcmp(netns, argv[2]) == 0)
    return 0;
  fprintf(stderr, "in %s: %s", netns, text);
  return 1;
}
