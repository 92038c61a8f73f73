import { type RefObject, useEffect, useState } from "react";
import { type Colours, coloursOf } from "./paint";

/** The page's colours for a canvas, anew when the page turns light or dark. */
export function useColours(place: RefObject<HTMLElement | null>): Colours | undefined {
  const [colours, setColours] = useState<Colours>();
  useEffect(() => {
    const read = () => {
      const parent = place.current?.parentElement;
      if (parent) setColours(coloursOf(parent));
    };
    read();
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", read);
    const root = new MutationObserver(read);
    root.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => {
      dark.removeEventListener("change", read);
      root.disconnect();
    };
  }, [place]);
  return colours;
}
