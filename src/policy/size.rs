//! How full a policy is.

use crate::policy::document::Document;

/// Lambda refuses a policy that is bigger than this many bytes (`lambda-semantics.md`, 2.5).
pub const LIMIT: usize = 20_480;

/// What a policy takes around its statements.
const FRAME: usize = r#"{"Version":"2012-10-17","Id":"default","Statement":[]}"#.len();

/// The bytes that a policy is known to take.
///
/// A lower bound: what Lambda counts is not documented, and was seen to be about 1.5 % more than the compact text.
pub fn of_document(document: Option<&Document>) -> usize {
    document.map_or(0, |it| {
        let statements: usize = it.statements().iter().map(|it| of_statement(it.text())).sum();
        (FRAME + statements).saturating_sub(usize::from(statements > 0))
    })
}

/// The bytes that one more statement takes in a policy of `size` bytes.
pub fn with(size: usize, statement: usize) -> usize {
    if size == 0 { FRAME + statement - 1 } else { size + statement }
}

/// The bytes of one statement, with the comma beside it.
pub fn of_statement(text: &str) -> usize {
    text.len() + 1
}
