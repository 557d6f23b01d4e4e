//! How far a walk went.

use std::{fmt, time::Duration};

use super::search::Budget;

/// What a walk saw.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) world: &'static str,
    pub(super) budget: Budget,
    pub(super) states: usize,
    pub(super) moves: usize,
    /// The most moves from the start to a state, by the shortest way.
    pub(super) depth: usize,
    /// The most moves on any way; no way is longer.
    pub(super) longest: usize,
    pub(super) conversations: usize,
    pub(super) policies: usize,
    pub(super) time: Duration,
}

/// The longest way; none where there is a circle, for then nothing ends.
pub(super) fn longest(states: usize, edges: &[(u32, u32)]) -> Option<usize> {
    let at = |it: u32| usize::try_from(it).unwrap();
    let mut coming = vec![0_usize; states];
    for (_, to) in edges {
        coming[at(*to)] += 1;
    }
    // The edges were pushed state by state, so those of one state lie together.
    let mut begins = vec![0_usize; states + 1];
    for (from, _) in edges {
        begins[at(*from) + 1] += 1;
    }
    for n in 0..states {
        begins[n + 1] += begins[n];
    }
    let mut length = vec![0_usize; states];
    let mut free: Vec<usize> = (0..states).filter(|it| coming[*it] == 0).collect();
    let mut n = 0;
    while let Some(from) = free.pop() {
        n += 1;
        for (_, to) in &edges[begins[from]..begins[from + 1]] {
            let to = at(*to);
            length[to] = length[to].max(length[from] + 1);
            coming[to] -= 1;
            if coming[to] == 0 {
                free.push(to);
            }
        }
    }
    (n == states).then(|| length.into_iter().max().unwrap_or(0))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { world, budget, states, moves, depth, longest, .. } = self;
        let Self { conversations, policies, time, .. } = self;
        let Budget { faults, others, passes } = budget;
        write!(
            f,
            "{world:44} faults {faults}, others {others}, passes {passes}: {states:8} states, {moves:9} moves, \
             depth {depth:2}, longest way {longest:2}, {conversations:6} conversations, {policies:3} policies, \
             {time:.1?}"
        )
    }
}
