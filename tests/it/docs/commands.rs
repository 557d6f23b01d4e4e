//! Commands in the documentation: each exists, with each of its flags.

use std::path::Path;

use clap::{CommandFactory, error::ErrorKind};
use permitd::cli::args::Cli;

use super::markdown::{Block, Page, pages};

/// The words of each call of permitd in a block of a shell.
fn calls(block: &Block) -> Vec<Vec<String>> {
    let joined = block.text.replace("\\\n", " ");
    let mut res = Vec::new();
    for line in joined.lines() {
        let typed = match block.language.as_str() {
            "console" => line.strip_prefix("$ "),
            "sh" | "bash" => Some(line.trim()),
            _ => None,
        };
        let Some(typed) = typed else { continue };
        let starts = ["permitd ", "cargo run -- "];
        let own = starts.iter().find_map(|it| typed.strip_prefix(it));
        // As in `kubectl exec deployment/permitd -- permitd history`.
        let own = own.or_else(|| typed.split_once(" -- permitd ").map(|(_, it)| it));
        res.extend(own.map(words));
    }
    res
}

/// As a shell takes them, up to a pipe, a redirection or a comment.
fn words(line: &str) -> Vec<String> {
    let (mut res, mut word, mut quote): (Vec<String>, Option<String>, Option<char>) =
        (Vec::new(), None, None);
    for letter in line.chars() {
        match (quote, letter) {
            (Some(it), _) if it == letter => quote = None,
            (Some(_), _) => word.get_or_insert_default().push(letter),
            (None, '\'' | '"') => {
                word.get_or_insert_default();
                quote = Some(letter);
            }
            (None, '|' | '>' | '<' | ';' | '&') => break,
            (None, '#') if word.is_none() => break,
            (None, it) if it.is_whitespace() => res.extend(word.take()),
            (None, it) => word.get_or_insert_default().push(it),
        }
    }
    res.extend(word);
    res
}

/// What clap says against it.
fn refused(words: &[String]) -> Option<String> {
    let all = std::iter::once("permitd").chain(words.iter().map(String::as_str));
    let error = Cli::command().try_get_matches_from(all).err()?;
    let help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    (!help).then(|| error.to_string())
}

#[test]
fn commands_that_are_shown_can_be_typed() {
    let mut n = 0;
    for page in pages() {
        for block in &page.blocks {
            for words in calls(block) {
                let at = format!("{}:{}", page.path.display(), block.line);
                let said = refused(&words);
                assert!(said.is_none(), "{at}: permitd {}\n{}", words.join(" "), said.unwrap());
                n += 1;
            }
        }
    }
    assert!(n > 40, "{n} commands");
}

/// In a line, values are stand-ins: only the names are held against what there is.
#[test]
fn commands_that_are_named_exist() {
    let mut n = 0;
    for page in pages().iter().filter(|it| !it.path.starts_with("CHANGELOG.md")) {
        for span in &page.spans {
            let Some(words) = span.text.strip_prefix("permitd ").map(words) else { continue };
            let said = unknown(&words);
            let at = format!("{}:{}", page.path.display(), span.line);
            assert!(said.is_none(), "{at}: `{}`: no {}", span.text, said.unwrap());
            n += 1;
        }
    }
    assert!(n > 100, "{n} commands");
}

fn unknown(words: &[String]) -> Option<String> {
    let mut root = Cli::command();
    root.build();
    let name = words.first()?;
    let stands_for_any = name.chars().all(|it| it.is_ascii_uppercase());
    if name.starts_with('-') || stands_for_any {
        return None;
    }
    let Some(command) = root.find_subcommand(name) else { return Some(name.clone()) };
    let has = |flag: &str| command.get_arguments().any(|it| it.get_long() == Some(flag));
    let flags = words.iter().filter_map(|it| it.strip_prefix("--"));
    flags
        .map(|it| it.split('=').next().unwrap())
        .find(|it| !it.is_empty() && !has(it))
        .map(|it| format!("--{it}"))
}

#[test]
fn a_command_that_does_not_exist_is_seen() {
    let text = "```console\n$ permitd paln x.yaml\n$ permitd plan --no-such 'a b' # c\n$ permitd plan 'a#b' > x\n```\n";
    let page: Page = super::markdown::read(Path::new("x.md"), text.to_owned());
    let calls = calls(&page.blocks[0]);
    assert_eq!(calls[1], ["plan", "--no-such", "a b"]);
    assert_eq!(calls[2], ["plan", "a#b"]);
    let refused: Vec<bool> = calls.iter().map(|it| refused(it).is_some()).collect();
    assert_eq!(refused, [true, true, false]);
    let said = |line: &str| unknown(&words(line)).unwrap_or_default();
    assert_eq!(said("paln"), "paln");
    assert_eq!(said("plan --out FILE --nothing=x"), "--nothing");
    assert_eq!(said("COMMAND --help"), "");
}
