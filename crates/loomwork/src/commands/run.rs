//! `loom run`: check a workflow, record a run of it, execute it to the end; or have a server do so.

mod there;

use crate::aim::HERE;
use crate::args::{RunArgs, Variables};
use crate::commands::carry::carry;
use crate::fault::{Ended, Fault, Outcome};
use crate::place::{Local, Place, is_interrupted};
use crate::plugins::Plugins;
use crate::session::{Session, Setup, actor, now};
use crate::store;
use crate::terminal::printable;
use crate::ui::{Ui, Voice};
use crate::workflow::{self, Given};
use loom_core::{Definition, History, Plan, RunId, RunState, Submission, Value, Variable, json};
use loom_engine::{EngineError, NewSubmission};
use loom_protocol::ErrorCode;
use loom_sqlite::SqliteStore;
use loom_store::{QueryStore, RunFilter, definition_hash};
use std::sync::Arc;

pub(crate) fn run(args: RunArgs, place: Place, ui: &mut Ui) -> Outcome {
    match place {
        Place::Local(local) => here(args, local, ui),
        Place::Remote(remote) => there::run(args, &remote, ui),
    }
}

fn here(args: RunArgs, local: Local, ui: &mut Ui) -> Outcome {
    let path = local.path;
    let limits = workflow::limits(&args.limits.limits)?;
    let given = given(args.variables)?;
    let base = workflow::base_of(&args.file);
    let plugins = Arc::new(Plugins::beside(base.clone()));
    let definition = workflow::checked(&args.file, &limits, &given, &plugins, ui)?;
    workflow::check_queues(&definition, &args.execution.queues)?;
    let variables = Arc::new(workflow::variables(&definition, &given)?);
    let workers = workers(&variables, args.workers)?;
    let hash = definition_hash(&definition);
    let plan = Arc::new(Plan::new(definition));
    let created_at = now();
    let id = RunId::new(created_at.as_millis(), random()?);

    let is_new = !path.exists();
    let mut store = store::open(&path)?;
    if !is_new && ui.voice == Voice::Human {
        mention_interrupted(&mut store, ui)?;
    }
    let setup = Setup {
        store,
        plugins,
        queues: args.execution.queues.into_iter().collect(),
        permissions_url: args.execution.permissions_url,
        report: args.execution.report,
    };
    let session = Session::start(setup, id)?;
    let _signals = session.listen(&actor())?;
    let submission =
        Submission { id, plan: Arc::clone(&plan), variables: Arc::clone(&variables), workers };
    let history = History::new(submission, created_at);
    let heading = heading(id, plan.definition());
    let submission = NewSubmission {
        id,
        plan,
        hash,
        variables,
        workers,
        base: base.display().to_string(),
        meta: Arc::default(),
        hold: false,
    };
    if let Err(error) = session.handle.submit(submission) {
        return Err(match error {
            // The run was not accepted, so there is none to resume.
            EngineError::Store(error) => Fault::of_store(&error, None),
            error => Fault::of_engine(&error, &id.short()),
        }
        .into());
    }
    if ui.voice == Voice::Human {
        // It is under way now, and does not depend on being watched.
        let _ = ui.print(&heading);
    }
    carry(session, history, ui)
}

/// The first line about a run that this process carries.
pub(crate) fn heading(id: RunId, definition: &Definition) -> String {
    let Definition { name, version, .. } = definition;
    format!("run {id}  {} {version}\n", printable(name))
}

/// Says in one line that there are runs that could be resumed.
fn mention_interrupted(store: &mut SqliteStore, ui: &Ui) -> Result<(), Ended> {
    let states = vec![RunState::Running, RunState::Paused, RunState::Queued];
    let filter = RunFilter { states, limit: 60, ..RunFilter::default() };
    let mut interrupted = store.list(&filter)?.runs;
    interrupted.retain(is_interrupted);
    let Some(youngest) = interrupted.first() else { return Ok(()) };
    let short = youngest.id.short();
    let what = match interrupted.len() {
        1 => format!("run {short} ({}) was interrupted", youngest.workflow),
        count => format!("{count} runs were interrupted, the last of them {short}"),
    };
    ui.remark(&ui.terminal.paint_err.dim(format!("{what}; go on with: loom resume{HERE} {short}")));
    Ok(())
}

/// The variables that the caller gives, `--var` before `--var-file`.
pub(crate) fn given(variables: Variables) -> Result<Given, Ended> {
    let mut given = Given::new();
    if let Some(file) = variables.var_file {
        let wrong = |what: String| {
            Fault::new(ErrorCode::BadArgument, format!("--var-file {}: {what}", file.display()))
                .help("give a file with a JSON object of variables")
        };
        let text = std::fs::read_to_string(&file).map_err(|error| wrong(error.to_string()))?;
        let read = json::read_unique(text.as_bytes()).map_err(|error| wrong(error.to_string()))?;
        let Value::Object(map) = read else {
            return Err(wrong("it holds no object".to_owned()).into());
        };
        for (name, value) in map {
            crate::args::check_name(&name).map_err(wrong)?;
            given.insert(name, value);
        }
    }
    given.extend(variables.given);
    Ok(given)
}

/// The most tasks at once: `MAX_WORKERS`, else what the call says, else the number of cores.
fn workers(variables: &[Variable], called: Option<u32>) -> Result<u32, Fault> {
    let Some(variable) = variables.iter().find(|variable| variable.name == "MAX_WORKERS") else {
        return Ok(called.unwrap_or_else(|| {
            std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32)
        }));
    };
    let number = match &variable.value {
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_u64(),
    };
    number.and_then(|number| u32::try_from(number).ok()).filter(|&number| number > 0).ok_or_else(
        || {
            Fault::new(ErrorCode::BadArgument, "MAX_WORKERS is not a whole number from 1 up")
                .help("write MAX_WORKERS: 4 in workflow.env, or --var MAX_WORKERS=4")
        },
    )
}

/// Random bits.
fn random() -> Result<u128, Fault> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Fault::machine("the system gives no random numbers", error))?;
    Ok(u128::from_ne_bytes(bytes))
}
