//! Files written by hand, each with one thing that is right or wrong in it.

use super::Kind;

fn statement(line: &str) -> String {
    format!(
        "functions:\n  - function: f\n    statements:\n      - {{sid: s, principal: s3.amazonaws.com, {line}}}\n"
    )
}

fn bare(line: &str) -> String {
    format!("functions:\n  - function: f\n    statements:\n      - {{{line}}}\n")
}

fn entry(line: &str) -> String {
    format!("functions:\n  - {{{line}}}\n")
}

#[test]
fn statements() {
    let kind = Kind::permissions();
    for line in [
        "sid: s, principal: '*'",
        "sid: on, principal: 123456789012",
        "sid: 1e3, principal: 012345678901",
        "sid: true, principal: '123456789012'",
        "sid: -1, principal: arn:aws:iam::210987654321:role/a/b",
        "sid: s, principal: arn:aws-cn:iam::210987654321:root",
        "sid: s, principal: logs.us-east-1.amazonaws.com",
        "sid: s, principal: 000000000001, action: '*'",
        "sid: s, principal: '*', action: lambda:invokefunctionURL, function_url_auth_type: NONE",
        "sid: s, principal: '*', action: lambda:InvokeFunction, invoked_via_function_url: True",
        "sid: s, principal: '*', invoked_via_function_url: true",
    ] {
        kind.good(&bare(line));
    }
    for line in [
        "source_arn: 'arn:aws:s3:::b', source_account: 012345678901",
        "principal_org_id: o-a1b2c3d4e5",
        "event_source_token: 1.5",
        "event_source_token: no",
        "expires: 2126-12-31T00:00:00Z",
        "expires: '2126-12-31t23:59:60.123-05:00'",
        "accept: [P001, P001]",
        "accept: []",
        "description: 5",
        "description: ''",
    ] {
        kind.good(&statement(line));
    }
    for line in [
        "principal: s3.amazonaws.com",
        "sid: s",
        "sid: , principal: s3.amazonaws.com",
        "sid: null, principal: s3.amazonaws.com",
        "sid: [s], principal: s3.amazonaws.com",
        "sid: a b, principal: s3.amazonaws.com",
        "sid: a-permitd-0123abcd, principal: s3.amazonaws.com",
        "sid: s, principal: s3",
        "sid: s, principal: true",
        "sid: s, principal: [a, b]",
        "sid: s, principal: 1234567890123",
        "sid: s, principal: '12345'",
        "sid: s, principal: arn:aws:sts::210987654321:assumed-role/a/b",
        "sid: s, principal: AROAEXAMPLEEXAMPLE123",
        "sid: s, principal: '*', action: InvokeFunction",
        "sid: s, principal: '*', function_url_auth_type: NONE",
        "sid: s, principal: '*', action: lambda:InvokeFunction, function_url_auth_type: NONE",
        "sid: s, principal: '*', action: lambda:InvokeFunctionUrl, function_url_auth_type: none",
        "sid: s, principal: '*', action: lambda:InvokeFunctionUrl, invoked_via_function_url: true",
        "sid: s, principal: '*', invoked_via_function_url: false",
        "sid: s, principal: '*', invoked_via_function_url: 'true'",
    ] {
        kind.bad(&bare(line));
    }
    for line in [
        "SourceArn: x",
        "x-note: here",
        "source_arn: bucket",
        "source_arn: 'arn:aws:s3:us-*::b'",
        "source_account: '12345'",
        "source_account: true",
        "principal_org_id: o-short",
        "event_source_token: a/b",
        "expires: 2126-12-31",
        "expires: 2126-13-31T00:00:00Z",
        "expires: 2126-12-31T24:00:00Z",
        "accept: P001",
        "accept: [P009]",
        "accept: [p001]",
        "description: {}",
        "description: [a]",
    ] {
        kind.bad(&statement(line));
    }
    kind.bad(&bare(&format!("sid: {}, principal: '*'", "x".repeat(101))));
    kind.beyond(&bare("sid: s, principal: 12345"));
    kind.beyond(&bare("sid: 1.5, principal: '*'"));
    kind.beyond(&statement("expires: 2126-02-30T00:00:00Z"));
}

