/** How wide words are as the page draws them. */

/** The width of a text. */
export type Measure = (text: string) => number;

/** Measures texts in a font such as `600 14px` of one of the page's families. */
export function measurer(size: string, family: "--font" | "--mono"): Measure {
  const named = getComputedStyle(document.documentElement).getPropertyValue(family);
  const context = document.createElement("canvas").getContext("2d");
  if (!context) return () => 0;
  context.font = `${size} ${named}`;
  return (text) => context.measureText(text).width;
}

/** The text, cut where it is wider than there is room. */
export function cutTo(room: number, text: string, measure: Measure): string {
  if (measure(text) <= room) return text;
  let end = text.length - 1;
  while (end > 1 && measure(`${text.slice(0, end)}…`) > room) end -= 1;
  return `${text.slice(0, end)}…`;
}
