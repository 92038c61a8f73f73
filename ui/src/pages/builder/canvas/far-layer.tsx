import { useStore, useStoreApi } from "@xyflow/react";
import { useEffect, useRef } from "react";
import { begin, sightOf } from "../../run/graph/paint";
import { meet } from "../../run/graph/place";
import { useColours } from "../../run/graph/use-colours";
import styles from "./canvas.module.css";
import { type Crowd, paintCrowd } from "./far";
import { boxOf } from "./frame";

/** All tasks and links, drawn small. */
export function FarLayer(props: Crowd & { onBox: (tasks: string[]) => void }) {
  const { nodes, edges, onBox } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const colours = useColours(canvas);
  const [x, y, zoom] = useStore((state) => state.transform);
  const width = useStore((state) => state.width);
  const height = useStore((state) => state.height);
  useEffect(() => {
    if (!canvas.current || !colours) return;
    const view = { x, y, zoom, width, height };
    const context = begin(canvas.current, view);
    const { color, fontFamily } = getComputedStyle(canvas.current);
    if (context)
      paintCrowd(context, { nodes, edges }, view, { colours, text: color, font: fontFamily });
  }, [nodes, edges, colours, x, y, zoom, width, height]);
  useBox(nodes, onBox);
  return (
    <canvas
      ref={canvas}
      className={styles.crowd}
      role="img"
      aria-label={`${nodes.length} tasks, drawn small`}
    />
  );
}

/** Answers a box that is drawn around tasks, which the library does not see here. */
function useBox(nodes: Crowd["nodes"], onBox: (tasks: string[]) => void): void {
  const box = useStore((state) => state.userSelectionRect);
  const store = useStoreApi();
  const last = useRef(box);
  useEffect(() => {
    const drawn = last.current;
    last.current = box;
    if (box || !drawn) return;
    const [x, y, zoom] = store.getState().transform;
    const { width, height } = drawn;
    const sight = sightOf({ x: x - drawn.x, y: y - drawn.y, zoom, width, height });
    onBox(nodes.filter(({ position }) => meet(boxOf(position), sight)).map(({ id }) => id));
  }, [box, nodes, onBox, store]);
}
