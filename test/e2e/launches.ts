// Programs by the thousand, in two tasks, on a host where others come and go and
// the resolver's file is written all the time.
import { $ } from "bun";
import type { Host } from "./host.ts";
import type { Task } from "./scenario.ts";
import { WHOSE } from "./vpc.ts";

const AT_A_TIME = 4;

export interface Launches {
  /** What each task's programs asked for, every one for a name of its own. */
  readonly names: Map<string, string[]>;
  readonly wrong: string[];
  /** What went on meanwhile. */
  readonly rewrites: number;
  readonly guests: number;
  readonly containers: number;
}

export async function launch(host: Host, tasks: readonly Task[], count: number): Promise<Launches> {
  const names = new Map(tasks.map(({ vpc }) => [vpc.task, [] as string[]]));
  const wrong: string[] = [];
  let left = count;
  const others = [() => rewrite(), () => guest(), () => container()];
  const counts = others.map(async (other) => {
    let times = 0;
    for (; left > 0; times++) await other();
    return times;
  });
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  const [rewrites, guests, containers] = (await Promise.all(counts)) as [number, number, number];
  return { names, wrong, rewrites, guests, containers };

  async function worker(): Promise<void> {
    while (left-- > 0) {
      const { vpc } = tasks[left % tasks.length] as Task;
      const enter = left % 4 < 2 ? "nsenter" : "setns";
      const name = `launch${left}.${vpc.task}.${WHOSE}`;
      names.get(vpc.task)?.push(name);
      const program = $`nspin run --netns ${vpc.task} --enter ${enter} -- getent hosts ${name}`;
      const { exitCode, stdout, stderr } = await program.nothrow().quiet();
      const isRight = exitCode === 0 && stderr.length === 0 && stdout.toString().startsWith(`${vpc.answer} `);
      if (!isRight) wrong.push(`${name} by ${enter}: ${exitCode} ${stdout}${stderr}`);
    }
  }

  async function rewrite(): Promise<void> {
    await host.rewrite(`${left}.test`);
  }

  /** Another task, for as long as its one program. */
  async function guest(): Promise<void> {
    const file = "nameserver 192.0.2.99\n";
    await $`ip netns add guest && mkdir -p /etc/netns/guest`;
    await Bun.write("/etc/netns/guest/resolv.conf", file);
    const { stdout, stderr } = await $`nspin run --netns guest -- cat /etc/resolv.conf`.nothrow().quiet();
    if (stdout.toString() !== file) wrong.push(`guest: ${stdout}${stderr}`);
    await $`ip netns delete guest && rm -r /etc/netns/guest`;
  }

  async function container(): Promise<void> {
    const ran = await Promise.all(tasks.map((task) => task.runs()));
    if (!ran.every(Boolean)) wrong.push("a container without its layer");
  }
}
