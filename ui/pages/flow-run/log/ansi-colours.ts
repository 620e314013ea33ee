/**
 * The colour of a terminal that comes nearest to one of its 256 or of all: by hue, since how light it may be depends on
 * the ground, which is light or dark here. What has hardly any hue is grey when dark, and plain when light.
 */

/** Values of red, green and blue in the cube of 6 by 6 by 6 colours from number 16 on. */
const CUBE_STEPS = [0, 95, 135, 175, 215, 255] as const;
/** From number 232 on: 24 greys. */
const GREYS_FROM = 232;
/** Between the greatest and the least of red, green and blue; less is grey. */
const LEAST_HUE = 40;
/** Above it a grey is near enough to white to be plain text. */
const LIGHT_GREY = 160;
/** Red, yellow, green, cyan, blue, magenta: each holds for the 60 degrees around its hue. */
const HUES = [31, 33, 32, 36, 34, 35] as const;

/** "ansi-30" to "ansi-37", or "" for plain text. */
export function colourOf256(number: number): string {
  if (number < 16) return `ansi-${30 + (number % 8)}`;
  if (number >= GREYS_FROM) return grey(8 + (number - GREYS_FROM) * 10);
  const cube = number - 16;
  const step = (index: number): number => CUBE_STEPS[index % 6] ?? 0;
  return colourOfRgb(step(Math.floor(cube / 36)), step(Math.floor(cube / 6)), step(cube));
}

/** As {@link colourOf256}, of red, green and blue between 0 and 255. */
export function colourOfRgb(red: number, green: number, blue: number): string {
  const most = Math.max(red, green, blue);
  const range = most - Math.min(red, green, blue);
  if (range < LEAST_HUE) return grey(most);
  const turn =
    most === red ? (green - blue) / range : most === green ? 2 + (blue - red) / range : 4 + (red - green) / range;
  return `ansi-${HUES[(Math.round(turn) + 6) % 6] ?? 31}`;
}

function grey(lightness: number): string {
  return lightness > LIGHT_GREY ? "" : "ansi-30";
}
