//! Merkle trees as in RFC 6962, section 2.1: a leaf is SHA-256(0x00 ‖ data), a node SHA-256(0x01 ‖ left ‖
//! right), the empty tree SHA-256 of nothing.
//!
//! Three ways to have one: [`Frontier`] streams any number of leaves through a handful of hashes, [`Tree`] holds
//! all of them, and for a tree whose nodes lie elsewhere [`inclusion_path`] and [`consistency_path`] name the
//! ranges of leaves whose roots are the proof.

use std::ops::Range;

use crate::row::{Hash, sha256};

const LEAF: u8 = 0;
const NODE: u8 = 1;

pub fn empty_root() -> Hash {
    sha256(b"")
}

pub fn leaf_hash(data: &[u8]) -> Hash {
    let mut content = Vec::with_capacity(1 + data.len());
    content.push(LEAF);
    content.extend_from_slice(data);
    sha256(&content)
}

pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut content = [NODE; 1 + 2 * size_of::<Hash>()];
    content[1..33].copy_from_slice(left);
    content[33..].copy_from_slice(right);
    sha256(&content)
}

/// A complete subtree: 2^level leaves, from the leaf index · 2^level on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node {
    pub level: u8,
    pub index: u64,
}

impl Node {
    pub fn leaves(self) -> Range<u64> {
        self.index << self.level..(self.index + 1) << self.level
    }

    fn parent(self) -> Self {
        Self { level: self.level + 1, index: self.index / 2 }
    }
}

/// The right edge of a growing tree: the roots of its complete subtrees, the largest first, one for each bit that is
/// set in its size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    edge: Vec<Hash>,
}

impl Frontier {
    /// As it was kept; `None` where the edge cannot be that of so many leaves.
    pub fn from_edge(size: u64, edge: Vec<Hash>) -> Option<Self> {
        (edge.len() == size.count_ones() as usize).then_some(Self { size, edge })
    }

    pub fn push(&mut self, leaf: Hash) {
        self.push_with(leaf, |_, _| ());
    }

    /// Adds the hash of a leaf and tells which subtrees it completes, from the leaf itself upwards.
    pub fn push_with(&mut self, leaf: Hash, mut completed: impl FnMut(Node, &Hash)) {
        let (mut node, mut hash) = (Node { level: 0, index: self.size }, leaf);
        completed(node, &hash);
        while node.index % 2 == 1 {
            let left = self.edge.pop().expect("an odd subtree has a left sibling");
            (node, hash) = (node.parent(), node_hash(&left, &hash));
            completed(node, &hash);
        }
        self.edge.push(hash);
        self.size += 1;
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    pub fn edge(&self) -> &[Hash] {
        &self.edge
    }

    pub fn root(&self) -> Hash {
        join(&self.edge)
    }
}

/// The root of a range of leaves from the roots of the complete subtrees that [`cover`] it.
pub fn join(subtrees: &[Hash]) -> Hash {
    let joined = subtrees.iter().rev().copied().reduce(|right, left| node_hash(&left, &right));
    joined.unwrap_or_else(empty_root)
}

/// The complete subtrees that make up a range of leaves, the largest first. The range is one that a proof names.
pub fn cover(range: Range<u64>) -> Vec<Node> {
    let (mut begin, mut nodes) = (range.start, Vec::new());
    while begin < range.end {
        let level = (range.end - begin).ilog2();
        nodes.push(Node { level: level as u8, index: begin >> level });
        begin += 1 << level;
    }
    nodes
}

/// Where a tree of at least two leaves is split: the largest power of two below its size.
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// The ranges whose roots prove, in this order, that the leaf lies in the tree of that size. `index` < `size`.
pub fn inclusion_path(index: u64, size: u64) -> Vec<Range<u64>> {
    let (mut begin, mut end, mut path) = (0, size, Vec::new());
    while end - begin > 1 {
        let middle = begin + split(end - begin);
        if index < middle {
            path.push(middle..end);
            end = middle;
        } else {
            path.push(begin..middle);
            begin = middle;
        }
    }
    path.reverse();
    path
}

/// The ranges whose roots prove, in this order, that the tree of size `old` begins that of size `size`.
/// 0 < `old` ≤ `size`.
pub fn consistency_path(old: u64, size: u64) -> Vec<Range<u64>> {
    let (mut begin, mut end, mut path) = (0, size, Vec::new());
    while old != end {
        let middle = begin + split(end - begin);
        if old <= middle {
            path.push(middle..end);
            end = middle;
        } else {
            path.push(begin..middle);
            begin = middle;
        }
    }
    if begin > 0 {
        path.push(begin..end);
    }
    path.reverse();
    path
}

/// Whether the proof shows a leaf (by its hash) at `index` of the tree (RFC 9162, 2.1.3.2).
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let mut place = Place { index, last: size - 1 };
    let mut hash = *leaf;
    for sibling in proof {
        if place.last == 0 {
            return false;
        }
        hash = if place.is_right() { node_hash(sibling, &hash) } else { node_hash(&hash, sibling) };
        place.climb();
    }
    place.last == 0 && hash == *root
}

