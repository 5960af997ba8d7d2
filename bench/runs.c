/* A program that says on stdout that it runs, and goes on until its input ends:
 * static. */
#include "../ffi/syscall.h"

void _start(void) {
  char byte = '.';
  CALL(__NR_write, 1, &byte, 1);
  while (CALL(__NR_read, 0, &byte, 1) > 0)
    ;
  for (;;)
    CALL(__NR_exit_group, 0);
}
