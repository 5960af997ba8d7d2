/* What the compiler calls for structs, where there is no libc. */
#include <stddef.h>

__attribute__((used)) void *memcpy(void *to, const void *from, size_t bytes) {
  for (size_t i = 0; i < bytes; i++)
    ((char *)to)[i] = ((const char *)from)[i];
  return to;
}

__attribute__((used)) void *memset(void *to, int byte, size_t bytes) {
  for (size_t i = 0; i < bytes; i++)
    ((char *)to)[i] = (char)byte;
  return to;
}
