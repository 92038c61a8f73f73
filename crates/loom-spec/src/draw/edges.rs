//! The arrows of a picture.

use super::mark::Mark;
use crate::graph::Graph;
use loom_core::{Definition, TaskDef};
use std::collections::HashMap;

/// Producers times consumers beyond which a variable gets a knot of its own.
const CROSSING: usize = 64;

/// An arrow from task to task.
pub(super) struct Edge<'a> {
    pub(super) from: u32,
    pub(super) to: u32,
    /// The variables that it carries; none for pure order.
    pub(super) vars: Vec<&'a str>,
    /// Whether it is there because of `depends_on` alone.
    pub(super) order: bool,
}

/// A variable that so many tasks set and take that arrows between all of them would hide the rest.
pub(super) struct Knot<'a> {
    pub(super) var: &'a str,
    pub(super) producers: Vec<u32>,
    pub(super) consumers: Vec<u32>,
}

/// What is drawn, whatever the format.
pub(super) struct Picture<'a> {
    /// What it is called.
    pub(super) title: &'a str,
    graph: Graph<'a>,
    pub(super) edges: Vec<Edge<'a>>,
    pub(super) knots: Vec<Knot<'a>>,
    /// How many arrows leave and reach each task.
    degrees: Vec<(usize, usize)>,
    /// Where each task of a run stands; none in the picture of a workflow.
    marks: Vec<Mark>,
}

impl<'a> Picture<'a> {
    /// The picture of a run: where each task stands, in the order of the file.
    pub(super) fn marked(definition: &'a Definition, marks: Vec<Mark>) -> Self {
        Self { marks, ..Self::new(definition) }
    }

    pub(super) fn new(definition: &'a Definition) -> Self {
        let graph = Graph::new(&definition.tasks);
        let mut arrows = Arrows::default();
        let mut knots = Vec::new();
        for var in graph.vars() {
            // A barrier's own inputs say less than what it waits for.
            let takers = graph.consumers(var).iter().copied();
            let consumers: Vec<u32> = takers.filter(|&to| !graph.is_barrier(to)).collect();
            let producers = graph.producers(var);
            if producers.len() * consumers.len() > CROSSING && producers.len() > 1 {
                let producers = producers.to_vec();
                knots.push(Knot { var: graph.var_name(var), producers, consumers });
                continue;
            }
            for &from in producers {
                for &to in &consumers {
                    arrows.add(from, to, Some(graph.var_name(var)));
                }
            }
        }
        for (to, _) in graph.tasks() {
            graph.dependencies(to).iter().for_each(|&from| arrows.add(from, to, None));
        }
        let mut picture = Self {
            title: &definition.name,
            graph,
            edges: arrows.edges,
            knots,
            degrees: Vec::new(),
            marks: Vec::new(),
        };
        picture.edges.sort_by_key(|edge| (edge.from, edge.to));
        picture.barriers();
        picture.count();
        picture
    }

    /// Draws what barriers wait for: the last tasks that are not behind them. Barriers that nothing
    /// depends on open together and do not wait for each other.
    fn barriers(&mut self) {
        let graph = &self.graph;
        let is_last = |at: u32| graph.is_barrier(at) && graph.dependents(at).is_empty();
        let mut arrows = Vec::new();
        for barrier in self.tasks().filter(|&at| graph.is_barrier(at)) {
            let behind = graph.downstream_of([barrier]);
            let waited = |at: u32| at != barrier && !behind[at as usize] && !is_last(at);
            let mut ends: Vec<bool> = self.tasks().map(waited).collect();
            for edge in self.edges.iter().filter(|edge| waited(edge.to)) {
                ends[edge.from as usize] = false;
            }
            for knot in &self.knots {
                if knot.consumers.iter().any(|&at| waited(at)) {
                    knot.producers.iter().for_each(|&from| ends[from as usize] = false);
                }
            }
            let from = (0..).zip(ends).filter(|&(_, is_end)| is_end);
            arrows.extend(from.map(|(from, _)| Edge {
                from,
                to: barrier,
                vars: Vec::new(),
                order: false,
            }));
        }
        self.edges.extend(arrows);
    }

    fn count(&mut self) {
        let mut degrees = vec![(0, 0); self.graph.task_count()];
        for edge in &self.edges {
            degrees[edge.from as usize].0 += 1;
            degrees[edge.to as usize].1 += 1;
        }
        for knot in &self.knots {
            for &from in &knot.producers {
                degrees[from as usize].0 += knot.consumers.len();
            }
            for &to in &knot.consumers {
                degrees[to as usize].1 += knot.producers.len();
            }
        }
        self.degrees = degrees;
    }

    pub(super) fn task(&self, at: u32) -> &'a TaskDef {
        self.graph.task(at)
    }

    /// Where the task stands, in the picture of a run.
    pub(super) fn mark(&self, at: u32) -> Option<&Mark> {
        self.marks.get(at as usize)
    }

    pub(super) fn tasks(&self) -> impl Iterator<Item = u32> + use<> {
        0..self.graph.task_count() as u32
    }

    pub(super) fn is_barrier(&self, at: u32) -> bool {
        self.graph.is_barrier(at)
    }

    pub(super) fn is_split(&self, at: u32) -> bool {
        self.degrees[at as usize].0 > 1
    }

    pub(super) fn is_join(&self, at: u32) -> bool {
        self.degrees[at as usize].1 > 1
    }

    /// The level of each task: one more than the highest of those that lead to it. `None` for tasks
    /// on or behind a cycle.
    pub(super) fn levels(&self) -> Vec<Option<u32>> {
        let count = self.graph.task_count();
        let knots = self.knots.len();
        let mut next: Vec<Vec<u32>> = vec![Vec::new(); count + knots];
        for edge in &self.edges {
            next[edge.from as usize].push(edge.to);
        }
        for (knot, place) in self.knots.iter().zip(count..) {
            knot.producers.iter().for_each(|&from| next[from as usize].push(place as u32));
            next[place].clone_from(&knot.consumers);
        }
        let mut missing = vec![0u32; count + knots];
        next.iter().flatten().for_each(|&to| missing[to as usize] += 1);
        let mut levels = vec![0u32; count + knots];
        let mut open: Vec<u32> =
            (0..).take(count + knots).filter(|&at| missing[at as usize] == 0).collect();
        while let Some(at) = open.pop() {
            // A knot is no level of its own.
            let level = levels[at as usize] + u32::from((at as usize) < count);
            for &to in &next[at as usize] {
                levels[to as usize] = levels[to as usize].max(level);
                missing[to as usize] -= 1;
                if missing[to as usize] == 0 {
                    open.push(to);
                }
            }
        }
        let reached = levels.into_iter().zip(missing).take(count);
        reached.map(|(level, missing)| (missing == 0).then_some(level)).collect()
    }
}

#[derive(Default)]
struct Arrows<'a> {
    edges: Vec<Edge<'a>>,
    places: HashMap<(u32, u32), usize>,
}

impl<'a> Arrows<'a> {
    fn add(&mut self, from: u32, to: u32, var: Option<&'a str>) {
        let place = *self.places.entry((from, to)).or_insert_with(|| {
            self.edges.push(Edge { from, to, vars: Vec::new(), order: var.is_none() });
            self.edges.len() - 1
        });
        self.edges[place].vars.extend(var);
    }
}
