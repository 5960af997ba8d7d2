// A shell at a terminal of its own, as a user sits at it.

export class Terminal {
  #seen = "";
  readonly #child;

  constructor(command: readonly string[], columns = 200) {
    this.#child = Bun.spawn([...command], {
      env: { ...process.env, TERM: "dumb" },
      terminal: {
        cols: columns,
        rows: 50,
        data: (_, data) => {
          this.#seen += Buffer.from(data).toString();
        },
      },
    });
  }

  get seen(): string {
    return this.#seen;
  }

  type(keys: string): void {
    this.#child.terminal?.write(keys);
  }

  /** What was printed from now on, up to what matches; throws after 10 s. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    const end = Date.now() + 10_000;
    for (;;) {
      const found = pattern.exec(this.#seen);
      if (found !== null) {
        this.#seen = this.#seen.slice(found.index + found[0].length);
        return found;
      }
      if (Date.now() > end) throw new Error(`waited for ${pattern} at ${JSON.stringify(this.#seen)}`);
      await Bun.sleep(10);
    }
  }

  async close(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}
