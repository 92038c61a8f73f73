//! Edges of a graph with dense nodes, in two flat vectors.

/// For each node, the nodes it leads to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Adjacency {
    /// `targets[starts[n]..starts[n + 1]]` are node n's.
    starts: Vec<u32>,
    targets: Vec<u32>,
}

impl Adjacency {
    /// Gathers `edges` (from, to), given by a function that can be run twice, over `nodes` nodes.
    /// Edges keep their order within a node.
    pub(crate) fn new(nodes: usize, mut edges: impl FnMut(&mut dyn FnMut(u32, u32))) -> Self {
        let mut starts = vec![0u32; nodes + 1];
        edges(&mut |from, _| starts[from as usize + 1] += 1);
        for node in 0..nodes {
            starts[node + 1] += starts[node];
        }
        let mut next = starts.clone();
        let mut targets = vec![0u32; starts[nodes] as usize];
        edges(&mut |from, to| {
            let place = &mut next[from as usize];
            targets[*place as usize] = to;
            *place += 1;
        });
        Self { starts, targets }
    }

    /// Adds a node that leads nowhere.
    pub(crate) fn add_node(&mut self) {
        self.starts.push(self.targets.len() as u32);
    }

    /// The nodes that `node` leads to.
    pub(crate) fn of(&self, node: u32) -> &[u32] {
        let node = node as usize;
        &self.targets[self.starts[node] as usize..self.starts[node + 1] as usize]
    }

    /// All edges turned round.
    pub(crate) fn reversed(&self, nodes: usize) -> Self {
        Self::new(nodes, |edge| {
            for from in 0..self.starts.len() as u32 - 1 {
                for &to in self.of(from) {
                    edge(to, from);
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Adjacency;

    #[test]
    fn edges_are_found_both_ways() {
        let edges = [(0, 1), (0, 2), (2, 1)];
        let forward = Adjacency::new(3, |edge| edges.iter().for_each(|&(a, b)| edge(a, b)));
        assert_eq!([forward.of(0), forward.of(1), forward.of(2)], [&[1, 2][..], &[], &[1]]);
        let back = forward.reversed(3);
        assert_eq!([back.of(0), back.of(1), back.of(2)], [&[][..], &[0, 2], &[0]]);
    }
}
