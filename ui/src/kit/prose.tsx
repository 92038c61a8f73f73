/** A text with `code` in it, as the server writes messages and descriptions. */
export function Prose({ text }: { text: string }) {
  return text.split("`").map((part, at) =>
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text do not move
    at % 2 === 1 ? <code key={at}>{part}</code> : part,
  );
}
