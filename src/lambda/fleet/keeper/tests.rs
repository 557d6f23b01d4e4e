//! When credentials are fetched, and when not.
#![expect(clippy::disallowed_methods, reason = "when a token ends is said in the time of the wall")]

use std::sync::{Mutex, PoisonError};

use super::*;

/// Gives what it is told to, in this order, and nothing after that.
#[derive(Debug, Clone, Default)]
struct Giver {
    answers: Arc<Mutex<Vec<Answer>>>,
    asked: Arc<Mutex<u32>>,
}

impl Giver {
    fn of(mut answers: Vec<Answer>) -> Self {
        answers.reverse();
        Self { answers: Arc::new(Mutex::new(answers)), asked: Arc::default() }
    }

    fn asked(&self) -> u32 {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keeper(&self) -> Keeper {
        Keeper::new(SharedCredentialsProvider::new(self.clone()), None)
    }
}

impl ProvideCredentials for Giver {
    fn provide_credentials<'a>(&'a self) -> Provided<'a>
    where
        Self: 'a,
    {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        let next = self.answers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let none = || Err("nothing is left".to_owned());
        Provided::ready(next.unwrap_or_else(none).map_err(CredentialsError::provider_error))
    }
}

type Answer = Result<Credentials, String>;

fn lasting(key: &str, seconds: u64) -> Credentials {
    let end = SystemTime::now() + Duration::from_secs(seconds);
    Credentials::new(key, "secret", Some("token".to_owned()), Some(end), "test")
}

async fn key(keeper: &Keeper) -> Result<String, String> {
    let got = keeper.provide_credentials().await;
    got.map(|it| it.access_key_id().to_owned()).map_err(|it| why(&it))
}

#[tokio::test]
async fn what_lasts_is_kept_and_what_ends_within_a_minute_is_replaced() {
    let giver = Giver::of(vec![Ok(lasting("a", 3600)), Ok(lasting("b", 3600))]);
    let keeper = giver.keeper();
    assert_eq!((key(&keeper).await, key(&keeper).await), (Ok("a".into()), Ok("a".into())));
    assert_eq!(giver.asked(), 1);
    let giver = Giver::of(vec![Ok(lasting("a", 50)), Ok(lasting("b", 3600))]);
    let keeper = giver.keeper();
    assert_eq!((key(&keeper).await, key(&keeper).await), (Ok("a".into()), Ok("b".into())));
}

/// Nobody gives new ones: those that last for some seconds are still good.
#[tokio::test]
async fn old_ones_serve_until_they_end() {
    let giver = Giver::of(vec![Ok(lasting("a", 50)), Err("down".into()), Ok(lasting("b", 3600))]);
    let keeper = giver.keeper();
    let keys = [key(&keeper).await, key(&keeper).await, key(&keeper).await];
    assert_eq!(keys, [Ok("a".to_owned()), Ok("a".to_owned()), Ok("b".to_owned())]);
    let giver = Giver::of(vec![Ok(lasting("a", 0)), Err("down".into())]);
    let keeper = giver.keeper();
    assert_eq!((key(&keeper).await, key(&keeper).await), (Ok("a".into()), Err("down".into())));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_had_is_not_asked_for_at_once_again() {
    let giver = Giver::of(vec![Err("refused".into()), Ok(lasting("a", 3600))]);
    let keeper = giver.keeper();
    for _ in 0..50 {
        assert_eq!(key(&keeper).await, Err("refused".to_owned()));
    }
    assert_eq!(giver.asked(), 1);
    tokio::time::sleep(PATIENCE + Duration::from_millis(1)).await;
    assert_eq!((key(&keeper).await, giver.asked()), (Ok("a".to_owned()), 2));
}

/// Many calls may be told of the same expired token; the new one is not thrown away with it.
#[tokio::test]
async fn a_refused_key_is_forgotten_once() {
    let giver =
        Giver::of(vec![Ok(lasting("a", 3600)), Ok(lasting("b", 3600)), Ok(lasting("c", 3600))]);
    let keeper = giver.keeper();
    assert_eq!(key(&keeper).await, Ok("a".to_owned()));
    keeper.forget("a").await;
    assert_eq!(key(&keeper).await, Ok("b".to_owned()));
    keeper.forget("a").await;
    assert_eq!((key(&keeper).await, giver.asked()), (Ok("b".to_owned()), 2));
}

/// A role whose own credentials have expired: those are replaced first.
#[tokio::test]
async fn who_assumes_with_an_expired_token_gets_a_new_one() {
    let base = Giver::of(vec![Ok(lasting("base", 3600)), Ok(lasting("fresh", 3600))]);
    let outer = base.keeper();
    assert_eq!(key(&outer).await, Ok("base".to_owned()));
    let role =
        Giver::of(vec![Err("ExpiredToken: it has expired".into()), Ok(lasting("role", 3600))]);
    let keeper = Keeper::new(SharedCredentialsProvider::new(role.clone()), Some(outer.clone()));
    assert_eq!((key(&keeper).await, role.asked()), (Ok("role".to_owned()), 2));
    assert_eq!(key(&outer).await, Ok("fresh".to_owned()));
}
