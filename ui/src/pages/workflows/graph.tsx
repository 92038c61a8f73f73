import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, data, type Schema } from "../../api/client";
import { measurer } from "../../graph/measure";
import { Failure, Loading } from "../../kit/states";
import { pictureOf } from "./picture";
import styles from "./workflows.module.css";

/** A picture of more is none. */
const TASKS_MAX = 80;

/** A small picture of a workflow: what waits for what. */
export function Graph({ of }: { of: Schema<"WorkflowView"> }) {
  const { namespace, name, version, tasks } = of;
  const graph = useQuery({
    queryKey: ["workflow", namespace, name, version, "graph"],
    queryFn: async () => {
      const params = { path: { namespace, name, version } };
      const path = "/api/v1/workflows/{namespace}/{name}/{version}/graph";
      // Texts are for those who ask for them.
      return (await data(api.GET(path, { params }))) as Schema<"GraphView">;
    },
    enabled: tasks <= TASKS_MAX,
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (tasks > TASKS_MAX)
    return <p className={styles.graph}>{tasks} tasks: the builder shows them.</p>;
  if (graph.error) return <Failure error={graph.error} retry={() => void graph.refetch()} />;
  if (!graph.data) return <Loading what="the graph" />;
  return <Drawing graph={graph.data} name={name} />;
}

function Drawing({ graph, name }: { graph: Schema<"GraphView">; name: string }) {
  const { width, height, nodes, edges } = useMemo(
    () => pictureOf(graph, measurer("600 12.5px", "--font")),
    [graph],
  );
  const said = graph.levels.map((level) => level.join(" and ")).join(", then ");
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keys
    <section className={styles.graph} tabIndex={0} aria-label="The graph">
      <svg
        viewBox={`-4 -4 ${width + 8} ${height + 8}`}
        width={width + 8}
        height={height + 8}
        role="img"
        aria-label={`${name}: ${said}`}
      >
        <defs>
          <marker
            id="tip"
            viewBox="0 0 8 8"
            refX="3"
            refY="4"
            markerWidth="7"
            markerHeight="7"
            orient="auto"
          >
            <path d="M0,0 L8,4 L0,8 z" className={styles.tip} />
          </marker>
        </defs>
        {edges.map((edge) => (
          <path
            key={edge.key}
            d={edge.path}
            className={`${styles.edge} ${edge.order ? styles.order : ""}`}
            markerEnd="url(#tip)"
          >
            <title>{edge.label || "order"}</title>
          </path>
        ))}
        {nodes.map(({ name, label, plugin, ...box }) => (
          <g key={name} className={styles.node} transform={`translate(${box.x} ${box.y})`}>
            <title>{name}</title>
            <rect width={box.width} height={box.height} rx="7" />
            <text x="12" y="19">
              {label}
            </text>
            <text x="12" y="34" className={styles.plugin}>
              {plugin}
            </text>
          </g>
        ))}
      </svg>
    </section>
  );
}
