/*
 * A launcher's file: code as it was linked, and behind it, in a segment of its
 * own that can only be read, one plan. src/launcher-file.ts writes it.
 */
#ifndef NSPIN_IMAGE_H
#define NSPIN_IMAGE_H

#define IMAGE_CODE 0x400000 /* where the file's first byte is mapped */
#define IMAGE_PLAN                                                             \
  0x10000000          /* and where, for the plan's segment, it would be */
#define IMAGE_ALIGN 8 /* of the plan's first byte */
#define IMAGE_MAGIC "nspin-1" /* with its NUL; the number is this layout's */
#define IMAGE_DIGEST 32       /* bytes of SHA-256 of the file, these being 0 */

#endif
