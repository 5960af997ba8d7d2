// What a start costs after many others: the published program leaves a mount each time.
import { dirname } from "node:path";
import { $ } from "bun";
import type { Figures } from "./figures.ts";
import { spread } from "./spread.ts";
import { HOST_FILE, type Stage } from "./stage.ts";
import { time } from "./time.ts";

const COUNTS = [1, 10, 100, 1000, 10_000];
const AROUND = 100; // a median is of as many launches, from that one on
const FEWER = 20; // of the published program, since those leave as many mounts more

export async function byLaunches(stage: Stage): Promise<Figures["launches"]> {
  const all = (COUNTS.at(-1) as number) + AROUND - 1;
  const rejoin = await time(stage, stage.commands.launcher as string, all, 0);
  await $`rm /etc/resolv.conf && cp ${HOST_FILE} /etc/resolv.conf`; // a plain file, as pin is for
  const pin = await time(stage, stage.pin, all, 0);
  await $`umount /etc/resolv.conf && ln -sf ..${HOST_FILE} /etc/resolv.conf`;
  const published = await byPublished(stage);
  return COUNTS.map((launch, i) => {
    const at = (times: number[]) => spread(times.slice(launch - 1, launch - 1 + AROUND)).median;
    return { launch, rejoin: at(rejoin), pin: at(pin), published: published[i] as number };
  });
}

/** bench/stack.c makes the mounts of the launches between: those themselves would take minutes. */
async function byPublished(stage: Stage): Promise<number[]> {
  const directory = dirname(HOST_FILE);
  await $`mount -t tmpfs stack ${directory} && touch ${HOST_FILE}`;
  const medians: number[] = [];
  let made = 0;
  for (const launch of COUNTS) {
    await $`${stage.tools.stack} ${Math.max(0, launch - 1 - made)}`;
    medians.push(spread(await time(stage, stage.commands.published as string, FEWER, 0)).median);
    made = Math.max(made, launch - 1) + FEWER;
  }
  await $`umount -l ${directory}`; // all at once
  return medians;
}
