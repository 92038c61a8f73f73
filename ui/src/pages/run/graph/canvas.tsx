/** What lies under the nodes: arrows, and from afar the nodes themselves. */

import { useStore } from "@xyflow/react";
import { useEffect, useRef } from "react";
import { lookOf, type Tone } from "../../../kit/tone";
import type { TaskState } from "../model/state";
import { useWatched } from "../use-live";
import styles from "./graph.module.css";
import { phasesOf } from "./nodes";
import { begin, paintLinks, paintNode, sightOf, type View } from "./paint";
import { meet, type Placed, type PlacedNode } from "./place";
import { useColours } from "./use-colours";

interface Props {
  placed: Placed;
  /** Whether nodes are drawn here. */
  boxes: boolean;
  /** The chosen node. */
  chosen: string | undefined;
}

export function Canvas({ placed, boxes, chosen }: Props) {
  const links = useRef<HTMLCanvasElement>(null);
  const nodes = useRef<HTMLCanvasElement>(null);
  const { live } = useWatched();
  const colours = useColours(links);
  const [x, y, zoom] = useStore((state) => state.transform);
  const width = useStore((state) => state.width);
  const height = useStore((state) => state.height);

  useEffect(() => {
    const canvas = links.current;
    if (!canvas || !colours) return;
    const view = { x, y, zoom, width, height };
    const context = begin(canvas, view);
    if (context) paintLinks(context, placed, view, colours, chosen);
  }, [placed, chosen, colours, x, y, zoom, width, height]);

  useEffect(() => {
    const canvas = nodes.current;
    if (!canvas || !colours) return;
    const view: View = { x, y, zoom, width, height };
    const context = begin(canvas, view);
    if (!context || !boxes) return;
    const sight = sightOf(view);
    const seen = placed.nodes.filter((node) => meet(node, sight));
    const paint = (node: PlacedNode) => {
      const shares = sharesOf(node, (name) => live.task(name));
      paintNode(context, node, shares, colours, node.id === chosen);
    };
    for (const node of seen) paint(node);
    const homes = new Map(seen.flatMap((node) => node.tasks.map((name) => [name, node] as const)));
    return live.onTouched((touched) => {
      const changed = new Set<PlacedNode>();
      for (const name of touched) {
        const node = homes.get(name);
        if (node) changed.add(node);
      }
      for (const node of changed) paint(node);
    });
  }, [live, placed, boxes, chosen, colours, x, y, zoom, width, height]);

  return (
    <>
      <canvas ref={links} className={styles.canvas} aria-hidden />
      <canvas ref={nodes} className={styles.canvas} aria-hidden />
    </>
  );
}

/** Which part of a node has which colour. */
function sharesOf(
  node: PlacedNode,
  task: (name: string) => TaskState | undefined,
): [Tone, number][] {
  const all = Math.max(1, node.tasks.length);
  return phasesOf(node.tasks, task).map(([phase, count]) => [lookOf(phase).tone, count / all]);
}
