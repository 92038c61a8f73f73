//! The graph as data, for programs that draw it themselves.

use super::edges::{Edge, Knot, Picture};
use super::mark::marks;
use super::{dot, mermaid};
use loom_core::{Definition, History, TaskIx, TaskRef, Timestamp};
use loom_protocol::api::{
    EdgeView, GraphView, KnotView, NodeView, RunGraphView, RunNodeView, RunState,
};
use std::collections::BTreeMap;

/// Nodes, edges and levels, with the Mermaid and DOT texts.
pub fn view(definition: &Definition) -> GraphView {
    of(&Picture::new(definition))
}

/// The graph of a run that is in this state, with how long things have taken by `now`.
pub fn run_view(history: &History, state: RunState, now: Timestamp) -> RunGraphView {
    let picture = Picture::marked(history.run().plan().definition(), marks(history));
    let GraphView { nodes, edges, knots, levels, mermaid, dot } = of(&picture);
    let nodes = (0..).map(TaskIx).zip(nodes).map(|(task, node)| in_run(history, now, task, node));
    RunGraphView {
        run: history.run().id().to_string(),
        state,
        last_seq: history.last_seq(),
        nodes: nodes.collect(),
        edges,
        knots,
        levels,
        mermaid,
        dot,
    }
}

fn of(picture: &Picture<'_>) -> GraphView {
    let depths = picture.levels();
    let name = |at: u32| picture.task(at).name.clone();
    let height = depths.iter().flatten().max().map_or(0, |&deepest| deepest as usize + 1);
    let mut levels = vec![Vec::new(); height];
    for (at, depth) in (0..).zip(&depths) {
        if let Some(depth) = depth {
            levels[*depth as usize].push(name(at));
        }
    }
    let node = |at: u32| NodeView {
        name: name(at),
        plugin: picture.task(at).plugin.clone(),
        level: depths[at as usize],
        split: picture.is_split(at),
        join: picture.is_join(at),
    };
    let edge = |edge: &Edge<'_>| EdgeView {
        from: name(edge.from),
        to: name(edge.to),
        variables: edge.vars.iter().map(|&var| var.to_owned()).collect(),
        order: edge.order,
    };
    let knot = |knot: &Knot<'_>| KnotView {
        variable: knot.var.to_owned(),
        from: knot.producers.iter().copied().map(name).collect(),
        to: knot.consumers.iter().copied().map(name).collect(),
    };
    GraphView {
        nodes: picture.tasks().map(node).collect(),
        edges: picture.edges.iter().map(edge).collect(),
        knots: picture.knots.iter().map(knot).collect(),
        levels,
        mermaid: mermaid::draw(picture),
        dot: dot::draw(picture),
    }
}

fn in_run(history: &History, now: Timestamp, task: TaskIx, node: NodeView) -> RunNodeView {
    let (run, record) = (history.run(), history.task(task));
    let phase = run.phase(task);
    let mut items = BTreeMap::new();
    for item in 0..run.items(task).map_or(0, |(count, _)| count) {
        // Those of a task that ended before they ran stand where it does.
        let of = run.phase_of(TaskRef { task, item: Some(item) }).unwrap_or(phase);
        *items.entry(of.name().to_owned()).or_default() += 1;
    }
    RunNodeView {
        node,
        phase: phase.name().to_owned(),
        attempts: record.attempts.len() as u32,
        took_s: record.took(now).map(|took| took.as_secs_f64()),
        items,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{pipeline, task};
    use super::*;

    #[test]
    fn the_pipeline_as_data() {
        let graph = view(&pipeline());
        let levels: Vec<String> = graph.levels.iter().map(|level| level.join(" ")).collect();
        let expected = ["start", "extract_data", "transform_data backup_raw", "load_data", "end"];
        assert_eq!(levels, expected);
        let edges = graph.edges.iter();
        let edges: Vec<String> = edges
            .map(|edge| format!("{}>{} {}", edge.from, edge.to, edge.variables.join(",")))
            .collect();
        let expected = [
            "start>extract_data TRUE",
            "extract_data>transform_data RAW_DATA",
            "extract_data>backup_raw RAW_DATA",
            "transform_data>load_data CLEAN_DATA",
            "backup_raw>load_data BACKUP_LOCATION",
            "load_data>end ",
        ];
        assert_eq!(edges, expected);
        assert!(graph.nodes[1].split && graph.nodes[4].join && !graph.nodes[2].join);
        assert!(graph.mermaid.starts_with("graph TD") && graph.dot.starts_with("digraph"));
        assert_eq!(graph.knots, []);
    }

    #[test]
    fn what_crosses_too_often_is_a_knot_and_a_circle_has_no_level() {
        let mut tasks: Vec<_> = (0..10).map(|n| task(&format!("p{n}"), &[], &["X"])).collect();
        tasks.extend((0..10).map(|n| task(&format!("c{n}"), &["X"], &[])));
        tasks.push(task("a", &["B"], &["A"]));
        tasks.push(task("b", &["A"], &["B"]));
        let definition = Definition::new("w", tasks);
        let graph = view(&definition);
        assert_eq!(graph.knots.len(), 1);
        assert_eq!((graph.knots[0].from.len(), graph.knots[0].to.len()), (10, 10));
        let level = |name: &str| graph.nodes.iter().find(|it| it.name == name).unwrap().level;
        assert_eq!((level("p0"), level("c9"), level("a")), (Some(0), Some(1), None));
    }
}
