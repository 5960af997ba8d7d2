/* A process whose first thread ends, and another one lives on. */
#include <pthread.h>
#include <unistd.h>

static void *wait(void *data) {
  for (;;)
    pause();
  return data;
}

int main(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, wait, NULL) != 0)
    return 1;
  pthread_exit(NULL);
}
