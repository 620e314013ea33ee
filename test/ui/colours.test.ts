/** The colours of states, as they are in tokens.css, and as they look to whoever sees no red or no green. */
import { readFileSync } from "node:fs";
import { describe, it } from "vitest";

type Triple = readonly [number, number, number];
type Matrix = readonly [Triple, Triple, Triple];

const CSS = readFileSync(new URL("../../ui/styles/tokens.css", import.meta.url), "utf8");
/** Of linear red, green and blue: Machado, Oliveira and Fernandes (2009), severity 1. */
const SIGHTS: Readonly<Record<string, Matrix>> = {
  "all colours": [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  "no green": [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  "no red": [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
};
const TO_XYZ: Matrix = [
  [0.4124564, 0.3575761, 0.1804375],
  [0.2126729, 0.7151522, 0.072175],
  [0.0193339, 0.119192, 0.9503041],
];
/** Of the difference in CIE L*a*b*: 2 is just seen side by side, 10 at a glance. */
const LEAST_DIFFERENCE = 10;
/** WCAG's for what is no text, and for text. */
const LEAST_CONTRAST = { glyph: 3, text: 4.5 } as const;
const WRITTEN_IN = new Set(["completed", "running", "pending", "late", "failed"]);

describe.for(["light", "dark"] as const)("in the %s, the colour of a state", (theme) => {
  const states = colours(theme, /--state-([a-z]+)/);
  const grounds = [...colours(theme, /--(ground|surface|sunken|hover)/).values()];

  it.for(Object.keys(SIGHTS))("is told from each other one by eyes that see %s", (sight, { expect }) => {
    const seen = [...states].map(([name, colour]) => ({ name, lab: lab(times(SIGHTS[sight] as Matrix, colour)) }));
    const alike = seen.flatMap((one, index) =>
      seen
        .slice(0, index)
        .filter((other) => Math.hypot(...minus(one.lab, other.lab)) < LEAST_DIFFERENCE)
        .map((other) => `${one.name}, ${other.name}`),
    );
    expect(seen).toHaveLength(9);
    expect(alike).toEqual([]);
  });

  it.for([...states])("is seen on every ground: %s", ([name, colour], { expect }) => {
    const least = WRITTEN_IN.has(name) ? LEAST_CONTRAST.text : LEAST_CONTRAST.glyph;
    for (const ground of grounds) expect(contrast(colour, ground)).toBeGreaterThanOrEqual(least);
  });
});

/** Linear red, green and blue by name. */
function colours(theme: "light" | "dark", name: RegExp): Map<string, Triple> {
  const found = CSS.matchAll(new RegExp(`${name.source}: light-dark\\((#\\w{6}), (#\\w{6})\\)`, "g"));
  return new Map(
    [...found].map(([, one = "", light = "", dark = ""]) => [one, linear(theme === "light" ? light : dark)]),
  );
}

function linear(hex: string): Triple {
  const part = (at: number): number => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return [part(1), part(3), part(5)];
}

function times(matrix: Matrix, [x, y, z]: Triple): Triple {
  const row = ([a, b, c]: Triple): number => Math.min(1, Math.max(0, a * x + b * y + c * z));
  return [row(matrix[0]), row(matrix[1]), row(matrix[2])];
}

function minus(one: Triple, other: Triple): Triple {
  return [one[0] - other[0], one[1] - other[1], one[2] - other[2]];
}

/** CIE L*a*b* under daylight (D65). */
function lab(colour: Triple): Triple {
  const root = (value: number): number =>
    value > 216 / 24_389 ? Math.cbrt(value) : ((24_389 / 27) * value + 16) / 116;
  const [x, y, z] = times(TO_XYZ, colour);
  const [fx, fy, fz] = [root(x / 0.95047), root(y), root(Math.min(1, z / 1.08883))];
  return [116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)];
}

function contrast(one: Triple, other: Triple): number {
  const [light = 0, dark = 0] = [one, other].map((colour) => times(TO_XYZ, colour)[1]).sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}
