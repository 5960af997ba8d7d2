// docs/soci.md is the script of this test: its fenced sh blocks, heading by heading.
import { fenced } from "../kit/document.ts";

const SETTINGS = "The task";

/** What differs from task to task: the variables of the document's first block. */
export type Settings = Record<"TASK" | "ENI" | "ADDRESS" | "GATEWAY" | "DNS" | "IMAGE" | "NSPIN", string>;

const sections = fenced("docs/soci.md", "sh");

/** Every heading that has commands, but for the settings'. */
export const headings = [...sections.keys()].filter((heading) => heading !== SETTINGS);

/** The headings whose commands were asked for. */
export const followed = new Set<string>();

/** The commands below one heading, with other settings than the document's. */
export function script(heading: string, settings: Settings): string {
  const commands = sections.get(heading);
  if (!commands) throw new Error(`docs/soci.md has no commands below "${heading}"`);
  const names = [...(sections.get(SETTINGS) ?? "").matchAll(/^(\w+)=/gm)].map(([, name]) => name);
  if (names.sort().join() !== Object.keys(settings).sort().join())
    throw new Error(`docs/soci.md sets ${names}`);
  followed.add(heading);
  const assignments = Object.entries(settings).map(([name, value]) => `${name}=${Bun.$.escape(value)}\n`);
  return `${assignments.join("")}${commands}`;
}
