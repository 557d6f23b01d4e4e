//! What is said about settings that are wrong.

use crate::config::tests::check_settings;

#[test]
fn everything_that_is_wrong_is_told() {
    check_settings(
        r"
permissions: x
mode: enforced
interval: 5
jitter: 10
defaults: {ownership: some, replace: bridged, writer: documents}
remove_inexpressible: 1
jiter: 10%
",
        r"
error: `permissions` takes a list, not one value
 --> permitd.yaml:1:14
  |
1 | permissions: x
  |              ^
  |
help: write it like `permissions: [permissions/]`

error: `enforced` is not a value of `mode`
 --> permitd.yaml:2:7
  |
2 | mode: enforced
  |       ^^^^^^^^
  |
help: did you mean `enforce`?

error: `5` is not a duration; write a number and its unit, as in 30s, 5m or 1h30m
 --> permitd.yaml:3:11
  |
3 | interval: 5
  |           ^

error: `10` is not a share; write 0% to 100%, as in 10%
 --> permitd.yaml:4:9
  |
4 | jitter: 10
  |         ^^

error: `some` is not a value of `ownership`
 --> permitd.yaml:5:23
  |
5 | defaults: {ownership: some, replace: bridged, writer: documents}
  |                       ^^^^
  |
help: it is `all`, `prefix` or `declared`

error: `bridged` is not a value of `replace`
 --> permitd.yaml:5:38
  |
5 | defaults: {ownership: some, replace: bridged, writer: documents}
  |                                      ^^^^^^^
  |
help: did you mean `bridge`?

error: `documents` is not a value of `writer`
 --> permitd.yaml:5:55
  |
5 | defaults: {ownership: some, replace: bridged, writer: documents}
  |                                                       ^^^^^^^^^
  |
help: did you mean `document`?

error: `remove_inexpressible` takes true or false
 --> permitd.yaml:6:23
  |
6 | remove_inexpressible: 1
  |                       ^
  |
help: write `remove_inexpressible: true` or `remove_inexpressible: false`, without quotes

error: `jiter` is not a key of the settings file
 --> permitd.yaml:7:1
  |
7 | jiter: 10%
  | ^^^^^
  |
help: did you mean `jitter`?
",
    );
}

#[test]
fn everything_that_is_wrong_further_inside_is_told() {
    check_settings(
        r#"
ignore: [{}, {sdi: x}]
accounts: {}
budgets: {get_policy: 0/s, control: inf/s}
lambda: {simulator: {listen: "localhost:1", sed: x}}
"#,
        r#"
error: this rule would ignore nothing
 --> permitd.yaml:1:10
  |
1 | ignore: [{}, {sdi: x}]
  |          ^^
  |
help: write `sid:`, `principal:` or `source_arn:` with a pattern

error: `sdi` is not a key of an item of `ignore`
 --> permitd.yaml:1:15
  |
1 | ignore: [{}, {sdi: x}]
  |               ^^^
  |
help: did you mean `sid`?

error: `accounts` takes a list, not a map
 --> permitd.yaml:2:11
  |
2 | accounts: {}
  |           ^^
  |
help: write it like `accounts: [{id: "123456789012", regions: [us-east-1]}]`

error: `0/s` would never allow a request; write it like 10/s, or unlimited
 --> permitd.yaml:3:23
  |
3 | budgets: {get_policy: 0/s, control: inf/s}
  |                       ^^^

error: `inf/s` is not a budget; write it like 10/s, 300/m or unlimited
 --> permitd.yaml:3:37
  |
3 | budgets: {get_policy: 0/s, control: inf/s}
  |                                     ^^^^^

error: `localhost:1` is not an address; write an IP address and a port, as in 127.0.0.1:9001; port 0 is any free one
 --> permitd.yaml:4:30
  |
4 | lambda: {simulator: {listen: "localhost:1", sed: x}}
  |                              ^^^^^^^^^^^^^

error: `sed` is not a key of `simulator`
 --> permitd.yaml:4:45
  |
4 | lambda: {simulator: {listen: "localhost:1", sed: x}}
  |                                             ^^^
  |
help: did you mean `seed`?
"#,
    );
}

