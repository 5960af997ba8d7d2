/* A line for people: texts, names of files, numbers, errors. */
#ifndef NSPIN_MESSAGE_H
#define NSPIN_MESSAGE_H

#include "proc.h"

enum { NAME_BYTES = 4 * PATH_BYTES }; /* of a path, each byte escaped */

struct message {
  size_t length;
  char text[2 * NAME_BYTES + 512]; /* two names, and what is said of them */
};

void put(struct message *message, char byte);

/* A text of this program: ASCII, or coded as build/texts.ts has done it. */
void say(struct message *message, const char *text);
const char *nth(const char *texts, size_t n); /* of texts with a NUL each */

/*
 * A name, which whoever made the file chose: no control of a terminal. A word
 * can be longer than any path; it is cut, so that why it failed is still said.
 */
void say_name(struct message *message, const char *text);

void say_number(struct message *message, u64 number);
void say_error(struct message *message, u64 number); /* "TEXT (NAME)" */

#endif
