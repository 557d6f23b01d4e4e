//! Functions themselves: created, read, changed, deleted, tagged.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::simulator::{
    account::{Function, Moment, Version, World},
    names::{LATEST, Resource, resolve},
    refusal::Refusal,
    render::{self, Phase},
    request::{Caller, Reply, Request},
    validate::{self, Checks, object},
};

impl World {
    /// The same, where it exists.
    pub(crate) fn found(
        &self,
        request: &Request,
        caller: &Caller,
    ) -> Result<(Resource, &Function), Refusal> {
        let resource = named(request, caller)?;
        // Recorded: GetFunction and its like name the qualifier even where the function is missing.
        match self.function(&resource) {
            Some(it) if self.qualifier_exists(&resource) => Ok((resource, it)),
            Some(_) | None => Err(Refusal::no_function(&resource.arn())),
        }
    }

    /// CreateFunction. More lenient than Lambda: role and code may be left out.
    pub(crate) fn create_function(
        &mut self,
        request: &Request,
        caller: &Caller,
        now: Moment,
    ) -> Result<Reply, Refusal> {
        let body = object(&request.body)?;
        let (name, role) = (validate::text(&body, "FunctionName")?, validate::text(&body, "Role")?);
        let mut checks = Checks::default();
        checks.required(&validate::A_FUNCTION_NAME, name);
        checks.optional(&validate::A_ROLE, role);
        checks.done()?;
        let resource = resolve(name.unwrap_or_default(), None, caller, request.operation)?;
        let resource = resource.with(None);
        if self.function(&resource).is_some() {
            let text = format!("Function already exist: {}", resource.function);
            return Err(Refusal::conflict(text));
        }
        let mut config = render::default_config(&resource.function);
        configure(&mut config, &body);
        let (code_sha256, code_size) = code(body.get("Code").and_then(Value::as_object));
        let revision = self.uuid();
        let latest = Version {
            config,
            code_sha256,
            code_size,
            last_modified: render::time(now.wall),
            revision,
        };
        let function = Function { tags: tags(&body), ..Function::new(latest) };
        let functions = self.regions.entry(resource.place.clone()).or_default();
        functions.insert(resource.function.clone(), function);
        if validate::flag(&body, "Publish")? == Some(true) {
            let (number, version) = self.publish(&resource, None, now)?;
            let resource = resource.with(Some(&number));
            let body = render::configuration(&resource, &version, &number, Phase::Created);
            return Ok(Reply::new(201, body));
        }
        let function = self.existing(&resource)?;
        let body = render::configuration(&resource, &function.latest, LATEST, Phase::Created);
        Ok(Reply::new(201, body))
    }

    /// DeleteFunction: with all its versions, aliases and policies; or one version.
    pub(crate) fn delete_function(
        &mut self,
        request: &Request,
        caller: &Caller,
    ) -> Result<Reply, Refusal> {
        let resource = named(request, caller)?;
        let Some(qualifier) = resource.qualifier.as_deref() else {
            self.existing(&resource)?;
            if let Some(functions) = self.regions.get_mut(&resource.place) {
                functions.remove(&resource.function);
            }
            return Ok(Reply::empty());
        };
        if qualifier == LATEST {
            let text = "$LATEST version cannot be deleted without deleting the function.";
            return Err(Refusal::parameter(text));
        }
        let function = self.existing(&resource)?;
        let Ok(number) = qualifier.parse::<u64>() else {
            return Err(Refusal::parameter("Deletion of aliases is not currently supported."));
        };
        let users: Vec<&str> = function
            .aliases
            .iter()
            .filter(|(_, it)| it.version == qualifier)
            .map(|(name, _)| name.as_str())
            .collect();
        if !users.is_empty() {
            return Err(Refusal::conflict(format!(
                "Unable to delete version because the following aliases reference it: [{}]",
                users.join(", ")
            )));
        }
        // Deleting a version that is not there is no error.
        function.versions.remove(&number);
        function.policies.remove(&resource.qualifier);
        Ok(Reply::empty())
    }

