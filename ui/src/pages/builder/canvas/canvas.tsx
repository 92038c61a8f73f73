import {
  Background,
  type Connection,
  Controls,
  type EdgeChange,
  type FinalConnectionState,
  MiniMap,
  type NodeChange,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
  useStore,
  ViewportPortal,
} from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import { Clock, Layers, MousePointerClick, ShieldCheck, TriangleAlert } from "lucide-react";
import { type DragEvent, memo, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Banner, Empty } from "../../../kit/states";
import { all, linkOrder, linkVariable, unlinkOrder, unlinkVariable } from "../document/change";
import type { Link, Task } from "../document/view";
import { type Selection, useBench } from "../state/bench";
import styles from "./canvas.module.css";
import { LinkEdge, type LinkFlowEdge } from "./link-edge";
import { Namer } from "./namer";
import { edgesOf, nodesOf } from "./nodes";
import { type Place, type Places, SIZE } from "./places";
import { AFTER, type TaskFlowNode, TaskNode } from "./task-node";
import { Tools } from "./tools";

/** What is dragged from the palette: the name of a plugin. */
export const PLUGIN_TYPE = "application/x-loom-plugin";

const NODES = { task: TaskNode };
const EDGES = { link: LinkEdge };
/** Below this zoom, only names can be read. */
const FAR = 0.5;
const FIT = { padding: 0.18, maxZoom: 1.1 };
const MINI = { width: 148, height: 96 };
const OPTIONS = { hideAttribution: true };

export interface CanvasProps {
  places: Places;
  onPlaces: (places: Places) => void;
  onSelect: (selected: Selection) => void;
  /** Tasks to bring into view; a new object for each time. */
  shown: { tasks: readonly string[] } | undefined;
  onTidy: () => void;
  /** Counts the times that all was laid out anew. */
  laidOut: number;
}

export const Canvas = memo(function Canvas(props: CanvasProps) {
  return (
    <ReactFlowProvider>
      <Flow {...props} />
    </ReactFlowProvider>
  );
});

function Flow({ places, onPlaces, onSelect, shown, onTidy, laidOut }: CanvasProps) {
  const bench = useBench();
  const flow = useReactFlow();
  const far = useStore((store) => store.transform[2] < FAR);
  // An empty canvas stays where it is when its first task is dropped.
  const [fits] = useState(bench.view.tasks.length > 0);
  const [drawn, setDrawn] = useState<{ from: Task; to: Task }>();
  const { nodes, edges } = useElements(places);
  useFraming(shown, laidOut);

  const onNodesChange = useNodeChanges(places, onPlaces, onSelect);
  const onEdgesChange = useEdgeChanges(onSelect);
  const link = useCallback(
    (source: string, target: string, handle: string | null | undefined) => {
      const from = bench.view.tasks.find(({ id }) => id === source);
      const to = bench.view.tasks.find(({ id }) => id === target);
      if (!from || !to || from === to) return;
      if (handle === AFTER) bench.change(linkOrder(from.index, to.index));
      else setDrawn({ from, to });
    },
    [bench],
  );
  const onDrop = (event: DragEvent) => {
    const plugin = event.dataTransfer.getData(PLUGIN_TYPE);
    if (!plugin) return;
    event.preventDefault();
    const { x, y } = flow.screenToFlowPosition({ x: event.clientX, y: event.clientY });
    bench.addTask(plugin, { x: x - SIZE.width / 2, y: y - SIZE.height / 2 });
  };
  const close = () => setDrawn(undefined);
  return (
    <section
      className={styles.canvas}
      data-far={far}
      aria-label="Canvas"
      onDrop={onDrop}
      onDragOver={(event) =>
        event.dataTransfer.types.includes(PLUGIN_TYPE) && event.preventDefault()
      }
    >
      <ReactFlow<TaskFlowNode, LinkFlowEdge>
        nodes={nodes}
        edges={edges}
        nodeTypes={NODES}
        edgeTypes={EDGES}
        onNodesChange={onNodesChange}
        onEdgesChange={onEdgesChange}
        onConnect={(made: Connection) => link(made.source, made.target, made.sourceHandle)}
        onConnectEnd={(event, state) => {
          const target = bodyUnder(event, state);
          if (target) link(state.fromNode?.id ?? "", target, state.fromHandle?.id);
        }}
        onBeforeDelete={async (gone) => {
          if (bench.sound) remove(bench, gone.nodes, gone.edges);
          return false;
        }}
        onPaneClick={close}
        deleteKeyCode={["Delete", "Backspace"]}
        multiSelectionKeyCode={["Shift", "Meta", "Control"]}
        connectionRadius={28}
        minZoom={0.05}
        maxZoom={2}
        fitView={fits}
        fitViewOptions={FIT}
        onlyRenderVisibleElements
        nodesDraggable={bench.sound}
        nodesConnectable={bench.sound}
        proOptions={OPTIONS}
      >
        <Background gap={24} size={1.4} />
        <Controls showInteractive={false} fitViewOptions={FIT} />
        <MiniMap
          pannable
          zoomable
          position="top-right"
          style={MINI}
          nodeColor={miniColor}
          ariaLabel="Overview of the canvas"
        />
        {drawn && (
          <ViewportPortal>
            <Namer
              from={drawn.from}
              to={drawn.to}
              at={between(places, drawn)}
              onClose={close}
              onName={(variable) => {
                bench.change(linkVariable(drawn.from.index, drawn.to.index, variable));
                close();
              }}
              onOrder={() => {
                bench.change(linkOrder(drawn.from.index, drawn.to.index));
                close();
              }}
            />
          </ViewportPortal>
        )}
      </ReactFlow>
      <Tools onTidy={onTidy} />
      <Legend />
      <Remarks />
    </section>
  );
}