fn wide(line: &str) -> String {
    format!(
        "functions:\n  - function: f\n    writer: document\n    statements:\n      - {{sid: s, {line}}}\n"
    )
}

#[test]
fn lists_and_conditions() {
    let kind = Kind::permissions();
    for line in [
        "principal: '*', effect: deny",
        "principal: '*', effect: allow",
        "principals: ['*']",
        "principals: [s3.amazonaws.com, 210987654321, '${account}', 'arn:aws:iam::${account}:role/x']",
        "principal: '*', actions: ['*', 'lambda:*', 'lambda:Get?unction*', lambda:InvokeFunction]",
        "principal: '*', source_arns: ['arn:aws:s3:::b', 'arn:aws*:sns:*:*:t', 'arn:*:s?:us-*-1:1234*:x']",
        "principal: '*', source_accounts: [210987654321, 012345678901, '${account}'], source_arn: 'arn:aws:s3:::b'",
        "principals: ['*'], actions: [lambda:invokefunctionURL], function_url_auth_type: NONE",
        "principals: ['*'], actions: [lambda:InvokeFunction], invoked_via_function_url: true",
        "principal: '*', conditions: {StringEquals: {aws:PrincipalOrgID: o-a1b2c3d4e5, 'aws:PrincipalTag/a b': [x, 1e3, no, '${account}', '']}}",
        "principal: '*', conditions: {Bool: {aws:SecureTransport: false}, ForAllValues:StringLikeIfExists: {aws:TagKeys: ['*']}}",
        "principal: '*', conditions: {'Null': {aws:TokenIssueTime: 'true'}, NumericLessThan: {aws:MultiFactorAuthAge: 3600}}",
        "principal: '*', conditions: {ArnLike: {aws:SourceArn: ['arn:aws:s3:::b', '*']}, 'IpAddress': {aws:SourceIp: [10.0.0.0/8, '::1']}}",
    ] {
        kind.good(&wide(line));
    }
    for line in [
        "principal: '*', effect: Deny",
        "principal: '*', effect: [deny]",
        "principals: []",
        "principals: s3.amazonaws.com",
        "principals: ['*', s3.amazonaws.com]",
        "principals: [s3.amazonaws.com, s3.amazonaws.com]",
        "principals: [s3]",
        "principals: [[s3.amazonaws.com]]",
        "principals: [~]",
        "principal: s3.amazonaws.com, principals: [s3.amazonaws.com]",
        "effect: deny",
        "principal: '*', actions: []",
        "principal: '*', actions: [lambda:Get-*]",
        "principal: '*', actions: ['${function}']",
        "principal: '*', action: lambda:Get*",
        "principal: '*', action: lambda:InvokeFunction, actions: [lambda:InvokeFunction]",
        "principal: '*', source_arns: [bucket]",
        "principal: '*', source_arns: ['arn:aws:sns:*:123:t']",
        "principal: '*', source_arns: ['arn:aws:sns:nowhere:123456789012:t']",
        "principal: '*', source_arn: 'arn:aws:s3:::b', source_arns: ['arn:aws:s3:::b']",
        "principal: '*', source_accounts: [twelve]",
        "principal: '*', source_account: 123456789012, source_accounts: [123456789012]",
        "principal: '*', actions: [lambda:InvokeFunction], function_url_auth_type: NONE",
        "principal: '*', actions: [lambda:InvokeFunctionUrl, lambda:InvokeFunction], function_url_auth_type: NONE",
        "principal: '*', actions: ['lambda:*'], invoked_via_function_url: true",
        "principal: '*', effect: deny, function_url_auth_type: NONE",
        "principal: '*', conditions: {}",
        "principal: '*', conditions: []",
        "principal: '*', conditions: {StringEquals: {}}",
        "principal: '*', conditions: {StringEquals: x}",
        "principal: '*', conditions: {stringEquals: {aws:a: b}}",
        "principal: '*', conditions: {NullIfExists: {aws:a: 'true'}}",
        "principal: '*', conditions: {StringEquals: {SourceArn: b}}",
        "principal: '*', conditions: {StringEquals: {'aws:a${x}': b}}",
        "principal: '*', conditions: {StringEquals: {aws:a: []}}",
        "principal: '*', conditions: {StringEquals: {aws:a: ~}}",
        "principal: '*', conditions: {StringEquals: {aws:a: [[b]]}}",
        "principal: '*', conditions: {StringEquals: {aws:a: {b: c}}}",
    ] {
        kind.bad(&wide(line));
    }
    for line in [
        "principals: [123456789012, 'arn:aws:iam::123456789012:root']",
        "principal: '*', actions: [lambda:InvokeFunction, lambda:invokefunction]",
        "principal: '*', conditions: {StringEquals: {aws:a: [b, b]}}",
        "principal: '*', conditions: {StringEquals: {aws:a: b, AWS:A: c}}",
        "principal: '*', conditions: {Bool: {aws:a: maybe}}",
        "principal: '*', source_account: 123456789012, conditions: {StringEquals: {aws:SourceAccount: 123456789012}}",
    ] {
        kind.beyond(&wide(line));
    }
    // Whether the writer can is nothing that a statement shows.
    kind.beyond(&bare("sid: s, principal: '*', effect: deny"));
    kind.good(&bare("sid: s, principals: [s3.amazonaws.com], conditions: {ArnLike: {aws:SourceArn: 'arn:aws:s3:::b'}}"));
}

