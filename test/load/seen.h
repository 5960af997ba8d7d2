/*
 * What seen.c finds wrong, as its exit status: WRONG and these bits. None of
 * them is a status of nspin's own (125, 126, 127), of nsenter's (1) or of a
 * runtime that crashes (128 and more).
 */
enum {
  WRONG = 64,
  WRONG_FILE = 1,         /* not a task's, old or new: the host's, or none */
  WRONG_NETNS = 2,        /* not the one that descriptor NETNS is open on */
  MISSING_DESCRIPTOR = 4, /* or another file by its number */
  SPARE_DESCRIPTOR = 8,   /* one that the program did not inherit */
  WRONG_BITS = 15,
};

/* The descriptor that a launch inherits besides 0, 1 and 2. */
enum { NETNS = 7 };
