//! The simulator inside this process, in place of AWS.

use crate::cli::{
    setup::Texts,
    show::{Show, Stop},
};

/// A simulator that runs as long as the command.
#[derive(Debug)]
pub(crate) struct Embedded {}

pub(crate) async fn start(
    texts: &Texts,
    _show: Show,
) -> Result<(Option<Embedded>, Option<String>), Stop> {
    match &texts.settings.simulator {
        None => Ok((None, None)),
        Some(_) => Err(Stop::failure("soon")),
    }
}
