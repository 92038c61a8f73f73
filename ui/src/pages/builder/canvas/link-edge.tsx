import { BaseEdge, type Edge, type EdgeProps, getBezierPath } from "@xyflow/react";
import { memo } from "react";
import type { Link } from "../document/view";
import styles from "./canvas.module.css";

export interface LinkData extends Record<string, unknown> {
  link: Link;
}

export type LinkFlowEdge = Edge<LinkData, "link">;

const MOST = 3;

/** What a link says of itself; an order is seen by its dashes. */
export function labelOf({ variables }: Link): string {
  const more = variables.length - MOST;
  return variables.slice(0, MOST).join(", ") + (more > 0 ? ` +${more}` : "");
}

/** A link: drawn through for a variable, with its name; dashed for an order; dotted where an end waits for all. */
export const LinkEdge = memo(function LinkEdge(props: EdgeProps<LinkFlowEdge>) {
  const { id, data, selected, markerEnd } = props;
  const [path, x, y] = getBezierPath({ ...props, curvature: 0.3 });
  if (!data) return null;
  return (
    <g className={styles.link} data-kind={data.link.kind} data-selected={selected}>
      <BaseEdge id={id} path={path} interactionWidth={18} {...(markerEnd && { markerEnd })} />
      <text x={x} y={y} className={styles.linkLabel} textAnchor="middle" dominantBaseline="middle">
        {labelOf(data.link)}
      </text>
    </g>
  );
});
