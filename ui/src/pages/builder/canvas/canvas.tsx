import {
  Background,
  type Connection,
  ControlButton,
  Controls,
  type EdgeChange,
  type NodeChange,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
  useStore,
  useStoreApi,
  ViewportPortal,
} from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import { Clock, Layers, Maximize, ShieldCheck, TriangleAlert } from "lucide-react";
import { type DragEvent, memo, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Banner } from "../../../kit/states";
import { linkOrder, linkVariable } from "../document/change";
import type { Task } from "../document/view";
import { type Selection, useBench } from "../state/bench";
import { Blank } from "./blank";
import styles from "./canvas.module.css";
import { TINY } from "./far";
import { FarLayer } from "./far-layer";
import { type Fit, fitted, isCrowded, NEAR_MOST, taskAt } from "./frame";
import { LinkEdge, type LinkFlowEdge } from "./link-edge";
import { Namer } from "./namer";
import { edgesOf, nodesOf } from "./nodes";
import { Overview } from "./overview";
import { type Place, type Places, SIZE } from "./places";
import { AFTER, type TaskFlowNode, TaskNode } from "./task-node";
import { Tools } from "./tools";

/** What is dragged from the palette: the name of a plugin. */
export const PLUGIN_TYPE = "application/x-loom-plugin";

const NODES = { task: TaskNode };
const EDGES = { link: LinkEdge };
/** Below this zoom, only names can be read. */
const FAR = 0.5;
const WHOLE: Fit = { padding: 0.18, least: 0.05, most: 1.1 };
const ZOOM = { least: 0.05, most: 2 };
const NO_EDGES: LinkFlowEdge[] = [];
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
  layingOut: boolean;
  /** Opens what a workflow can begin with. */
  onTemplates: () => void;
}

export const Canvas = memo(function Canvas(props: CanvasProps) {
  return (
    <ReactFlowProvider>
      <Flow {...props} />
    </ReactFlowProvider>
  );
});

function Flow(props: CanvasProps) {
  const { places, onPlaces, onSelect, shown, onTidy, laidOut, layingOut, onTemplates } = props;
  const bench = useBench();
  const flow = useReactFlow();
  const far = useStore((store) => store.transform[2] < FAR);
  const tiny = useStore((store) => store.transform[2] < TINY);
  const section = useRef<HTMLElement>(null);
  const [drawn, setDrawn] = useState<{ from: Task; to: Task }>();
  const { nodes, edges } = useElements(places);
  const crowded = useStore(
    useCallback(
      ({ transform: [x, y, zoom], width, height }) =>
        isCrowded(nodes, { x, y, zoom, width, height }),
      [nodes],
    ),
  );
  // Of a crowd, only those that somebody deals with are elements of the page.
  const [hovered, setHovered] = useState<string>();
  const held = useMemo(() => {
    const chosen = nodes.filter(({ selected }) => selected);
    const near = chosen.length > NEAR_MOST ? [] : chosen;
    const under = nodes.find(({ id }) => id === hovered);
    return under && !near.includes(under) ? [...near, under] : near;
  }, [nodes, hovered]);
  const under = (at: { clientX: number; clientY: number } | undefined) =>
    at && taskAt(nodes, flow.screenToFlowPosition({ x: at.clientX, y: at.clientY }));
  const showAll = useFraming(nodes, shown, laidOut);

  const { onNodesChange, onEdgesChange } = useChanges(places, onPlaces, onSelect);
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
  const chooseAll = useCallback((tasks: string[]) => onSelect({ tasks, links: [] }), [onSelect]);
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
      data-tiny={tiny}
      aria-label="Canvas"
      aria-busy={layingOut}
      ref={section}
      tabIndex={-1}
      onPointerMove={(event) => {
        if (event.buttons === 0) setHovered(crowded ? under(event)?.id : undefined);
      }}
      onDrop={onDrop}
      onDragOver={(event) =>
        event.dataTransfer.types.includes(PLUGIN_TYPE) && event.preventDefault()
      }
    >
      <ReactFlow<TaskFlowNode, LinkFlowEdge>
        nodes={crowded ? held : nodes}
        edges={crowded ? NO_EDGES : edges}
        nodeTypes={NODES}
        edgeTypes={EDGES}
        onNodesChange={onNodesChange}
        onEdgesChange={onEdgesChange}
        onConnect={(made: Connection) => link(made.source, made.target, made.sourceHandle)}
        onConnectEnd={(event, state) => {
          if (state.isValid || !state.fromNode) return;
          const target = under("changedTouches" in event ? event.changedTouches[0] : event);
          if (target) link(state.fromNode.id, target.id, state.fromHandle?.id);
        }}
        onPaneClick={(event) => {
          close();
          section.current?.focus({ preventScroll: true });
          if (!crowded) return;
          const hit = under(event);
          chooseAll(hit ? [hit.id] : []);
        }}
        onEdgeDoubleClick={(_, { data }) => data && bench.askName(data.link.variables)}
        deleteKeyCode={null}
        multiSelectionKeyCode={["Shift", "Meta", "Control"]}
        connectionRadius={28}
        minZoom={ZOOM.least}
        maxZoom={ZOOM.most}
        onlyRenderVisibleElements
        nodesDraggable={bench.sound}
        nodesConnectable={bench.sound}
        proOptions={OPTIONS}
      >
        {!far && <Background gap={24} size={1.4} />}
        {crowded && <FarLayer nodes={nodes} edges={edges} onBox={chooseAll} />}
        <Controls showInteractive={false} showFitView={false}>
          <ControlButton
            className="react-flow__controls-fitview"
            title="Show all"
            aria-label="Show all"
            onClick={showAll}
          >
            <Maximize aria-hidden />
          </ControlButton>
        </Controls>
        <Overview nodes={nodes} />
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
      <Remarks onTemplates={onTemplates} />
    </section>
  );
}