function Remarks() {
  const { sound, slips, view } = useBench();
  if (!sound) {
    return (
      <div className={styles.frozen}>
        <Banner tone="paused" icon={TriangleAlert}>
          The text is no YAML (line {slips[0]?.line}). The canvas follows again once it is mended.
        </Banner>
      </div>
    );
  }
  if (view.tasks.length > 0) return null;
  return (
    <div className={styles.empty}>
      <div>
        <Empty icon={MousePointerClick} title="Nothing here yet">
          <p>
            Drag a task from the palette, or double-click it there. Then draw from the dot below a
            task to another task: that is a variable it waits for.
          </p>
        </Empty>
      </div>
    </div>
  );
}

function Legend() {
  return (
    <div className={styles.legend} aria-hidden>
      <span>
        <svg width="22" height="8" role="presentation">
          <path d="M0 4H22" stroke="currentColor" strokeWidth="2" />
        </svg>
        variable
      </span>
      <span>
        <svg width="22" height="8" role="presentation">
          <path d="M0 4H22" stroke="currentColor" strokeWidth="2" strokeDasharray="5 4" />
        </svg>
        order
      </span>
      <span>
        <svg width="18" height="12" role="presentation">
          <rect
            x="1"
            y="1"
            width="16"
            height="10"
            rx="3"
            fill="none"
            stroke="currentColor"
            strokeWidth="2"
            strokeDasharray="2 2"
          />
        </svg>
        async
      </span>
      <span>
        <ShieldCheck size={13} /> permissions
      </span>
      <span>
        <Clock size={13} /> waits or times out
      </span>
      <span>
        <Layers size={13} /> each item
      </span>
    </div>
  );
}

function useElements(places: Places) {
  const { view, problems, live, sound, selected } = useBench();
  const before = useRef<{ nodes: TaskFlowNode[]; edges: LinkFlowEdge[] }>({ nodes: [], edges: [] });
  const nodes = useMemo(() => {
    const shown = { tasks: view.tasks, problems, live, linking: sound };
    return nodesOf(shown, places, new Set(selected.tasks), before.current.nodes);
  }, [view.tasks, problems, live, sound, places, selected.tasks]);
  const edges = useMemo(
    () => edgesOf(view.links, new Set(selected.links), before.current.edges),
    [view.links, selected.links],
  );
  before.current = { nodes, edges };
  return { nodes, edges };
}

