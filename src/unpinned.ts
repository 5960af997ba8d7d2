// What nspin exists to prevent, in one process: four threads and the main one
// wait for the next step, and the first to get it takes it. No chance but the
// kernel's scheduler decides who. The last step becomes nsenter.
import { loadLibc } from "./libc.ts";
import { addressOf, environment } from "./library.ts";

const THREADS = 4;
// Inside the binary, by its absolute name: a relative one is looked for in the cwd.
const WORKER = "/$bunfs/root/unpinned-worker.js";
const MS_BIND = 1 << 12;
const MS_PRIVATE = 1 << 18;
const CLONE_NEWNS = 1 << 17;
const STEPS = ["self-bind", "private", "unshare", "bind", "execute"] as const;

/** One run over these files, shared by the threads. turn: [busy, next step, then thread and namespace per step]. */
export interface Race {
  readonly turn: Int32Array<SharedArrayBuffer>;
  readonly hello: string;
  readonly world: string;
  readonly copy: string;
  readonly nsenter: string;
}

const BUSY = 0;
const NEXT = 1;
const ROWS = 2;

/** Becomes `nsenter --target TID --mount -- cp HELLO COPY`; throws where it cannot. */
export async function runUnpinned(hello: string, world: string, copy: string): Promise<void> {
  const nsenter = Bun.which("nsenter");
  if (nsenter === null) throw new Error("cannot find nsenter");
  const turn = new Int32Array(new SharedArrayBuffer(4 * (ROWS + 2 * STEPS.length)));
  const race: Race = { turn, hello, world, copy, nsenter };
  turn[BUSY] = 1;
  const workers = Array.from({ length: THREADS }, () => new Worker(WORKER));
  const ready = workers.map(
    (worker) => new Promise((resolve) => worker.addEventListener("message", resolve, { once: true })),
  );
  for (const worker of workers) worker.postMessage(race);
  await Promise.all(ready);
  const take = prepare(race);
  Atomics.store(turn, BUSY, 0);
  Atomics.notify(turn, BUSY);
  take();
  await Promise.all(
    workers.map(
      (worker) => new Promise((resolve) => worker.addEventListener("close", resolve, { once: true })),
    ),
  );
}

/** Loads the steps on this thread; what it returns takes steps for as long as there are any. */
export function prepare({ turn, hello, world, copy, nsenter }: Race): () => void {
  const { mount, unshare, execve, write, readlink, errno } = loadLibc(
    "mount",
    "unshare",
    "execve",
    "write",
    "readlink",
  );
  const bytes = (text: string) => Buffer.from(`${text}\0`);
  /** The last number in what the link says. */
  const numberIn = (link: string) => {
    const text = Buffer.alloc(64);
    readlink(bytes(link), text, text.length);
    return Number(/(\d+)\D*$/.exec(text.toString())?.[1]);
  };
  const thread = () => numberIn("/proc/thread-self");
  const mounts = () => numberIn("/proc/thread-self/ns/mnt"); // a proc inode: 32 bits
  const [helloBytes, worldBytes, nsenterBytes] = [bytes(hello), bytes(world), bytes(nsenter)];
  const words = [nsenter, "--target", String(thread()), "--mount", "--", "cp", hello, copy].map(bytes);
  const addresses = [...words.map((word) => BigInt(addressOf(word))), 0n];
  const argv = Object.assign(new BigUint64Array(addresses), { words }); // an address alone keeps no memory

  const calls: Record<(typeof STEPS)[number], () => number> = {
    "self-bind": () => mount(helloBytes, helloBytes, null, MS_BIND, null),
    private: () => mount(null, helloBytes, null, MS_PRIVATE, null),
    unshare: () => unshare(CLONE_NEWNS),
    bind: () => mount(worldBytes, helloBytes, null, MS_BIND, null),
    execute: () => {
      const report = Buffer.from(JSON.stringify(rows(turn)));
      write(1, report, report.length);
      return execve(nsenterBytes, argv, environment());
    },
  };

  return () => {
    for (;;) {
      if (Atomics.compareExchange(turn, BUSY, 0, 1) !== 0) {
        Atomics.wait(turn, BUSY, 1);
        continue;
      }
      const next = Atomics.load(turn, NEXT);
      const step = STEPS[next];
      if (step === undefined) return;
      trace(next);
      if (calls[step]() < 0) throw new Error(`${step} fails with errno ${errno()}`);
      trace(next);
      Atomics.store(turn, NEXT, next + 1);
      Atomics.store(turn, BUSY, 0);
      Atomics.notify(turn, BUSY);
    }
  };

  function trace(step: number): void {
    turn[ROWS + 2 * step] = thread();
    turn[ROWS + 2 * step + 1] = mounts() | 0;
  }
}

function rows(turn: Int32Array): { step: string; thread: number; mounts: number }[] {
  return STEPS.map((step, i) => ({
    step,
    thread: turn[ROWS + 2 * i] as number,
    mounts: (turn[ROWS + 2 * i + 1] as number) >>> 0,
  }));
}
