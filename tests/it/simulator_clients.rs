//! Other people's clients against the simulator: boto3, the AWS CLI, Terraform. Asked for by the environment.

use std::{path::Path, process::Output};

use serde_json::{Value, json};
use tokio::process::Command;

use crate::simulator_client::Served;

#[expect(clippy::print_stdout, reason = "a test that did not run says so")]
fn asked_for(variable: &str) -> bool {
    let asked = std::env::var(variable).is_ok_and(|it| it == "1");
    if !asked {
        println!("SKIPPED: set {variable}=1");
    }
    asked
}

#[track_caller]
fn succeeded(output: &Output, what: &str) {
    let text = |it: &[u8]| String::from_utf8_lossy(it).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{what}\n{out}\n{err}");
}

/// Needs a Python with the packages that `tests/aws_clients/clients.py` names at its top;
/// `PERMITD_TEST_PYTHON` says which.
#[tokio::test(flavor = "multi_thread")]
async fn boto3_and_the_aws_cli_see_lambda() {
    if !asked_for("PERMITD_TEST_AWS_CLIENTS") {
        return;
    }
    let served = Served::new("").await;
    let python = std::env::var("PERMITD_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let endpoint = format!("http://{}", served.address);
    let script = "tests/aws_clients/clients.py";
    let output = Command::new(python).args([script, &endpoint]).output().await.unwrap();
    succeeded(&output, script);
}

/// Needs `terraform`, and the provider hashicorp/aws where `terraform init` finds it;
/// `PERMITD_TEST_TF_PLUGINS` may name a directory of plugins.
#[tokio::test(flavor = "multi_thread")]
async fn terraform_makes_keeps_and_unmakes_functions_and_permissions() {
    if !asked_for("PERMITD_TEST_TERRAFORM") {
        return;
    }
    let served = Served::new("").await;
    let dir = tempfile::tempdir().unwrap();
    let source = "tests/aws_clients/terraform/main.tf";
    std::fs::copy(source, dir.path().join("main.tf")).unwrap();
    // The smallest archive there is: the end of an empty one.
    let archive = dir.path().join("code.zip");
    std::fs::write(&archive, [&b"PK\x05\x06"[..], &[0; 18]].concat()).unwrap();
    let mut init = vec!["init".to_owned(), "-input=false".to_owned()];
    if let Ok(plugins) = std::env::var("PERMITD_TEST_TF_PLUGINS") {
        init.push(format!("-plugin-dir={plugins}"));
    }
    succeeded(&terraform(dir.path(), &served, &init).await, "init");
    let run = async |arguments: &[&str]| {
        let arguments: Vec<String> = arguments.iter().map(|it| (*it).to_owned()).collect();
        terraform(dir.path(), &served, &arguments).await
    };
    succeeded(&run(&["apply", "-auto-approve", "-input=false"]).await, "apply");
    assert_eq!(served.sids("thumbnail").await, ["s3-uploads"]);
    let mut partners = served.sids("thumbnail:live").await;
    partners.sort();
    assert_eq!(partners, ["partner-0", "partner-1", "partner-2"]);
    let plan = ["plan", "-detailed-exitcode", "-input=false"];
    succeeded(&run(&plan).await, "nothing is left to do");
    // Somebody takes a statement away, and the configuration changes.
    let gone = json!({"FunctionName": "thumbnail", "StatementId": "s3-uploads"});
    assert_eq!(served.call("RemovePermission", &gone).await.status, 204);
    assert_eq!(run(&plan).await.status.code(), Some(2));
    let change = ["apply", "-auto-approve", "-input=false", "-var=memory=256"];
    succeeded(&run(&change).await, "apply again");
    assert_eq!(served.sids("thumbnail").await, ["s3-uploads"]);
    let live = json!({"FunctionName": "thumbnail", "Qualifier": "live"});
    let live = served.call("GetFunctionConfiguration", &live).await.json();
    assert_eq!((&live["Version"], &live["MemorySize"]), (&json!("2"), &json!(256)));
    succeeded(&run(&["destroy", "-auto-approve", "-input=false"]).await, "destroy");
    let left = served.call("ListFunctions", &Value::Object(serde_json::Map::new())).await.json();
    assert_eq!(left["Functions"], json!([]));
}

async fn terraform(dir: &Path, served: &Served, arguments: &[String]) -> Output {
    let endpoint = format!("http://{}", served.address);
    let mut command = Command::new("terraform");
    command
        .current_dir(dir)
        .args(arguments)
        .env("TF_VAR_endpoint", endpoint)
        .env("TF_VAR_archive", dir.join("code.zip"))
        .env("TF_IN_AUTOMATION", "1")
        .env("CHECKPOINT_DISABLE", "1")
        // A configuration of the user's own has no part in this.
        .env("TF_CLI_CONFIG_FILE", dir.join("none.tfrc"));
    std::fs::write(dir.join("none.tfrc"), "").unwrap();
    command.output().await.unwrap()
}
