/** Where the nodes of a scene stand, from top to bottom. */

import type { Scene, SceneLink, SceneNode } from "./scene";

export interface Point {
  x: number;
  y: number;
}

export interface Box extends Point {
  width: number;
  height: number;
}

export interface Placed {
  nodes: PlacedNode[];
  links: PlacedLink[];
  box: Box;
}

export interface PlacedNode extends SceneNode, Point {}

export interface PlacedLink extends SceneLink {
  points: Point[];
  box: Box;
}

/** Nodes and arrows beyond which the thorough layout takes too long. */
const THOROUGH_NODES = 400;
const THOROUGH_LINKS = 1200;

export function isSmall(scene: Scene): boolean {
  return scene.nodes.length <= THOROUGH_NODES && scene.links.length <= THOROUGH_LINKS;
}

const GAP = { x: 28, y: 30, level: 84 };

/**
 * Places levels below each other in one pass, however large the scene is. A level that is wide is
 * broken into rows, so that the whole stays about as wide as it is high.
 */
export function placeByLevels(scene: Scene): Placed {
  const levels: SceneNode[][] = [];
  for (const node of scene.nodes) {
    const level = levels[node.level];
    if (level) level.push(node);
    else levels[node.level] = [node];
  }
  const rowMost = Math.max(6, Math.ceil(Math.sqrt(scene.nodes.length) * 0.8));
  const before = new Map<string, string[]>();
  for (const link of scene.links) {
    const some = before.get(link.to);
    if (some) some.push(link.from);
    else before.set(link.to, [link.from]);
  }
  const places = new Map<string, PlacedNode>();
  let y = 0;
  for (const level of levels) {
    if (!level) continue;
    const sorted = sortByPlaces(level, before, places);
    for (let at = 0; at < sorted.length; at += rowMost) {
      const row = sorted.slice(at, at + rowMost);
      const width = row.reduce((sum, node) => sum + node.width + GAP.x, -GAP.x);
      let x = -width / 2;
      for (const node of row) {
        places.set(node.id, { ...node, x, y });
        x += node.width + GAP.x;
      }
      y += Math.max(...row.map((node) => node.height)) + GAP.y;
    }
    y += GAP.level - GAP.y;
  }
  const links = scene.links.flatMap((link) => {
    const from = places.get(link.from);
    const to = places.get(link.to);
    return from && to ? [placedLink(link, ends(from, to))] : [];
  });
  return finish([...places.values()], links);
}

/** Orders a level by where those stand that lead to it. */
function sortByPlaces(
  level: SceneNode[],
  before: Map<string, string[]>,
  places: Map<string, PlacedNode>,
): SceneNode[] {
  const middle = (node: SceneNode) => {
    const xs = (before.get(node.id) ?? []).map((id) => places.get(id)?.x ?? 0);
    return xs.length === 0 ? 0 : xs.reduce((sum, x) => sum + x, 0) / xs.length;
  };
  return level
    .map((node) => ({ node, at: middle(node) }))
    .sort((a, b) => a.at - b.at)
    .map(({ node }) => node);
}

function ends(from: PlacedNode, to: PlacedNode): Point[] {
  return [
    { x: from.x + from.width / 2, y: from.y + from.height },
    { x: to.x + to.width / 2, y: to.y },
  ];
}

export function placedLink(link: SceneLink, points: Point[]): PlacedLink {
  return {
    ...link,
    points,
    box: around(points.map((point) => ({ ...point, width: 0, height: 0 }))),
  };
}

export function finish(nodes: PlacedNode[], links: PlacedLink[]): Placed {
  return { nodes, links, box: around(nodes) };
}

function around(boxes: Box[]): Box {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const box of boxes) {
    left = Math.min(left, box.x);
    top = Math.min(top, box.y);
    right = Math.max(right, box.x + box.width);
    bottom = Math.max(bottom, box.y + box.height);
  }
  if (left > right) return { x: 0, y: 0, width: 0, height: 0 };
  return { x: left, y: top, width: right - left, height: bottom - top };
}

export function meet(a: Box, b: Box): boolean {
  return (
    a.x <= b.x + b.width && b.x <= a.x + a.width && a.y <= b.y + b.height && b.y <= a.y + a.height
  );
}
