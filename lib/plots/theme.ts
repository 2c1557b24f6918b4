/**
 * One colour and one label per design, per verdict and per layer, in every chart and in every terminal twin.
 *
 * The design colours are those of Okabe and Ito (blue, sky blue, bluish green, orange, reddish purple) completed by
 * light grey, wine and brown; a test holds them apart under simulated protanopia, deuteranopia and tritanopia.
 * Vermillion, yellow and near black are kept for verdicts, violets for layers, so a colour never means two things.
 * Colour is never the only carrier: verdicts have a symbol, designs their label.
 *
 * A name that is not listed gets a colour made from the name itself: the same everywhere, and no file to touch.
 *
 * @module
 */

/** How a design appears. */
export interface DesignStyle {
  /** Short name for axes and tables. */
  readonly label: string;
  /** `#rrggbb`. */
  readonly colour: string;
}

/** Styles that a terminal can show without knowing its background: names of SGR attributes. */
export type TerminalStyle = "plain" | "dim" | "green" | "yellow" | "bold-yellow" | "bold-red" | "inverse";

/** How a verdict appears. */
export interface VerdictStyle {
  /** Words for the legend. */
  readonly label: string;
  /** One character, one column wide. */
  readonly symbol: string;
  /** Colour of the area, `#rrggbb`. */
  readonly fill: string;
  /** Colour of text on that area, `#rrggbb`. */
  readonly ink: string;
  readonly terminal: TerminalStyle;
}

/** How a layer (who pays) appears. */
export interface LayerStyle {
  readonly label: string;
  readonly colour: string;
  /** One character that fills its part of a bar in the terminal. */
  readonly symbol: string;
}

/** Names of the font in pictures; front ends without it take the next one. */
export const FONT = "DejaVu Sans, Verdana, sans-serif";

/** Size of a title's letters. */
export const TITLE_SIZE = 14;

/** Size of a subtitle's letters. */
export const SUBTITLE_SIZE = 11;

/** Colours of everything that is not data. */
export const PAPER = {
  background: "#ffffff",
  text: "#1a1a1a",
  quietText: "#595959",
  line: "#8c8c8c",
  grid: "#e3e3e3",
} as const;

const DESIGNS: Readonly<Record<string, DesignStyle>> = {
  classic2005: { label: "classic 2005", colour: "#bdbdbd" },
  linux3_19: { label: "Linux 3.19", colour: "#e69f00" },
  draft_b: { label: "draft B 2014", colour: "#cc79a7" },
  seed2014: { label: "seed 2014", colour: "#882255" },
  vma_pages_v1: { label: "vma pages v1", colour: "#009e73" },
  linux4_0: { label: "Linux 4.0", colour: "#56b4e9" },
  linux6_1: { label: "Linux 6.1", colour: "#0072b2" },
  linux7_1: { label: "Linux 7.1", colour: "#805020" },
};

// Three families: right is pale, an error that was reported is yellow, a wrong answer without an error is vermillion.
const VERDICTS: Readonly<Record<string, VerdictStyle>> = {
  ok: { label: "right page", symbol: "✓", fill: "#d5ebe2", ink: "#1a4d3c", terminal: "green" },
  "no-page": { label: "EFAULT (unmapped)", symbol: "∅", fill: "#f0f0f0", ink: "#595959", terminal: "dim" },
  "wrong-page": { label: "wrong page", symbol: "✗", fill: "#d55e00", ink: "#ffffff", terminal: "bold-red" },
  "stale-translation": {
    label: "stale translation",
    symbol: "≈",
    fill: "#b04a00",
    ink: "#ffffff",
    terminal: "bold-red",
  },
  "leaked-pin": { label: "leaked pin", symbol: "+", fill: "#e58a4a", ink: "#1a1a1a", terminal: "bold-red" },
  "lost-update": { label: "lost update", symbol: "−", fill: "#8a3a00", ink: "#ffffff", terminal: "bold-red" },
  errno: { label: "errno", symbol: "!", fill: "#f0e442", ink: "#1a1a1a", terminal: "bold-yellow" },
  status: { label: "grant status", symbol: "g", fill: "#f7ee8f", ink: "#1a1a1a", terminal: "yellow" },
  signal: { label: "signal", symbol: "s", fill: "#d9cc2e", ink: "#1a1a1a", terminal: "bold-yellow" },
  crash: { label: "crash", symbol: "†", fill: "#222222", ink: "#ffffff", terminal: "inverse" },
};

