// The first start after boot: from a disk of which a read takes 1 ms, with nothing of it in memory.
import type { By, Disk, Round } from "./disk.ts";
import { type Spread, spread } from "./spread.ts";

const ROUNDS = 10;
const OF = [
  "launcher",
  "setns",
  "unasked",
  "run",
  "nsenter",
  "ip",
  "published",
  "empty",
] as const satisfies readonly By[];
export type ColdName = (typeof OF)[number];

export interface Cold {
  /** Milliseconds until the program runs. */
  readonly first: Spread;
  /** The same at once once more. */
  readonly again: Spread;
  /** How often it waited that does not wait the second time. */
  readonly waits: number;
  readonly reads: number;
  readonly kib: number;
}

export type ColdFigures = Readonly<Record<ColdName, Cold>>;

/** In turn: what else the machine does then meets all of them alike. */
export async function readCold(disk: Disk): Promise<ColdFigures> {
  const rounds = new Map<ColdName, [Round, Round][]>(OF.map((name) => [name, []]));
  for (let i = 0; i < ROUNDS; i++)
    for (const name of OF) rounds.get(name)?.push((await disk.starts(name, 1, 2)) as [Round, Round]);
  const cold = [...rounds].map(([name, list]) => {
    const median = (value: (first: Round, again: Round) => number) =>
      spread(list.map(([first, again]) => value(first, again))).median;
    return [
      name,
      {
        first: spread(list.map(([first]) => first.ms)),
        again: spread(list.map(([, again]) => again.ms)),
        waits: median((first, again) => first.waits - again.waits),
        reads: median(({ reads }) => reads),
        kib: median(({ read }) => read),
      } satisfies Cold,
    ] as const;
  });
  return Object.fromEntries(cold) as ColdFigures;
}
