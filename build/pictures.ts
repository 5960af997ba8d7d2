// docs/mounts/METHOD.svg, the mount trees of each method: what test/method/trees.ts has, drawn.
import { methods } from "../test/method/actions.ts";
import { type Mount, type Trees, trees } from "../test/method/trees.ts";

const BOX = { width: 212, height: 26, gap: 6 };
const COLUMNS = [8, 268] as const;
const TOP = 30;
const WIDTH = COLUMNS[1] + BOX.width + 8;
/** Legible on a light page and on a dark one. */
const STYLE = `
text{font:12px system-ui,sans-serif;fill:#1f2328}
.path{font-family:ui-monospace,monospace}
.what{text-anchor:end}
rect{fill:none;stroke:#8c959f}
.shared rect{stroke:#0969da}
.task rect{fill:#1a7f3733}
path{fill:none;stroke:#0969da}
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.shared rect,path{stroke:#4493f8}.task rect{fill:#3fb95055}}
`.replaceAll("\n", "");

/** The host's mounts, and the program's, from the bottom up: the topmost is what a path leads to. */
function draw({ host, program }: Trees): string {
  const floors = Math.max(host.length, program.length);
  const height = TOP + floors * (BOX.height + BOX.gap) + 4;
  const y = (floor: number) => TOP + (floors - 1 - floor) * (BOX.height + BOX.gap);
  const box = (x: number, { at, propagation, shows }: Mount, floor: number) => {
    const classes = [propagation, ...(shows === "the task's" ? ["task"] : [])].join(" ");
    return `<g class="${classes}"><rect x="${x}" y="${y(floor)}" width="${BOX.width}" height="${BOX.height}" rx="4"/>
<text class="path" x="${x + 8}" y="${y(floor) + 17}">${at}</text>
<text class="what" x="${x + BOX.width - 8}" y="${y(floor) + 17}">${shows}</text></g>`;
  };
  const middle = (floor: number) => y(floor) + BOX.height / 2;
  const isPeer = ({ propagation }: Mount) => propagation === "shared";
  const peers = host.some(isPeer) ? program.flatMap((mount, floor) => (isPeer(mount) ? [floor] : [])) : [];
  const lines = peers.map(
    (floor) => `<path d="M${COLUMNS[0] + BOX.width} ${middle(0)}L${COLUMNS[1]} ${middle(floor)}"/>`,
  );
  const titles = ["host", "program"].map((title, i) => `<text x="${COLUMNS[i]}" y="18">${title}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}">
<style>${STYLE}</style>
${[...titles, ...lines, ...host.map((one, i) => box(COLUMNS[0], one, i)), ...program.map((one, i) => box(COLUMNS[1], one, i))].join("\n")}
</svg>
`;
}

/** Each file's path, and what shall be in it. */
export const pictures: ReadonlyMap<string, string> = new Map(
  methods.map((method) => [`docs/mounts/${method}.svg`, draw(trees[method])]),
);

if (import.meta.main) for (const [file, text] of pictures) await Bun.write(file, text);
