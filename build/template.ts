// A text with @marks@, each of them filled in.
import { readFileSync } from "node:fs";

/** What stands for a mark alone on its line has the line's indentation in it. Throws for a mark without a text. */
export function fill(file: string, marks: Readonly<Record<string, string>>): string {
  return readFileSync(file, "utf8").replaceAll(/(?:^ *)?@([a-z]+)@/gm, (_, mark: string) => {
    const text = marks[mark];
    if (text === undefined) throw new Error(`${file}: nothing for @${mark}@`);
    return text;
  });
}
