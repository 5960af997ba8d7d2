// What nspin exists to prevent, in one process: four threads and the main one
// wait for the next step, and the first to get it takes it. No chance but the
// kernel's scheduler decides who. The last step becomes nsenter.
import { addressOf, load, record } from "./library.ts";

const THREADS = 4;
// Inside the binary, by its absolute name: a relative one is looked for in the cwd.
const WORKER = "/$bunfs/root/unpinned-worker.js";
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
  const steps = load(
    "unpinned_self_bind",
    "unpinned_private",
    "unpinned_unshare",
    "unpinned_bind",
    "unpinned_execute",
    "unpinned_thread",
    "unpinned_mounts",
  );
  const bytes = (text: string) => Buffer.from(`${text}\0`);
  const [helloBytes, worldBytes] = [bytes(hello), bytes(world)];
  const words = [
    nsenter,
    "--target",
    String(steps.unpinned_thread()),
    "--mount",
    "--",
    "cp",
    hello,
    copy,
  ].map(bytes);
  const argv = new BigUint64Array([...words.map((word) => BigInt(addressOf(word))), 0n]);

  const calls: Record<(typeof STEPS)[number], () => number> = {
    "self-bind": () => steps.unpinned_self_bind(helloBytes),
    private: () => steps.unpinned_private(helloBytes),
    unshare: () => steps.unpinned_unshare(),
    bind: () => steps.unpinned_bind(worldBytes, helloBytes),
    execute: () => {
      const report = Buffer.from(JSON.stringify(rows(turn)));
      return steps.unpinned_execute(report, report.byteLength, argv, record as never);
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
      const result = calls[step]();
      if (result < 0) throw new Error(`${step} fails with errno ${-result}`);
      trace(next);
      Atomics.store(turn, NEXT, next + 1);
      Atomics.store(turn, BUSY, 0);
      Atomics.notify(turn, BUSY);
    }
  };

  function trace(step: number): void {
    turn[ROWS + 2 * step] = steps.unpinned_thread();
    turn[ROWS + 2 * step + 1] = steps.unpinned_mounts() | 0;
  }
}

function rows(turn: Int32Array): { step: string; thread: number; mounts: number }[] {
  return STEPS.map((step, i) => ({
    step,
    thread: turn[ROWS + 2 * i] as number,
    mounts: (turn[ROWS + 2 * i + 1] as number) >>> 0,
  }));
}
