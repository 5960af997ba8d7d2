// What the pinned sequence would do with a plan here and now.
import { read } from "bun:ffi";
import { hand } from "./launch.ts";
import { type Memory, readDecided, type Step } from "./launch-struct.ts";
import { addressOf } from "./native.ts";
import type { Plan } from "./plan.ts";

export interface Decided {
  /** With the covers of plan.etc, how each would be made, and how the program would be entered. */
  readonly plan: Plan;
  readonly steps: readonly Step[];
}

/** Changes nothing. Throws Reported. */
export function decide(plan: Plan): Decided {
  const address = addressOf(new Uint8Array(hand(plan, "nspin_decide").buffer));
  const { covers, isByCommand, steps } = readDecided(ownMemory, address);
  const entry = isByCommand ? ({ enter: "nsenter" } as const) : ({ enter: "setns", words: [] } as const);
  return { plan: Object.freeze({ ...plan, ...entry, covers }), steps };
}

/** The process's own memory: the sequence has allocated both lists itself. */
const ownMemory: Memory = {
  u64: (address) => Number(read.u64(address as never, 0)),
  bytes: (address) => {
    const bytes: number[] = [];
    for (let byte = read.u8(address as never, 0); byte !== 0; byte = read.u8(address as never, bytes.length))
      bytes.push(byte);
    return Uint8Array.from(bytes);
  },
};
