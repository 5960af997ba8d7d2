// The peak memory of a start: of its largest process, in KiB.
import { $ } from "bun";
import { spread } from "./figures.ts";
import type { Stage } from "./stage.ts";
import { PATH } from "./stage.ts";

const OF = ["launcher", "setns", "run", "published", "crun", "runc", "empty"] as const;
/** The kernel counts pages in batches for each processor: less than this it does not tell. */
export const LEAST = 256;

export async function peaks(stage: Stage) {
  const peaks: Partial<Record<(typeof OF)[number], number>> = {};
  for (const name of OF) {
    const [file, ...words] = (stage.commands[name] as string).split(" ") as [string, ...string[]];
    const command = [Bun.which(file, PATH) as string, ...words];
    const times = Array.from({ length: 5 }, async () => {
      const written = await $`env -i PATH=${PATH.PATH} ${stage.tools.peak} ${command}`.arrayBuffer();
      return Number(new DataView(written).getBigInt64(0, true));
    });
    peaks[name] = spread(await Promise.all(times)).median;
  }
  return peaks;
}