#[test]
fn entries() {
    let kind = Kind::permissions();
    for line in [
        "function: f, statements: []",
        "function: f:live, statements: []",
        "function: 1.5, statements: []",
        "function: true, statements: []",
        "function: '123456789012:function:f', statements: []",
        "function: 'arn:aws:lambda:us-east-1:123456789012:function:f:live', statements: []",
        "names: [f, 12], statements: []",
        "function: f, qualifier: 1, absent: [a.b]",
        "function: f, absent: []",
        "function: f, ownership: all, empty: true, statements: []",
        "function: f, ownership: all, empty: true, absent: [x]",
        "function: f, ownership: prefix, sid_prefix: x-, statements: []",
        "function: f, ownership: declared, suspend: TRUE, replace: direct, empty: false, statements: []",
    ] {
        kind.good(&entry(line));
    }
    for line in [
        "statements: []",
        "function: f",
        "function: f, names: [g], statements: []",
        "names: [], statements: []",
        "names: f, statements: []",
        "function: [f], statements: []",
        "function: f, statement: []",
        "function: $LATEST, statements: []",
        "function: a/b, statements: []",
        "function: f, qualifier: $LATEST, statements: []",
        "function: f, qualifier: , statements: []",
        "function: f, ownership: everything, statements: []",
        "function: f, ownership: prefix, statements: []",
        "function: f, sid_prefix: x-, statements: []",
        "function: f, ownership: all, sid_prefix: x-, empty: true, statements: []",
        "function: f, ownership: prefix, sid_prefix: 'a b', statements: []",
        "function: f, suspend: yes, statements: []",
        "function: f, replace: swap, statements: []",
        "function: f, empty: true, statements: [{sid: s, principal: '*'}]",
        "function: f, statements: {}",
        "function: f, statements: [[]]",
        "function: f, absent: ['a b']",
        "function: f, absent: [a-permitd-0123abcd]",
        "function: f, x-note: 1, statements: []",
    ] {
        kind.bad(&entry(line));
    }
    kind.bad(&entry(&format!("function: {}, statements: []", "x".repeat(65))));
    // One entry alone does not show what another one says of the same function.
    kind.beyond(&entry("function: f, ownership: all, statements: []"));
    kind.beyond(&entry(
        "function: f, statements: [{sid: s, principal: '*'}, {sid: s, principal: '*'}]",
    ));
    kind.beyond(&entry(
        "function: 'arn:aws:lambda:cn-north-1:123456789012:function:f', statements: []",
    ));
}

