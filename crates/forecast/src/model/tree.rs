//! One regression tree on binned features: grown best leaf first, from histograms.
//!
//! Sums are taken in row order and features are tried in column order, so a tree does not depend
//! on the number of threads.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Bin 0 is for missing values; the others are ascending.
pub(super) const BINS_MAX: usize = 64;

/// Values of every feature as bin numbers, column by column, for the rows of one fit.
pub(super) struct Binned {
    pub(super) rows: usize,
    columns: Vec<Vec<u8>>,
    /// Upper edges of the bins of each column; bin `b` holds values `≤ edges[b - 1]`.
    edges: Vec<Vec<f32>>,
}

impl Binned {
    /// Bins columns by quantiles of their own values.
    pub(super) fn of(columns: &[Vec<f32>]) -> Self {
        let binned: Vec<(Vec<u8>, Vec<f32>)> = columns
            .par_iter()
            .map(|column| {
                let edges = quantile_edges(column);
                (column.iter().map(|&value| bin(&edges, value)).collect(), edges)
            })
            .collect();
        let rows = columns.first().map_or(0, Vec::len);
        let (columns, edges) = binned.into_iter().unzip();
        Self { rows, columns, edges }
    }
}

fn quantile_edges(column: &[f32]) -> Vec<f32> {
    let mut values: Vec<f32> = column.iter().copied().filter(|v| !v.is_nan()).collect();
    values.sort_by(f32::total_cmp);
    let last = BINS_MAX - 1;
    let mut edges: Vec<f32> =
        (1..last).filter_map(|i| values.get(i * values.len() / last).copied()).collect();
    edges.dedup();
    // Not infinity, which the saved form could not hold.
    edges.push(f32::MAX);
    edges
}

fn bin(edges: &[f32], value: f32) -> u8 {
    if value.is_nan() {
        return 0;
    }
    let bin = 1 + edges.partition_point(|&edge| edge < value);
    u8::try_from(bin).expect("there are at most BINS_MAX bins")
}

/// First and second derivative of the loss at one row.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Derivatives {
    pub(super) gradient: f64,
    pub(super) hessian: f64,
}

impl Derivatives {
    fn add(&mut self, other: Self) {
        self.gradient += other.gradient;
        self.hessian += other.hessian;
    }

    fn minus(self, other: Self) -> Self {
        Self { gradient: self.gradient - other.gradient, hessian: self.hessian - other.hessian }
    }

    fn score(self, ridge: f64) -> f64 {
        self.gradient * self.gradient / (self.hessian + ridge)
    }
}

/// How a tree may grow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Growth {
    pub(super) leaves_max: usize,
    pub(super) leaf_hessian_min: f64,
    pub(super) ridge: f64,
    pub(super) learning_rate: f64,
}

/// A fitted tree: nodes in an array, the root first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Tree {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Node {
    Leaf {
        value: f64,
        information: f64,
    },
    Split {
        column: usize,
        edge: f32,
        missing_left: bool,
        left: usize,
        right: usize,
        /// What the rows that came here in training taught: how likely they come this way.
        information: f64,
    },
}

impl Node {
    fn information(&self) -> f64 {
        match self {
            Node::Leaf { information, .. } | Node::Split { information, .. } => *information,
        }
    }
}

impl Tree {
    /// Returns the tree's term for a row given as a function from column to value.
    pub(super) fn value(&self, at: impl Fn(usize) -> f32) -> f64 {
        let mut node = 0;
        loop {
            match &self.nodes[node] {
                Node::Leaf { value, .. } => return *value,
                Node::Split { column, edge, missing_left, left, right, .. } => {
                    let goes_left = goes_left_of(*edge, *missing_left, at(*column));
                    node = if goes_left { *left } else { *right };
                }
            }
        }
    }

