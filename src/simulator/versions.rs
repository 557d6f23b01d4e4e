//! Versions and aliases: published, pointed at, listed page by page.

use serde_json::{Map, Value, json};

use crate::simulator::{
    account::{Alias, Moment, Version, World},
    functions::named,
    names::{LATEST, Resource},
    refusal::Refusal,
    render::{self, Phase},
    request::{Caller, Reply, Request},
    switches::PublishUnchanged,
    validate::{self, Checks, object},
};

/// No list has more entries a page, whatever MaxItems says (`lambda-semantics.md`, 11).
const PAGE: usize = 50;

impl World {
    /// PublishVersion.
    pub(crate) fn publish_version(
        &mut self,
        request: &Request,
        caller: &Caller,
        now: Moment,
    ) -> Result<Reply, Refusal> {
        let body = object(&request.body)?;
        let resource = named(request, caller)?.with(None);
        let latest = self.existing(&resource)?.latest.clone();
        if let Some(it) = validate::text(&body, "CodeSha256")?
            && !it.is_empty()
            && it != latest.code_sha256
        {
            return Err(Refusal::parameter(format!(
                "CodeSHA256 ({it}) is different from current CodeSHA256 in $LATEST ({}). \
                 Please try again with the CodeSHA256 in $LATEST.",
                latest.code_sha256
            )));
        }
        let given = validate::text(&body, "RevisionId")?;
        if given.is_some_and(|it| !it.is_empty() && it != latest.revision) {
            return Err(Refusal::resource_revision());
        }
        let description = validate::text(&body, "Description")?;
        let (number, version) = self.publish(&resource, description, now)?;
        let resource = resource.with(Some(&number));
        let body = render::configuration(&resource, &version, &number, Phase::Settled);
        Ok(Reply::new(201, body))
    }

    /// Makes a version of `$LATEST`, unless nothing has changed since the last one.
    pub(crate) fn publish(
        &mut self,
        resource: &Resource,
        description: Option<&str>,
        now: Moment,
    ) -> Result<(String, Version), Refusal> {
        let (own, next) = (self.uuid(), self.uuid());
        let same = self.switches.publish_unchanged == PublishUnchanged::Same;
        let function = self.existing(resource)?;
        let last = function.versions.last_key_value();
        if let Some((number, version)) = last.filter(|(_, it)| same && it.same(&function.latest)) {
            return Ok((number.to_string(), version.clone()));
        }
        let number = function.next_version;
        let mut version = Version {
            revision: own,
            last_modified: render::time(now.wall),
            ..function.latest.clone()
        };
        if let Some(it) = description {
            version.config.insert("Description".to_owned(), json!(it));
        }
        function.versions.insert(number, version.clone());
        function.next_version = number.saturating_add(1);
        // Recorded: the function's own RevisionId moves; its policy's does not.
        function.latest.revision = next;
        Ok((number.to_string(), version))
    }

    /// CreateAlias.
    pub(crate) fn create_alias(
        &mut self,
        request: &Request,
        caller: &Caller,
    ) -> Result<Reply, Refusal> {
        let body = object(&request.body)?;
        let (name, version) =
            (validate::text(&body, "Name")?, validate::text(&body, "FunctionVersion")?);
        let mut checks = Checks::default();
        checks.text(&validate::A_FUNCTION_NAME, request.label(0));
        checks.required(&validate::AN_ALIAS, name);
        checks.required(&validate::A_VERSION, version);
        checks.done()?;
        let (name, version) = (name.unwrap_or_default(), version.unwrap_or_default());
        let resource = named(request, caller)?.with(None);
        let routing = routing(&body);
        self.check_version(&resource, version)?;
        check_routing(version, routing.as_ref())?;
        let revision = self.uuid();
        let function = self.existing(&resource)?;
        if function.aliases.contains_key(name) {
            let arn = resource.with(Some(name)).arn();
            return Err(Refusal::conflict(format!("Alias already exists: {arn}")));
        }
        let description = validate::text(&body, "Description")?.unwrap_or_default().to_owned();
        let alias = Alias { version: version.to_owned(), description, routing, revision };
        let answer = render::alias(&resource, name, &alias);
        function.aliases.insert(name.to_owned(), alias);
        Ok(Reply::new(201, answer))
    }

