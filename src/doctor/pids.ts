// Whether there is room for the processes of a launch where this one is, cgroups(7).
import { dirname } from "node:path";
import { type Mount, mountTable } from "../mountinfo.ts";
import { type Finding, note, problem } from "./finding.ts";
import { field, textOf } from "./host.ts";

/** `nspin run` when it starts the keeper, with a thread of its runtime, and that keeper. */
const NEEDED = 3;

interface Limit {
  /** As in /proc/PID/cgroup. */
  readonly cgroup: string;
  readonly most: number;
  /** Processes and threads. */
  readonly here: number;
}

/** The tightest limit is told of; what doctor itself takes is no longer there when a launch begins. */
export function examinePids(): Finding[] {
  const own = threadsOf("self") + threadsOf(String(process.ppid));
  const [tightest] = limitsOn(textOf("/proc/self/cgroup"), mountTable(), textOf)
    .map(({ cgroup, most, here }) => ({ cgroup, most, others: Math.max(here - own, 0) }))
    .sort((a, b) => a.most - a.others - (b.most - b.others));
  if (tightest === undefined) return [];
  const { cgroup, most, others } = tightest;
  const tell = most - others < NEEDED ? problem : others > most * 0.9 ? note : undefined;
  if (tell === undefined) return [];
  return [
    tell(
      `${others} of the ${most} processes and threads that cgroup ${cgroup} may have (pids.max) are there: a launch needs ${NEEDED}, of which its keeper stays`,
      "a higher pids.max, in a unit TasksMax=; or --no-keep",
    ),
  ];
}

function threadsOf(process: string): number {
  return Number(field(textOf(`/proc/${process}/status`), "Threads"));
}

/** By /proc/PID/cgroup, a line ID:CONTROLLERS:PATH each, in version 2 without controllers. */
export function limitsOn(cgroups: string, table: readonly Mount[], read: (path: string) => string): Limit[] {
  return cgroups.split("\n").flatMap((line) => {
    const [, controllers = "none", cgroup = ""] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const isSecond = controllers === "";
    if (!isSecond && !controllers.split(",").includes("pids")) return [];
    const mounts = table.filter(({ type, point }) =>
      isSecond ? type === "cgroup2" : type === "cgroup" && point.endsWith(`/${controllers}`),
    );
    return mounts.flatMap((mount) => fromTop(mount, cgroup, read));
  });
}

/** From the top that is mounted there, which a container can have of its own, down to that cgroup. */
function fromTop(mount: Mount, cgroup: string, read: (path: string) => string): Limit[] {
  const [top, at] = [mount.root, cgroup].map((path) => (path === "/" ? "" : path)) as [string, string];
  const isBelow = at.startsWith(`${top}/`) && !at.startsWith("/..");
  if (at !== top && !isBelow) return [];
  const number = (file: string) => Number.parseInt(read(`${mount.point}${at.slice(top.length)}/${file}`), 10);
  const [most, here] = [number("pids.max"), number("pids.current")]; // NaN: "max", or none
  const own = Number.isNaN(most - here) ? [] : [{ cgroup, most, here }];
  return at === top ? own : [...fromTop(mount, dirname(at), read), ...own];
}
