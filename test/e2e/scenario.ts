// One host, every task on it at once: docs/soci.md from its first command to its
// last, and a change of the host's DNS server while the snapshotters run.
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { $ } from "bun";
import { type Settings, script } from "./document.ts";
import type { Host, Kind } from "./host.ts";
import { REGISTRY, type Vpc, WHOSE } from "./vpc.ts";

/** What is written in the place of the document's ExecStart=. */
export type Way = (task: string, program: string) => string;

export interface Outcome {
  /** What the snapshotters resolve by, after the host's change. */
  readonly dns: "the task's" | "the host's";
  /** Do the containers read their layers, before and after it? */
  readonly layer: "yes" | "no";
  /** Does the host get its DNS server changed? */
  readonly rewrite: "done" | "refused";
  /** Mounts on the host when all is over. */
  readonly left: string[];
}

export interface Options {
  readonly kind: Kind;
  /** Of nspin run, for the document's $NSPIN. */
  readonly nspin: string;
  readonly way?: Way;
  /** While everything runs. */
  readonly meanwhile?: (tasks: readonly Task[]) => Promise<void>;
}

/** Throws what is not as it should be, and what the host's journal says of the last moments. */
export async function play(host: Host, vpcs: readonly Vpc[], options: Options): Promise<Outcome> {
  return await follow(host, vpcs, options).catch(async (error: Error) => {
    error.message += `\n${await $`journalctl --no-pager --output short-precise --lines 60`.nothrow().text()}`;
    throw error;
  });
}

async function follow(host: Host, vpcs: readonly Vpc[], options: Options): Promise<Outcome> {
  await host.become(options.kind);
  const [mounts, resolver] = [host.mounts(), await host.resolver()];
  const asked = vpcs.map(({ dns }) => dns.asked().length);
  const tasks = await Promise.all(
    vpcs.map(async (vpc) => new Task(vpc, await vpc.attach(options.nspin), options.way)),
  );
  await together(tasks, (task) => task.follow("The network"));
  for (const task of tasks) await task.follow("The snapshotter"); // one makes what all of them use
  for (const task of tasks) await task.follow("containerd"); // whose restart would cut a pull short
  await together(tasks, (task) => task.pull());
  same("the host's resolver", await host.resolver(), resolver);
  const lazy = host.mounts().filter((line) => line.includes(" fuse.rawBridge soci "));
  const before = await together(tasks, (task) => task.runs());

  const rewrite = await host.changeDns();
  await options.meanwhile?.(tasks);
  const after = await together(tasks, (task) => task.runs());
  const files = await together(tasks, (task) => task.resolvConf());
  const layer = [...before, ...after].every(Boolean) ? "yes" : "no";
  same("lazy mounts on the host", lazy.length, layer === "yes" ? tasks.length : 0);
  if (layer === "yes") await together(tasks, (task) => task.follow("When it does not work"));

  for (const task of tasks) await task.follow("Stop");
  for (const { vpc } of tasks) await vpc.detach();
  const strays = host.asked().filter((name) => name.endsWith("vpc.test"));
  same("what the host's DNS server was asked for", strays, []);
  tasks.forEach((task, i) => {
    task.askedAlone(asked[i] as number);
  });
  const left = host.mounts().filter((line) => !mounts.includes(line));
  same(
    "the host's mounts",
    host.mounts().filter((line) => !left.includes(line)),
    mounts,
  );
  if (left.length > 0 && options.way === undefined) await tasks[0]?.follow("After the last task");
  else await host.unmount();
  same("the host's mounts in the end", host.mounts(), mounts);
  return { dns: files.every(Boolean) ? "the task's" : "the host's", layer, rewrite, left };
}

export class Task {
  readonly vpc: Vpc;
  readonly #settings: Settings;
  readonly #way: Way | undefined;

  constructor(vpc: Vpc, settings: Settings, way: Way | undefined) {
    this.vpc = vpc;
    this.#settings = settings;
    this.#way = way;
  }

