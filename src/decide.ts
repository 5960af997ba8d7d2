// The plan as ffi/launch.c would take it here and now: to be told, and held to.
import { CString, read } from "bun:ffi";
import { COVER_FIELDS, LAUNCH_FIELDS } from "./contract.ts";
import { hand } from "./launch.ts";
import type { Cover, Plan } from "./plan.ts";

/**
 * The covers with those of plan.etc, and how each would be made; changes nothing. A launch of
 * these covers fails where it would be decided otherwise. Throws Reported.
 */
export function decide(plan: Plan): Plan {
  const block = hand(plan, "nspin_decide");
  const field = (name: (typeof LAUNCH_FIELDS)[number]) => Number(block[LAUNCH_FIELDS.indexOf(name)]);
  const covers = Array.from({ length: field("cover_count") }, (_, i) => readCover(field("covers"), i));
  return Object.freeze({ ...plan, covers });
}

/** Where a path is not UTF-8, it is not the same after this. */
function readCover(array: number, index: number): Cover {
  const bytes = BigUint64Array.BYTES_PER_ELEMENT;
  const value = (name: (typeof COVER_FIELDS)[number]) =>
    Number(read.u64(array as never, (index * COVER_FIELDS.length + COVER_FIELDS.indexOf(name)) * bytes));
  const text = (name: "source" | "target") => new CString(value(name) as never).toString();
  return {
    source: text("source"),
    target: text("target"),
    isEntry: value("is_entry") === 1,
    decision: value("decision"),
    holder: value("holder"),
  };
}
