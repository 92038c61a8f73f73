/** Light or dark: the system's choice, or one's own. */

import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";

/** Read by `public/theme.js` before the first paint. */
const KEY = "loom.theme";
const listeners = new Set<() => void>();

function chosen(): Theme {
  const kept = localStorage.getItem(KEY);
  return kept === "light" || kept === "dark" ? kept : "system";
}

/** Chooses, in this tab and in all others to come. */
export function choose(theme: Theme): void {
  if (theme === "system") localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, theme);
  show();
}

function show(): void {
  const theme = chosen();
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  // Another tab may choose.
  if (listeners.size === 0) window.addEventListener("storage", show);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) window.removeEventListener("storage", show);
  };
}

/** What is chosen. */
export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, chosen);
}