#[test]
fn rules() {
    let kind = Kind::permissions();
    for line in [
        "match: {name: 'orders-*'}, statements: []",
        "match: {name: 5}, absent: [x]",
        "match: {name: o, tags: {team: payments, 5: 5, 'a b': ''}}, statements: []",
        "match: {tags: {team: '*'}, qualifiers: [unqualified, live, 'l*', 7]}, statements: []",
        "match: {name: '*'}, except: [a, 'b*', 'b?:live', 'c:*', 'c:unqualified'], statements: []",
        "match: {name: '*'}, except: [], ownership: all, suspend: true, replace: direct, statements: []",
    ] {
        kind.good(&entry(line));
    }
    for line in [
        "match: orders-*, statements: []",
        "match: {}, statements: []",
        "match: [a], statements: []",
        "match: , statements: []",
        "match: {name: ''}, statements: []",
        "match: {name: 'a b'}, statements: []",
        "match: {name: 'a:live'}, statements: []",
        "match: {name: 'arn:aws:lambda:us-east-1:123456789012:function:f'}, statements: []",
        "match: {name: '[ab]'}, statements: []",
        "match: {name: [a]}, statements: []",
        "match: {names: a}, statements: []",
        "match: {tags: {}}, statements: []",
        "match: {tags: team}, statements: []",
        "match: {tags: {a: [b]}}, statements: []",
        "match: {tags: {a: }}, statements: []",
        "match: {qualifiers: [live]}, statements: []",
        "match: {name: a, qualifiers: []}, statements: []",
        "match: {name: a, qualifiers: live}, statements: []",
        "match: {name: a, qualifiers: [$LATEST]}, statements: []",
        "match: {name: a, qualifiers: ['']}, statements: []",
        "match: {name: a, x-note: 1}, statements: []",
        "match: {name: a}, qualifier: live, statements: []",
        "match: {name: a}, function: f, statements: []",
        "match: {name: a}, names: [f], statements: []",
        "match: {name: a}, except: f, statements: []",
        "match: {name: a}, except: ['arn:aws:lambda:us-east-1:123456789012:function:f'], statements: []",
        "match: {name: a}, except: ['a:'], statements: []",
        "match: {name: a}",
        "function: f, except: [g], statements: []",
    ] {
        kind.bad(&entry(line));
    }
    for line in [
        "sid: '${function}', principal: '${account}'",
        "sid: 's-${region}', principal: 'arn:${partition}:iam::${account}:role/x'",
        "sid: s, principal: s3.amazonaws.com, source_arn: 'arn:${partition}:s3:::${function}', source_account: '${account}'",
        "sid: s, principal: s3.amazonaws.com, event_source_token: '${region}', description: '$${x} ${'",
    ] {
        let good = line.replace(" ${'", "'");
        kind.good(&bare(&good));
    }
    kind.good(&entry("function: f, absent: ['x-${function}']"));
    kind.bad(&bare("sid: s, principal: s3.amazonaws.com, action: '${function}'"));
    kind.bad(&bare("sid: s, principal: s3.amazonaws.com, principal_org_id: '${account}'"));
    kind.bad(&bare("sid: 's-{function}', principal: s3.amazonaws.com"));
    // What stands there in the end no schema knows.
    kind.beyond(&bare("sid: '${acount}', principal: s3.amazonaws.com"));
    kind.beyond(&bare("sid: '$${account}', principal: s3.amazonaws.com"));
    kind.beyond(&bare("sid: s, principal: '${function}'"));
    kind.beyond(&bare("sid: '${qualifier}', principal: s3.amazonaws.com"));
    kind.beyond(&entry("match: {name: a}, except: ['arn:b'], statements: []"));
}

