//! `permitd demo`.
use crate::cli::{
    exit::Exit,
    show::{Show, Stop},
};
pub(crate) async fn demo(_show: Show) -> Result<Exit, Stop> {
    Err(Stop::failure("soon"))
}
