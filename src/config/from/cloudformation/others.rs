//! Resources beside `AWS::Lambda::Permission` that change who may call a function.

use super::super::{Found, Remark};
use super::{PERMISSION, get, type_of};
use crate::config::yaml::{Node, Value};

/// Says what it is and what to do about it, if anything has to be. `text` is the resource as it is written.
pub(super) fn tell(
    name: &str,
    node: &Node<'_>,
    text: &str,
    remark: impl Fn(String) -> Remark,
    found: &mut Found,
) {
    if name.starts_with("Fn::") {
        if text.contains(PERMISSION) {
            let text = "it makes permissions in a loop, which is not unrolled here; get the template with \
                        `aws cloudformation get-template --template-stage Processed`";
            found.left.push(remark(text.to_owned()));
        }
        return;
    }
    match type_of(node).unwrap_or_default() {
        "AWS::Lambda::ResourcePolicy" => {
            let text = "it is a whole policy as a document; `permitd import --function NAME` takes from Lambda \
                        what a permission file can say of it";
            found.left.push(remark(text.to_owned()));
        }
        "AWS::Serverless::Function" => {
            if let Some(what) = grants_of(node) {
                let text = format!(
                    "SAM makes permissions of its {what}, which are not in this template; get the one that has \
                     them with `aws cloudformation get-template --template-stage Processed`"
                );
                found.notes.push(remark(text));
            }
        }
        "AWS::Lambda::LayerVersionPermission" => {
            let text = "it is about a layer, and permitd keeps the policies of functions";
            found.notes.push(remark(text.to_owned()));
        }
        "AWS::CloudFormation::Stack" | "AWS::Serverless::Application" => {
            let text =
                "permissions of this nested template are not looked at; name it as a file, too";
            found.notes.push(remark(text.to_owned()));
        }
        kind if kind.ends_with("::MODULE") => {
            let text = format!("permissions of the module {kind} are not looked at");
            found.notes.push(remark(text));
        }
        _ => {}
    }
}

/// What of a function of SAM grants something: its events, or a URL for everybody.
fn grants_of(node: &Node<'_>) -> Option<String> {
    let properties = get(node, "Properties")?;
    let events = get(properties, "Events").map(|it| match &it.value {
        Value::Map(events) => events.len(),
        Value::Null | Value::Plain(_) | Value::Quoted(_) | Value::Seq(_) | Value::Bad => 0,
    });
    let url = get(properties, "FunctionUrlConfig").map(|_| "FunctionUrlConfig".to_owned());
    let events = events.filter(|it| *it > 0).map(|n| match n {
        1 => "one event".to_owned(),
        n => format!("{n} events"),
    });
    match (events, url) {
        (Some(events), Some(url)) => Some(format!("{events} and its {url}")),
        (events, url) => events.or(url),
    }
}
