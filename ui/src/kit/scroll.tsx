import type { ReactNode, Ref, WheelEventHandler } from "react";

interface Props {
  /** What is in it, for those who do not see it. */
  label: string;
  className?: string | undefined;
  ref?: Ref<HTMLElement>;
  onWheel?: WheelEventHandler;
  children: ReactNode;
}

/** A part of the page that scrolls by itself, by keys too. */
export function Scroll({ label, children, ...rest }: Props) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keys
    <section tabIndex={0} aria-label={label} {...rest}>
      {children}
    </section>
  );
}
