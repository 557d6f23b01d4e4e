//! Full passes that do not fit into the interval.

use std::time::Duration;

use super::*;
use crate::policy::target::Defaults;

fn targets(n: usize, region: &str) -> Vec<Target> {
    let target = |n| {
        let arn = format!("arn:aws:lambda:{region}:123456789012:function:f{n}");
        Target::parse(&arn, None, &Defaults::default()).unwrap()
    };
    (0..n).map(target).collect()
}

/// `place: seconds: help`.
fn found(targets: &[Target], calls: Option<f64>, interval: u64) -> Vec<String> {
    let slow = slow_passes(targets.iter(), calls, Duration::from_secs(interval));
    slow.iter().map(|it| format!("{}: {} s: {}", it.place, it.seconds, it.help())).collect()
}

#[test]
fn each_account_and_region_is_judged_by_itself_with_numbers_that_fit() {
    let mut all = targets(3000, "eu-west-1");
    assert_eq!(found(&all, Some(10.0), 300), Vec::<String>::new(), "it just fits");
    assert_eq!(found(&all, None, 1), Vec::<String>::new(), "without a limit everything does");
    all.extend(targets(3001, "us-east-1"));
    let expected = "123456789012/us-east-1: 301 s: write `interval: 6m` or more, or `budgets: {get_policy: 11/s}` \
                    if no other tool needs the rest of the 15/s that Lambda allows";
    assert_eq!(found(&all, Some(10.0), 300), [expected]);
    assert_eq!(found(&all, Some(11.0), 300), Vec::<String>::new(), "as it was advised");
    assert_eq!(found(&all, Some(10.0), 360), Vec::<String>::new(), "as it was advised");
    assert_eq!(found(&all, Some(5.0), 300).len(), 2);
}

#[test]
fn no_budget_is_advised_that_lambda_does_not_allow() {
    let all = targets(6000, "us-east-1");
    let expected = "123456789012/us-east-1: 400 s: write `interval: 7m` or more; a larger budget is not enough, \
                    for Lambda allows 15/s";
    assert_eq!(found(&all, Some(15.0), 300), [expected]);
}

#[test]
fn it_is_told_of_the_file_as_a_whole() {
    let all = targets(30, "us-east-1");
    let slow = slow_passes(all.iter(), Some(2.5), Duration::from_secs(10));
    let file = File::new("permitd.yaml", String::new());
    let told = diagnostic::render_all(&[slow[0].tell(diagnostic::Place::whole(&file))], false);
    let expected = "\
warning[slow-pass]: a full pass over 123456789012/us-east-1 takes at least 12 s, and the next one is due after 10s: 30 targets at 2.5/s
--> permitd.yaml
 |
help: write `interval: 1m` or more, or `budgets: {get_policy: 3/s}` if no other tool needs the rest of the 15/s that Lambda allows";
    assert_eq!(told.trim_end(), expected);
}