function useNodeChanges(
  places: Places,
  onPlaces: (places: Places) => void,
  onSelect: (selected: Selection) => void,
) {
  const { selected } = useBench();
  return (changes: NodeChange<TaskFlowNode>[]) => {
    const moved: Record<string, Place> = {};
    const tasks = new Set(selected.tasks);
    let chosen = false;
    for (const change of changes) {
      if (change.type === "position" && change.position) moved[change.id] = change.position;
      if (change.type !== "select") continue;
      chosen = true;
      if (change.selected) tasks.add(change.id);
      else tasks.delete(change.id);
    }
    if (Object.keys(moved).length > 0) onPlaces({ ...places, ...moved });
    if (chosen)
      onSelect({ ...selected, tasks: [...tasks], links: tasks.size > 0 ? [] : selected.links });
  };
}

function useEdgeChanges(onSelect: (selected: Selection) => void) {
  const { selected } = useBench();
  return (changes: EdgeChange<LinkFlowEdge>[]) => {
    const links = new Set(selected.links);
    let chosen = false;
    for (const change of changes) {
      if (change.type !== "select") continue;
      chosen = true;
      if (change.selected) links.add(change.id);
      else links.delete(change.id);
    }
    if (chosen) onSelect({ tasks: links.size > 0 ? [] : selected.tasks, links: [...links] });
  };
}

/** Brings into view what is asked for, and everything after a layout. */
function useFraming(shown: { tasks: readonly string[] } | undefined, laidOut: number) {
  const flow = useReactFlow();
  useEffect(() => {
    if (laidOut > 0) void flow.fitView(FIT);
  }, [laidOut, flow]);
  useEffect(() => {
    if (!shown) return;
    const nodes = shown.tasks.map((id) => ({ id }));
    if (nodes.length > 0)
      void flow.fitView({
        nodes,
        maxZoom: Math.max(flow.getZoom(), 0.8),
        minZoom: 0.3,
        padding: 0.6,
      });
  }, [shown, flow]);
}

/** The task that a link was let go over, elsewhere than on its handle. */
function bodyUnder(
  event: MouseEvent | TouchEvent,
  state: FinalConnectionState,
): string | undefined {
  if (state.isValid || !state.fromNode) return undefined;
  const point = "changedTouches" in event ? event.changedTouches[0] : event;
  if (!point) return undefined;
  const element = document.elementFromPoint(point.clientX, point.clientY);
  const id = element?.closest<HTMLElement>(".react-flow__node")?.dataset.id;
  return id === state.fromNode.id ? undefined : id;
}

function remove(
  bench: ReturnType<typeof useBench>,
  nodes: { id: string }[],
  edges: LinkFlowEdge[],
) {
  if (nodes.length > 0) {
    bench.removeTasks(nodes.map(({ id }) => id));
    return;
  }
  const chosen = edges.flatMap(({ data }) => (data ? [data.link] : []));
  bench.change(all(...chosen.flatMap((link) => unlinked(link, bench.view.tasks))));
}

/** What takes a link away. */
export function unlinked(link: Link, tasks: readonly Task[]) {
  const from = tasks.find(({ id }) => id === link.from)?.index;
  const to = tasks.find(({ id }) => id === link.to)?.index;
  if (from === undefined || to === undefined) return [];
  if (link.kind === "order") return [unlinkOrder(from, to)];
  return link.variables.map((variable) => unlinkVariable(from, to, variable));
}

function between(places: Places, { from, to }: { from: Task; to: Task }): Place {
  const a = places[from.id] ?? { x: 0, y: 0 };
  const b = places[to.id] ?? { x: 0, y: 0 };
  return {
    x: (a.x + b.x + SIZE.width) / 2,
    y: (a.y + b.y + SIZE.height) / 2,
  };
}

function miniColor({ data }: TaskFlowNode): string {
  if (data.state === "failed" || data.problem?.severity === "error") return "var(--failed)";
  if (data.state === "running") return "var(--running)";
  if (data.state === "succeeded" || data.state === "resolved") return "var(--succeeded)";
  return "var(--line-strong)";
}