#[test]
fn documents() {
    let kind = Kind::permissions();
    let functions = "functions: [{function: f, statements: [{sid: s, principal: '*'}]}]\n";
    for text in [
        "account: 012345678901\nregion: eu-west-1\n",
        "account: '123456789012'\nregion: us-gov-west-1\n",
        "x-any: [thing]\nx-: 5\n",
        "accounts: all\nregions: all\n",
        "accounts: [012345678901, '123456789012']\nregion: eu-west-1\n",
        "account: 123456789012\nregions: [eu-west-1, us-gov-west-1]\n",
        "# nothing\n---\n",
        "account: 123456789012\nfunctions: []\n---\n",
    ] {
        kind.good(&format!("{text}{functions}"));
    }
    for text in [
        "account: 1234567890123\n",
        "account: twelve\n",
        "account: [123456789012]\n",
        "region: nowhere\n",
        "region: 5\n",
        "version: 1\n",
        "accounts: 123456789012\n",
        "accounts: []\n",
        "accounts: [twelve]\n",
        "accounts: ALL\n",
        "accounts: {}\n",
        "accounts:\n",
        "account: 123456789012\naccounts: all\n",
        "region: eu-west-1\nregions: [eu-west-1]\n",
        "regions: [all]\n",
        "regions: [[eu-west-1]]\n",
        "Functions: []\n",
        "x_any: 1\n",
    ] {
        kind.bad(&format!("{text}{functions}"));
    }
    for text in ["account: '123456789012'\n", "functions: f\n", "functions:\n", "[]\n", "text\n"] {
        kind.bad(text);
    }
    kind.beyond(&format!("account: 5\n{functions}"));
    kind.beyond("functions: []\n");
}

/// Everywhere the reader takes one, and what it brings counts.
#[test]
fn merge_keys() {
    let kind = Kind::permissions();
    kind.good(
        "\
x-who: &who {principal: '*', action: lambda:InvokeFunctionUrl}
x-more: &more {expires: 2126-12-31T00:00:00Z}
x-entry: &entry {ownership: prefix, names: [f, g]}
x-top: &top {region: us-east-1, functions: [{<<: *entry, sid_prefix: x-, statements: [
  {sid: a, <<: *who, function_url_auth_type: NONE}, {sid: b, <<: [*who, *more]}]}]}
<<: *top
",
    );
    let with = |merged: &str, line: &str| format!("x-a: &a {merged}\n{}", bare(line));
    kind.bad(&with("{principals: '*'}", "sid: s, principal: '*', <<: *a"));
    kind.bad(&with("{sid: 'a b'}", "principal: '*', <<: *a"));
    kind.bad(&with("{sid: s}", "<<: *a"));
    kind.bad(&with(
        "{action: lambda:InvokeFunction}",
        "sid: s, principal: '*', function_url_auth_type: NONE, <<: *a",
    ));
    let settings = Kind::settings();
    settings.good("x-b: &b {control: 1/s}\nbudgets: {<<: *b, get_policy: 2/s}\n");
    settings.good("x-b: &b {id: 123456789012}\naccounts: [{<<: *b, regions: [us-east-1]}]\n");
    settings.bad("x-b: &b {id: 123456789012}\naccounts: [{<<: *b}]\n");
}

