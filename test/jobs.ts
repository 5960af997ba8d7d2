// Commands beside each other: in which order, what they print, how many passed.
import { availableParallelism } from "node:os";

interface Job {
  readonly title: string;
  readonly command: string[];
  /** Of those that wait, the one with the lowest goes first. */
  readonly rank: number;
}

/** One more than there are processors: there is always one that waits, for a daemon or until something has not happened. */
const AT_ONCE = availableParallelism() + 1;

export class Jobs {
  passed = 0;
  failed = 0;
  #free = AT_ONCE;
  readonly #waiting: { rank: number; begin: () => void }[] = [];

  /** isLive: what a job prints is passed on as it comes, and not whole when it has ended. */
  constructor(private readonly isLive: boolean) {}

  async one(job: Job): Promise<void> {
    const { ok } = await this.#run(job);
    ok ? this.passed++ : this.failed++;
  }

  /** A `bun test`, or what ends as that does: one that cannot start, or skips, or ends oddly, has failed. */
  async suite(job: Job): Promise<void> {
    const { stderr, ok } = await this.#run(job);
    const count = (word: string) => Number(new RegExp(`^ *(\\d+) ${word}$`, "m").exec(stderr)?.[1] ?? 0);
    const bad = count("fail") + count("skip") + count("todo");
    this.passed += count("pass");
    this.failed += bad > 0 ? bad : ok && count("pass") > 0 ? 0 : 1;
  }

  async #run({ title, command, rank }: Job) {
    await this.#turn(rank);
    const start = Date.now();
    const printed: Uint8Array[] = [];
    const print = (bytes: Uint8Array) => (this.isLive ? process.stdout.write(bytes) : printed.push(bytes));
    try {
      if (this.isLive) console.log(`--- ${title}`);
      const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
      const read = [passOn(child.stdout, print), passOn(child.stderr, print)] as const;
      const [, stderr, status] = await Promise.all([...read, child.exited]);
      if (!this.isLive) {
        console.log(`--- ${title}, ${((Date.now() - start) / 1000).toFixed()} s`);
        for (const bytes of printed) process.stdout.write(bytes);
      }
      return { stderr, ok: status === 0 };
    } finally {
      const next = this.#waiting.shift();
      next === undefined ? this.#free++ : next.begin();
    }
  }

  /** Of the same rank who comes first goes first. */
  async #turn(rank: number): Promise<void> {
    if (this.#free > 0) this.#free--;
    else
      await new Promise<void>((begin) => {
        const before = this.#waiting.filter((other) => other.rank <= rank).length;
        this.#waiting.splice(before, 0, { rank, begin });
      });
  }
}

async function passOn(stream: ReadableStream<Uint8Array>, print: (bytes: Uint8Array) => unknown) {
  const decoder = new TextDecoder();
  let all = "";
  for await (const bytes of stream) {
    print(bytes);
    all += decoder.decode(bytes, { stream: true });
  }
  return all;
}
