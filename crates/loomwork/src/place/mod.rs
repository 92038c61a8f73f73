//! Where runs are: in a store on this machine, or behind a server.

mod local;
mod remote;

pub(crate) use local::{Local, is_interrupted, logs_of, logs_of_all, open_log, unreadable};
pub(crate) use remote::{LogAddress, Remote};

use crate::args::{Global, Scope, StateFilter};
use crate::fault::{Ended, Fault};
use crate::look::Look;
use crate::render::why::Outside;
use crate::settings::{Origin, Settings};
use loom_core::{RunId, TaskRef, Timestamp};
use loom_protocol::ErrorCode;
use loom_protocol::api::{RunDetail, RunView};
use std::io::Read;

/// Where the runs are that a command is about.
#[expect(clippy::large_enum_variant, reason = "there is one in a process")]
pub(crate) enum Place {
    /// In a store, which this process may work on as others do.
    Local(Local),
    /// Behind a server, which alone works on them.
    Remote(Remote),
}

/// Which runs to list.
pub(crate) struct Wanted {
    pub(crate) state: Option<StateFilter>,
    pub(crate) workflow: Option<String>,
    pub(crate) most: usize,
}

/// Runs, youngest first.
#[derive(Default)]
pub(crate) struct Listed {
    pub(crate) runs: Vec<RunView>,
    /// Whether there are more.
    pub(crate) more: bool,
    /// Why there are none, if that is worth a word.
    pub(crate) remark: Option<String>,
}

/// An attempt of a task or item.
pub(crate) type Attempt = (TaskRef, u32);

impl Place {
    /// Where the runs are that a command of this scope is about. A store named on the command line goes
    /// before a server that is named elsewhere.
    pub(crate) fn choose(
        scope: Scope,
        settings: &Settings,
        global: &Global,
    ) -> Result<Self, Fault> {
        let server = settings.named("client.server");
        let by_flag = matches!(server, Some((_, Origin::Flag(_))));
        if by_flag && global.store.is_some() {
            let message = "--store and --server name two places for runs; give one of them";
            return Err(Fault::new(ErrorCode::BadArgument, message));
        }
        let Some((url, origin)) = server.filter(|_| global.store.is_none()) else {
            check_flags(Scope::Runs, global)?;
            return Local::new(settings.text("store").as_deref()).map(Self::Local);
        };
        if let Scope::Store(command, instead) = scope {
            return Err(not_with_server(&format!("`loom {command}`"), instead)
                .help(format!("{origin} names one; --store PATH means a store instead")));
        }
        Remote::new(&url, settings).map(Self::Remote)
    }

    /// The runs that are wanted.
    pub(crate) fn list(&mut self, wanted: &Wanted) -> Result<Listed, Ended> {
        match self {
            Self::Local(local) => local.list(wanted),
            Self::Remote(remote) => Ok(remote.list(wanted)?),
        }
    }

    /// The run that `text` names: an identity, its beginning or end, or `last`.
    pub(crate) fn find(&mut self, text: &str) -> Result<RunId, Fault> {
        match self {
            Self::Local(local) => local.find(text),
            Self::Remote(remote) => remote.find(text),
        }
    }

    /// A run, read back.
    pub(crate) fn look(&mut self, run: RunId) -> Result<Look, Ended> {
        match self {
            Self::Local(local) => local.look(run),
            Self::Remote(remote) => Ok(remote.look(run)?),
        }
    }

    /// What is not recorded of a run itself, but holds it back.
    pub(crate) fn outside(&mut self, look: &Look, now: Timestamp) -> Result<Outside, Ended> {
        match self {
            Self::Local(local) => local.outside(look, now),
            Self::Remote(remote) => Ok(remote.outside(look)?),
        }
    }

    /// Everything that is known of a run, for programs.
    pub(crate) fn detail(&mut self, run: RunId) -> Result<RunDetail, Ended> {
        match self {
            Self::Local(local) => local.detail(run),
            Self::Remote(remote) => Ok(remote.detail(run)?),
        }
    }

    /// What an attempt has written so far; `None` if that is nothing.
    pub(crate) fn log(
        &mut self,
        look: &Look,
        attempt: Attempt,
    ) -> Result<Option<Box<dyn Read>>, Ended> {
        match self {
            Self::Local(local) => local.log(look.id(), attempt),
            Self::Remote(remote) => Ok(remote.log(look, attempt)?),
        }
    }
}

/// Refuses flags for a server where none has a say.
pub(crate) fn check_flags(scope: Scope, global: &Global) -> Result<(), Fault> {
    let given = global.flags().find(|(key, _)| key.starts_with("client."));
    let Some((key, _)) = given else { return Ok(()) };
    match scope {
        Scope::Nothing(command, instead) => {
            let fault = not_with_server(command, instead);
            Err(fault.help(format!("leave {} out", flag(key))))
        }
        Scope::Settings => Ok(()),
        Scope::Runs | Scope::Store(..) => {
            let message = format!("{} is for a server, and no server is named", flag(key));
            Err(Fault::new(ErrorCode::BadArgument, message)
                .help("name it with --server URL, or in LOOM_SERVER"))
        }
    }
}

fn flag(key: &str) -> String {
    format!("--{}", key.trim_start_matches("client.").replace('_', "-"))
}

/// Something that a server has no part in.
pub(crate) fn not_with_server(what: &str, instead: &str) -> Fault {
    let message = format!("{what} does not work with a server");
    Fault::new(ErrorCode::NotWithServer, message).help(instead)
}
