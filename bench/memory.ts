// The peak memory of a start: of its largest process, in KiB.
import { $, which } from "bun";
import type { Name } from "./names.ts";
import { spread } from "./spread.ts";
import { PATH, type Stage } from "./stage.ts";

const OF = ["launcher", "setns", "run", "published", "crun", "runc", "empty"] as const;

export async function peaks(stage: Stage) {
  const peaks: Partial<Record<Name, number>> = {};
  for (const name of OF) {
    const [file, ...words] = (stage.commands[name] as string).split(" ") as [string, ...string[]];
    const command = [which(file, PATH) ?? file, ...words];
    const list: number[] = [];
    for (let i = 0; i < 5; i++) {
      const written = await $`env -i PATH=${PATH.PATH} ${stage.tools.peak} ${command}`.arrayBuffer();
      list.push(Number(new DataView(written).getBigInt64(0, true)));
    }
    peaks[name] = spread(list).median;
  }
  return peaks;
}