    /// Returns the columns that the tree reads, each once.
    pub(super) fn columns(&self) -> Vec<usize> {
        let column = |node: &Node| match node {
            Node::Leaf { .. } => None,
            Node::Split { column, .. } => Some(*column),
        };
        let mut columns: Vec<usize> = self.nodes.iter().filter_map(column).collect();
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// Returns the mean term of training rows that agree with the row in the known columns.
    pub(super) fn expected(
        &self,
        at: &impl Fn(usize) -> f32,
        known: &impl Fn(usize) -> bool,
    ) -> f64 {
        self.expected_at(0, at, known)
    }

    fn expected_at(
        &self,
        node: usize,
        at: &impl Fn(usize) -> f32,
        known: &impl Fn(usize) -> bool,
    ) -> f64 {
        match &self.nodes[node] {
            Node::Leaf { value, .. } => *value,
            Node::Split { column, edge, missing_left, left, right, .. } => {
                if known(*column) {
                    let goes_left = goes_left_of(*edge, *missing_left, at(*column));
                    return self.expected_at(if goes_left { *left } else { *right }, at, known);
                }
                let weights = [*left, *right].map(|child| self.nodes[child].information());
                let terms = [*left, *right].map(|child| self.expected_at(child, at, known));
                (weights[0] * terms[0] + weights[1] * terms[1]) / (weights[0] + weights[1])
            }
        }
    }
}

fn goes_left_of(edge: f32, missing_left: bool, value: f32) -> bool {
    if value.is_nan() { missing_left } else { value <= edge }
}

/// A leaf that may still be split.
struct OpenLeaf {
    node: usize,
    rows: Vec<u32>,
    total: Derivatives,
    histograms: Vec<Histogram>,
    best: Option<Split>,
}

/// A power of two, so that a bin number needs no bounds check.
const HISTOGRAM_BINS: usize = BINS_MAX;

type Histogram = [Derivatives; HISTOGRAM_BINS];

#[derive(Clone, Copy, Debug)]
struct Split {
    gain: f64,
    column: usize,
    /// The last bin that goes left.
    bin: u8,
    missing_left: bool,
    left: Derivatives,
}

/// Grows a tree on the given columns; returns it and adds its terms to `terms`.
pub(super) fn grow(
    binned: &Binned,
    derivatives: &[Derivatives],
    columns: &[usize],
    growth: &Growth,
    terms: &mut [f64],
) -> Tree {
    let all: Vec<u32> =
        (0..u32::try_from(binned.rows).expect("fewer than 4 billion rows")).collect();
    let total = sum(&all, derivatives);
    let histograms = histograms(binned, derivatives, columns, &all);
    let best = best_split(&histograms, columns, total, growth);
    let undecided = Node::Leaf { value: 0.0, information: 0.0 };
    let mut nodes = vec![undecided.clone()];
    let mut open = vec![OpenLeaf { node: 0, rows: all, total, histograms, best }];
    while open.len() < growth.leaves_max {
        let Some((index, split)) = most_gain(&open) else { break };
        let leaf = open.swap_remove(index);
        let (left_rows, right_rows): (Vec<u32>, Vec<u32>) =
            leaf.rows.iter().partition(|&&row| goes_left(binned, &split, row));
        let (left_node, right_node) = (nodes.len(), nodes.len() + 1);
        nodes[leaf.node] = Node::Split {
            column: split.column,
            edge: binned.edges[split.column][usize::from(split.bin) - 1],
            missing_left: split.missing_left,
            left: left_node,
            right: right_node,
            information: leaf.total.hessian,
        };
        nodes.extend([undecided.clone(), undecided.clone()]);
        let left_is_smaller = left_rows.len() <= right_rows.len();
        let smaller = if left_is_smaller { &left_rows } else { &right_rows };
        let counted = self::histograms(binned, derivatives, columns, smaller);
        let rest = subtract(leaf.histograms, &counted);
        let (left_histograms, right_histograms) =
            if left_is_smaller { (counted, rest) } else { (rest, counted) };
        for (node, rows, total, histograms) in [
            (left_node, left_rows, split.left, left_histograms),
            (right_node, right_rows, leaf.total.minus(split.left), right_histograms),
        ] {
            let best = best_split(&histograms, columns, total, growth);
            open.push(OpenLeaf { node, rows, total, histograms, best });
        }
    }
    for leaf in open {
        let value =
            -growth.learning_rate * leaf.total.gradient / (leaf.total.hessian + growth.ridge);
        nodes[leaf.node] = Node::Leaf { value, information: leaf.total.hessian };
        for row in leaf.rows {
            terms[row as usize] += value;
        }
    }
    Tree { nodes }
}

fn most_gain(open: &[OpenLeaf]) -> Option<(usize, Split)> {
    open.iter()
        .enumerate()
        .filter_map(|(index, leaf)| Some((index, leaf.best?)))
        .max_by(|(_, a), (_, b)| a.gain.total_cmp(&b.gain))
}

fn goes_left(binned: &Binned, split: &Split, row: u32) -> bool {
    let bin = binned.columns[split.column][row as usize];
    if bin == 0 { split.missing_left } else { bin <= split.bin }
}

fn sum(rows: &[u32], derivatives: &[Derivatives]) -> Derivatives {
    let mut total = Derivatives::default();
    for &row in rows {
        total.add(derivatives[row as usize]);
    }
    total
}

fn histograms(
    binned: &Binned,
    derivatives: &[Derivatives],
    columns: &[usize],
    rows: &[u32],
) -> Vec<Histogram> {
    // Gathered once, so that every column reads them in order.
    let gathered: Vec<Derivatives> = rows.iter().map(|&row| derivatives[row as usize]).collect();
    columns
        .par_iter()
        .map(|&column| {
            let bins = &binned.columns[column];
            // Neighbours often share a bin; two histograms keep their sums from waiting for
            // each other.
            let mut even = [Derivatives::default(); HISTOGRAM_BINS];
            let mut odd = [Derivatives::default(); HISTOGRAM_BINS];
            let bin = |row: u32| usize::from(bins[row as usize]) % HISTOGRAM_BINS;
            let (row_pairs, last_row) = rows.as_chunks::<2>();
            let (pairs, last) = gathered.as_chunks::<2>();
            for (pair, rows) in pairs.iter().zip(row_pairs) {
                even[bin(rows[0])].add(pair[0]);
                odd[bin(rows[1])].add(pair[1]);
            }
            for (derivatives, &row) in last.iter().zip(last_row) {
                even[bin(row)].add(*derivatives);
            }
            for (even, odd) in even.iter_mut().zip(odd) {
                even.add(odd);
            }
            even
        })
        .collect()
}

fn subtract(mut whole: Vec<Histogram>, part: &[Histogram]) -> Vec<Histogram> {
    for (whole, part) in whole.iter_mut().zip(part) {
        for (whole, part) in whole.iter_mut().zip(part) {
            *whole = whole.minus(*part);
        }
    }
    whole
}

fn best_split(
    histograms: &[Histogram],
    columns: &[usize],
    total: Derivatives,
    growth: &Growth,
) -> Option<Split> {
    let mut best: Option<Split> = None;
    for (histogram, &column) in histograms.iter().zip(columns) {
        for missing_left in [false, true] {
            let mut left = if missing_left { histogram[0] } else { Derivatives::default() };
            for (bin, of_bin) in (1_u8..).zip(&histogram[1..BINS_MAX]) {
                left.add(*of_bin);
                let right = total.minus(left);
                if left.hessian.min(right.hessian) < growth.leaf_hessian_min {
                    continue;
                }
                let gain = left.score(growth.ridge) + right.score(growth.ridge)
                    - total.score(growth.ridge);
                if best.is_none_or(|best| best.gain < gain) && GAIN_MIN < gain {
                    best = Some(Split { gain, column, bin, missing_left, left });
                }
            }
            if histogram[0].hessian <= 0.0 {
                break;
            }
        }
    }
    best
}

/// A split that improves the loss by less is noise.
const GAIN_MIN: f64 = 1e-3;

#[cfg(test)]
mod tests {
    use super::*;

