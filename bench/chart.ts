// The starts as an SVG: a dot at the median, a line from the least to the 95th percentile. And how
// many of the covers are back after how long.
import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import type { ColdName } from "./cold.ts";
import { COLD_NAMES, type Figures, HOST_NAMES } from "./figures.ts";
import { NAMES, type Name } from "./names.ts";

const NSPIN: readonly string[] = [
  "launcher",
  "kept",
  "setns",
  "setnsKept",
  "run",
  "runKept",
] satisfies Name[];
const TEXT = "currentColor"; // by STYLE
const STYLE = "<style>svg{color:#1f2328}@media(prefers-color-scheme:dark){svg{color:#f0f6fc}}</style>";

const LEGEND = { orient: "bottom", labelColor: TEXT, labelFontSize: 12 } as const;
const CONFIG = {
  font: "sans-serif",
  view: { stroke: null },
  axis: {
    labelColor: TEXT,
    titleColor: TEXT,
    titleFontWeight: "normal",
    labelFontSize: 12,
    gridColor: "#8b949e",
    gridOpacity: 0.25,
  },
} as const;

/** A row for each who starts. */
const ROWS = { field: "by", type: "nominal", title: null, axis: { labelLimit: 0 } } as const;

function logarithmic(values: number[], more: { labelFlush?: boolean } = {}) {
  return { type: "quantitative", scale: { type: "log" }, axis: { values, format: "~g", ...more } } as const;
}

/** Each file in docs/. */
export async function toCharts(figures: Pick<Figures, "starts" | "again" | "cold" | "host">) {
  const { cold, host } = figures;
  return {
    "bench.svg": await toSvg(figures),
    "again.svg": await toAgainSvg(figures),
    ...(cold && { "first-start.svg": await toColdSvg(cold) }),
    ...(host && { "host.svg": await toHostSvg(host) }),
  };
}

async function toSvg({ starts }: Pick<Figures, "starts">): Promise<string> {
  const values = Object.entries(starts).map(([name, times]) => ({
    ...times,
    by: plain(NAMES[name as Name]),
    nspin: NSPIN.includes(name),
    label: times.median.toFixed(2),
  }));
  const color: { field: string; scale: { domain: boolean[]; range: string[] }; legend: null } = {
    field: "nspin",
    scale: { domain: [true, false], range: ["#2f81f7", "#8b949e"] },
    legend: null,
  };
  return draw({
    data: { values },
    height: { step: 24 },
    encoding: {
      y: { ...ROWS, sort: { field: "median" } },
      x: {
        field: "median",
        ...logarithmic([0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500], { labelFlush: false }),
        title: "ms, logarithmic: median, from the least to the 95th percentile",
      },
    },
    layer: [
      {
        mark: { type: "rule", strokeWidth: 2, opacity: 0.6 },
        encoding: { x: { field: "least", type: "quantitative" }, x2: { field: "high" }, color },
      },
      { mark: { type: "circle", size: 70, opacity: 1 }, encoding: { color } },
      { mark: { type: "text", dy: -8, fontSize: 10, color: TEXT }, encoding: { text: { field: "label" } } },
    ],
  });
}

/** Of the renames, in percent: after how long the program reads its own file again. */
async function toAgainSvg({ again }: Pick<Figures, "again">): Promise<string> {
  const lines = { idle: again.idle, "a loop on each CPU": again.busy, "rename(2) itself": again.rename };
  const values = Object.entries(lines).flatMap(([of, { percentiles }]) =>
    percentiles.map((us, percent) => ({ of, us, percent })),
  );
  return draw({
    data: { values },
    height: 220,
    mark: { type: "line", strokeWidth: 2 },
    encoding: {
      x: {
        field: "us",
        type: "quantitative",
        scale: { type: "symlog" },
        axis: { values: [0, 10, 100, 1000, 10_000, 100_000], format: "~s" },
        title: "us after the host's rename(2), 0 at its end",
      },
      y: { field: "percent", type: "quantitative", title: "% of 1000" },
      order: { field: "percent" },
      color: {
        field: "of",
        type: "nominal",
        title: null,
        scale: { range: ["#2f81f7", "#d29922", "#8b949e"], domain: Object.keys(lines) },
        legend: LEGEND,
      },
    },
  });
}

/** From a cold disk, and at once again. */
async function toColdSvg(cold: NonNullable<Figures["cold"]>): Promise<string> {
  const values = Object.entries(cold).flatMap(([name, { first, again }]) =>
    Object.entries({ "from a cold disk": first, "once more": again }).map(([start, { median }]) => ({
      by: plain(COLD_NAMES[name as ColdName]),
      start,
      median,
    })),
  );
  return draw({
    data: { values },
    height: { step: 24 },
    mark: { type: "circle", size: 70, opacity: 1 },
    encoding: {
      y: { ...ROWS, sort: { field: "median", op: "max" } },
      x: {
        field: "median",
        ...logarithmic([1, 10, 100, 1000, 10_000]),
        title: "ms, logarithmic",
      },
      color: {
        field: "start",
        type: "nominal",
        title: null,
        scale: { range: ["#2f81f7", "#8b949e"], domain: ["from a cold disk", "once more"] },
        legend: LEGEND,
      },
    },
  });
}

/** Until all programs run. */
async function toHostSvg(host: NonNullable<Figures["host"]>): Promise<string> {
  const values = host.flatMap(({ by, tasks, cold, warm }) =>
    Object.entries({ "from a cold disk": cold, "once more": warm }).map(([start, ms]) => ({
      by: plain(HOST_NAMES[by]),
      tasks,
      start,
      ms,
    })),
  );
  return draw({
    data: { values },
    height: 320,
    mark: { type: "line", strokeWidth: 2, point: true },
    encoding: {
      x: {
        field: "tasks",
        ...logarithmic([1, 10, 100, 200]),
        scale: { type: "log", domain: [1, 200] },
        title: "tasks at once",
      },
      y: {
        field: "ms",
        ...logarithmic([1, 10, 100, 1000, 10_000]),
        title: "ms until all run; dashed: once more",
      },
      strokeDash: { field: "start", type: "nominal", legend: null },
      color: {
        field: "by",
        type: "nominal",
        title: null,
        scale: {
          range: ["#2f81f7", "#39c5cf", "#a371f7", "#8b949e", "#d29922"],
          domain: Object.values(HOST_NAMES).map(plain),
        },
        legend: { ...LEGEND, columns: 1, labelLimit: 0 },
      },
    },
  });
}

/** Without marks of Markdown. */
function plain(name: string): string {
  return name.replaceAll(/[`*]/g, "");
}

async function draw(spec: TopLevelSpec): Promise<string> {
  const all: TopLevelSpec = { width: 420, background: "transparent", config: CONFIG, ...spec };
  const svg = await new View(parse(compile(all).spec), { renderer: "none" }).toSVG();
  return `${svg.replace(">", `>${STYLE}`)}\n`;
}
