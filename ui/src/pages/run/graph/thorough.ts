/** The thorough layout, computed beside the page. */

import { type ElkNode, layouter } from "../../../graph/elk";
import { finish, type Placed, type PlacedLink, type Point, placedLink } from "./place";
import type { Scene } from "./scene";

const OPTIONS = {
  "elk.algorithm": "layered",
  "elk.direction": "DOWN",
  "elk.edgeRouting": "ORTHOGONAL",
  "elk.spacing.nodeNode": "18",
  "elk.layered.spacing.nodeNodeBetweenLayers": "52",
  "elk.spacing.edgeNode": "18",
  "elk.spacing.edgeEdge": "10",
  "elk.layered.spacing.edgeNodeBetweenLayers": "18",
  "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
  "elk.layered.nodePlacement.strategy": "BRANDES_KOEPF",
  "elk.layered.nodePlacement.bk.fixedAlignment": "BALANCED",
  "elk.layered.mergeEdges": "true",
};

// Whoever loads this will lay something out: the worker gets ready meanwhile.
layouter();

/** Places a scene in a worker beside the page. */
export async function placeThoroughly(scene: Scene): Promise<Placed> {
  return placedOf(scene, await layouter().layout(graphOf(scene)));
}

function graphOf(scene: Scene): ElkNode {
  return {
    id: "scene",
    layoutOptions: OPTIONS,
    children: scene.nodes.map(({ id, width, height }) => ({ id, width, height })),
    edges: scene.links.map((link, at) => ({
      id: String(at),
      sources: [link.from],
      targets: [link.to],
    })),
  };
}

function placedOf(scene: Scene, graph: ElkNode): Placed {
  const places = new Map(graph.children?.map((child) => [child.id, child]));
  const nodes = scene.nodes.map((node) => {
    const place = places.get(node.id);
    return { ...node, x: place?.x ?? 0, y: place?.y ?? 0 };
  });
  const links = scene.links.flatMap((link, at): PlacedLink[] => {
    const section = graph.edges?.[at]?.sections?.[0];
    if (!section) return [];
    const points: Point[] = [section.startPoint, ...(section.bendPoints ?? []), section.endPoint];
    return [placedLink(link, points)];
  });
  return finish(nodes, links);
}