/// Whether the proof shows that the tree with `old_root` begins the tree with `root` (RFC 9162, 2.1.4.2). Every tree
/// begins with the empty one.
pub fn verify_consistency(old: u64, old_root: &Hash, size: u64, root: &Hash, proof: &[Hash]) -> bool {
    if old == 0 || old == size {
        let expected = if old == 0 { &empty_root() } else { root };
        return proof.is_empty() && old_root == expected;
    }
    if old > size {
        return false;
    }
    let known = old.is_power_of_two().then_some(old_root);
    let mut hashes = known.into_iter().chain(proof);
    let Some(first) = hashes.next() else { return false };
    let mut place = Place { index: old - 1, last: size - 1 };
    place.climb_while_right();
    let (mut old_hash, mut hash) = (*first, *first);
    for sibling in hashes {
        if place.last == 0 {
            return false;
        }
        if place.is_right() {
            old_hash = node_hash(sibling, &old_hash);
            hash = node_hash(sibling, &hash);
        } else {
            hash = node_hash(&hash, sibling);
        }
        place.climb();
    }
    place.last == 0 && old_hash == *old_root && hash == *root
}

/// A node on its way to the root, and the last one of its level.
struct Place {
    index: u64,
    last: u64,
}

impl Place {
    /// Whether its next sibling lies on its left.
    fn is_right(&self) -> bool {
        self.index % 2 == 1 || self.index == self.last
    }

    /// To the level above; a last node without a sibling rises until it has one.
    fn climb(&mut self) {
        if self.index == self.last {
            while self.index.is_multiple_of(2) && self.index != 0 {
                self.up();
            }
        }
        self.up();
    }

    fn climb_while_right(&mut self) {
        while self.index % 2 == 1 {
            self.up();
        }
    }

    fn up(&mut self) {
        self.index /= 2;
        self.last /= 2;
    }
}

/// A tree in memory: level by level, a last node without a sibling moving up as it is.
#[derive(Clone, Debug, Default)]
pub struct Tree(Vec<Vec<Hash>>);

impl Tree {
    /// Over the hashes of leaves.
    pub fn new(leaves: Vec<Hash>) -> Self {
        let mut levels = vec![leaves];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            levels.push(below.chunks(2).map(parent).collect());
        }
        Self(levels)
    }

    pub fn root(&self) -> Hash {
        self.0.last().and_then(|top| top.first()).copied().unwrap_or_else(empty_root)
    }

    /// Puts another leaf in the place of one.
    pub fn set(&mut self, mut index: usize, leaf: Hash) {
        self.0[0][index] = leaf;
        for level in 1..self.0.len() {
            index /= 2;
            let below = &self.0[level - 1];
            self.0[level][index] = parent(&below[2 * index..below.len().min(2 * index + 2)]);
        }
    }

    /// The proof that the leaf lies in it.
    pub fn inclusion(&self, index: usize) -> Vec<Hash> {
        let siblings = self.0.iter().enumerate().map(|(level, nodes)| nodes.get((index >> level) ^ 1));
        siblings.flatten().copied().collect()
    }
}

