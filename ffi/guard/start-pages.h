/* The pages that a start touches, asked for all at once. */
#ifndef NSPIN_START_PAGES_H
#define NSPIN_START_PAGES_H

/*
 * For the first start after boot, from a disk that is far away: the runtime
 * would wait for some 200 reads, one after another. command: the first word.
 */
void start_pages_ask(const char *command);

#endif
