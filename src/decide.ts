// What the pinned sequence would do with a plan here and now.
import { read } from "bun:ffi";
import { hand } from "./launch.ts";
import { type Memory, readCovers } from "./launch-struct.ts";
import { addressOf } from "./native.ts";
import type { Plan } from "./plan.ts";

/**
 * Adds the entries of plan.etc to the covers, checks all of them, and decides how each would be
 * made; changes nothing. A launch of the result fails where another decision would be taken by
 * then. Throws Reported.
 */
export function decide(plan: Plan): Plan {
  const block = hand(plan, "nspin_decide");
  const covers = readCovers(ownMemory, addressOf(new Uint8Array(block.buffer)));
  return Object.freeze({ ...plan, covers });
}

/** The process's own memory: the sequence has allocated the longer list of covers itself. */
const ownMemory: Memory = {
  u64: (address) => Number(read.u64(address as never, 0)),
  bytes: (address) => {
    const bytes: number[] = [];
    for (let byte = read.u8(address as never, 0); byte !== 0; byte = read.u8(address as never, bytes.length))
      bytes.push(byte);
    return Uint8Array.from(bytes);
  },
};
