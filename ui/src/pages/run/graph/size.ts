/** How large nodes are: as wide as their names want, within reason. */

export interface Size {
  width: number;
  height: number;
}

/** How wide a text is in one of the fonts of nodes. */
export type Measure = (text: string, font: "name" | "variable") => number;

/** What surrounds a name: borders, padding, the state's shape. */
const AROUND = { task: 51, group: 50, knot: 20 };
/** A sign behind a name. */
const SIGN = 20;
/** `×6,000` behind the name of a group, and the sign that it opens. */
const COUNT = 80;

export function taskSize(name: string, signs: number, measure: Measure): Size {
  return {
    width: within(measure(name, "name") + AROUND.task + signs * SIGN, 196, 340),
    height: 58,
  };
}

export function groupSize(label: string, measure: Measure): Size {
  return { width: within(measure(label, "name") + AROUND.group + COUNT, 196, 340), height: 76 };
}

export function knotSize(variable: string, measure: Measure): Size {
  return { width: within(measure(variable, "variable") + AROUND.knot, 120, 260), height: 26 };
}

function within(width: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, Math.ceil(width)));
}

/** Measures as the page draws. */
export function measurer(): Measure {
  const style = getComputedStyle(document.documentElement);
  const context = document.createElement("canvas").getContext("2d");
  const fonts = {
    name: `600 14px ${style.getPropertyValue("--font")}`,
    variable: `11.5px ${style.getPropertyValue("--mono")}`,
  };
  return (text, font) => {
    if (!context) return 0;
    context.font = fonts[font];
    return context.measureText(text).width;
  };
}
