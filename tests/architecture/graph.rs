//! Loops in a graph.
use std::collections::{BTreeMap, BTreeSet};

/// Which node leads to which.
pub type Edges = BTreeMap<String, BTreeSet<String>>;

/// The nodes from which a way leads back to themselves, each with the first step of a way.
pub fn in_loops(edges: &Edges) -> Vec<String> {
    let reachable = |from: &str| {
        let mut seen = BTreeSet::new();
        let mut left: Vec<&str> = vec![from];
        while let Some(node) = left.pop() {
            for next in edges.get(node).into_iter().flatten() {
                if seen.insert(next.as_str()) {
                    left.push(next);
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&str, BTreeSet<&str>> = edges.keys().map(|node| (node.as_str(), reachable(node))).collect();
    let looping = |node: &str| reached[node].contains(node);
    edges
        .iter()
        .filter(|(node, _)| looping(node))
        .map(|(node, next)| {
            let back: Vec<&str> = next
                .iter()
                .map(String::as_str)
                .filter(|next| {
                    *next == node.as_str() || reached.get(next).is_some_and(|reached| reached.contains(node.as_str()))
                })
                .collect();
            format!("{node} -> {}", back.join(", "))
        })
        .collect()
}
