//! `permitd simulate`: the simulator on its own.

use crate::{
    cli::{
        args::SimulateArgs,
        embedded,
        exit::Exit,
        setup::stop_on_signals,
        show::{Show, Stop},
    },
    simulator::{Exposure, Seed},
};

/// Serves until a signal; the address goes to stdout.
pub(crate) async fn simulate(args: &SimulateArgs, show: Show) -> Result<Exit, Stop> {
    let seed = match &args.seed {
        Some(path) => embedded::read_seed(path)?,
        None => Seed::default(),
    };
    let exposure = if args.allow_remote { Exposure::Anyone } else { Exposure::Loopback };
    let stop = stop_on_signals();
    let embedded = embedded::serve(seed, args.listen, exposure).await?;
    show.line(&embedded.endpoint());
    show.note("This is a simulator of AWS Lambda. `permitd simulate --help` tells how to use it.");
    stop.token.cancelled().await;
    embedded.shut_down().await;
    Ok(Exit::Success)
}