#[test]
fn what_is_wrong_with_who_watches_and_is_told_is_told() {
    check_settings(
        r"
http: {listen: localhost, hosts: ['https://a']}
events: {}
notify: [{url: 'ftp://a/TOPSECRET', secret: TOPSECRET, events: [hold]}]
journals: x
colour: red
",
        r"
error: `localhost` is not an address; write an IP address and a port, as in 127.0.0.1:9001; port 0 is any free one
 --> permitd.yaml:1:16
  |
1 | http: {listen: localhost, hosts: ['https://a']}
  |                ^^^^^^^^^

error: `https://a` is not a host name
 --> permitd.yaml:1:35
  |
1 | http: {listen: localhost, hosts: ['https://a']}
  |                                   ^^^^^^^^^^^
  |
help: write the name alone, without a scheme and a port

error: `queue_url` is missing in `events`
 --> permitd.yaml:2:9
  |
2 | events: {}
  |         ^^
  |
help: write it like `events: {queue_url: https://sqs.us-east-1.amazonaws.com/123456789012/permitd}`

error: the URL does not begin with https:// or http://
 --> permitd.yaml:3:16
  |
3 | notify: [{url: 'ftp://a/*********', secret: *********, events: [hold]}]
  |                ^^^^^^^^^^^^^^^^^^^
  |
help: write it like `url: https://example.com/hook`

error: the secret of a receiver is not written into the settings, which many can read
 --> permitd.yaml:3:37
  |
3 | notify: [{url: 'ftp://a/*********', secret: *********, events: [hold]}]
  |                                     ^^^^^^
  |
help: write `secret_file: PATH`, `secret_env: NAME` or `secret_credential: NAME`

error: `hold` is not a value of `events`
 --> permitd.yaml:3:65
  |
3 | notify: [{url: 'ftp://a/*********', secret: *********, events: [hold]}]
  |                                                                 ^^^^
  |
help: did you mean `held`?

error: `journals` is not a key of the settings file
 --> permitd.yaml:4:1
  |
4 | journals: x
  | ^^^^^^^^
  |
help: did you mean `journal`?

error: `colour` is not a key of the settings file
 --> permitd.yaml:5:1
  |
5 | colour: red
  | ^^^^^^
  |
help: its keys are `permissions`, `mode`, `interval`, `interval_with_events`, `poll_interval`, `jitter`, `defaults`, `deny_risks`, `limits`, `orphan_grace`, `remove_inexpressible`, `ignore`, `discover`, `accounts`, `lambda`, `budgets`, `journal`, `http`, `events`, `notify`, `control`
",
    );
}

