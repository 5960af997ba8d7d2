// The plan as ffi/launch.c would take it here and now: to be told, and held to.
import { COVER_FIELDS, LAUNCH_FIELDS } from "./contract.ts";
import { ask } from "./launch.ts";
import { numberAt, textAt } from "./library.ts";
import type { Cover, Plan } from "./plan.ts";

/**
 * The covers with those of plan.etc, and how each would be made; changes nothing. A launch of
 * these covers fails where it would be decided otherwise. Throws Reported.
 */
export function decide(plan: Plan): Plan {
  const block = ask(plan);
  const field = (name: (typeof LAUNCH_FIELDS)[number]) => Number(block[LAUNCH_FIELDS.indexOf(name)]);
  const covers = Array.from({ length: field("cover_count") }, (_, i) => readCover(field("covers"), i));
  return Object.freeze({ ...plan, covers });
}

function readCover(array: number, index: number): Cover {
  const bytes = BigUint64Array.BYTES_PER_ELEMENT;
  const value = (name: (typeof COVER_FIELDS)[number]) =>
    numberAt(array + (index * COVER_FIELDS.length + COVER_FIELDS.indexOf(name)) * bytes);
  const text = (name: "source" | "target") => textAt(value(name));
  return {
    source: text("source"),
    target: text("target"),
    isEntry: value("is_entry") === 1,
    decision: value("decision"),
    holder: value("holder"),
  };
}
