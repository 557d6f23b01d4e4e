//! `events`: the queue in which CloudTrail's events about policies arrive.

use std::time::Duration;

use super::{Settings, scalar, values::parse_interval};
use crate::config::walk::{Item, Text, Walker};
use crate::policy::target::{check_account, check_region, partition_of};

/// Of `events`.
pub(in crate::config) const KEYS: &[&str] = &["queue_url", "region"];
/// A URL with a host and a path; more is not asked of it, for there are other servers than AWS.
pub(in crate::config) const URL: &str = r"^https?://[^/?#@\s\\]+(/[^/?#\s\\]+)+$";
/// What one looks like.
pub(super) const EXAMPLE: &str = "https://sqs.us-east-1.amazonaws.com/123456789012/permitd";

/// Where the events are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Events {
    /// As SQS gives it.
    pub queue_url: String,
    /// As written, or as the URL says; none: that of the credentials' chain.
    pub region: Option<String>,
}

impl Events {
    /// The ARN of the queue; none where the URL is not of AWS's form.
    pub fn arn(&self) -> Option<String> {
        let region = self.region.as_deref()?;
        let mut path = self.queue_url.rsplit('/');
        let (name, account) = (path.next()?, path.next()?);
        check_account(account).ok()?;
        Some(format!("arn:{}:sqs:{region}:{account}:{name}", partition_of(region)))
    }
}

pub(super) fn read<'a>(walker: &mut Walker<'a>, root: Item<'_, 'a>) -> Option<Events> {
    let (mut url, mut region) = (None, None);
    let mut there = Vec::new();
    for item in walker.map(root, "`events`")? {
        match item.key {
            "queue_url" => url = queue_url(walker, item),
            "region" => {
                let spot = item.spot();
                let check = |it: &str| {
                    check_region(it).map(|()| it.to_owned()).map_err(|it| it.to_string())
                };
                region = scalar(walker, item, check).map(|it| (it, spot));
            }
            _ => there.extend(walker.unknown(item, "`events`", KEYS)),
        }
        there.push(item.key);
    }
    if !there.contains(&"queue_url") {
        let help = format!("write it like `events: {{queue_url: {EXAMPLE}}}`");
        walker.advise(root.spot(), "`queue_url` is missing in `events`", help);
    }
    let queue_url = url?;
    let own = region_of(&queue_url);
    if let (Some((said, spot)), Some(own)) = (&region, &own)
        && said != own
    {
        let message = format!("the queue is in {own} by its URL, and not in {said}");
        walker.advise(*spot, message, "leave `region` out, or correct one of the two");
    }
    Some(Events { region: region.map(|(it, _)| it).or(own), queue_url })
}

fn queue_url<'a>(walker: &mut Walker<'a>, item: Item<'_, 'a>) -> Option<String> {
    let Text { text, spot } = walker.text(item)?;
    let is_url = regex::Regex::new(URL).is_ok_and(|it| it.is_match(&text));
    if is_url {
        return Some(text.into_owned());
    }
    let arn = if text.starts_with("arn:") { "that is an ARN; " } else { "" };
    let help = format!("{arn}write it like {EXAMPLE}");
    walker.advise(spot, "`queue_url` is not the URL of a queue", help);
    None
}

/// The region in the host of AWS's own URLs: `sqs.us-east-1.amazonaws.com`, `us-east-1.queue.amazonaws.com`,
/// `vpce-1a-2b.sqs.us-east-1.vpce.amazonaws.com`.
fn region_of(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let host = rest.split('/').next()?.to_ascii_lowercase();
    let host = host.split(':').next()?;
    if !host.contains("amazonaws.com") && !host.ends_with(".api.aws") {
        return None;
    }
    if host == "queue.amazonaws.com" {
        return Some("us-east-1".to_owned());
    }
    host.split('.').find(|it| check_region(it).is_ok()).map(str::to_owned)
}

/// How often everything is looked at while events come.
pub(super) fn stretched<'a>(
    walker: &mut Walker<'a>,
    item: Option<Item<'_, 'a>>,
    settings: &mut Settings,
    has_events: bool,
) {
    let Some(item) = item else { return };
    let Some(it) = scalar(walker, item, parse_interval) else { return };
    let usual: Duration = settings.interval;
    if !has_events {
        let message = "`interval_with_events` says how often permitd looks while events come, and there are no `events`";
        walker.advise(
            item.key_spot(),
            message,
            "write `events: {queue_url: …}` too, or `interval`",
        );
    } else if it < usual {
        let message = format!(
            "`interval_with_events` is shorter than the interval without events, {}",
            humantime::format_duration(usual)
        );
        walker.advise(item.spot(), message, "write a longer one, or a shorter `interval`");
    }
    settings.interval_with_events = Some(it);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_is_made_of_a_url_of_aws() {
        let arn = |queue_url: &str, region: Option<&str>| {
            Events { queue_url: queue_url.into(), region: region.map(str::to_owned) }.arn()
        };
        let url = "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/q.fifo";
        let expected = "arn:aws-cn:sqs:cn-north-1:123456789012:q.fifo";
        assert_eq!(arn(url, Some("cn-north-1")).as_deref(), Some(expected));
        assert_eq!(arn("http://127.0.0.1/123456789012/q", None), None);
        assert_eq!(arn("http://127.0.0.1/queue/q", Some("us-east-1")), None);
    }

    #[test]
    fn the_region_is_in_the_urls_of_aws() {
        for (url, region) in [
            ("https://sqs.eu-west-1.amazonaws.com/1/q", Some("eu-west-1")),
            ("https://sqs-fips.us-gov-west-1.amazonaws.com/1/q", Some("us-gov-west-1")),
            ("https://sqs.cn-north-1.amazonaws.com.cn/1/q", Some("cn-north-1")),
            ("https://eu-central-1.queue.amazonaws.com/1/q", Some("eu-central-1")),
            ("https://queue.amazonaws.com/1/q", Some("us-east-1")),
            ("https://sqs.us-west-2.api.aws/1/q", Some("us-west-2")),
            ("https://vpce-0a-1b.sqs.us-east-1.vpce.amazonaws.com/1/q", Some("us-east-1")),
            ("http://127.0.0.1:5000/123456789012/q", None),
            ("http://localhost:4566/queue/us-east-1/000000000000/q", None),
        ] {
            assert_eq!(region_of(url).as_deref(), region, "{url}");
        }
    }
}
