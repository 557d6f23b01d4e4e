//! What people are told of the control API.

/// For `permitd simulate --help`, and for `GET /_simulator/`: each endpoint in one line of curl.
pub const HELP: &str = r#"Point any AWS client at the printed address:
  AWS_ENDPOINT_URL=http://127.0.0.1:4599 AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1 aws lambda list-functions

Control API (with S=http://127.0.0.1:4599/_simulator):
  everything, as JSON       curl -s $S/state
  the same back, or a seed  curl -s -X PUT $S/state -d @state.json
  one switch                curl -s -X PUT $S/state -d '{"switches": {"public_block": true}}'
  back to the seed          curl -s -X POST $S/reset
  the requests so far       curl -s $S/requests
  forget them               curl -s -X DELETE $S/requests
  make things go wrong      curl -s -X PUT $S/faults -d '{"faults": [{"operation": "AddPermission", "nth": 2, "kind": "drop_after"}]}'
  throttle as AWS does      curl -s -X PUT $S/faults -d '{"throttle": {"get_policy": 15, "get_function": 100, "control": 15, "retry_after": 1}}'
  what goes wrong now       curl -s $S/faults
  nothing any more          curl -s -X PUT $S/faults -d '{}'
  IAM principals            curl -s -X POST $S/principals -d '{"create": ["arn:aws:iam::123456789012:role/importer"], "delete": []}'

Faults: {"operation": GLOB, "target": GLOB, "nth": 1, "times": 1 | "forever", "probability": 0.1, "kind": ...}
  kind: error, error_after (status, code, message | body, content_type; retry_after), drop_before,
  drop_after, stale, delay (delay_ms), writer_before, writer_after (change: {remove | add | change | clear});
  beside "faults": "throttle", "latency_ms", "seed".

Seed (YAML), and the state in the same shape:
  accounts: [{id: "123456789012", region: us-east-1, functions: [{name: f, versions: 1, aliases: {live: "1"}, tags: {},
    policy: {...}, policies: {live: {...}}}], principals: [IAM ARN], access_keys: [KEY],
    roles: [{name: permitd, external_id: ID}]}]
  switches: {read_lag: {reads: 1, time: 2s}, aroa_render_delay: 5s, public_block: on, ...}; all of them in $S/state
  tamper: [{every: 8s, after: 2s, function: f, qualifier: live, remove: SID | add: {Sid: ...} | change: {sid: SID, set: {...}} | clear: true},
    {every: 60s, delete_principal: IAM ARN}]
"#;
