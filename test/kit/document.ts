// The documents are scripts of the tests: their fenced blocks, heading by heading.
import { readFileSync } from "node:fs";

/** What is fenced as LANGUAGE below each heading. The path is from the repository. */
export function fenced(path: string, language: string): Map<string, string> {
  const sections = readFileSync(`${import.meta.dir}/../../${path}`, "utf8")
    .split(/^## /m)
    .slice(1);
  const block = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms");
  const texts = sections.map((section): [string, string] => [
    section.slice(0, section.indexOf("\n")),
    [...section.matchAll(block)].map(([, text]) => text).join(""),
  ]);
  return new Map(texts.filter(([, text]) => text !== ""));
}

/** docs/cloud-init.md's user-data, as it is there, and the files that it has cloud-init write. */
export const userData = [...fenced("docs/cloud-init.md", "yaml").values()].join("");
export const userFiles = (Bun.YAML.parse(userData) as { write_files: { path: string; content: string }[] })
  .write_files;
