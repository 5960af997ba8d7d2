// How a unit can start a snapshotter in a task's network: nspin, and the others.
import { writeFileSync } from "node:fs";
import { published } from "../published.ts";
import type { Options } from "./scenario.ts";

export const ways: Record<string, Pick<Options, "nspin" | "way">> = {
  "nspin run (auto)": { nspin: "--method auto" },
  "nspin run --method rejoin": { nspin: "--method rejoin" },
  "nspin run --method overlay": { nspin: "--method overlay" },
  "nspin run --method pin": { nspin: "--method pin" },
  "the published sequence": {
    nspin: "--method rejoin",
    way: (task, program) => {
      writeFileSync(`/run/published-${task}`, published(task));
      return `ExecStart=sh /run/published-${task} ${program}`;
    },
  },
  "ip netns exec": {
    nspin: "--method rejoin",
    way: (task, program) => `ExecStart=ip netns exec ${task} ${program}`,
  },
  "systemd: NetworkNamespacePath=, BindReadOnlyPaths=": {
    nspin: "--method rejoin",
    way: (task, program) =>
      [
        `NetworkNamespacePath=/run/netns/${task}`,
        `BindReadOnlyPaths=/etc/netns/${task}/resolv.conf:/etc/resolv.conf`,
        `ExecStart=${program}`,
      ].join("\n"),
  },
};
