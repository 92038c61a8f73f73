import { Panel, useReactFlow, useStore } from "@xyflow/react";
import { memo, type PointerEvent, useEffect, useRef } from "react";
import { lookOf } from "../../../kit/tone";
import { type Colours, sightOf } from "../../run/graph/paint";
import type { Box } from "../../run/graph/place";
import { useColours } from "../../run/graph/use-colours";
import styles from "./canvas.module.css";
import { around } from "./frame";
import { SIZE } from "./places";
import type { TaskFlowNode } from "./task-node";

const ROOM = { width: 148, height: 96, margin: 8 };

/** The whole canvas in a corner; a click or a drag there goes to the place. */
export const Overview = memo(function Overview({ nodes }: { nodes: readonly TaskFlowNode[] }) {
  const flow = useReactFlow();
  const whole = around(nodes.map(({ position }) => position));
  if (!whole) return null;
  const scale = scaleOf(whole);
  const go = (event: PointerEvent<HTMLElement>) => {
    if (event.buttons !== 1) return;
    const { left, top } = event.currentTarget.getBoundingClientRect();
    event.currentTarget.setPointerCapture(event.pointerId);
    const x = whole.x + (event.clientX - left - offset(whole.width * scale, ROOM.width)) / scale;
    const y = whole.y + (event.clientY - top - offset(whole.height * scale, ROOM.height)) / scale;
    void flow.setCenter(x, y, { zoom: flow.getZoom() });
  };
  return (
    <Panel position="top-right" className={styles.overview}>
      <div
        className={styles.overviewRoom}
        style={{ width: ROOM.width, height: ROOM.height }}
        onPointerDown={go}
        onPointerMove={go}
        aria-hidden
      >
        <Boxes nodes={nodes} whole={whole} scale={scale} />
        <Frame whole={whole} scale={scale} />
      </div>
    </Panel>
  );
});

function scaleOf({ width, height }: Box): number {
  return Math.min(
    (ROOM.width - 2 * ROOM.margin) / width,
    (ROOM.height - 2 * ROOM.margin) / height,
    0.12,
  );
}

function offset(size: number, room: number): number {
  return (room - size) / 2;
}

function Boxes(props: { nodes: readonly TaskFlowNode[]; whole: Box; scale: number }) {
  const { nodes, whole, scale } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const colours = useColours(canvas);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!canvas.current || !context || !colours) return;
    const fine = window.devicePixelRatio || 1;
    canvas.current.width = ROOM.width * fine;
    canvas.current.height = ROOM.height * fine;
    context.scale(fine, fine);
    const left = offset(whole.width * scale, ROOM.width);
    const top = offset(whole.height * scale, ROOM.height);
    for (const node of nodes) {
      context.fillStyle = colourOf(node, colours);
      const x = left + (node.position.x - whole.x) * scale;
      const y = top + (node.position.y - whole.y) * scale;
      context.fillRect(x, y, Math.max(1.5, SIZE.width * scale), Math.max(1.5, SIZE.height * scale));
    }
  }, [nodes, whole, scale, colours]);
  return <canvas ref={canvas} />;
}

/** What is in sight. */
function Frame({ whole, scale }: { whole: Box; scale: number }) {
  const [x, y, zoom] = useStore((state) => state.transform);
  const width = useStore((state) => state.width);
  const height = useStore((state) => state.height);
  const sight = sightOf({ x, y, zoom, width, height });
  return (
    <div
      className={styles.frame}
      style={{
        left: offset(whole.width * scale, ROOM.width) + (sight.x - whole.x) * scale,
        top: offset(whole.height * scale, ROOM.height) + (sight.y - whole.y) * scale,
        width: sight.width * scale,
        height: sight.height * scale,
      }}
    />
  );
}

function colourOf({ data }: TaskFlowNode, colours: Colours): string {
  if (data.state) return colours[lookOf(data.state).tone];
  return data.problem?.severity === "error" ? colours.failed : colours.link;
}
