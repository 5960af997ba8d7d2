// nspin probe: the calls that doctor asks for, in a process that a filter may kill; not for users.
import { probe as probeCalls } from "../doctor/calls.ts";
import { type Command, DONE } from "./command.ts";

export const probe: Command = {
  meta: { name: "probe", hidden: true },
  usage: "",
  examples: [],
  statuses: DONE,
  args: {},
  action([, ...skipped]) {
    probeCalls(skipped);
    return 0;
  },
};
