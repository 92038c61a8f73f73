/** The run's graph, live. */

import {
  Background,
  type Node,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
  useStore,
  useStoreApi,
} from "@xyflow/react";
import "@xyflow/react/dist/base.css";
import { useCallback, useEffect, useMemo, useRef } from "react";
import { Loading } from "../../../kit/states";
import { useWatched } from "../use-live";
import { Canvas } from "./canvas";
import styles from "./graph.module.css";
import { GroupNode, KnotNode, type NodeData, signsOf, TaskNode } from "./nodes";
import { sightOf, type View } from "./paint";
import { meet, type Placed, type PlacedNode } from "./place";
import { sceneOf } from "./scene";
import { measures } from "./size";
import { GraphTools } from "./tools";
import { usePlaced } from "./use-placed";

// The library dresses nodes of the type `group` by itself.
const TYPES = { ofTask: TaskNode, ofGroup: GroupNode, ofKnot: KnotNode };
const TYPE_OF = { task: "ofTask", group: "ofGroup", knot: "ofKnot" } as const;

/** Nodes in sight beyond which they are plain boxes on a canvas. */
const NEAR_MOST = 150;
const ZOOM = { least: 0.02, most: 1.6, fit: 1.1, readable: 0.6 };
const PAD = { x: 24, y: 60 };
/** The width of a phone, on which all of a graph can be too small to say anything. */
const PHONE = 640;

export interface GraphProps {
  selected: string | undefined;
  onSelect: (task: string) => void;
  /** Groups that are open; `*` for all. */
  open: string[];
  onOpen: (groups: string[]) => void;
  /** Tasks whose workflow says `async: true`. */
  dotted: ReadonlySet<string>;
}

export default function Graph(props: GraphProps) {
  const { live, picture, definition } = useWatched();
  const open = props.open.join("\n");
  const scene = useMemo(() => {
    const groups = new Set(open.split("\n"));
    const tasks = live.model.order.map((name) => {
      const plugin = live.task(name)?.plugin ?? "";
      return { name, plugin, signs: signsOf(definition.get(name)) };
    });
    return sceneOf(tasks, picture, (group) => groups.has("*") || groups.has(group), measures());
  }, [live, picture, definition, open]);
  const placed = usePlaced(scene);
  if (!placed) return <Loading what="the graph" />;
  return (
    <ReactFlowProvider>
      <Stage {...props} placed={placed} groups={scene.groups} />
    </ReactFlowProvider>
  );
}

interface StageProps extends GraphProps {
  placed: Placed;
  groups: string[];
}

function Stage({ placed, groups, selected, onSelect, open, onOpen, dotted }: StageProps) {
  const flow = useReactFlow();
  const store = useStoreApi();
  const current = useMemo(
    () => placed.nodes.find((node) => selected !== undefined && node.tasks.includes(selected)),
    [placed, selected],
  );
  const choose = useCallback(
    (node: PlacedNode) => {
      if (node.kind === "group") onOpen([...open.filter((group) => group !== "*"), node.id]);
      else if (node.kind === "task") onSelect(node.id);
    },
    [open, onOpen, onSelect],
  );
  const near = useNear(placed);
  const nodes = useMemo<Node<NodeData>[]>(
    () =>
      near.map((node) => ({
        id: node.id,
        type: TYPE_OF[node.kind],
        position: { x: node.x, y: node.y },
        width: node.width,
        height: node.height,
        focusable: false,
        // It is no node that can be dragged or selected by the library; it is a button.
        style: { pointerEvents: "all" },
        data: {
          node,
          chosen: node.id === current?.id,
          dotted: dotted.has(node.id),
          onChoose: choose,
        },
      })),
    [near, current, choose, dotted],
  );
  const showAll = useCallback(() => {
    const { width, height } = store.getState();
    void flow.setViewport(fitted(placed, width, height));
  }, [flow, placed, store]);
  const showFirst = useCallback(() => {
    const { width, height } = store.getState();
    void flow.setViewport(begun(placed, width, height));
  }, [flow, placed, store]);
  const look = useFit(placed, showFirst);
  const show = (task: string) => {
    const node = placed.nodes.find((other) => other.tasks.includes(task));
    const zoom = Math.max(0.8, flow.getZoom());
    look();
    if (node) void flow.setCenter(node.x + node.width / 2, node.y + node.height / 2, { zoom });
    onSelect(task);
  };
  return (
    <div className={styles.stage}>
      <ReactFlow
        nodes={nodes}
        edges={[]}
        nodeTypes={TYPES}
        nodesDraggable={false}
        nodesConnectable={false}
        elementsSelectable={false}
        nodesFocusable={false}
        minZoom={ZOOM.least}
        maxZoom={ZOOM.most}
        zoomOnDoubleClick={false}
        onMove={(event) => {
          if (event) look();
        }}
        onPaneClick={(event) => {
          const at = flow.screenToFlowPosition({ x: event.clientX, y: event.clientY });
          const hit = placed.nodes.find((node) => meet(node, { ...at, width: 0, height: 0 }));
          if (hit) choose(hit);
        }}
        aria-label="Graph of the run"
      >
        <Background gap={22} size={1} />
        <Canvas placed={placed} boxes={near.length === 0} chosen={current?.id} />
      </ReactFlow>
      <GraphTools
        onShow={show}
        onFit={showAll}
        onLook={look}
        groups={groups}
        open={open}
        onOpen={onOpen}
      />
    </div>
  );
}

