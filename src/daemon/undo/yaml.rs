//! An undo as a person writes it into a permission file.
//!
//! Always a document of its own with its account and region, so that it means the same target in whatever file it
//! is pasted into after a `---`; the item under `functions` can be pasted by itself.

use crate::config::write::{self, Entry, Item, comment};
use crate::journal::undo::{Undo, grant};
use crate::policy::{document::Document, grant::Grant, source::Source, target::Target};

/// What to paste, and as comments what cannot be pasted.
pub fn yaml(undo: &Undo, target: &Target) -> String {
    match undo {
        Undo::Grant(grant) => file(target, vec![(**grant).clone()], Vec::new()),
        Undo::Grants(grants) => file(target, grants.clone(), Vec::new()),
        Undo::Remove { sid, expected: _ } => {
            let say = format!(
                "Delete the statement with the sid {sid} of {target} from the permission files.\n\
                 With `ownership: declared`, write this in its place:\n"
            );
            comment(&say) + &file(target, Vec::new(), vec![sid.clone()])
        }
        Undo::Put { statement } => {
            comment(&format!("A permission file cannot say this statement of {target}:\n"))
                + &comment(statement)
        }
        Undo::Document { before: None } => comment(&format!(
            "There was no policy before: delete the statements of {target} from the permission files.\n"
        )),
        Undo::Document { before: Some(text) } => document(text, target),
    }
}

/// What a file can say of a document, and the rest as comments.
fn document(text: &str, target: &Target) -> String {
    let Ok(document) = Document::parse(text.to_owned(), String::new(), target) else {
        return comment(&format!("A permission file cannot say this policy of {target}:\n"))
            + &comment(text);
    };
    let source = Source { file: "journal".into(), line: 1, column: 1 };
    let mut grants = Vec::new();
    let mut res = String::new();
    for it in document.statements() {
        match grant(it, source.clone(), target) {
            Some(it) => grants.push(it),
            None => res += &comment(it.text()),
        }
    }
    if !res.is_empty() {
        let say = format!("A permission file cannot say these statements of {target}:\n");
        res.insert_str(0, &comment(&say));
    }
    if !grants.is_empty() {
        res += &file(target, grants, Vec::new());
    }
    res
}

fn file(target: &Target, grants: Vec<Grant>, absent: Vec<String>) -> String {
    let item = |grant| Item { grant, above: Vec::new() };
    let entry = Entry {
        account: Some(target.account().to_owned()),
        region: Some(target.region().to_owned()),
        function: target.function().to_owned(),
        qualifier: target.qualifier().map(str::to_owned),
        absent,
        statements: grants.into_iter().map(item).collect(),
        ..Entry::default()
    };
    write::text(&[entry]).unwrap_or_else(|error| comment(&format!("{error}\n")))
}

#[cfg(test)]
mod tests;
