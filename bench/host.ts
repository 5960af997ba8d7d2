// The start of a whole host: many tasks at once, each with a network namespace and a file of its own.
import { type By, type Disk, type Round, TASKS } from "./disk.ts";
import { spread } from "./spread.ts";

const OF = ["kept", "setnsKept", "runKept", "ip", "published"] as const satisfies readonly By[];
export type HostName = (typeof OF)[number];
const COUNTS = [1, 10, 100, TASKS];
const COLD = 5;
const WARM = 2; // after each of those; the published program's mounts stack

export interface Host {
  readonly by: HostName;
  readonly tasks: number;
  /** Milliseconds until all programs run, on a cold disk. */
  readonly cold: number;
  readonly warm: number;
  /** Milliseconds of the processors', until all have ended, for each task; warm. */
  readonly processor: number;
  /** KiB of the machine's, at the most, for all tasks; warm. */
  readonly memory: number;
}

export async function startHosts(disk: Disk): Promise<Host[]> {
  const rows: Host[] = [];
  for (const tasks of COUNTS)
    for (const by of OF) {
      const all: Round[][] = [];
      for (let i = 0; i < COLD; i++) all.push(await disk.starts(by, tasks, 1 + WARM));
      const cold = all.map(([first]) => first?.ms ?? Number.NaN);
      const warm = all.flatMap(([, ...more]) => more);
      const median = (list: number[]) => spread(list).median;
      rows.push({
        by,
        tasks,
        cold: median(cold),
        warm: median(warm.map(({ ms }) => ms)),
        processor: median(warm.map(({ processor }) => processor / tasks)),
        memory: median(warm.map(({ memory }) => memory)),
      });
    }
  return rows;
}
