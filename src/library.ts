// The C side, dist/nspin.so, and where it comes from. No other file knows bun:ffi.
import { CString, dlopen, ptr, read } from "bun:ffi";
import { Refusal } from "./errors.ts";

/** All that it exports, ffi/exports.h. */
export const FUNCTIONS = {
  nspin_launch: { args: ["ptr", "ptr"], returns: "u32" },
  nspin_decide: { args: ["ptr", "ptr"], returns: "u32" },
  nspin_unpin: { args: ["ptr"], returns: "u32" },
  unpinned_self_bind: { args: ["ptr"], returns: "i32" },
  unpinned_private: { args: ["ptr"], returns: "i32" },
  unpinned_unshare: { args: [], returns: "i32" },
  unpinned_bind: { args: ["ptr", "ptr"], returns: "i32" },
  unpinned_execute: { args: ["ptr", "u64", "ptr", "ptr"], returns: "i32" },
  unpinned_thread: { args: [], returns: "i32" },
  unpinned_mounts: { args: [], returns: "u32" },
} as const;

const isCompiled = import.meta.dir.startsWith("/$bunfs/");
/**
 * In the binary, argv[0] is what the entry guard (ffi/guard/guard.c) hands over: the
 * path of an unnamed file that it has filled with the object, and the address of its
 * record of the start; or a sentence on why it could not.
 */
const handed = isCompiled ? process.argv0 : Bun.fileURLToPath(import.meta.resolve("#object"));
const end = isCompiled ? handed.indexOf(" ") : handed.length;

/** Of the guard's struct record; 0 from source, where no guard has run. */
export const record = Number(handed.slice(end));

/** Loads these functions only: for each, code is generated. Throws Refusal. */
export function load<Name extends keyof typeof FUNCTIONS>(...names: Name[]) {
  if (!handed.startsWith("/")) throw new Refusal(handed, noObject);
  const wanted = {} as Pick<typeof FUNCTIONS, Name>;
  for (const name of names) wanted[name] = FUNCTIONS[name];
  try {
    return dlopen(handed.slice(0, end), wanted).symbols;
  } catch (error) {
    throw new Refusal(`cannot load its own code: ${(error as Error).message}`);
  }
}

const noObject =
  "the sysctl vm.memfd_noexec or a policy refuses memfds, and /run, /dev/shm and / files that are executed; a launcher of 'nspin bake' needs neither";

export const addressOf = ptr;

/** The u64 at this address. */
export function numberAt(address: number): number {
  return Number(read.u64(address as never));
}

/** The NUL-terminated text there; where it is not UTF-8, not the same after this. */
export function textAt(address: number): string {
  return new CString(address as never).toString();
}