fn parent(children: &[Hash]) -> Hash {
    match children {
        [left, right] => node_hash(left, right),
        children => children[0],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The known answers of the Certificate Transparency project.
    const LEAVES: [&str; 8] =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    const ROOTS: [&str; 8] = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    fn known_leaves() -> Vec<Hash> {
        LEAVES.iter().map(|leaf| leaf_hash(&hex::decode(leaf).unwrap())).collect()
    }

    fn numbered(count: u64) -> Vec<Hash> {
        (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
    }

    fn frontier(leaves: &[Hash]) -> Frontier {
        let mut frontier = Frontier::default();
        leaves.iter().for_each(|leaf| frontier.push(*leaf));
        frontier
    }

    /// The definition in RFC 6962, word by word.
    fn root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => empty_root(),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(split(leaves.len() as u64) as usize);
                node_hash(&root(left), &root(right))
            }
        }
    }

    fn prove(leaves: &[Hash], path: Vec<Range<u64>>) -> Vec<Hash> {
        path.into_iter().map(|range| root(&leaves[range.start as usize..range.end as usize])).collect()
    }

    #[test]
    fn roots_and_proofs_are_the_known_ones() {
        let leaves = known_leaves();
        assert_eq!(hex::encode(empty_root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        for (size, expected) in (1..).zip(ROOTS) {
            assert_eq!(hex::encode(frontier(&leaves[..size]).root()), expected);
            assert_eq!(hex::encode(Tree::new(leaves[..size].to_vec()).root()), expected);
        }
        let shown = |path| prove(&leaves, path).iter().map(hex::encode).collect::<Vec<_>>();
        assert_eq!(
            shown(inclusion_path(0, 8)),
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ]
        );
        assert_eq!(
            shown(consistency_path(6, 8)),
            [
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ]
        );
    }

    #[test]
    fn an_edge_that_is_none_of_that_size_is_refused() {
        assert_eq!(Frontier::from_edge(5, vec![[0; 32]]), None);
        let kept = frontier(&numbered(5));
        assert_eq!(Frontier::from_edge(5, kept.edge().to_vec()), Some(kept));
    }

    #[test]
    fn a_frontier_names_every_subtree_once_when_it_is_complete() {
        let leaves = numbered(13);
        let (mut frontier, mut named) = (Frontier::default(), Vec::new());
        leaves.iter().for_each(|leaf| frontier.push_with(*leaf, |node, hash| named.push((node, *hash))));
        assert_eq!(named.len(), 13 + 6 + 3 + 1);
        for (node, hash) in named {
            let range = node.leaves();
            assert_eq!(hash, root(&leaves[range.start as usize..range.end as usize]), "{node:?}");
        }
    }

    proptest! {
        #[test]
        fn all_three_ways_have_the_root_of_the_definition(size in 0..200_u64) {
            let leaves = numbered(size);
            prop_assert_eq!(frontier(&leaves).root(), root(&leaves));
            prop_assert_eq!(Tree::new(leaves.clone()).root(), root(&leaves));
            let subtrees: Vec<Hash> = cover(0..size)
                .into_iter()
                .map(|node| root(&leaves[node.leaves().start as usize..node.leaves().end as usize]))
                .collect();
            prop_assert_eq!(join(&subtrees), root(&leaves));
        }

        #[test]
        fn an_inclusion_proof_holds_for_its_leaf_alone((size, index) in (1..200_u64).prop_flat_map(|n| (Just(n), 0..n))) {
            let leaves = numbered(size);
            let proof = prove(&leaves, inclusion_path(index, size));
            let leaf = leaves[index as usize];
            prop_assert_eq!(&Tree::new(leaves.clone()).inclusion(index as usize), &proof);
            prop_assert!(verify_inclusion(&leaf, index, size, &proof, &root(&leaves)));
            prop_assert!(!verify_inclusion(&leaf_hash(b"another"), index, size, &proof, &root(&leaves)));
            prop_assert!(!verify_inclusion(&leaf, index, size, &proof, &empty_root()));
            for other in (0..size + 2).filter(|other| *other != index) {
                prop_assert!(!verify_inclusion(&leaf, other, size, &proof, &root(&leaves)));
            }
            let longer = [&proof[..], &[leaf]].concat();
            prop_assert!(!verify_inclusion(&leaf, index, size, &longer, &root(&leaves)));
            if let Some((_, shorter)) = proof.split_last() {
                prop_assert!(!verify_inclusion(&leaf, index, size, shorter, &root(&leaves)));
            }
        }

        #[test]
        fn a_consistency_proof_holds_for_its_beginning_alone(
            (size, old) in (1..200_u64).prop_flat_map(|n| (Just(n), 1..=n)), changed in any::<prop::sample::Index>(),
        ) {
            let leaves = numbered(size);
            let (old_root, new_root) = (root(&leaves[..old as usize]), root(&leaves));
            let proof = prove(&leaves, consistency_path(old, size));
            prop_assert!(verify_consistency(old, &old_root, size, &new_root, &proof));
            let mut rewritten = leaves.clone();
            rewritten[changed.index(old as usize)] = leaf_hash(b"another");
            let rewritten_proof = prove(&rewritten, consistency_path(old, size));
            prop_assert!(!verify_consistency(old, &old_root, size, &root(&rewritten), &rewritten_proof));
            prop_assert!(!verify_consistency(size + 1, &old_root, size, &new_root, &proof));
            if old < size {
                prop_assert!(!verify_consistency(old, &old_root, size, &new_root, &[&proof[..], &[old_root]].concat()));
                prop_assert!(!verify_consistency(old, &old_root, size, &new_root, &proof[1..]));
            }
        }

        #[test]
        fn a_changed_leaf_changes_the_tree_as_if_it_had_always_been_so(
            (size, index) in (1..100_u64).prop_flat_map(|n| (Just(n), 0..n)),
        ) {
            let mut leaves = numbered(size);
            let mut tree = Tree::new(leaves.clone());
            leaves[index as usize] = leaf_hash(b"another");
            tree.set(index as usize, leaf_hash(b"another"));
            prop_assert_eq!(tree.root(), root(&leaves));
        }
    }
}
