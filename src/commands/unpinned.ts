// nspin unpinned: one run of `selftest --unpinned`, in a process of its own; not for users.
import { Refusal } from "../errors.ts";
import { runUnpinned } from "../unpinned.ts";
import { hidden } from "./hidden.ts";

const USAGE = "HELLO WORLD COPY";

export const unpinned = hidden("unpinned", USAGE, async (words) => {
  const [hello, world, copy, ...more] = words;
  if (hello === undefined || world === undefined || copy === undefined || more.length > 0)
    throw new Refusal(`unpinned takes ${USAGE}`, "it is a part of 'nspin selftest --unpinned'");
  await runUnpinned(hello, world, copy);
  return 0;
});
