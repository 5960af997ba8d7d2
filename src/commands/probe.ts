// nspin probe: the calls that doctor asks for, in a process that a filter may kill; not for users.
import { probe as probeCalls } from "../doctor/calls.ts";
import { hidden } from "./hidden.ts";

export const probe = hidden("probe", "", ([_dashes, ...skipped]) => {
  probeCalls(skipped);
  return 0;
});