/** Order of verdicts in legends: right answers, then silent wrong ones, then reported ones, then crashes. */
const VERDICT_ORDER: readonly string[] = Object.keys(VERDICTS);

// One violet from light to dark, so that the order of luminance is the order of depth in the machine.
const LAYERS: Readonly<Record<string, LayerStyle>> = {
  user: { label: "user", colour: "#d8d2ea", symbol: "░" },
  kernel: { label: "Linux", colour: "#9b8ec4", symbol: "▒" },
  linux: { label: "Linux", colour: "#9b8ec4", symbol: "▒" },
  xen: { label: "Xen", colour: "#4b3b82", symbol: "▓" },
  hw: { label: "hardware", colour: "#1f1638", symbol: "█" },
};

const LAYER_ORDER: readonly string[] = Object.keys(LAYERS);

/**
 * Colour and label of a design; an unknown name is its own label and gets a colour made from the name.
 *
 * @example
 * ```ts
 * import { designStyle } from "grantlab/plots";
 * if (designStyle("linux6_1").colour !== "#0072b2") throw new Error();
 * if (designStyle("toy").colour !== designStyle("toy").colour) throw new Error();
 * ```
 */
export function designStyle(name: string): DesignStyle {
  return own(DESIGNS, name) ?? { label: name, colour: colourOfName(name) };
}

/** Names of the designs that have a colour of their own, oldest first. */
export function knownDesigns(): string[] {
  return Object.keys(DESIGNS);
}

/** Colours, symbol and label of a verdict; an unknown one is grey with a question mark. */
export function verdictStyle(name: string): VerdictStyle {
  return own(VERDICTS, name) ??
    { label: name, symbol: "?", fill: "#b3b3b3", ink: "#1a1a1a", terminal: "yellow" };
}

/** Colour and label of a layer; an unknown one gets a colour made from its name. */
export function layerStyle(name: string): LayerStyle {
  return own(LAYERS, name) ?? { label: name, colour: colourOfName(name), symbol: name.slice(0, 1) || "?" };
}

/** The distinct verdicts of a chart in the order of its legend. */
export function orderVerdicts(names: Iterable<string>): string[] {
  return ordered(names, VERDICT_ORDER);
}

/** The distinct layers of a chart in the order of its bars. */
export function orderLayers(names: Iterable<string>): string[] {
  return ordered(names, LAYER_ORDER);
}

/** Vega-Lite configuration shared by all charts. */
export function chartConfig(): Record<string, unknown> {
  const label = { labelColor: PAPER.text, labelFontSize: 11, titleColor: PAPER.text, titleFontSize: 11 };
  return {
    background: PAPER.background,
    font: FONT,
    view: { stroke: null },
    axis: {
      ...label,
      titleFontWeight: "normal",
      domainColor: PAPER.line,
      tickColor: PAPER.line,
      gridColor: PAPER.grid,
    },
    legend: { ...label, titleFontWeight: "normal", labelLimit: 240 },
    title: {
      anchor: "start",
      frame: "group",
      color: PAPER.text,
      fontSize: TITLE_SIZE,
      fontWeight: "bold",
      subtitleColor: PAPER.quietText,
      subtitleFontSize: SUBTITLE_SIZE,
      subtitlePadding: 4,
      offset: 12,
    },
  };
}

function ordered(names: Iterable<string>, order: readonly string[]): string[] {
  const place = (name: string) => order.includes(name) ? order.indexOf(name) : order.length;
  return [...new Set(names)].sort((a, b) => place(a) - place(b) || (a < b ? -1 : a > b ? 1 : 0));
}

function own<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** FNV-1a over the name picks hue and lightness; saturation is lower than that of any listed colour. */
function colourOfName(name: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0;
  return hexOfHsl(hash % 360, 0.42, [0.36, 0.48, 0.6][(hash >>> 16) % 3]!);
}

function hexOfHsl(hue: number, saturation: number, lightness: number): string {
  const reach = saturation * Math.min(lightness, 1 - lightness);
  const channel = (n: number) => {
    const k = (n + hue / 30) % 12;
    const value = lightness - reach * Math.max(-1, Math.min(k - 3, 9 - k, 1));
    return Math.round(255 * value).toString(16).padStart(2, "0");
  };
  return `#${channel(0)}${channel(8)}${channel(4)}`;
}
