//! `permitd simulate`: the simulator on its own.
use crate::cli::{
    args::SimulateArgs,
    exit::Exit,
    show::{Show, Stop},
};
pub(crate) async fn simulate(_args: &SimulateArgs, _show: Show) -> Result<Exit, Stop> {
    Err(Stop::failure("soon"))
}
