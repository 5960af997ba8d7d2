// nspin unpinned: one run of `selftest --unpinned`, in a process of its own; not for users.
import { Refusal } from "../errors.ts";
import { runUnpinned } from "../unpinned.ts";
import type { Command } from "./command.ts";

export const unpinned: Command = {
  meta: { name: "unpinned", hidden: true },
  usage: "HELLO WORLD COPY",
  examples: [],
  statuses: {},
  args: {},
  async action(words) {
    const [hello, world, copy, ...more] = words;
    if (hello === undefined || world === undefined || copy === undefined || more.length > 0) {
      throw new Refusal("unpinned takes HELLO WORLD COPY", "it is a part of 'nspin selftest --unpinned'");
    }
    await runUnpinned(hello, world, copy);
    return 0;
  },
};