/** The nodes in sight, if they are few enough to be elements of the page. */
function useNear(placed: Placed): PlacedNode[] {
  const last = useRef<{ placed: Placed; ids: string; nodes: PlacedNode[] }>(undefined);
  return useStore(
    useCallback(
      (state) => {
        const [x, y, zoom] = state.transform;
        const view: View = { x, y, zoom, width: state.width, height: state.height };
        const sight = sightOf(view, 240);
        const seen: PlacedNode[] = [];
        for (const node of placed.nodes) {
          if (meet(node, sight)) seen.push(node);
          if (seen.length > NEAR_MOST) break;
        }
        const nodes = seen.length > NEAR_MOST ? [] : seen;
        const ids = nodes.map((node) => node.id).join("\n");
        // The same nodes are the same list: nothing is drawn again while the view moves over them.
        if (last.current?.placed !== placed || last.current.ids !== ids) {
          last.current = { placed, ids, nodes };
        }
        return last.current.nodes;
      },
      [placed],
    ),
  );
}

/**
 * Shows a scene from its beginning when its arrangement is new, and when the room for it changes, unless
 * somebody looks at a part of it; tells that somebody does.
 */
function useFit(placed: Placed, show: () => void): () => void {
  const width = useStore((state) => state.width);
  const height = useStore((state) => state.height);
  const moved = useRef<Placed>(undefined);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another scene or room is what asks for it
  useEffect(() => {
    if (width > 0 && moved.current !== placed) show();
  }, [placed, width, height]);
  return useCallback(() => {
    moved.current = placed;
  }, [placed]);
}

/** The room above a graph: on a phone the tools take two lines. */
const above = (width: number) => (width < PHONE ? 2 * PAD.y : PAD.y);

/** All of a scene; on a phone its top, if names could not be read otherwise. */
function begun(placed: Placed, width: number, height: number) {
  const all = fitted(placed, width, height);
  const [first, ...rest] = placed.nodes;
  if (!first || width >= PHONE || all.zoom >= ZOOM.readable) return all;
  const top = rest.reduce((highest, node) => (node.y < highest.y ? node : highest), first);
  const zoom = ZOOM.readable;
  return { x: width / 2 - (top.x + top.width / 2) * zoom, y: above(width) - top.y * zoom, zoom };
}

function fitted({ box }: Placed, width: number, height: number) {
  const zoom = Math.min(
    ZOOM.fit,
    Math.max(
      ZOOM.least,
      Math.min((width - 2 * PAD.x) / box.width, (height - above(width) - PAD.y) / box.height),
    ),
  );
  return {
    x: width / 2 - (box.x + box.width / 2) * zoom,
    // A little above the middle, where the eye begins.
    y: Math.max(above(width), (height - box.height * zoom) * 0.4) - box.y * zoom,
    zoom,
  };
}
