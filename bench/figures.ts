// What was measured, and what is judged by it. Times are in milliseconds.
import type { AgainFigures } from "./again.ts";
import type { Cold, ColdFigures, ColdName } from "./cold.ts";
import type { Host, HostName } from "./host.ts";
import { NAMES, type Name } from "./names.ts";
import type { Spread } from "./spread.ts";

/** From a cold disk. */
export const COLD_NAMES: Readonly<Record<ColdName, string>> = {
  launcher: NAMES.launcher,
  setns: NAMES.setns,
  unasked: "`nspin run --enter setns --no-keep`, not asking for its pages",
  run: NAMES.run,
  nsenter: NAMES.nsenter,
  ip: NAMES.ip,
  published: NAMES.published,
  empty: NAMES.empty,
};

/** Of many tasks at once. */
export const HOST_NAMES: Readonly<Record<HostName, string>> = {
  kept: NAMES.kept,
  setnsKept: NAMES.setnsKept,
  runKept: NAMES.runKept,
  ip: NAMES.ip,
  published: NAMES.published,
};

/** KiB. The kernel counts a process's pages in batches: less than this it does not tell. */
export const LEAST_MEMORY = 256;

export interface Figures {
  readonly machine: Readonly<Record<"kernel" | "processor", string> & Record<"cpus" | "rounds", number>>;
  readonly starts: Readonly<Partial<Record<Name, Spread>>>;
  /** Each after a rest. */
  readonly rested: Readonly<Partial<Record<Name, Spread>>>;
  readonly leftOut: Readonly<Partial<Record<Name, string>>>;
  /** Medians, with so many mounts on the host beside its own. */
  readonly mounts: readonly ({ readonly mounts: number } & Readonly<
    Record<"bare" | "launcher" | "setns", number>
  >)[];
  /** Medians of the launches about the first, the 10th, and so on. */
  readonly launches: readonly ({ readonly launch: number } & Readonly<
    Record<"rejoin" | "pin" | "published", number>
  >)[];
  /** KiB of the largest process. */
  readonly memory: Readonly<Partial<Record<Name, number>>>;
  /** Not yet there where a bench of another part has been written last. */
  readonly cold?: ColdFigures;
  readonly host?: readonly Host[];
  /** rejoin's, in microseconds. */
  readonly window: Spread;
  readonly again: AgainFigures;
}

export interface Judgement {
  readonly what: string;
  readonly measured: number;
  readonly limit: number;
  readonly unit: "" | "ms" | "us" | "KiB";
  readonly holds: boolean;
}

type Row = [what: string, measured: number, limit: number, unit: Judgement["unit"]];

export function judge(figures: Figures): Judgement[] {
  const { launcher, kept, ip, published, same, setns, run, empty, nsenter, exec } = figures.starts;
  const median = (one: Spread | undefined) => one?.median ?? Number.NaN; // of which nothing holds
  const [first, last] = [figures.launches[0], figures.launches.at(-1)];
  const most = figures.mounts.at(-1);
  const rows: Row[] = [
    ["launcher / `ip netns exec`", median(launcher) / median(ip), 0.5, ""],
    ["launcher with its keeper / `ip netns exec`", median(kept) / median(ip), 0.5, ""],
    [
      "launcher with its keeper / `ip netns exec`, each after a rest",
      median(figures.rested.kept) / median(figures.rested.ip),
      0.5,
      "",
    ],
    ["launcher / published program", median(launcher) / median(published), 0.33, ""],
    ["launcher / its system calls in C", median(launcher) / median(same), 1.15, ""],
    ["`run --enter setns` / empty Bun program", median(setns) / median(empty), 1.35, ""],
    [
      "`run`, against 1.35 empty Bun programs and nsenter",
      median(run),
      1.35 * median(empty) + median(nsenter) - median(exec),
      "ms",
    ],
    ...(["rejoin", "pin"] as const).map(
      (method): Row => [
        `by ${method}, launch ${last?.launch} / launch 1`,
        (last?.[method] ?? Number.NaN) / (first?.[method] ?? Number.NaN),
        1.05,
        "",
      ],
    ),
    [
      `with ${most?.mounts} more mounts, launcher / unshare and exec`,
      (most?.launcher ?? Number.NaN) / (most?.bare ?? Number.NaN),
      1.05,
      "",
    ],
    ...(figures.cold === undefined ? [] : ofCold(figures.cold)),
    ["covered again, median", figures.again.idle.median, 100, "us"],
    ["covered again, 99 %", figures.again.idle.most99, 1000, "us"],
    [`of ${figures.again.many.programs} programs, not covered again`, figures.again.many.lost, 0, ""],
  ];
  return rows.map(([what, measured, limit, unit]) => ({
    what,
    measured,
    limit,
    unit,
    holds: measured <= limit,
  }));
}

function ofCold({ launcher, setns, unasked, empty }: ColdFigures): Row[] {
  const against = (other: Cold) => setns.first.median / other.first.median;
  return [
    ["a launcher from a cold disk reads", launcher.kib, 64, "KiB"],
    ["`run --enter setns` from a cold disk reads", setns.kib, 10 * 1024, "KiB"],
    [
      "from a cold disk, `run --enter setns` / the same without its list of pages",
      against(unasked),
      0.35,
      "",
    ],
    ["from a cold disk, `run --enter setns` / empty Bun program", against(empty), 0.5, ""],
  ];
}
