// How a unit can start a snapshotter in a task's network: nspin, and the others.
import { published } from "../published.ts";

/** Lines of a unit's [Service] that start this command line. */
type Way = (task: string, program: string) => string;

const nspin =
  (options: string): Way =>
  (task, program) =>
    `ExecStart=nspin run --netns ${task} ${options} -- ${program}`;

export const ways: Record<string, Way> = {
  "nspin run (auto)": nspin("--method auto"),
  "nspin run --method rejoin": nspin("--method rejoin"),
  "nspin run --method overlay": nspin("--method overlay"),
  "nspin run --method pin": nspin("--method pin"),
  "the published sequence": (task, program) => `ExecStart=/run/published-${task} ${program}`,
  "ip netns exec": (task, program) => `ExecStart=ip netns exec ${task} ${program}`,
  "NetworkNamespacePath=, BindReadOnlyPaths=": (task, program) =>
    [
      `NetworkNamespacePath=/run/netns/${task}`,
      `BindReadOnlyPaths=/etc/netns/${task}/resolv.conf:/etc/resolv.conf`,
      `ExecStart=${program}`,
    ].join("\n"),
};

/** The published sequence as a program: a unit's command line has no room for a script. */
export function publishedProgram(task: string): string {
  return `#!/bin/sh\nset -- "$@"\n${published(task)}`;
}