  /** The document's commands below a heading; throws what they say where one fails. */
  async follow(heading: string, edit = (commands: string) => commands): Promise<string> {
    const commands = edit(this.#start(script(heading, this.#settings)));
    const { exitCode, stdout, stderr } = await $`sh -eu -c ${commands}`.nothrow().quiet();
    if (exitCode !== 0) throw new Error(`${this.vpc.task}: ${heading}: ${exitCode}\n${stdout}${stderr}`);
    return stdout.toString();
  }

  #failure(heading: string, edit?: (commands: string) => string): Promise<Error | undefined> {
    return this.follow(heading, edit).then(
      () => undefined,
      (error: Error) => error,
    );
  }

  /**
   * containerd gives a snapshotter one second to answer its connection, and connects again within three. On a
   * machine that is busy with other tests it was too late once, so it has a second chance here, as a client gives it.
   */
  async pull(): Promise<void> {
    const failed = await this.#failure("Pull");
    if (failed === undefined) return;
    if (!/ connection error: desc = .*: unavailable$/m.test(failed.message)) throw failed;
    console.log(failed.message);
    await Bun.sleep(3000);
    await this.follow("Pull", (commands) => commands.replace(/^ctr namespace create .*\n/m, ""));
  }

  #start(commands: string): string {
    const way = this.#way;
    if (way === undefined) return commands;
    return commands.replace(/^ExecStart=\$NSPIN (.*)$/m, (_, program) => way(this.vpc.task, program));
  }

  /** A container of the task's image, and another that reads all of the layer: false where it finds none. */
  async runs(): Promise<boolean> {
    const { task, bytes } = this.vpc;
    const log = `/run/${task}.log`; // ctr loses, now and then, what a container prints that ends at once
    const outputs = [];
    for (const program of ["", "/bin/busybox sha256sum /bytes"]) {
      const edit = (commands: string) =>
        `${commands.replace("run --rm", `run --rm --log-uri file://${log}`).trimEnd()} ${program}\n`;
      const failed = await this.#failure("Run", edit);
      if (failed === undefined) outputs.push(readFileSync(log, "utf8"));
      else if (!/no such file or directory/.test(failed.message)) throw failed;
      rmSync(log, { force: true });
    }
    if (outputs.length === 0) return false;
    same(`what the containers of ${task} read`, outputs, [`${task}\n`, `${bytes}  /bytes\n`]);
    return true;
  }

  /** Has the snapshotter the task's file, and so the task's answers? */
  async resolvConf(): Promise<boolean> {
    const { answer, task } = this.vpc;
    const enter = ["nsenter", "--target", this.#snapshotter(), "--mount", "--net"];
    const file = await $`${enter} cat /etc/resolv.conf`.text();
    if (!file.includes(`nameserver ${this.#settings.DNS}\n`)) return false;
    same(
      `the answer to ${task}`,
      (await $`${enter} getent hosts ${task}.${WHOSE}`.text()).split(" ")[0],
      answer,
    );
    return true;
  }

  /** Was its DNS server asked for its registry, and by nobody else? */
  askedAlone(since: number): void {
    const asked = this.vpc.dns.asked().slice(since);
    const names = asked.map(({ name }) => name);
    if (!names.includes(REGISTRY)) throw new Error(`${this.vpc.task} did not ask for ${REGISTRY}`);
    const own = this.#settings.ADDRESS.split("/")[0] as string;
    same(`who asked the DNS server of ${this.vpc.task}`, [...new Set(asked.map(({ by }) => by))], [own]);
  }

  #snapshotter(): string {
    const isIts = (pid: string) => {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      return (
        words[0]?.endsWith("soci-snapshotter-grpc") && words[2] === `/run/soci-${this.vpc.task}/grpc.sock`
      );
    };
    const pid = readdirSync("/proc").find((name) => /^\d+$/.test(name) && isIts(name));
    if (pid === undefined) throw new Error(`${this.vpc.task} has no snapshotter`);
    return pid;
  }
}

/** For every task at once; where one fails, when all have ended. */
async function together<T>(tasks: readonly Task[], each: (task: Task) => Promise<T>): Promise<T[]> {
  const settled = await Promise.allSettled(tasks.map(each));
  return settled.map((one) => {
    if (one.status === "rejected") throw one.reason;
    return one.value;
  });
}

function same<T>(what: string, is: T, should: T): void {
  if (!Bun.deepEquals(is, should))
    throw new Error(`${what}: ${JSON.stringify(is)}, not ${JSON.stringify(should)}`);
}
