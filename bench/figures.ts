// What was measured, and what is judged by it. Times are in milliseconds.
import type { AgainFigures } from "./again.ts";

/** Who starts a program that only exits: the rows. */
export const NAMES = {
  exec: "exec alone",
  bare: "unshare(2) and exec",
  same: "a launcher's system calls, in C",
  launcher: "**a launcher of `nspin bake --no-keep`**",
  kept: "**a launcher of `nspin bake`**, with its keeper",
  nsenter: "nsenter: the network namespace only",
  ip: "`ip netns exec`",
  published: "the published program, in Go",
  shell: "a shell: unshare, mount, nsenter",
  bwrap: "bubblewrap: the file only",
  empty: "an empty Bun program, alone",
  setns: "**`nspin run --enter setns --no-keep`**",
  setnsKept: "**`nspin run --enter setns`**, with its keeper",
  run: "**`nspin run --no-keep`**",
  runKept: "**`nspin run`**, with its keeper",
  crun: "crun, by `nspin bundle`",
  runc: "runc, by `nspin bundle`",
  systemd: "`systemd-run`",
} as const;
export type Name = keyof typeof NAMES;

/** KiB. The kernel counts a process's pages in batches: less than this it does not tell. */
export const LEAST_MEMORY = 256;

export interface Spread {
  readonly least: number;
  readonly median: number;
  /** The 95th percentile. */
  readonly high: number;
}

export interface Figures {
  readonly machine: { readonly kernel: string; readonly cpus: number; readonly rounds: number };
  readonly starts: Readonly<Partial<Record<Name, Spread>>>;
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
  /** Bytes of the file that a start from a cold disk reads. */
  readonly cold: Readonly<Partial<Record<Name, { size: number; alone: number; ahead: number }>>>;
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

export function spread(list: readonly number[]): Spread {
  const sorted = list.toSorted((a, b) => a - b);
  const at = (part: number) => Number(sorted[Math.floor(part * (sorted.length - 1))]?.toFixed(4));
  return { least: at(0), median: at(0.5), high: at(0.95) };
}

export function judge(figures: Figures): Judgement[] {
  const { launcher, kept, ip, published, same, setns, run, empty, nsenter, exec } = figures.starts;
  const median = (one: Spread | undefined) => one?.median ?? Number.NaN; // of which nothing holds
  const [first, last] = [figures.launches[0], figures.launches.at(-1)];
  const most = figures.mounts.at(-1);
  const read = (name: Name) => (figures.cold[name]?.alone ?? Number.NaN) / 1024;
  const rows: [string, number, number, Judgement["unit"]][] = [
    ["launcher / `ip netns exec`", median(launcher) / median(ip), 0.5, ""],
    ["launcher with its keeper / `ip netns exec`", median(kept) / median(ip), 0.5, ""],
    ["launcher / published program", median(launcher) / median(published), 0.33, ""],
    ["launcher / its system calls in C", median(launcher) / median(same), 1.15, ""],
    ["`run --enter setns` / empty Bun program", median(setns) / median(empty), 1.35, ""],
    [
      "`run`, against 1.35 empty Bun programs and nsenter",
      median(run),
      1.35 * median(empty) + median(nsenter) - median(exec),
      "ms",
    ],
    ...(["rejoin", "pin"] as const).map((method): (typeof rows)[number] => [
      `by ${method}, launch ${last?.launch} / launch 1`,
      (last?.[method] ?? Number.NaN) / (first?.[method] ?? Number.NaN),
      1.05,
      "",
    ]),
    [
      `with ${most?.mounts} more mounts, launcher / unshare and exec`,
      (most?.launcher ?? Number.NaN) / (most?.bare ?? Number.NaN),
      1.05,
      "",
    ],
    ["a launcher from a cold disk reads", read("launcher"), 64, "KiB"],
    ["`run` from a cold disk reads", read("run"), 8 * 1024, "KiB"],
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
