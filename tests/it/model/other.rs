//! Another writer: what it does to policies, functions and principals behind permitd's back.

use permitd::drift::{allow::Writer, wanted::Wanted};
use permitd::lambda::gateway::PolicyGateway;
use permitd::policy::{document::Document, statement::Statement, target::Target};
use serde_json::Value;

use super::{
    case::{OTHERS, SIDS},
    content::{self, N_SHORT, Odd, ROLES},
    lists,
    world::{Observed, short},
};

/// Does one thing.
#[expect(clippy::too_many_lines, reason = "a list of what others do")]
pub(crate) async fn operate(world: &Observed<'_>) {
    let (target, kind, sid, content, odd) = {
        let mut inner = world.lock();
        inner.operations_left -= 1;
        let dice = &mut inner.dice;
        let target = world.case.wanted[dice.below(world.case.wanted.len())].target.clone();
        let all: Vec<&str> = SIDS.iter().chain(&OTHERS).copied().collect();
        let mut sid = dice.pick(&all).to_owned();
        if dice.percent(15) {
            sid = content::bridge_sid(&target, dice.pick(&SIDS));
        }
        let wanted = world.case.wanted.iter().find(|it| it.target == target).unwrap();
        let own = dice.percent(50) && !wanted.grants.is_empty();
        let content = if own {
            let which = dice.below(wanted.grants.len());
            wanted.grants[which].terms.clone()
        } else {
            content::permission(dice.below(N_SHORT - 1)).into()
        };
        (target, dice.below(20), sid, content, dice.pick(&Odd::ALL))
    };
    let note = |what: String| {
        world.lock().note(&format!("    somebody {what} in {}", short(&target)));
    };
    match kind {
        0..=4 => {
            let plain = content.plain().cloned().unwrap_or_else(|| content::permission(2));
            let res = world.direct.add_permission(&target, &sid, &plain, None).await;
            note(format!("adds {sid} ({})", res.is_ok()));
        }
        5..=8 => remove(world, &target, &sid, note).await,
        9 | 10 => {
            let text = content.statement_text(&sid, &target);
            let text = if kind == 9 { text } else { odd.text(&sid, &target) };
            put(world, &target, |it| {
                let at = it.iter().position(|it| it.sid() == Some(&sid));
                let mut texts: Vec<String> = it.iter().map(|it| it.text().to_owned()).collect();
                match at {
                    Some(at) => texts[at] = text,
                    None => texts.push(text),
                }
                texts
            })
            .await;
            note(format!("puts {sid}, {}", if kind == 9 { "plain" } else { "odd" }));
        }
        11 if wanted_of(world, &target).writer != Writer::Statements => {
            if let Some(it) = world.document(&target).await {
                let texts = {
                    let dice = &mut world.lock().dice;
                    lists::tampered(dice, wanted_of(world, &target), &it)
                };
                put(world, &target, |_| texts).await;
            }
            note("puts another list".to_owned());
        }
        11 => {
            put(world, &target, |it| it.iter().map(|it| it.text().to_owned()).rev().collect())
                .await;
            note("puts the policy the other way round".to_owned());
        }
        12 => {
            let text = content.statement_text(&sid, &target);
            put(world, &target, |_| vec![text]).await;
            note(format!("puts nothing but {sid}"));
        }
        13 | 14 => {
            let role = { world.lock().dice.pick(&ROLES) }.to_owned();
            let living = world.simulator.principals().contains(&role);
            let (create, delete) =
                if living { (vec![], vec![role.clone()]) } else { (vec![role.clone()], vec![]) };
            world.simulator.change_principals(&create, &delete).unwrap();
            note(format!("{} {role}", if living { "deletes" } else { "creates" }));
        }
        15 => {
            let role = { world.lock().dice.pick(&ROLES) }.to_owned();
            world
                .simulator
                .change_principals(std::slice::from_ref(&role), std::slice::from_ref(&role))
                .unwrap();
            note(format!("makes {role} anew"));
        }
        16 => {
            edit(world, &target, |it| {
                it["versions"] = Value::from(it["versions"].as_u64().unwrap_or(0) + 1);
            });
            note("publishes a version".to_owned());
        }
        17 => {
            edit(world, &target, |it| {
                let fresh = serde_json::json!({
                    "name": it["name"], "versions": 1, "aliases": {"live": "1"},
                });
                *it = fresh;
            });
            note("deletes the function and makes it anew".to_owned());
        }
        18 => {
            take_away(world, &target);
            note("deletes the function".to_owned());
        }
        _ => {
            bring_back(world);
            note("makes all functions again".to_owned());
        }
    }
    // So that stale reads can show it.
    world.truth(&target).await;
}

fn wanted_of<'a>(world: &Observed<'a>, target: &Target) -> &'a Wanted {
    world.case.wanted.iter().find(|it| it.target == *target).unwrap()
}

async fn remove(world: &Observed<'_>, target: &Target, sid: &str, note: impl Fn(String)) {
    let Some(it) = world.truth(target).await else { return };
    let document = Document::parse(it.text, it.revision.clone(), target).unwrap();
    // Mostly one that is there.
    let sids: Vec<String> =
        document.statements().iter().filter_map(|it| it.sid().map(str::to_owned)).collect();
    let sid = if sids.is_empty() { sid.to_owned() } else { world.lock().dice.pick(&sids) };
    let res = world.direct.remove_permission(target, &sid, &it.revision).await;
    note(format!("removes {sid} ({})", res.is_ok()));
}

async fn put(
    world: &Observed<'_>,
    target: &Target,
    change: impl FnOnce(&[Statement]) -> Vec<String>,
) {
    let Some(it) = world.truth(target).await else { return };
    let document = Document::parse(it.text, it.revision.clone(), target).unwrap();
    let texts = change(document.statements());
    // Lambda refuses some of them.
    let _refused = world.direct.put_policy(target, &content::document(&texts), &it.revision).await;
}

fn edit(world: &Observed<'_>, target: &Target, change: impl FnOnce(&mut Value)) {
    let mut state = serde_json::to_value(world.simulator.state()).unwrap();
    let functions = state["accounts"][0]["functions"].as_array_mut().unwrap();
    if let Some(it) = functions.iter_mut().find(|it| it["name"] == target.function()) {
        change(it);
    }
    world.simulator.put_state(&state).unwrap();
}

fn take_away(world: &Observed<'_>, target: &Target) {
    let mut state = serde_json::to_value(world.simulator.state()).unwrap();
    let functions = state["accounts"][0]["functions"].as_array_mut().unwrap();
    let at = functions.iter().position(|it| it["name"] == target.function());
    if let Some(at) = at {
        let mut gone = functions.remove(at);
        for key in ["policy", "policies", "revision", "revisions", "text", "texts", "details"] {
            gone.as_object_mut().unwrap().remove(key);
        }
        world.lock().missing.push(gone);
    }
    world.simulator.put_state(&state).unwrap();
}

/// All functions exist again, without a policy.
pub(crate) fn bring_back(world: &Observed<'_>) {
    let missing = std::mem::take(&mut world.lock().missing);
    if missing.is_empty() {
        return;
    }
    let mut state = serde_json::to_value(world.simulator.state()).unwrap();
    state["accounts"][0]["functions"].as_array_mut().unwrap().extend(missing);
    world.simulator.put_state(&state).unwrap();
}
