// The plan as ffi/sequence.c would carry it out here and now.
import { CString, read } from "bun:ffi";
import { COVER_FIELDS, LAUNCH_FIELDS } from "./contract.ts";
import { hand } from "./launch.ts";
import type { Cover, Plan } from "./plan.ts";
import type { Step } from "./steps.ts";

export interface Decided {
  /** With the covers of plan.etc, and how each would be made. */
  readonly plan: Plan;
  readonly steps: readonly Step[];
}

const U64 = BigUint64Array.BYTES_PER_ELEMENT;

/** Changes nothing. Throws Reported. */
export function decide(plan: Plan): Decided {
  const block = hand(plan, "nspin_decide");
  const field = (name: (typeof LAUNCH_FIELDS)[number]) => Number(block[LAUNCH_FIELDS.indexOf(name)]);
  const covers = Array.from({ length: field("cover_count") }, (_, i) => readCover(field("covers"), i));
  const steps = Array.from({ length: field("step_count") }, (_, i): Step => {
    const step = read.u64(field("steps") as never, i * U64);
    return { number: Number(step & 0xffffffffn), cover: Number(step >> 32n) };
  });
  return { plan: Object.freeze({ ...plan, covers }), steps };
}

/** Where a path is not UTF-8, it is not the same after this. */
function readCover(array: number, index: number): Cover {
  const value = (name: (typeof COVER_FIELDS)[number]) =>
    Number(read.u64(array as never, (index * COVER_FIELDS.length + COVER_FIELDS.indexOf(name)) * U64));
  const text = (name: "source" | "target") => new CString(value(name) as never).toString();
  return {
    source: text("source"),
    target: text("target"),
    isEntry: value("is_entry") === 1,
    decision: value("decision"),
  };
}
