/** How large nodes are: as wide as their names want, within reason. */

import { type Measure, measurer } from "../../../graph/measure";

export interface Size {
  width: number;
  height: number;
}

/** How wide texts are in the fonts of nodes. */
export interface Measures {
  name: Measure;
  variable: Measure;
}

/** What surrounds a name: borders, padding, the state's shape. */
const AROUND = { task: 51, group: 50, knot: 20 };
/** A sign behind a name. */
const SIGN = 20;
/** `×6,000` behind the name of a group, and the sign that it opens. */
const COUNT = 80;

export function taskSize(name: string, signs: number, measure: Measures): Size {
  return {
    width: within(measure.name(name) + AROUND.task + signs * SIGN, 196, 340),
    height: 58,
  };
}

export function groupSize(label: string, measure: Measures): Size {
  return { width: within(measure.name(label) + AROUND.group + COUNT, 196, 340), height: 76 };
}

export function knotSize(variable: string, measure: Measures): Size {
  return { width: within(measure.variable(variable) + AROUND.knot, 120, 260), height: 26 };
}

function within(width: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, Math.ceil(width)));
}

/** Measures in the fonts of the nodes' style. */
export function measures(): Measures {
  return { name: measurer("600 14px", "--font"), variable: measurer("11.5px", "--mono") };
}
