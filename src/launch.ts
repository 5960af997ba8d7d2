// Plan -> one FFI call. It returns only on failure; otherwise we are the program.
import { ptr } from "bun:ffi";
import image from "#ffi/launch.so.ts";
import { COVER_FIELDS, DECISIONS, LAUNCH_FIELDS, METHODS } from "./contract.ts";
import { StepFailed } from "./errors.ts";
import { openLibrary } from "./library.ts";
import type { Plan } from "./plan.ts";

type Entry = "nspin_launch" | "nspin_decide" | "nspin_unpin";

/** What the C side decided on a cover, ffi/launch.h. */
export interface Decision {
  readonly number: number;
  /** The first cover whose target the same mount holds. */
  readonly holder: number;
}

/** Never returns. told: what decide() said and the user has read, to be held to. Throws StepFailed. */
export function launch(plan: Plan, told: readonly Decision[] = []): never {
  call("nspin_launch", plan, told);
  throw new Error("the program was not started, and no step failed");
}

/** How the covers of this plan would be made here; changes nothing. Throws StepFailed. */
export function decide(plan: Plan): Decision[] {
  return call("nspin_decide", plan, []);
}

/** Takes away the mount that method pin left on the plan's only target. Throws StepFailed. */
export function unpin(plan: Plan): void {
  call("nspin_unpin", plan, []);
}

function call(entry: Entry, plan: Plan, told: readonly Decision[]): Decision[] {
  const kept: (Uint8Array | BigUint64Array)[] = []; // what the addresses below point to
  const address = (bytes: Uint8Array | BigUint64Array): bigint => {
    kept.push(bytes);
    return bytes.byteLength === 0 ? 0n : BigInt(ptr(bytes));
  };
  const text = (value: string): bigint => address(Buffer.from(`${value}\0`));

  const covers = new BigUint64Array(
    plan.covers.flatMap(({ source, target }, i) =>
      pack(COVER_FIELDS, {
        source: text(source),
        target: text(target),
        decision: BigInt(told[i]?.number ?? 0),
        holder: 0n,
      }),
    ),
  );
  const block = new BigUint64Array(
    pack(LAUNCH_FIELDS, {
      size: BigInt(LAUNCH_FIELDS.length * BigUint64Array.BYTES_PER_ELEMENT),
      netns: plan.netns === undefined ? 0n : text(plan.netns),
      join: plan.enter === "setns" && plan.netns !== undefined ? 1n : 0n,
      covers: address(covers),
      cover_count: BigInt(plan.covers.length),
      method: METHODS[plan.method],
      read_only: plan.readOnly ? 1n : 0n,
      enter: plan.enterWords.length === 0 ? 0n : text(plan.enterWords.join("\0")),
      enter_count: BigInt(plan.enterWords.length),
      skip: BigInt(plan.skip),
      lock: text(plan.lock),
      failed_cover: 0n,
    }),
  );

  const { [entry]: step } = openLibrary(image, { [entry]: { args: ["ptr"], returns: "u32" } as const });
  const result = step?.(block) ?? 0;
  const decisions = plan.covers.map((_, i) => {
    const [number, holder] = (["decision", "holder"] as const).map((field) =>
      Number(covers[i * COVER_FIELDS.length + COVER_FIELDS.indexOf(field)]),
    ) as [number, number];
    return { number, holder };
  });
  if (result === 0) return decisions;
  const cover = Number(block[LAUNCH_FIELDS.indexOf("failed_cover")]);
  const why = DECISIONS[(decisions[cover]?.number ?? 0) - 1]?.why;
  throw new StepFailed(result >>> 16, result & 0xffff, cover, plan, why);
}

function pack<Field extends string>(fields: readonly Field[], values: Record<Field, bigint>): bigint[] {
  return fields.map((field) => values[field]);
}
