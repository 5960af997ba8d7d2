#include "message.h"
#include "../dist/texts.h" /* by build/texts.ts */
#include "errors.h"

#define ERROR_NUMBER(name, text) name,
static const unsigned char error_numbers[] = {ERRORS(ERROR_NUMBER)};
static const char error_texts[] = CODED_ERRORS;

const char *nth(const char *texts, size_t n) {
  while (n-- > 0)
    texts += text_length(texts) + 1;
  return texts;
}

void put(struct message *message, char byte) {
  if (message->length < sizeof message->text)
    message->text[message->length++] = byte;
}

/* A character; any other code stands for two. */
static void say_code(struct message *message, unsigned char code) {
  static const unsigned char pairs[][2] = {PAIRS};
  if (code >= ' ' && code < FIRST_PAIR)
    return put(message, (char)code);
  const unsigned char *pair = pairs[(unsigned char)(code - FIRST_PAIR)];
  say_code(message, pair[0]);
  say_code(message, pair[1]);
}

void say(struct message *message, const char *text) {
  while (*text != '\0')
    say_code(message, (unsigned char)*text++);
}

/* How many bytes of UTF-8 the text begins with; 0: none, or a control. */
static int plain_bytes(const char *text) {
  const unsigned char *byte = (const unsigned char *)text;
  unsigned lead = *byte;
  if (lead < 0x7f)
    return lead >= ' ';
  /* RFC 3629: nothing longer than it must be, no surrogate; and none of C1. */
  unsigned least = lead == 0xc2 || lead == 0xe0 ? 0xa0 : 0x80;
  unsigned most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (lead == 0xf0)
    least = 0x90;
  if (lead < 0xc2 || lead > 0xf4 || byte[1] < least || byte[1] > most)
    return 0;
  int more = 1 + (lead >= 0xe0) + (lead >= 0xf0);
  for (int i = 2; i <= more; i++)
    if ((byte[i] & 0xc0) != 0x80)
      return 0;
  return 1 + more;
}

void say_name(struct message *message, const char *text) {
  static const char digits[] = "0123456789abcdef";
  const size_t longest = 4; /* of a character, or an escape */
  size_t end = message->length + NAME_BYTES;
  if (*text == '\0')
    return say(message, "\"\""); /* else the line has a hole */
  while (*text != '\0') {
    if (message->length + longest > end)
      return say(message, "...");
    int plain = plain_bytes(text);
    for (int i = 0; i < plain; i++)
      put(message, *text++);
    if (plain > 0)
      continue;
    say(message, "\\x");
    put(message, digits[(unsigned char)*text >> 4]);
    put(message, digits[*text++ & 15]);
  }
}

void say_number(struct message *message, u64 number) {
  char text[NUMBER_BYTES];
  text_number(text, number);
  say(message, text);
}

void say_error(struct message *message, u64 number) {
  for (size_t i = 0; i < sizeof error_numbers; i++)
    if (error_numbers[i] == number)
      return say(message, nth(error_texts, i));
  say(message, "errno ");
  say_number(message, number);
}
