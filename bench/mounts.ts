// What a start costs where the host has many mounts: the kernel copies them all.
import { $ } from "bun";
import type { Figures } from "./figures.ts";
import { spread } from "./spread.ts";
import type { Stage } from "./stage.ts";
import { timeInTurn } from "./time.ts";

const COUNTS = [10, 100, 1000, 10_000];

export async function byMounts(stage: Stage): Promise<Figures["mounts"]> {
  const directory = "/run/mounts";
  await $`mkdir ${directory} && mount -t tmpfs mounts ${directory}`;
  const rows: Figures["mounts"][number][] = [];
  const { bare, launcher, setns } = stage.commands;
  for (const [i, mounts] of COUNTS.entries()) {
    await $`${stage.tools.mounts} ${directory} ${COUNTS[i - 1] ?? 0} ${mounts}`;
    const times = await timeInTurn(
      stage,
      { bare, launcher, setns } as Record<"bare" | "launcher" | "setns", string>,
      5,
      12,
    );
    const median = (name: keyof typeof times) => spread(times[name]).median;
    rows.push({ mounts, bare: median("bare"), launcher: median("launcher"), setns: median("setns") });
  }
  await $`umount -l ${directory}`;
  return rows;
}
