// Plan -> one FFI call. It returns only on failure; otherwise we are the program.
import { wordsOfRuntime } from "./command-line.ts";
import { Refusal, Reported } from "./errors.ts";
import { writePlan } from "./launch-struct.ts";
import { addressOf, load, record } from "./library.ts";
import type { Plan } from "./plan.ts";

/** Never returns. Throws Reported. */
export function launch(plan: Plan): never {
  const block = writePlan(record === 0 ? fromSource(plan) : plan, addressOf);
  check(load("nspin_launch").nspin_launch(block, record as never));
  throw new Error("the program was not started, and no step failed");
}

/** The block, in which C has left how it would carry the plan out. Throws Reported. */
export function ask(plan: Plan): Uint8Array {
  const block = writePlan(record === 0 ? asFromSource(plan) : plan, addressOf);
  check(load("nspin_decide").nspin_decide(block, record as never));
  return block;
}

/** Takes away the mount that method pin left on the plan's only target. Throws Reported. */
export function unpin(plan: Plan): void {
  if (record === 0) throw new Refusal("run from source, without the entry guard, there is no unpin");
  check(load("nspin_unpin").nspin_unpin(writePlan(plan, addressOf), record as never));
}

function check(status: number): void {
  if (status !== 0) throw new Reported(status);
}

function fromSource(plan: Plan): Plan {
  console.error(
    "nspin: note: run from source, without the entry guard: the program gets signals, limits and descriptors as Bun has left them, and no keeper",
  );
  return asFromSource(plan);
}

/** What few launches ask for is in the binary only, ffi/aside.h. */
function asFromSource(plan: Plan): Plan {
  if (plan.extras.length > 0) {
    throw new Refusal(`run from source, without the entry guard, there is no --${plan.extras[0]}`);
  }
  return { ...plan, skip: plan.skip + wordsOfRuntime() };
}
