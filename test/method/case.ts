// What a case is, what this kernel is, and a program on a stage.
import { equal } from "node:assert/strict";
import { release } from "node:os";
import { Program } from "../kit/program.ts";
import { type Entry, type Kind, Stage } from "../kit/stage.ts";

const [major, minor] = release().split(".").map(Number) as [number, number];
export const isSince = ([a, b]: readonly [number, number]) => major > a || (major === a && minor >= b);
/** MOVE_MOUNT_SET_GROUP, as the kernel's history has it: nspin itself must find out by asking. */
export const rejoins = isSince([5, 15]);
/** mount_setattr(2), without which there is no keeper. */
export const keeps = isSince([5, 12]);

export interface Case {
  readonly name: string;
  /** Throws where the promise does not hold. */
  readonly run: () => Promise<void>;
}
export type Body = (stage: Stage) => Promise<void>;

export async function staged(kind: Kind, entry: Entry, body: Body): Promise<void> {
  const stage = await Stage.make(kind, entry);
  try {
    await body(stage);
  } finally {
    await stage.end();
  }
}

/** The program reads its own file first; ends it, also where that is not so. */
export async function started(stage: Stage, method: string, body: (program: Program) => Promise<void>) {
  const program = new Program(stage.covering(method));
  try {
    equal(await program.run(`cat ${stage.file}`), "task");
    await body(program);
  } finally {
    equal(await program.end(), 0);
  }
}
