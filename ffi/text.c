#include "text.h"

size_t text_length(const char *text) {
  size_t length = 0;
  while (text[length] != '\0')
    length++;
  return length;
}

int text_starts(const char *text, const char *start) {
  while (*start != '\0')
    if (*text++ != *start++)
      return 0;
  return 1;
}

int text_ends(const char *text, const char *end) {
  size_t length = text_length(text), tail = text_length(end);
  return length >= tail && text_equal(text + length - tail, end);
}

int text_is_below(const char *path, const char *directory) {
  size_t length = text_length(directory);
  length -= length == 1; /* "/" */
  return text_starts(path, directory) &&
         (path[length] == '\0' || path[length] == '/');
}

int text_equal(const char *a, const char *b) {
  return text_starts(a, b) && text_starts(b, a);
}

int text_compare(const char *a, const char *b) {
  while (*a != '\0' && *a == *b)
    a++, b++;
  return (unsigned char)*a - (unsigned char)*b;
}

char *text_copy(char *to, const char *from) {
  while ((*to = *from++) != '\0')
    to++;
  return to;
}

void text_cut(char *to, const char *from, size_t bytes) {
  while (--bytes > 0 && *from != '\0')
    *to++ = *from++;
  *to = '\0';
}

char *text_number(char *to, u64 number) {
  char digits[NUMBER_BYTES];
  char *digit = digits + sizeof digits - 1;
  *digit = '\0';
  do
    *--digit = (char)('0' + number % 10);
  while (number /= 10);
  return text_copy(to, digit);
}

u64 text_value(const char *text, unsigned base) {
  u64 value = 0;
  for (;; text++) {
    unsigned digit =
        *text >= 'a' ? (unsigned)(*text - 'a') + 10 : (unsigned)(*text - '0');
    if (digit >= base)
      return value;
    value = value * base + digit;
  }
}
