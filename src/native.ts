// The C side, which is mapped with this binary: the entry guard has put the
// addresses of its functions where ENTRIES says (guard/guard.h). Nothing is
// loaded, and no file or memfd made for it: that took 1.2 ms of every start.
import { ENTRIES, GUARD_RECORD } from "./contract.ts";
import { Refusal } from "./errors.ts";

type Entry = (typeof ENTRIES)[number];

/** Of bun:ffi, whose own module takes 0.2 ms to load, the part in native code. */
interface Ffi {
  readonly ptr: (bytes: Uint8Array) => number;
  readonly read: { readonly ptr: (address: number, offset: number) => number };
  readonly linkSymbols: (functions: object) => {
    readonly symbols: { readonly entry: (address: number) => number };
  };
}
const ffi = (Bun as unknown as { FFI: Ffi }).FFI;
const PTR = 12; // FFIType.ptr
const U32 = 6; // FFIType.u32

export const addressOf = ffi.ptr;

/** Where the guard has put the function. */
export function entryAddress(name: Entry): number {
  return ffi.read.ptr(GUARD_RECORD, ENTRIES.indexOf(name) * BigUint64Array.BYTES_PER_ELEMENT);
}

/** Calls it with the address of a struct launch. Throws Refusal where the runtime cannot compile the call. */
export function call(name: Entry, block: number): number {
  try {
    const entry = { args: [PTR], returns: U32, ptr: entryAddress(name) };
    return ffi.linkSymbols({ entry }).symbols.entry(block);
  } catch (error) {
    throw new Refusal(`cannot call its own code: ${(error as Error).message}`);
  }
}
