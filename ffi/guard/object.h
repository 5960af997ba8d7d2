/* The sequence (dist/nspin.so) as a file that dlopen(3) can load. */
#ifndef NSPIN_OBJECT_H
#define NSPIN_OBJECT_H

/*
 * A descriptor of a file without a name that holds the object, can be mapped
 * executable and is written by no one any more: a sealed memfd, or what comes
 * nearest. Close-on-exec, 3 or higher. Or -errno, why no memfd can be had.
 */
long object_open(void);

#endif
