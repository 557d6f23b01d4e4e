//! `docs/reference/`, made from the code: `UPDATE_DOCS=1 cargo test docs::` writes it anew.

mod schemas;
mod states;

#[cfg(feature = "aws")]
mod cli;

use permitd::config::schema;

const MADE: &str = "`UPDATE_DOCS=1 cargo test docs::`";

fn is_up_to_date(name: &str, text: &str) {
    let path = format!("docs/reference/{name}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(there == text, "{path} is stale: renew it with {MADE}");
}

/// For a cell of a table: stars are stars, and a bar ends nothing.
fn cell(text: &str) -> String {
    let mut res = String::new();
    let mut in_code = false;
    for letter in text.trim().chars() {
        match letter {
            '`' => {
                in_code = !in_code;
                res.push(letter);
            }
            '|' => res.push_str("\\|"),
            '*' | '<' | '_' if !in_code => {
                res.push('\\');
                res.push(letter);
            }
            '\n' => res.push(' '),
            it => res.push(it),
        }
    }
    res.replace("  ", " ")
}

#[test]
fn the_page_of_the_settings_is_up_to_date() {
    let head = format!(
        "\
# The settings file

`permitd.yaml`, found by `--config`, `$PERMITD_CONFIG`, as `./permitd.yaml` or as `/etc/permitd/permitd.yaml`.
[config/permitd.yaml](../../config/permitd.yaml) has the same as a commented example, and `permitd schema settings` as a JSON Schema.
Flags and variables ([the commands](cli.md)) win over it. Keys that begin with `x-` are for anchors.

<!-- Made from the schema in src/config/schema/ by {MADE}. -->
"
    );
    let page = schemas::page(&head, "The file", &schema::settings());
    for name in ["`mode`", "`limits`", "`max_revocations`", "`url_file`", "`retention`"] {
        assert!(page.contains(&format!("| {name} |")), "{name}\n{page}");
    }
    is_up_to_date("settings.md", &page);
}

#[test]
fn the_page_of_permission_files_is_up_to_date() {
    let head = format!(
        "\
# Permission files

YAML, one or many, each of one or many documents. [config/permissions/](../../config/permissions/) has commented examples, the [recipes](../recipes.md) files for what people mostly need, and `permitd schema permissions` the same as a JSON Schema.
An unknown key is an error with its place. `$${{` is a plain `${{`; keys that begin with `x-` are for anchors.

<!-- Made from the schema in src/config/schema/ by {MADE}. -->
"
    );
    let page = schemas::page(&head, "The document", &schema::permissions());
    assert!(page.contains("| `sid` | text, also with `${…}` | required |"), "{page}");
    for name in ["`functions`", "`sid`", "`principals`", "`conditions`", "`expires`", "`tags`"] {
        assert!(page.contains(&format!("| {name} |")), "{name}\n{page}");
    }
    is_up_to_date("permissions.md", &page);
}

#[test]
fn the_page_of_states_and_reasons_is_up_to_date() {
    is_up_to_date("states.md", &states::page());
}

#[cfg(feature = "aws")]
#[test]
fn the_page_of_the_commands_is_up_to_date() {
    is_up_to_date("cli.md", &cli::page());
}

#[cfg(feature = "aws")]
#[test]
fn the_page_of_the_exit_codes_is_up_to_date() {
    is_up_to_date("exit-codes.md", &cli::exit_codes());
}