#[test]
fn good_settings() {
    let kind = Kind::settings();
    for text in [
        "{}",
        "permissions: [a, 5, true, '*']",
        "mode: observe",
        "interval: 1h 30m",
        "interval: 1.5 hours",
        "interval: 1day1h5min 10s",
        "jitter: 0%",
        "jitter: 100.0%",
        "jitter: .5%",
        "defaults: {}",
        "defaults: {ownership: prefix, sid_prefix: 5, replace: direct, writer: statements}",
        "defaults: {writer: document}",
        "defaults: {writer: auto}",
        "deny_risks: []",
        "deny_risks: [P002, P008, P002]",
        "limits: unlimited",
        "limits: {}",
        "limits: {max_revocations: 0, max_changed_targets: 100%}",
        "limits: {max_revocations: '10', max_changed_targets: unlimited}",
        "limits: {max_revocations: unlimited}",
        "orphan_grace: 0",
        "orphan_grace: '0'",
        "orphan_grace: 90s",
        "remove_inexpressible: false",
        "discover: true",
        "ignore: []",
        "ignore: [{sid: 5}, {principal: '*', source_arn: x}]",
        "accounts: [{id: 012345678901, regions: [us-east-1]}]",
        "accounts: [{id: '123456789012', regions: [us-east-1, eu-west-1], profile: 5}, {id: '210987654321', regions: [cn-north-1]}]",
        "accounts: [{id: '123456789012', regions: [us-east-1], role_arn: 'arn:aws:iam::123456789012:role/a/b', external_id: 42, session_name: x@y}]",
        "lambda: {}",
        "lambda: {simulator: {}}",
        "lambda: {simulator: {listen: '[::1]:80', seed: 5}}",
        "budgets: {get_policy: 2.5/s, control: 300 / m}",
        "budgets: {get_policy: unlimited}",
        "journal: j.db",
        "journal: 5",
        "journal: {}",
        "journal: {path: j.db, retention: 1y, max_size: 65536}",
        "journal: {retention: unlimited, max_size: 64 MiB}",
        "control: c.sock",
        "{events: {queue_url: 'https://sqs.us-east-1.amazonaws.com/123456789012/q'}, interval_with_events: 1h}",
        "events: {queue_url: 'http://127.0.0.1:5000/123456789012/q.fifo', region: us-east-1}",
        "notify: []",
        "notify: [{url: 'https://a.example:443/b?c#d', format: slack, events: [held, failed], timeout: 1m}]",
        "notify: [{url: 'http://[::1]:80', secret_file: k}, {url_file: 5, secret_env: 5}]",
        "notify: [{url_env: HOOK, secret_credential: 5}, {url_credential: hook.url}]",
        "x-note: {any: thing}",
    ] {
        kind.good(&format!("{text}\n"));
    }
}

