//! Reading, the same for the writer and for those who only look.

use jiff::Timestamp;
use rusqlite::{Connection, Row, types::FromSqlError, types::Type};
use wildmatch::WildMatch;

use crate::journal::entry::{Action, Entry, Filter, NewEntry, Outcome};
use crate::journal::pause::Pause;
use crate::policy::target::{Defaults, Target};

/// The last but the columns of later versions finds the removal that a step of a replacement belongs to: the bridge's
/// addition comes before it, everything else after it.
const ENTRIES: &str = "
    SELECT id, time, target, action, sid, kind, before, after, revision, actor, reason, approval,
        undoes, replaces, outcome, message, finished,
        CASE
            WHEN replaces IS NULL OR (action = 'remove' AND sid = replaces) THEN NULL
            WHEN action = 'add' AND sid <> replaces THEN (
                SELECT min(id) FROM entry AS other
                WHERE other.target = entry.target AND other.replaces = entry.replaces
                    AND other.action = 'remove' AND other.sid = other.replaces
                    AND other.outcome IN ('done', 'unknown') AND other.id > entry.id)
            ELSE (
                SELECT max(id) FROM entry AS other
                WHERE other.target = entry.target AND other.replaces = entry.replaces
                    AND other.action = 'remove' AND other.sid = other.replaces
                    AND other.outcome IN ('done', 'unknown') AND other.id < entry.id)
        END,
        caused_by,
        request_id
    FROM entry";
/// Columns that the first version did not have.
const ADDED: [&str; 2] = ["caused_by", "request_id"];

/// A journal that is only looked at may still be of an older version, which does not have all of them.
fn select(connection: &Connection) -> rusqlite::Result<String> {
    let mut res = ENTRIES.to_owned();
    for column in ADDED {
        let has_it = "SELECT count(*) FROM pragma_table_info('entry') WHERE name = ?1";
        let n: i64 = connection.query_row(has_it, [column], |row| row.get(0))?;
        if n == 0 {
            res = res.replace(column, "NULL");
        }
    }
    Ok(res)
}

/// Newest last.
pub(super) fn entries(connection: &Connection, filter: &Filter) -> rusqlite::Result<Vec<Entry>> {
    let Filter { target, sid, since, until, limit } = filter;
    let target = target.as_deref().map(WildMatch::new);
    let sid = sid.as_deref().map(WildMatch::new);
    let since = since.map_or(i64::MIN, nanoseconds);
    let until = until.map_or(i64::MAX, nanoseconds);
    let matches = |it: &NewEntry| {
        target.as_ref().is_none_or(|glob| names(&it.target).iter().any(|it| glob.matches(it)))
            && sid.as_ref().is_none_or(|glob| it.sid.as_ref().is_some_and(|it| glob.matches(it)))
    };
    let query = format!("{} WHERE time BETWEEN ?1 AND ?2 ORDER BY id DESC", select(connection)?);
    let mut statement = connection.prepare(&query)?;
    let mut found = Vec::new();
    let mut rows = statement.query((since, until))?;
    while limit.is_none_or(|it| found.len() < it)
        && let Some(row) = rows.next()?
    {
        let entry = read_entry(row)?;
        if matches(&entry.step) {
            found.push(entry);
        }
    }
    found.reverse();
    Ok(found)
}

pub(super) fn entry(connection: &Connection, id: i64) -> rusqlite::Result<Option<Entry>> {
    let mut statement = connection.prepare(&format!("{} WHERE id = ?1", select(connection)?))?;
    let mut rows = statement.query([id])?;
    rows.next()?.map(read_entry).transpose()
}

/// That of everything first, then by target.
pub(super) fn pauses(connection: &Connection) -> rusqlite::Result<Vec<Pause>> {
    let query = "SELECT target, since, until, wanted, reason FROM pause ORDER BY target";
    let mut statement = connection.prepare(query)?;
    let read = |row: &Row<'_>| {
        Ok(Pause {
            target: row.get(0).map(|it: String| Some(it).filter(|it| !it.is_empty()))?,
            since: time(row, 1)?,
            until: some_time(row, 2)?,
            wanted: row.get(3)?,
            reason: row.get(4)?,
        })
    };
    statement.query_map([], read)?.collect()
}

/// As times are stored. Those beyond the year 2262, which only a pause can name, become the end of that range.
pub(super) fn nanoseconds(time: Timestamp) -> i64 {
    let exact = time.as_nanosecond();
    i64::try_from(exact).unwrap_or(if exact < 0 { i64::MIN } else { i64::MAX })
}

/// Every way to name it that a glob is held against.
fn names(arn: &str) -> Vec<String> {
    let target = Target::parse(arn, None, &Defaults::default()).ok();
    let short = target.map(|it| match it.qualifier() {
        Some(qualifier) => format!("{}:{qualifier}", it.function()),
        None => it.function().to_owned(),
    });
    short.into_iter().chain([arn.to_owned()]).collect()
}

fn read_entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let step = NewEntry {
        time: time(row, 1)?,
        target: row.get(2)?,
        action: named(row, 3, &Action::ALL, Action::name)?,
        sid: row.get(4)?,
        kind: row.get(5)?,
        before: row.get(6)?,
        after: row.get(7)?,
        revision: row.get(8)?,
        actor: row.get(9)?,
        reason: row.get(10)?,
        approval: row.get(11)?,
        undoes: row.get(12)?,
        replaces: row.get(13)?,
        caused_by: row.get(18)?,
    };
    Ok(Entry {
        id: row.get(0)?,
        step,
        outcome: named(row, 14, &Outcome::ALL, Outcome::name)?,
        message: row.get(15)?,
        finished: some_time(row, 16)?,
        request_id: row.get(19)?,
        instead: row.get(17)?,
    })
}

fn named<T: Copy>(
    row: &Row<'_>,
    column: usize,
    all: &[T],
    name: fn(T) -> &'static str,
) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    all.iter().copied().find(|it| name(*it) == text).ok_or_else(|| {
        let unknown = FromSqlError::other(UnknownName(text));
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(unknown))
    })
}

#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a word of a journal")]
struct UnknownName(String);

fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    let stored: i64 = row.get(column)?;
    Timestamp::from_nanosecond(i128::from(stored))
        .map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, stored))
}

fn some_time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    let stored: Option<i64> = row.get(column)?;
    stored.map(|_| time(row, column)).transpose()
}
