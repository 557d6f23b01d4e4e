//! Which of several permitds looks after an account and region.
//!
//! By rendezvous hashing: everybody draws a number for each place, and the highest has it. So every place has exactly
//! one owner, without anybody asking anybody, and one more permitd takes over its share and moves nothing else.

use std::{fmt, str::FromStr};

use sha2::{Digest, Sha256};

use crate::policy::target::AccountRegion;

/// One of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// From 1 on.
    index: u32,
    of: u32,
}

/// More of them is a mistake.
const MOST: u32 = 1024;

impl Shard {
    /// Whether this one looks after that place.
    pub fn owns(self, place: &AccountRegion) -> bool {
        let drawn = |it: &u32| {
            let mut hash = Sha256::new();
            hash.update(format!("{it}\n{place}"));
            // Of two that draw the same the later one has it, so that there is always exactly one.
            (hash.finalize(), *it)
        };
        (1..=self.of).max_by_key(drawn) == Some(self.index)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts =
            text.split_once('/').and_then(|(index, of)| Some((number(index)?, number(of)?)));
        let (index, of) = parts.ok_or_else(|| {
            format!("`{text}` is not a shard: write it like 1/3, the first of three")
        })?;
        if of == 0 || of > MOST {
            return Err(format!("there can be 1 to {MOST} shards, and not {of}"));
        }
        if index == 0 || index > of {
            return Err(format!("there is no shard {index} of {of}: they are 1/{of} to {of}/{of}"));
        }
        Ok(Self { index, of })
    }
}

fn number(text: &str) -> Option<u32> {
    text.bytes().all(|it| it.is_ascii_digit()).then(|| text.parse().ok())?
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn owner(place: &AccountRegion, of: u32) -> u32 {
        let owners: Vec<u32> =
            (1..=of).filter(|index| Shard { index: *index, of }.owns(place)).collect();
        assert_eq!(owners.len(), 1, "{place} of {of}: {owners:?}");
        owners[0]
    }

    fn places(n: u32) -> Vec<AccountRegion> {
        let place = |it| AccountRegion {
            account: format!("{it:012}"),
            region: ["us-east-1", "eu-west-1"][it as usize % 2].to_owned(),
        };
        (0..n).map(place).collect()
    }

    proptest! {
        #[test]
        fn every_place_has_one_owner_and_one_more_shard_moves_only_to_itself(
            account in "[0-9]{12}", region in "(us|eu)-(east|west)-[1-9]", of in 1..40_u32,
        ) {
            let place = AccountRegion { account, region };
            let (before, after) = (owner(&place, of), owner(&place, of + 1));
            prop_assert!(after == before || after == of + 1, "{before} {after}");
        }
    }

    /// One more of nine takes a tenth, and they are spread evenly.
    #[test]
    fn shares_are_even() {
        let places = places(2000);
        let moved = places.iter().filter(|it| owner(it, 9) != owner(it, 10)).count();
        assert!((150..250).contains(&moved), "{moved} of 2000");
        for index in 1..=10 {
            let n = places.iter().filter(|it| Shard { index, of: 10 }.owns(it)).count();
            assert!((140..260).contains(&n), "{n} of 2000 in shard {index}");
        }
    }

    /// Another version of permitd has to come to the same, or two would look after one place.
    #[test]
    fn owners_stay_as_they_are() {
        let owners: Vec<u32> = places(8).iter().map(|it| owner(it, 5)).collect();
        assert_eq!(owners, [4, 1, 2, 5, 5, 1, 3, 5]);
    }

    #[test]
    fn what_is_typed() {
        for text in ["1/1", "2/3", "1024/1024"] {
            assert_eq!(text.parse::<Shard>().map(|it| it.to_string()), Ok(text.to_owned()));
        }
        for (text, said) in [
            ("0/3", "there is no shard 0 of 3: they are 1/3 to 3/3"),
            ("4/3", "there is no shard 4 of 3: they are 1/3 to 3/3"),
            ("1/0", "there can be 1 to 1024 shards, and not 0"),
            ("1/1025", "there can be 1 to 1024 shards, and not 1025"),
            ("1", "`1` is not a shard: write it like 1/3, the first of three"),
            ("+1/3", "`+1/3` is not a shard: write it like 1/3, the first of three"),
            ("/3", "`/3` is not a shard: write it like 1/3, the first of three"),
        ] {
            assert_eq!(text.parse::<Shard>(), Err(said.to_owned()));
        }
    }
}
