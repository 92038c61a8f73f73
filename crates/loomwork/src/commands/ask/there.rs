//! Asking something of a run behind a server.

use super::{PATIENCE, Sequel, refused, say_granted, sequel};
use crate::client::{News, WAITING_MAX, follow};
use crate::fault::{Ended, Outcome};
use crate::look::Look;
use crate::place::Remote;
use crate::session::now;
use crate::ui::Ui;
use loom_core::{Request, RunState};
use std::sync::mpsc::sync_channel;
use std::time::Instant;

pub(super) fn ask(
    remote: &Remote,
    run: &str,
    ui: &mut Ui,
    request: impl FnOnce(&Look) -> Request,
) -> Outcome {
    let id = remote.find(run)?;
    let mut look = remote.look(id)?;
    let request = request(&look);
    // To go on with a run that nobody is at work on is to take it up, of which its journal says nothing.
    let is_left = look.is_interrupted() && look.history.run().state() != RunState::Paused;
    let takes_up = matches!(request, Request::Resume { .. }) && is_left;
    if let Some(refusal) = look.refuses(&request, now()).filter(|_| !takes_up) {
        return Err(refused(&look, &refusal).into());
    }
    remote.request(id, &request)?;
    remote.catch_up(&mut look)?;
    await_sequel(remote, &mut look, &request)?;
    say_granted(&look, &request, "on the server", ui)
}

/// Waits until the journal shows what the granted request leads to, if that is soon.
fn await_sequel(remote: &Remote, look: &mut Look, request: &Request) -> Result<(), Ended> {
    if sequel(look, request) != Sequel::Awaited {
        return Ok(());
    }
    let since = Instant::now();
    let (sender, heard) = sync_channel(WAITING_MAX);
    let tell = move |news| sender.send(news).is_ok();
    follow(remote.client.clone(), look.id(), look.history.last_seq(), tell)?;
    while sequel(look, request) == Sequel::Awaited {
        match heard.recv_timeout(PATIENCE.saturating_sub(since.elapsed())) {
            Ok(News::Event(event)) => remote.take(look, &event)?,
            Ok(News::Lost(_) | News::Found) => {}
            Ok(News::Over(fault)) => return Err(fault.into()),
            Err(_) => return Ok(()),
        }
    }
    Ok(())
}
