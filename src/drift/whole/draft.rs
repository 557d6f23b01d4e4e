//! The statements of the new document, in their order.

use std::collections::{BTreeMap, BTreeSet};

use crate::drift::{
    diff::Kind,
    plan::{Change, Scene},
};
use crate::policy::{
    compact::{self, List, Place},
    document::Document,
    grant::Permission,
    statement::Statement,
};

/// The changes that one write makes.
pub(super) struct Draft<'s, 'a> {
    pub(super) scene: &'s Scene<'a>,
    pub(super) changes: &'s [Change],
    pub(super) chosen: &'s [usize],
    pub(super) places: &'s BTreeMap<String, Place>,
}

impl Draft<'_, '_> {
    fn changes(&self) -> impl Iterator<Item = &Change> {
        self.chosen.iter().filter_map(|it| self.changes.get(*it))
    }

    /// The change that takes this statement away, or makes another one of it.
    fn change_of(&self, statement: &Statement) -> Option<&Change> {
        let same = |it: &Statement| {
            it.text() == statement.text() && it.listed_in() == statement.listed_in()
        };
        self.changes().find(|it| it.drift.before.as_ref().is_some_and(same))
    }

    /// The change of a grant whose Sid this one has as well: two of one Sid cannot be written.
    fn change_under(&self, statement: &Statement) -> Option<&Change> {
        let sid = statement.sid()?;
        let twin = |it: &&Change| it.drift.after.is_some() && it.drift.sid.as_deref() == Some(sid);
        self.changes().find(twin)
    }

    fn change_about(&self, statement: &Statement) -> Option<&Change> {
        self.change_of(statement).or_else(|| self.change_under(statement))
    }

    /// What the change leaves, where it is no member of a list.
    fn alone(&self, change: &Change) -> Option<String> {
        let grant = change.drift.after.as_ref()?;
        let target = &self.scene.wanted.target;
        let listed = self.places.contains_key(&grant.sid);
        (!listed).then(|| grant.terms.statement_text(&grant.sid, target))
    }

    pub(super) fn statements(&self) -> Vec<String> {
        let target = &self.scene.wanted.target;
        let mut lists = self.lists();
        // Sids that stand in the new document already.
        let mut told: BTreeSet<&str> = BTreeSet::new();
        let mut res = Vec::new();
        let raw = self.scene.raw.map_or(&[][..], Document::statements);
        let list_text = |place: &Place, members: &[Permission]| {
            compact::statement_text(place, &members.iter().collect::<Vec<_>>(), target)
        };
        for statement in raw {
            let list = statement.sid().and_then(|it| compact::read(it, statement.text(), target));
            if let Some(List { place, members: before }) = list {
                match lists.remove(&place) {
                    // One that nothing is done about stays byte for byte.
                    Some(members) if members == before => res.push(statement.text().to_owned()),
                    Some(members) => res.push(list_text(&place, &members)),
                    None => {}
                }
                // What stands in a list and gets a statement of its own comes where the list is.
                let out = self.changes().filter(|it| {
                    let before = it.drift.before.as_ref().and_then(Statement::listed_in);
                    before == Some(place.sid.as_str())
                });
                // Of two that say the same the one by itself stays, where it is.
                let twin = |it: &&Change| {
                    let same = |of: &Statement| of.sid() == it.drift.sid.as_deref();
                    it.drift.kind == Kind::Duplicate && raw.iter().any(same)
                };
                for change in out.filter(|it| !twin(it)) {
                    let sid = change.drift.sid.as_deref().unwrap_or_default();
                    if let Some(text) = self.alone(change).filter(|_| told.insert(sid)) {
                        res.push(text);
                    }
                }
                continue;
            }
            match self.change_about(statement) {
                Some(change) => {
                    let sid = change.drift.sid.as_deref().unwrap_or_default();
                    // Of two that say the same one stays as it is.
                    let stays = |it: String| match change.drift.kind {
                        Kind::Duplicate => statement.text().to_owned(),
                        Kind::Missing
                        | Kind::Changed
                        | Kind::Renamed
                        | Kind::Unmanaged
                        | Kind::Absent
                        | Kind::Orphaned
                        | Kind::Expired
                        | Kind::Leftover => it,
                    };
                    let text = self.alone(change).filter(|_| told.insert(sid));
                    res.extend(text.map(stays));
                }
                None => res.push(statement.text().to_owned()),
            }
        }
        let missing = self.changes().filter(|it| it.drift.before.is_none());
        res.extend(missing.filter_map(|it| self.alone(it)));
        res.extend(lists.iter().map(|(place, members)| list_text(place, members)));
        res
    }

    /// Every list of ours, with the members that it has after the write, in order.
    fn lists(&self) -> BTreeMap<Place, Vec<Permission>> {
        let target = &self.scene.wanted.target;
        let raw = self.scene.raw.map_or(&[][..], Document::statements);
        let mut res: BTreeMap<Place, Vec<Permission>> = BTreeMap::new();
        let live = raw.iter().filter_map(|it| compact::read(it.sid()?, it.text(), target));
        for List { place, members } in live {
            // A member may stand for several grants: it stays for those that stay.
            let stays = |member: &Permission| {
                let statements = self.scene.statements().iter();
                let here = |it: &&Statement| {
                    it.listed_in() == Some(&place.sid) && it.permission() == Some(member)
                };
                statements.filter(here).any(|it| self.change_about(it).is_none())
            };
            let stay: Vec<Permission> = members.into_iter().filter(stays).collect();
            if !stay.is_empty() {
                res.insert(place, stay);
            }
        }
        for change in self.changes() {
            let Some(grant) = &change.drift.after else { continue };
            let placed = self.places.get(&grant.sid).zip(grant.terms.plain());
            if let Some((place, permission)) = placed {
                let members = res.entry(place.clone()).or_default();
                if !members.contains(permission) {
                    members.push(permission.clone());
                }
            }
        }
        res
    }

    /// None where nothing is left.
    pub(super) fn text(&self, statements: &[String]) -> Option<String> {
        if statements.is_empty() {
            return None;
        }
        let all = statements.iter().map(String::as_str);
        // Without a policy nothing is put, so nothing is missed.
        self.scene.raw.map(|it| it.with_statements(all))
    }
}
