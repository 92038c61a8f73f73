import { type CSSProperties, type ReactNode, useEffect } from "react";
import styles from "./kit.module.css";

/** A page: its title, which names the tab too, what can be done here, and the rest. */
export function Page(props: { title: string; actions?: ReactNode; children: ReactNode }) {
  const { title, actions, children } = props;
  useTitle(title);
  return (
    <div className={styles.page}>
      <div className={styles.pageHead}>
        <h1>{title}</h1>
        {actions && <div className={styles.actions}>{actions}</div>}
      </div>
      {children}
    </div>
  );
}

/** Names the tab. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Loomwork`;
  }, [title]);
}

/** A box on a page. */
export function Card({ children, className }: { children: ReactNode; className?: string }) {
  return (
    <section className={[styles.card, className].filter(Boolean).join(" ")}>{children}</section>
  );
}

/**
 * A table in a box that scrolls sideways where it is wider than the window. On a phone its rows
 * stand as cards, each cell behind the word that heads its column.
 */
export function Table(props: { head: ReactNode[]; caption: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keys
    <section className={styles.tableWrap} aria-label={props.caption} tabIndex={0}>
      <table className={styles.table} style={headings(props.head)}>
        <caption className="visually-hidden">{props.caption}</caption>
        <thead>
          <tr>
            {props.head.map((cell, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the columns of a table do not move
              <th key={at} scope="col">
                {cell}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{props.children}</tbody>
      </table>
    </section>
  );
}

/** What heads the columns, for the style of narrow windows: a cell cannot see the head of its column. */
function headings(head: ReactNode[]): CSSProperties {
  const style: Record<string, string> = {};
  head.forEach((cell, at) => {
    if (typeof cell !== "string") return;
    style[`--head-${at + 1}`] = JSON.stringify(cell);
    style[`--indent-${at + 1}`] = "108px";
  });
  return style;
}