    /// GetFunction.
    pub(crate) fn get_function(
        &self,
        request: &Request,
        caller: &Caller,
    ) -> Result<Reply, Refusal> {
        let (resource, function) = self.found(request, caller)?;
        let location = format!(
            "https://prod-{0}-starport-layer-bucket.s3.{0}.amazonaws.com/{1}",
            resource.place.region, resource.function
        );
        let mut body = json!({
            "Configuration": settled(&resource, function)?,
            "Code": {"RepositoryType": "S3", "Location": location},
        });
        if let Some(members) = body.as_object_mut() {
            if !function.tags.is_empty() {
                members.insert("Tags".to_owned(), json!(function.tags));
            }
            if let Some(it) = function.concurrency {
                let value = json!({"ReservedConcurrentExecutions": it});
                members.insert("Concurrency".to_owned(), value);
            }
        }
        Ok(Reply::new(200, body))
    }

    /// GetFunctionConfiguration.
    pub(crate) fn get_function_configuration(
        &self,
        request: &Request,
        caller: &Caller,
    ) -> Result<Reply, Refusal> {
        let (resource, function) = self.found(request, caller)?;
        Ok(Reply::new(200, settled(&resource, function)?))
    }

    /// UpdateFunctionConfiguration and UpdateFunctionCode. The policies' revisions stay.
    pub(crate) fn update_function(
        &mut self,
        request: &Request,
        caller: &Caller,
        now: Moment,
        with_code: bool,
    ) -> Result<Reply, Refusal> {
        let body = object(&request.body)?;
        let resource = named(request, caller)?;
        let given = validate::text(&body, "RevisionId")?;
        let revision = self.uuid();
        let function = self.existing(&resource)?;
        if given.is_some_and(|it| it != function.latest.revision) {
            return Err(Refusal::resource_revision());
        }
        if with_code {
            let (sha256, size) = code(Some(&body));
            (function.latest.code_sha256, function.latest.code_size) = (sha256, size);
        }
        configure(&mut function.latest.config, &body);
        function.latest.revision = revision;
        function.latest.last_modified = render::time(now.wall);
        if with_code && validate::flag(&body, "Publish")? == Some(true) {
            let (number, version) = self.publish(&resource, None, now)?;
            let resource = resource.with(Some(&number));
            let body = render::configuration(&resource, &version, &number, Phase::Created);
            return Ok(Reply::new(200, body));
        }
        let body = render::configuration(&resource, &function.latest, LATEST, Phase::Updated);
        Ok(Reply::new(200, body))
    }

    /// The function of an ARN that tags hang on.
    fn tagged(&mut self, request: &Request, caller: &Caller) -> Result<&mut Function, Refusal> {
        let mut checks = Checks::default();
        checks.text(&validate::A_TAGGABLE_ARN, request.label(0));
        if request.operation.name() == "UntagResource" && request.query("tagKeys").is_none() {
            checks.missing("tagKeys");
        }
        checks.done()?;
        let resource = resolve(request.label(0), None, caller, request.operation)?;
        if resource.qualifier.is_some() {
            return Err(Refusal::parameter(
                "Tags on function aliases and versions are not supported. \
                 Please specify a function ARN.",
            ));
        }
        self.existing(&resource)
    }

    /// ListTags.
    pub(crate) fn list_tags(
        &mut self,
        request: &Request,
        caller: &Caller,
    ) -> Result<Reply, Refusal> {
        let function = self.tagged(request, caller)?;
        Ok(Reply::new(200, json!({"Tags": function.tags})))
    }

    /// TagResource.
    pub(crate) fn tag_resource(
        &mut self,
        request: &Request,
        caller: &Caller,
    ) -> Result<Reply, Refusal> {
        let new = tags(&object(&request.body)?);
        let function = self.tagged(request, caller)?;
        if new.is_empty() {
            let text = "An error occurred and the request cannot be processed.";
            return Err(Refusal::parameter(text));
        }
        function.tags.extend(new);
        Ok(Reply::empty())
    }

    /// UntagResource.
    pub(crate) fn untag_resource(
        &mut self,
        request: &Request,
        caller: &Caller,
    ) -> Result<Reply, Refusal> {
        let function = self.tagged(request, caller)?;
        for it in request.query_all("tagKeys") {
            function.tags.remove(it);
        }
        Ok(Reply::empty())
    }