#[test]
fn bad_settings() {
    let kind = Kind::settings();
    for text in [
        "[]",
        "just text",
        "permission: [a]",
        "permissions: []",
        "permissions: a",
        "permissions: [[a]]",
        "permissions: [null]",
        "mode: destroy",
        "mode: [observe]",
        "interval: 5",
        "interval: five minutes",
        "interval: 5 fortnights",
        "interval: 0",
        "jitter: 10",
        "jitter: 101%",
        "jitter: -1%",
        "jitter: .%",
        "defaults: {owner: all}",
        "defaults: {sid_prefix: x-}",
        "defaults: {ownership: prefix}",
        "defaults: {writer: documents}",
        "defaults: {x-y: 1}",
        "defaults:",
        "deny_risks: P002",
        "deny_risks: [all]",
        "limits: none",
        "limits:",
        "limits: {max_revocations: -1}",
        "limits: {max_revocations: few}",
        "limits: {max_revocations: 4294967296}",
        "limits: {max_changed_targets: 30}",
        "limits: {max_changed_targets: 300%}",
        "orphan_grace: 5",
        "orphan_grace: soon",
        "remove_inexpressible: 'no'",
        "ignore: [{}]",
        "ignore: [{name: x}]",
        "ignore: [{sid: [a]}]",
        "discover: all",
        "lambda: {endpoint: x}",
        "lambda: {simulator: }",
        "lambda: {simulator: {listen: localhost}}",
        "budgets: {get_policy: 10}",
        "budgets: {get_policy: 0/s}",
        "budgets: {get_policy: 0.0/m}",
        "budgets: {get_policy: 1/h}",
        "budgets: {put: 1/s}",
        "journal:",
        "journal: ''",
        "journal: [a]",
        "journal: {keep: 1y}",
        "journal: {retention: long}",
        "journal: {max_size: 1KB}",
        "journal: {max_size: 5}",
        "control: ''",
        "control: {path: x}",
        "http: {hosts: ['https://a']}",
        "notify: {url: 'http://a'}",
        "notify: [{}]",
        "notify: ['http://a']",
        "notify: [{format: mail, url: 'http://a'}]",
        "notify: [{url: 'ftp://a'}]",
        "notify: [{url: 'https:///a'}]",
        "notify: [{url: 'https://a b'}]",
        "notify: [{url: 'https://u:p@a'}]",
        "notify: [{url: 'http://a', url_env: A}]",
        "notify: [{url: 'http://a', secret: s}]",
        "notify: [{url: 'http://a', secret_env: S, secret_file: f}]",
        "notify: [{url: 'http://a', events: []}]",
        "notify: [{url: 'http://a', events: [hold]}]",
        "notify: [{url: 'http://a', timeout: 5}]",
        "notify: [{url_env: $A}]",
        "notify: [{url_file: ''}]",
        "notify: [{url_credential: a/b}]",
        "1: x",
    ] {
        kind.bad(&format!("{text}\n"));
    }
    for text in [
        "interval: 0s",
        "journal: {retention: 0s}",
        "journal: {max_size: 1KiB}",
        "lambda: {simulator: {listen: '999.0.0.1:0'}}",
        "interval: 99999y",
        "notify: [{url: 'http://a:99999'}]",
        "notify: [{url: 'http://a', timeout: 2m}]",
        "notify: [{url_file: 'https://a'}]",
    ] {
        kind.beyond(&format!("{text}\n"));
    }
}

#[test]
fn bad_events() {
    let kind = Kind::settings();
    for text in [
        "events: {}",
        "events: {region: us-east-1}",
        "events: {queue_url: 'arn:aws:sqs:us-east-1:123456789012:q'}",
        "events: {queue_url: 'https://sqs.us-east-1.amazonaws.com'}",
        "events: {queue_url: 'http://127.0.0.1:1/1/q', region: mars}",
        "interval_with_events: 5",
    ] {
        kind.bad(&format!("{text}\n"));
    }
    for text in [
        "interval_with_events: 1h",
        "events: {queue_url: 'https://sqs.us-east-1.amazonaws.com/1/q', region: us-east-2}",
    ] {
        kind.beyond(&format!("{text}\n"));
    }
}

#[test]
fn bad_accounts() {
    let kind = Kind::settings();
    for text in [
        "accounts: []",
        "accounts: [{id: '123456789012'}]",
        "accounts: [{id: '123', regions: [us-east-1]}]",
        "accounts: [{id: '123456789012', regions: []}]",
        "accounts: [{id: '123456789012', regions: [us-east-1, us-east-1]}]",
        "accounts: [{id: '123456789012', regions: [us-east-1], external_id: example}]",
        "accounts: [{id: '123456789012', regions: [us-east-1], session_name: example}]",
        "accounts: [{id: '123456789012', regions: [us-east-1], profile: ' '}]",
        "accounts: [{id: '123456789012', regions: [us-east-1], role_arn: 'arn:aws:iam::123456789012:role/a', external_id: x}]",
        "accounts: [{id: '123456789012', regions: [us-east-1], role_arn: 'arn:aws:iam::123456789012:role/a', session_name: a b}]",
        "accounts: [{id: '123456789012', regions: [us-east-1], role_arn: 'arn:aws:iam::123456789012:user/a'}]",
        "accounts: [{id: '123456789012', regions: [us-east-1], role_arn: x}]",
    ] {
        kind.bad(&format!("{text}\n"));
    }
}