    /// UpdateAlias. The alias's policy stays.
    pub(crate) fn update_alias(
        &mut self,
        request: &Request,
        caller: &Caller,
    ) -> Result<Reply, Refusal> {
        let body = object(&request.body)?;
        let version = validate::text(&body, "FunctionVersion")?;
        let mut checks = Checks::default();
        checks.text(&validate::A_FUNCTION_NAME, request.label(0));
        checks.text(&validate::AN_ALIAS, request.label(1));
        checks.optional(&validate::A_VERSION, version);
        checks.done()?;
        let resource = named(request, caller)?.with(None);
        let name = request.label(1);
        let arn = resource.with(Some(name)).arn();
        let missing = || Refusal::not_found(format!("Alias not found: {arn}"));
        let current = self.existing(&resource)?.aliases.get(name).cloned().ok_or_else(missing)?;
        let given = validate::text(&body, "RevisionId")?;
        if given.is_some_and(|it| it != current.revision) {
            return Err(Refusal::resource_revision());
        }
        if let Some(it) = version {
            self.check_version(&resource, it)?;
        }
        let description = validate::text(&body, "Description")?;
        let alias = Alias {
            version: version.map_or(current.version, str::to_owned),
            description: description.map_or(current.description, str::to_owned),
            routing: if body.contains_key("RoutingConfig") {
                routing(&body)
            } else {
                current.routing
            },
            revision: self.uuid(),
        };
        check_routing(&alias.version, alias.routing.as_ref())?;
        let answer = render::alias(&resource, name, &alias);
        self.existing(&resource)?.aliases.insert(name.to_owned(), alias);
        Ok(Reply::new(200, answer))
    }

    /// DeleteAlias: with its policy. One that is not there is no error.
    pub(crate) fn delete_alias(
        &mut self,
        request: &Request,
        caller: &Caller,
    ) -> Result<Reply, Refusal> {
        let resource = named(request, caller)?.with(Some(request.label(1)));
        let function = self.existing(&resource)?;
        if function.aliases.remove(request.label(1)).is_some() {
            function.policies.remove(&resource.qualifier);
        }
        Ok(Reply::empty())
    }

    /// GetAlias.
    pub(crate) fn get_alias(
        &mut self,
        request: &Request,
        caller: &Caller,
    ) -> Result<Reply, Refusal> {
        let resource = named(request, caller)?.with(None);
        let name = request.label(1);
        let arn = resource.with(Some(name)).arn();
        let missing = || Refusal::not_found(format!("Cannot find alias arn: {arn}"));
        let alias = self.existing(&resource)?.aliases.get(name).ok_or_else(missing)?;
        Ok(Reply::new(200, render::alias(&resource, name, alias)))
    }

    /// ListAliases.
    pub(crate) fn list_aliases(
        &mut self,
        request: &Request,
        caller: &Caller,
    ) -> Result<Reply, Refusal> {
        let size = page_size(request)?;
        let resource = named(request, caller)?.with(None);
        let version = request.query("FunctionVersion");
        let aliases = &self.existing(&resource)?.aliases;
        let all: Vec<(String, Value)> = aliases
            .iter()
            .filter(|(_, it)| version.is_none_or(|version| it.version == version))
            .map(|(name, it)| (name.clone(), render::alias(&resource, name, it)))
            .collect();
        Ok(page("Aliases", &all, request.query("Marker"), size))
    }

    /// ListVersionsByFunction: `$LATEST` first.
    pub(crate) fn list_versions(
        &mut self,
        request: &Request,
        caller: &Caller,
    ) -> Result<Reply, Refusal> {
        let size = page_size(request)?;
        let resource = named(request, caller)?.with(None);
        let function = self.existing(&resource)?;
        let numbered = function.versions.iter().map(|(it, version)| (it.to_string(), version));
        let all: Vec<(String, Value)> = std::iter::once((LATEST.to_owned(), &function.latest))
            .chain(numbered)
            .map(|(number, it)| {
                let resource = resource.with(Some(&number));
                let entry = render::configuration(&resource, it, &number, Phase::Listed);
                (number, entry)
            })
            .collect();
        Ok(page("Versions", &all, request.query("Marker"), size))
    }

