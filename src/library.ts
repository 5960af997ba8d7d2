// The C side, dist/nspin.so, and where it comes from. Only this file and libc.ts know bun:ffi.
import { CFunction, CString, dlopen, linkSymbols, type Pointer, ptr, read } from "bun:ffi";
import { ASIDE_KEEPER, RECORD } from "./contract.ts";
import { Refusal } from "./errors.ts";

/** All that it exports, ffi/exports.h. */
export const FUNCTIONS = {
  nspin_launch: { args: ["ptr", "ptr"], returns: "u32" },
  nspin_decide: { args: ["ptr", "ptr"], returns: "u32" },
  nspin_unpin: { args: ["ptr", "ptr"], returns: "u32" },
} as const;

const isCompiled = import.meta.dir.startsWith("/$bunfs/");
const space = process.argv0.indexOf(" ");

/** The address of the entry guard's struct record, ffi/started.h; 0 from source, where no guard has run. */
export const record = isCompiled ? Number(process.argv0.slice(space)) : 0;

/**
 * The file. In the binary the guard (ffi/guard/guard.c) says in argv[0] which it has filled;
 * or, where the host refuses that, a number: the address of the object's bytes.
 */
function locate(): string {
  return isCompiled ? process.argv0.slice(0, space) : Bun.fileURLToPath(import.meta.resolve("#object"));
}

/** Loads these functions only: code is generated for each. Throws Refusal. */
export function load<Name extends keyof typeof FUNCTIONS>(...names: Name[]) {
  const wanted = {} as Pick<typeof FUNCTIONS, Name>;
  for (const name of names) wanted[name] = FUNCTIONS[name];
  try {
    const object = locate();
    if (object.startsWith("/")) return dlopen(object, wanted).symbols;
    return linkSymbols(inPlace(wanted, Number(object))).symbols;
  } catch (error) {
    throw new Refusal(`cannot load its own code: ${(error as Error).message}`);
  }
}

/** These functions where the object lies in memory: by its dynamic symbols, elf(5). */
function inPlace<Wanted extends Partial<typeof FUNCTIONS>>(wanted: Wanted, object: number): Wanted {
  const header = { shoff: 40, shnum: 60 };
  const section = { type: 4, offset: 24, size: 32, link: 40, bytes: 64 };
  const symbol = { name: 0, value: 8, bytes: 24 };
  const SHT_DYNSYM = 11;
  const u32 = (at: number) => read.u32(at as never);
  const sections = object + ownMemory.u64(object + header.shoff);
  const placed = { ...wanted } as Record<string, object>;
  for (let i = 0; i < read.u16((object + header.shnum) as never); i++) {
    const table = sections + i * section.bytes;
    if (u32(table + section.type) !== SHT_DYNSYM) continue;
    const texts = sections + u32(table + section.link) * section.bytes;
    const begin = object + ownMemory.u64(table + section.offset);
    for (let at = begin; at < begin + ownMemory.u64(table + section.size); at += symbol.bytes) {
      const text = object + ownMemory.u64(texts + section.offset) + u32(at + symbol.name);
      const name = new CString(text as never).toString();
      const ptr = object + ownMemory.u64(at + symbol.value);
      if (name in placed) placed[name] = { ...placed[name], ptr };
    }
  }
  return placed as Wanted;
}

export const addressOf = ptr;

/** Where a struct is, and what it points to, by address. */
export interface Memory {
  readonly u64: (address: number) => number;
  /** The bytes from there to the next NUL. */
  readonly bytes: (address: number) => Uint8Array;
}

/** This process's own memory. */
export const ownMemory: Memory = {
  u64: (address) => Number(read.u64(address as never, 0)),
  bytes: (address) => {
    const bytes: number[] = [];
    for (let byte = read.u8(address as never, 0); byte !== 0; byte = read.u8(address as never, bytes.length))
      bytes.push(byte);
    return Uint8Array.from(bytes);
  },
};

/** What execve(2) is given for an environment: as this process was. */
export const environment = () => read.ptr(record as never, RECORD.environment) as Pointer;

/** keeper_start(), by aside() of ffi/aside.h; undefined from source, where no guard has said where that is. */
export function loadKeeper() {
  if (record === 0) return undefined;
  const address = read.ptr(record as never, RECORD.aside) as Pointer;
  const aside = CFunction({ ptr: address, args: ["u32", "ptr", "ptr", "ptr", "ptr"], returns: "i64" });
  return (...given: (Uint8Array | null | undefined)[]) => aside(ASIDE_KEEPER, ...given);
}
