// The starts as an SVG: a dot at the median, a line from the least to the 95th percentile. And how
// many of the covers are back after how long.
import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { type Figures, NAMES, type Name } from "./figures.ts";

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

export async function toSvg({ starts }: Pick<Figures, "starts">): Promise<string> {
  const values = Object.entries(starts).map(([name, times]) => ({
    ...times,
    by: NAMES[name as Name].replaceAll(/[`*]/g, ""),
    nspin: NSPIN.includes(name),
    label: times.median.toFixed(2),
  }));
  const color: { field: string; scale: { domain: boolean[]; range: string[] }; legend: null } = {
    field: "nspin",
    scale: { domain: [true, false], range: ["#2f81f7", "#8b949e"] },
    legend: null,
  };
  const spec: TopLevelSpec = {
    data: { values },
    background: "transparent",
    width: 420,
    height: { step: 24 },
    encoding: {
      y: { field: "by", type: "nominal", sort: { field: "median" }, title: null, axis: { labelLimit: 0 } },
      x: {
        field: "median",
        type: "quantitative",
        scale: { type: "log" },
        axis: {
          values: [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500],
          format: "~g",
          labelFlush: false,
        },
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
    config: CONFIG,
  };
  return draw(spec);
}

/** Of the renames, in percent: after how long the program reads its own file again. */
export async function toAgainSvg({ again }: Pick<Figures, "again">): Promise<string> {
  const lines = { idle: again.idle, "a loop on each CPU": again.busy, "rename(2) itself": again.rename };
  const values = Object.entries(lines).flatMap(([of, { percentiles }]) =>
    percentiles.map((us, percent) => ({ of, us, percent })),
  );
  return draw({
    data: { values },
    background: "transparent",
    width: 420,
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
        legend: { orient: "bottom", labelColor: TEXT, labelFontSize: 12 },
      },
    },
    config: CONFIG,
  });
}

async function draw(spec: TopLevelSpec): Promise<string> {
  const svg = await new View(parse(compile(spec).spec), { renderer: "none" }).toSVG();
  return `${svg.replace(">", `>${STYLE}`)}\n`;
}