    /// ListFunctions.
    pub(crate) fn list_functions(
        &self,
        request: &Request,
        caller: &Caller,
    ) -> Result<Reply, Refusal> {
        let size = page_size(request)?;
        let every = request.query("FunctionVersion");
        let mut checks = Checks::default();
        checks.one_of("functionVersion", &["ALL"], every);
        checks.done()?;
        let functions = self.regions.get(&caller.place).into_iter().flatten();
        let mut all: Vec<(String, Value)> = Vec::new();
        for (name, function) in functions {
            let (place, function_name) = (caller.place.clone(), name.clone());
            let resource = Resource { place, function: function_name, qualifier: None };
            if every.is_none() {
                let entry =
                    render::configuration(&resource, &function.latest, LATEST, Phase::Listed);
                all.push((name.clone(), entry));
                continue;
            }
            let numbered = function.versions.iter().map(|(it, version)| (it.to_string(), version));
            for (number, it) in
                std::iter::once((LATEST.to_owned(), &function.latest)).chain(numbered)
            {
                let resource = resource.with(Some(&number));
                let entry = render::configuration(&resource, it, &number, Phase::Listed);
                all.push((format!("{name}:{number}"), entry));
            }
        }
        Ok(page("Functions", &all, request.query("Marker"), size))
    }

    fn check_version(&mut self, resource: &Resource, version: &str) -> Result<(), Refusal> {
        let arn = resource.with(Some(version)).arn();
        let found = self.function(resource).is_some_and(|it| it.version(version).is_some());
        if found { Ok(()) } else { Err(Refusal::no_function(&arn)) }
    }
}

impl Version {
    /// Whether publishing would change nothing.
    fn same(&self, latest: &Self) -> bool {
        let config = |it: &Self| -> Map<String, Value> {
            let members = it.config.iter().filter(|(key, _)| *key != "Description");
            members.map(|(key, value)| (key.clone(), value.clone())).collect()
        };
        self.code_sha256 == latest.code_sha256 && config(self) == config(latest)
    }
}

fn routing(body: &Map<String, Value>) -> Option<Value> {
    let weights = body.get("RoutingConfig")?.get("AdditionalVersionWeights")?.as_object()?;
    (!weights.is_empty()).then(|| json!({"AdditionalVersionWeights": weights}))
}

fn check_routing(version: &str, routing: Option<&Value>) -> Result<(), Refusal> {
    let weights = routing.and_then(|it| it.get("AdditionalVersionWeights")?.as_object());
    let Some(weights) = weights else { return Ok(()) };
    if version == LATEST {
        let text = "$LATEST is not supported for an alias pointing to more than 1 version";
        return Err(Refusal::parameter(text));
    }
    if weights.len() > 1 {
        let text = "Number of items in AdditionalVersionWeights cannot be greater than 1";
        return Err(Refusal::parameter(text));
    }
    if weights.contains_key(version) {
        return Err(Refusal::parameter(format!(
            "Invalid function version {version}. Function version {version} is already included \
             in routing configuration."
        )));
    }
    Ok(())
}

fn page_size(request: &Request) -> Result<usize, Refusal> {
    let Some(text) = request.query("MaxItems") else { return Ok(PAGE) };
    let Ok(wanted) = text.parse::<i64>() else {
        return Err(Refusal::serialization(format!("MaxItems is not a number: {text}")));
    };
    let mut checks = Checks::default();
    checks.range("maxItems", 1, 10_000, wanted);
    checks.done()?;
    Ok(usize::try_from(wanted).map_or(PAGE, |it| it.min(PAGE)))
}

/// One page: what follows the marker, which names the last entry of the page before.
fn page(key: &str, all: &[(String, Value)], marker: Option<&str>, size: usize) -> Reply {
    let start = marker.filter(|it| !it.is_empty()).map_or(0, |marker| {
        all.iter().position(|(it, _)| it == marker).map_or(all.len(), |it| it + 1)
    });
    let rest: Vec<&(String, Value)> = all.iter().skip(start).collect();
    let shown: Vec<&Value> = rest.iter().take(size).map(|(_, it)| it).collect();
    let mut body = json!({key: shown});
    let last = rest.get(size.wrapping_sub(1)).filter(|_| rest.len() > size);
    if let (Some((name, _)), Some(members)) = (last, body.as_object_mut()) {
        members.insert("NextMarker".to_owned(), json!(name));
    }
    Reply::new(200, body)
}