    /// PutFunctionConcurrency and DeleteFunctionConcurrency.
    pub(crate) fn set_concurrency(
        &mut self,
        request: &Request,
        caller: &Caller,
    ) -> Result<Reply, Refusal> {
        let body = object(&request.body)?;
        let resource = named(request, caller)?;
        if resource.qualifier.is_some() {
            return Err(Refusal::parameter(
                "This operation is permitted on Lambda functions only. Aliases and versions do \
                 not support this operation. Please specify either a function name or an \
                 unqualified function ARN.",
            ));
        }
        let Some(function) = self.function_mut(&resource) else {
            return Err(Refusal::no_function(&resource.with(Some(LATEST)).arn()));
        };
        function.concurrency = body.get("ReservedConcurrentExecutions").and_then(Value::as_u64);
        match function.concurrency {
            Some(it) => Ok(Reply::new(200, json!({"ReservedConcurrentExecutions": it}))),
            None => Ok(Reply::empty()),
        }
    }
}

impl Function {
    /// One that has only `$LATEST`.
    pub(crate) fn new(latest: Version) -> Self {
        Self {
            latest,
            versions: BTreeMap::new(),
            next_version: 1,
            aliases: BTreeMap::new(),
            tags: BTreeMap::new(),
            concurrency: None,
            policies: BTreeMap::new(),
        }
    }
}

fn settled(resource: &Resource, function: &Function) -> Result<Value, Refusal> {
    let found = function.resolve(resource.qualifier.as_deref());
    let (version, number) = found.ok_or_else(|| Refusal::no_function(&resource.arn()))?;
    Ok(render::configuration(resource, version, &number, Phase::Settled))
}

/// Takes over the members of a request that FunctionConfiguration gives back.
fn configure(config: &mut Map<String, Value>, body: &Map<String, Value>) {
    const PLAIN: &[&str] = &[
        "Runtime",
        "Role",
        "Handler",
        "Description",
        "Timeout",
        "MemorySize",
        "DeadLetterConfig",
        "Environment",
        "KMSKeyArn",
        "TracingConfig",
        "FileSystemConfigs",
        "PackageType",
        "Architectures",
        "EphemeralStorage",
    ];
    for (key, value) in body.iter().filter(|(_, it)| !it.is_null()) {
        let value = match key.as_str() {
            "VpcConfig" => with_member(value, "VpcId", json!("")),
            "SnapStart" => with_member(value, "OptimizationStatus", json!("Off")),
            "LoggingConfig" => {
                let group = config.get("LoggingConfig").and_then(|it| it.get("LogGroup"));
                with_member(value, "LogGroup", group.cloned().unwrap_or_default())
            }
            "Layers" => {
                let arns = value.as_array().into_iter().flatten();
                json!(arns.map(|it| json!({"Arn": it, "CodeSize": 1})).collect::<Vec<_>>())
            }
            it if PLAIN.contains(&it) => value.clone(),
            _ => continue,
        };
        config.insert(key.clone(), value);
    }
    if let Some(it) = body.get("ImageConfig") {
        config.insert("ImageConfigResponse".to_owned(), json!({"ImageConfig": it}));
    }
    if config.get("PackageType") == Some(&json!("Image")) {
        config.remove("Runtime");
        config.remove("Handler");
    }
}

fn with_member(value: &Value, key: &str, default: Value) -> Value {
    let mut res = value.clone();
    if let Some(members) = res.as_object_mut() {
        members.entry(key).or_insert(default);
    }
    res
}

/// The hash and the size of the code; what is not in the request itself gets a hash of its place.
fn code(code: Option<&Map<String, Value>>) -> (String, u64) {
    let text = |key: &str| code.and_then(|it| it.get(key)).and_then(Value::as_str);
    let zip = text("ZipFile").and_then(|it| STANDARD.decode(it).ok());
    let place = || ["S3Bucket", "S3Key", "S3ObjectVersion", "ImageUri"].map(text);
    let bytes = zip.unwrap_or_else(|| format!("{:?}", place()).into_bytes());
    (STANDARD.encode(Sha256::digest(&bytes)), u64::try_from(bytes.len()).unwrap_or(u64::MAX))
}

fn tags(body: &Map<String, Value>) -> BTreeMap<String, String> {
    let members = body.get("Tags").and_then(Value::as_object).into_iter().flatten();
    members.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

/// The function, version or alias that a request means; its name and Qualifier checked.
pub(crate) fn named(request: &Request, caller: &Caller) -> Result<Resource, Refusal> {
    let mut checks = Checks::default();
    checks.text(&validate::A_FUNCTION_NAME, request.label(0));
    checks.optional(&validate::A_QUALIFIER, request.query("Qualifier"));
    checks.done()?;
    resolve(request.label(0), request.query("Qualifier"), caller, request.operation)
}