function Remarks({ onTemplates }: Pick<CanvasProps, "onTemplates">) {
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
  return view.tasks.length > 0 ? null : <Blank onTemplates={onTemplates} />;
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
    () => edgesOf(view.drawn, new Set(selected.links), before.current.edges),
    [view.drawn, selected.links],
  );
  before.current = { nodes, edges };
  return { nodes, edges };
}

/** Answers what the library changes. It tells of tasks and of links one after the other, before either is shown. */
function useChanges(
  places: Places,
  onPlaces: (places: Places) => void,
  onSelect: (selected: Selection) => void,
) {
  const { selected } = useBench();
  const latest = useRef(selected);
  latest.current = selected;
  const put = (next: Selection) => {
    latest.current = next;
    onSelect(next);
  };
  const onNodesChange = (changes: NodeChange<TaskFlowNode>[]) => {
    const moved: Record<string, Place> = {};
    for (const change of changes) {
      if (change.type === "position" && change.position) moved[change.id] = change.position;
    }
    if (Object.keys(moved).length > 0) onPlaces({ ...places, ...moved });
    const { tasks, links } = latest.current;
    const chosen = chosenOf(tasks, changes);
    if (chosen) put({ tasks: chosen, links: chosen.length > 0 ? [] : links });
  };
  const onEdgesChange = (changes: EdgeChange<LinkFlowEdge>[]) => {
    const { tasks, links } = latest.current;
    const chosen = chosenOf(links, changes);
    if (chosen) put({ tasks: chosen.length > 0 ? [] : tasks, links: chosen });
  };
  return { onNodesChange, onEdgesChange };
}

/** What is selected after some changes, if they are about that. */
function chosenOf(
  before: readonly string[],
  changes: readonly (NodeChange<TaskFlowNode> | EdgeChange<LinkFlowEdge>)[],
): string[] | undefined {
  const selections = changes.filter((change) => change.type === "select");
  if (selections.length === 0) return undefined;
  const chosen = new Set(before);
  for (const { id, selected } of selections) {
    if (selected) chosen.add(id);
    else chosen.delete(id);
  }
  return [...chosen];
}

/** Brings into view what is asked for; everything at first and after a layout. Answers with what does so. */
function useFraming(
  nodes: readonly TaskFlowNode[],
  shown: { tasks: readonly string[] } | undefined,
  laidOut: number,
): () => void {
  const flow = useReactFlow();
  const store = useStoreApi();
  const latest = useRef(nodes);
  latest.current = nodes;
  const show = useCallback(
    (tasks: readonly TaskFlowNode[], fit: Fit) => {
      const view = fitted(
        tasks.map(({ position }) => position),
        store.getState(),
        fit,
      );
      if (view) void flow.setViewport(view);
    },
    [flow, store],
  );
  const showAll = useCallback(() => show(latest.current, WHOLE), [show]);
  const isReady = useStore(({ width }) => width > 0);
  // An empty canvas stays where it is when its first task is dropped.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another layout is what asks for it
  useEffect(() => {
    if (isReady) showAll();
  }, [isReady, laidOut, showAll]);
  useEffect(() => {
    if (!shown) return;
    const wanted = latest.current.filter(({ id }) => shown.tasks.includes(id));
    show(wanted, { padding: 0.6, least: 0.3, most: Math.max(flow.getZoom(), 0.8) });
  }, [shown, flow, show]);
  return showAll;
}

function between(places: Places, { from, to }: { from: Task; to: Task }): Place {
  const a = places[from.id] ?? { x: 0, y: 0 };
  const b = places[to.id] ?? { x: 0, y: 0 };
  return {
    x: (a.x + b.x + SIZE.width) / 2,
    y: (a.y + b.y + SIZE.height) / 2,
  };
}
