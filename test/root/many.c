/* many NUMBER: so many processes more, all of which end with this one; a line
 * once they are there. */
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv) {
  for (int i = argc == 2 ? atoi(argv[1]) : 0; i > 0; i--) {
    pid_t child = fork();
    if (child < 0)
      return 99;
    if (child == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      pause();
    }
  }
  if (write(1, "here\n", 5) == 5)
    pause();
  return 99;
}
