// Plan -> one FFI call. It returns only on failure; otherwise we are the program.
import { ptr } from "bun:ffi";
import image from "../dist/launch.so.ts";
import { COVER_FIELDS, LAUNCH_FIELDS } from "./contract.ts";
import { StepFailed } from "./errors.ts";
import { openLibrary } from "./library.ts";
import type { Plan } from "./plan.ts";

/** Never returns. Throws StepFailed. */
export function launch(plan: Plan): never {
  const { nspin_launch } = openLibrary(image, { nspin_launch: { args: ["ptr"], returns: "u32" } });
  const kept: (Uint8Array | BigUint64Array)[] = []; // what the addresses below point to
  const address = (bytes: Uint8Array | BigUint64Array): bigint => {
    kept.push(bytes);
    return bytes.byteLength === 0 ? 0n : BigInt(ptr(bytes));
  };
  const text = (value: string): bigint => address(Buffer.from(`${value}\0`));

  const covers = plan.covers.map(({ source, target }) =>
    pack(COVER_FIELDS, { source: text(source), target: text(target) }),
  );
  const block = pack(LAUNCH_FIELDS, {
    size: BigInt(LAUNCH_FIELDS.length * BigUint64Array.BYTES_PER_ELEMENT),
    netns: plan.netns === undefined ? 0n : text(plan.netns),
    join: plan.enter === "setns" && plan.netns !== undefined ? 1n : 0n,
    covers: address(new BigUint64Array(covers.flatMap((cover) => [...cover]))),
    cover_count: BigInt(covers.length),
    enter: plan.enterWords.length === 0 ? 0n : text(plan.enterWords.join("\0")),
    enter_count: BigInt(plan.enterWords.length),
    skip: BigInt(plan.skip),
    lock: text(plan.lock),
    failed_cover: 0n,
  });

  const result = nspin_launch(block);
  throw new StepFailed(
    result >>> 16,
    result & 0xffff,
    Number(block[LAUNCH_FIELDS.indexOf("failed_cover")]),
    plan,
  );
}

function pack<Field extends string>(fields: readonly Field[], values: Record<Field, bigint>): BigUint64Array {
  return new BigUint64Array(fields.map((field) => values[field]));
}
