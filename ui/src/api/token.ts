/** The token that requests show. It lives as long as the tab, or longer if its owner wants so. */

const KEY = "loom.token";
const listeners = new Set<() => void>();

/** The token, if somebody signed in. */
export function token(): string | null {
  return sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY);
}

/** Shows this token from now on; `keep` outlives the tab. */
export function setToken(value: string, keep: boolean): void {
  forget();
  (keep ? localStorage : sessionStorage).setItem(KEY, value);
  tell();
}

/** Shows no token any more. */
export function forgetToken(): void {
  if (token() === null) return;
  forget();
  tell();
}

/** Called whenever the token changes; answers with how to end that. */
export function onToken(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function forget(): void {
  sessionStorage.removeItem(KEY);
  localStorage.removeItem(KEY);
}

function tell(): void {
  for (const listener of listeners) listener();
}
