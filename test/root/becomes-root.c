/* becomes-root: root by all four ids, as a setuid program can make itself. */
#include <unistd.h>

int main(void) {
  if (setreuid(0, 0) < 0)
    return 1;
  sleep(300);
  return 0;
}