    const GROWTH: Growth =
        Growth { leaves_max: 4, leaf_hessian_min: 1.0, ridge: 0.0, learning_rate: 1.0 };

    /// Squared loss around 0: the leaf values are the means of the targets.
    fn derivatives(targets: &[f64]) -> Vec<Derivatives> {
        targets.iter().map(|target| Derivatives { gradient: -target, hessian: 1.0 }).collect()
    }

    #[test]
    fn a_step_is_found_and_missing_values_go_where_they_fit() {
        let column = vec![1.0, 2.0, 3.0, 4.0, f32::NAN, f32::NAN];
        let targets = [0.0, 0.0, 9.0, 9.0, 9.0, 9.0];
        let binned = Binned::of(std::slice::from_ref(&column));
        let mut terms = vec![0.0; 6];
        let growth = Growth { leaves_max: 2, ..GROWTH };
        let tree = grow(&binned, &derivatives(&targets), &[0], &growth, &mut terms);
        assert_eq!(terms, targets);
        let values = [1.5, 2.5, 99.0, f32::NAN].map(|x| tree.value(|_| x)).to_vec();
        assert_eq!(values, [0.0, 9.0, 9.0, 9.0]);
    }

    #[test]
    fn an_interaction_needs_two_levels() {
        let (mut a, mut b, mut targets) = (Vec::new(), Vec::new(), Vec::new());
        for i in 0_u8..40 {
            let (x, y) = (f32::from(i % 2), f32::from(i / 2 % 2));
            a.push(x);
            b.push(y);
            targets.push(if 1.5 < x + y { 4.0 } else { 0.0 });
        }
        let binned = Binned::of(&[a.clone(), b.clone()]);
        let mut terms = vec![0.0; 40];
        let tree = grow(&binned, &derivatives(&targets), &[0, 1], &GROWTH, &mut terms);
        assert_eq!(terms, targets);
        assert!((tree.value(|column| [1.0, 1.0][column]) - 4.0).abs() < 1e-12);
    }

    #[test]
    fn a_leaf_too_light_is_not_made() {
        let column: Vec<f32> = vec![1.0, 2.0];
        let binned = Binned::of(&[column]);
        let growth = Growth { leaf_hessian_min: 1.5, ..GROWTH };
        let mut terms = vec![0.0; 2];
        grow(&binned, &derivatives(&[0.0, 8.0]), &[0], &growth, &mut terms);
        assert_eq!(terms, [4.0, 4.0]);
    }
}
