// Plan -> one FFI call. It returns only on failure; otherwise we are the program.
import type { ENTRIES } from "./contract.ts";
import { Reported } from "./errors.ts";
import { writePlan } from "./launch-struct.ts";
import { addressOf, call } from "./native.ts";
import type { Plan } from "./plan.ts";

/** Never returns. Throws Reported. */
export function launch(plan: Plan): never {
  hand(plan, "nspin_launch");
  throw new Error("the program was not started, and no step failed");
}

/** Takes away the mount that method pin left on the plan's only target. Throws Reported. */
export function unpin(plan: Plan): void {
  hand(plan, "nspin_unpin");
}

/** Hands the plan to C. Returns the block, in which that has left its answers. Throws Reported. */
export function hand(plan: Plan, entry: (typeof ENTRIES)[number]): BigUint64Array {
  const block = writePlan(plan, addressOf);
  const status = call(entry, addressOf(block));
  if (status !== 0) throw new Reported(status);
  return new BigUint64Array(block.buffer);
}
