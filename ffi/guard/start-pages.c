#include "start-pages.h"

#include "../syscall.h"
#include "../text.h"

#include <linux/prctl.h>

/* Of 4 KiB: a kernel with larger ones refuses what does not begin on one. */
enum { PAGE_BITS = 12 };

struct pages {
  unsigned first, count;
};

/* RUN_PAGES, OTHER_PAGES: by build/start-pages.ts, in the order in which a
 * start touches them. */
static const struct pages of_run[] = {RUN_PAGES};
static const struct pages of_others[] = {OTHER_PAGES};

/*
 * Unless they are there. The first one is looked at: what has brought it into
 * the page cache, a start, a copy, a check sum, has brought all of them. To
 * who may not write the file mincore(2) says so of any.
 */
static void ask(const struct pages *list, size_t length) {
  unsigned char is_there;
  if (length == 0 || CALL(__NR_mincore, (u64)list->first << PAGE_BITS,
                          1 << PAGE_BITS, &is_there) != 0)
    return;
  if (is_there & 1)
    return;
  for (size_t i = 0; i < length; i++)
    CALL(__NR_madvise, (u64)list[i].first << PAGE_BITS,
         (u64)list[i].count << PAGE_BITS, MADV_WILLNEED);
}

/*
 * Not beside a seccomp filter: systemd's SystemCallFilter= kills who makes a
 * call that it does not list, and none of its groups has mincore(2).
 */
void start_pages_ask(const char *command) {
  if (CALL(__NR_prctl, PR_GET_SECCOMP, 0, 0, 0, 0) != 0)
    return;
  ask(of_run, sizeof of_run / sizeof *of_run);
  if (command == NULL || !text_equal(command, "run"))
    ask(of_others, sizeof of_others / sizeof *of_others);
}