#[test]
fn what_is_wrong_with_accounts() {
    check_settings(
        r#"
accounts:
  - id: 12345678901
    regions: [us-east-1, eu-west-1, us-east-1]
    external_id: x
    profile: " "
  - id: "210987654321"
    regions: []
    role_arn: arn:aws:iam::123456789012:role/permitd
    session_name: a b
  - id: "210987654321"
    regions: [eu-west-1]
    external_id: example
  - {id: "123456789012", regions: [eu-west-1], role_arn: arn:aws:iam::123456789012:user/permitd}
  - {id: "123456789012", regions: [mars-1]}
"#,
        r#"
error: `12345678901` is not an account id: it has twelve digits
 --> permitd.yaml:2:9
  |
2 |   - id: 12345678901
  |         ^^^^^^^^^^^

error: the region us-east-1 stands twice in this account
 --> permitd.yaml:3:37
  |
3 |     regions: [us-east-1, eu-west-1, us-east-1]
  |                                     ^^^^^^^^^
  |
note: it stands here first
 --> permitd.yaml:3:15
  |
3 |     regions: [us-east-1, eu-west-1, us-east-1]
  |               ^^^^^^^^^
help: delete one of them

error: `x` is not an external id: letters, digits and _+=,.@:/\-, 2 to 1224 of them
 --> permitd.yaml:4:18
  |
4 |     external_id: x
  |                  ^

error: `profile` is empty; name one of the AWS configuration files
 --> permitd.yaml:5:14
  |
5 |     profile: " "
  |              ^^^

error: `regions` is empty
 --> permitd.yaml:7:14
  |
7 |     regions: []
  |              ^^
  |
help: write it like `regions: [us-east-1]`

error: this role is in the account 123456789012, and `id` says 210987654321
 --> permitd.yaml:8:15
  |
8 |     role_arn: arn:aws:iam::123456789012:role/permitd
  |               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
help: name a role of the account that is to be entered

error: `a b` is not a session name: letters, digits and _+=,.@-, 2 to 64 of them
 --> permitd.yaml:9:19
  |
9 |     session_name: a b
  |                   ^^^

error: `external_id` goes with a `role_arn` only
  --> permitd.yaml:12:5
   |
12 |     external_id: example
   |     ^^^^^^^^^^^
   |
help: write `role_arn:` beside it, or delete it

error: `arn:aws:iam::123456789012:user/permitd` is not the ARN of a role
  --> permitd.yaml:13:58
   |
13 |   - {id: "123456789012", regions: [eu-west-1], role_arn: arn:aws:iam::123456789012:user/permitd}
   |                                                          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   |
help: write it like arn:aws:iam::123456789012:role/permitd

error: the account 123456789012 stands twice in `accounts`
  --> permitd.yaml:14:5
   |
14 |   - {id: "123456789012", regions: [mars-1]}
   |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   |
note: it stands here first
  --> permitd.yaml:13:5
   |
13 |   - {id: "123456789012", regions: [eu-west-1], role_arn: arn:aws:iam::123456789012:u…
   |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
help: write all its regions into one of them

error: `mars-1` is not a region; one looks like us-east-1
  --> permitd.yaml:14:36
   |
14 |   - {id: "123456789012", regions: [mars-1]}
   |                                    ^^^^^^
"#,
    );
}

#[test]
fn an_account_is_complete() {
    check_settings(
        r"
accounts:
  - {region: us-east-1}
",
        r#"
error: `id` is missing in this account
 --> permitd.yaml:2:5
  |
2 |   - {region: us-east-1}
  |     ^^^^^^^^^^^^^^^^^^^
  |
help: write it like `accounts: [{id: "123456789012", regions: [us-east-1]}]`

error: `region` is not a key of an item of `accounts`
 --> permitd.yaml:2:6
  |
2 |   - {region: us-east-1}
  |      ^^^^^^
  |
help: did you mean `regions`?
"#,
    );
}

#[test]
fn empty_lists() {
    check_settings(
        r"
permissions: []
accounts: []
",
        r#"
error: `permissions` is empty
 --> permitd.yaml:1:14
  |
1 | permissions: []
  |              ^^
  |
help: name files, directories or globs: `permissions: [permissions/]`

error: `accounts` is empty
 --> permitd.yaml:2:11
  |
2 | accounts: []
  |           ^^
  |
help: write `accounts: [{id: "123456789012", regions: [us-east-1]}]`, or leave it out
"#,
    );
}

#[test]
fn numbers_have_limits() {
    check_settings(
        r"
interval: 999ms
jitter: 101%
budgets: {get_policy: -1/s, control: 1e3/s}
",
        r"
error: `999ms` is too short; an interval has at least one second
 --> permitd.yaml:1:11
  |
1 | interval: 999ms
  |           ^^^^^

error: `101%` is not a share; write 0% to 100%, as in 10%
 --> permitd.yaml:2:9
  |
2 | jitter: 101%
  |         ^^^^

error: `-1/s` is not a budget; write it like 10/s, 300/m or unlimited
 --> permitd.yaml:3:23
  |
3 | budgets: {get_policy: -1/s, control: 1e3/s}
  |                       ^^^^

error: `1e3/s` is not a budget; write it like 10/s, 300/m or unlimited
 --> permitd.yaml:3:38
  |
3 | budgets: {get_policy: -1/s, control: 1e3/s}
  |                                      ^^^^^
",
    );
}

#[test]
fn a_file_without_settings() {
    check_settings(
        r"
# nothing
",
        r"
error: there are no settings in this file
 --> permitd.yaml:1:1
  |
1 | # nothing
  | ^
  |
help: write at least `permissions: [FILE]`
",
    );
}

#[test]
fn one_document_only() {
    check_settings(
        r"
mode: observe
---
mode: enforce
",
        r"
error: the settings are one YAML document, and here begins another
 --> permitd.yaml:3:1
  |
3 | mode: enforce
  | ^^^^^^^^^^^^^
",
    );
}

#[test]
fn receivers() {
    check_settings(
        r"
notify:
  - {format: json}
  - {url_file: '', url_env: X, timeout: 2m}
  - {url: 'https://:1/', secret_env: $A, secret_credential: a/b, events: []}
",
        r#"
error: this receiver has no `url`
 --> permitd.yaml:2:5
  |
2 |   - {format: json}
  |     ^^^^^^^^^^^^^^
  |
help: write it like `notify: [{url: "https://example.com/hook", format: json}]`

error: `url_file` is empty
 --> permitd.yaml:3:16
  |
3 |   - {url_file: '', url_env: X, timeout: 2m}
  |                ^^
  |
help: write where it is

error: this receiver has two URLs
 --> permitd.yaml:3:20
  |
3 |   - {url_file: '', url_env: X, timeout: 2m}
  |                    ^^^^^^^
  |
help: write one of `url`, `url_file`, `url_env` and `url_credential`

error: `2m` is not from 1s to 1m
 --> permitd.yaml:3:41
  |
3 |   - {url_file: '', url_env: X, timeout: 2m}
  |                                         ^^

error: the URL names no host
 --> permitd.yaml:4:11
  |
4 |   - {url: 'https://:1/', secret_env: $A, secret_credential: a/b, events: []}
  |           ^^^^^^^^^^^^^
  |
help: write it like `url: https://example.com/hook`

error: `secret_env` is no name of a variable
 --> permitd.yaml:4:38
  |
4 |   - {url: 'https://:1/', secret_env: $A, secret_credential: a/b, events: []}
  |                                      ^^
  |
help: write the name of a variable, without `$`

error: `secret_credential` is no name of a credential
 --> permitd.yaml:4:61
  |
4 |   - {url: 'https://:1/', secret_env: $A, secret_credential: a/b, events: []}
  |                                                             ^^^
  |
help: write the name before the colon in `LoadCredential=NAME:PATH`

error: `events` is empty
 --> permitd.yaml:4:74
  |
4 |   - {url: 'https://:1/', secret_env: $A, secret_credential: a/b, events: []}
  |                                                                          ^^
  |
help: name some, or leave the key out for all of them
"#,
    );
}
