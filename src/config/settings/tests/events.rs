//! What is said about `events` that are wrong.

use crate::config::tests::check_settings;

#[test]
fn a_queue_is_named_by_its_url_and_is_in_one_region() {
    check_settings(
        r"
interval_with_events: 1m
events: {queue_url: 'arn:aws:sqs:eu-west-1:123456789012:q', regoin: x}
",
        r"
error: `interval_with_events` is shorter than the interval without events, 5m
 --> permitd.yaml:1:23
  |
1 | interval_with_events: 1m
  |                       ^^
  |
help: write a longer one, or a shorter `interval`

error: `queue_url` is not the URL of a queue
 --> permitd.yaml:2:21
  |
2 | events: {queue_url: **************************************, regoin: x}
  |                     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
help: that is an ARN; write it like https://sqs.us-east-1.amazonaws.com/123456789012/permitd

error: `regoin` is not a key of `events`
 --> permitd.yaml:2:61
  |
2 | events: {queue_url: **************************************, regoin: x}
  |                                                             ^^^^^^
  |
help: did you mean `region`?
",
    );
    check_settings(
        r"
events: {queue_url: https://sqs.eu-west-1.amazonaws.com/123456789012/q, region: us-east-1}
",
        r"
error: the queue is in eu-west-1 by its URL, and not in us-east-1
 --> permitd.yaml:1:81
  |
1 | events: {queue_url: https://sqs.eu-west-1.amazonaws.com/**************, region: us-east-1}
  |                                                                                 ^^^^^^^^^
  |
help: leave `region` out, or correct one of the two
",
    );
    check_settings(
        r"
interval_with_events: 1h
events: {queue_url: my queue}
",
        r"
error: `queue_url` is not the URL of a queue
 --> permitd.yaml:2:21
  |
2 | events: {queue_url: ********}
  |                     ^^^^^^^^
  |
help: write it like https://sqs.us-east-1.amazonaws.com/123456789012/permitd
",
    );
    check_settings(
        "\ninterval_with_events: 1h\n",
        r"
error: `interval_with_events` says how often permitd looks while events come, and there are no `events`
 --> permitd.yaml:1:1
  |
1 | interval_with_events: 1h
  | ^^^^^^^^^^^^^^^^^^^^
  |
help: write `events: {queue_url: …}` too, or `interval`
",
    );
}
