// A file that appears whole or not at all, whatever somebody else does in its directory.
import { randomUUID } from "node:crypto";
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  openSync,
  readlinkSync,
  renameSync,
  type Stats,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname } from "node:path";
import { Refusal } from "./errors.ts";
import { attempt, cannot } from "./system-error.ts";

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_DIRECTORY } = constants;
const O_PATH = 0o10000000; // to write in a directory one need not be able to list it

/**
 * Puts a regular file at path, or in the place of the one that is there (which may be running). It
 * belongs to this process's effective user and group, and has the mode whatever the umask. Throws Refusal.
 */
export function replaceFile(path: string, contents: Uint8Array, mode: number): void {
  const hint = "its directory must exist";
  // One walk: everything else goes by the directory's descriptor, wherever its path leads to by then.
  const directory = attempt("write", path, hint, () => openSync(dirname(path), O_PATH | O_DIRECTORY));
  try {
    const within = `/proc/self/fd/${directory}`;
    const finished = `${within}/${basename(path)}`;
    if (path.endsWith("/")) throw cannot("write", path, "EISDIR");
    refuseOther(path, finished);
    attempt("write", path, hint, () => {
      const unfinished = `${within}/.nspin-${randomUUID()}`;
      const file = openSync(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      try {
        write(file, contents, mode);
        renameSync(unfinished, finished); // a link that was put there meanwhile is replaced, not followed
      } catch (error) {
        unlinkSync(unfinished);
        throw error;
      } finally {
        closeSync(file);
      }
    });
  } finally {
    closeSync(directory);
  }
}

function write(file: number, contents: Uint8Array, mode: number): void {
  writeFileSync(file, contents);
  // In a directory with the set-group-ID bit a new file gets the directory's group, inode(7).
  fchownSync(file, process.geteuid?.() ?? 0, process.getegid?.() ?? 0);
  fchmodSync(file, mode);
  fsyncSync(file);
}

/** Only a regular file may be replaced. */
function refuseOther(path: string, file: string): void {
  const there = attempt("write", path, undefined, () => lstatSync(file, { throwIfNoEntry: false }));
  if (there === undefined || there.isFile()) return;
  if (there.isDirectory()) throw cannot("write", path, "EISDIR");
  if (!there.isSymbolicLink()) throw new Refusal(`cannot write ${path}: it is ${kindOf(there)}`);
  const target = attempt("write", path, undefined, () => readlinkSync(file));
  throw new Refusal(
    `cannot write ${path}: it is a symbolic link`,
    `it leads to ${target}: name the file itself, or remove the link first`,
  );
}

function kindOf(there: Stats): string {
  if (there.isFIFO()) return "a FIFO";
  if (there.isSocket()) return "a socket";
  return there.isBlockDevice() ? "a block device" : "a character device";
}
