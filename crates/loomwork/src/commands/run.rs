//! `loom run`: check a workflow, record a run of it, execute it to the end.

use crate::args::{Global, RunArgs, Variables};
use crate::catalog::Catalog;
use crate::fault::{Ended, Fault, Outcome};
use crate::progress::{JsonView, PlainView, QuietView, View};
use crate::session::{Finish, Session, Setup, actor, now};
use crate::store;
use crate::ui::{Ui, Voice};
use crate::workflow::{self, Given};
use loom_core::History;
use loom_core::{Plan, RunId, RunState, Submission, Value, Variable};
use loom_engine::NewSubmission;
use loom_protocol::{ErrorCode, ExitCode};
use loom_store::definition_hash;
use loom_worker::Builtins;
use std::sync::Arc;

pub(crate) fn run(args: RunArgs, global: &Global, ui: &mut Ui) -> Outcome {
    let path = store::locate(global.store.as_deref())?;
    let limits = workflow::limits(&global.limits)?;
    let given = given(args.variables)?;
    let plugins = Arc::new(Builtins::default());
    let definition = workflow::checked(&args.file, &limits, &given, &Catalog(&plugins), ui)?;
    let variables = Arc::new(workflow::variables(&definition, &given)?);
    let workers = workers(&variables, args.workers)?;
    let base = workflow::base_of(&args.file)?;
    let hash = definition_hash(&definition);
    let plan = Arc::new(Plan::new(definition));
    let created_at = now();
    let id = RunId::new(created_at.as_millis(), random()?);

    let store = store::open(&path)?;
    let queues = args.execution.queues.into_iter().collect();
    let setup = Setup { store, plugins, base: base.clone(), queues };
    let session = Session::start(setup, id)?;
    let _signals = session.listen(&format!("{} (signal)", actor()))?;
    let submission =
        Submission { id, plan: Arc::clone(&plan), variables: Arc::clone(&variables), workers };
    let mut history = History::new(submission, created_at);
    let submission =
        NewSubmission { id, plan, hash, variables, workers, base: base.display().to_string() };
    if let Err(error) = session.handle.submit(submission) {
        return Err(Fault::of_engine(&error, &id.short()).into());
    }
    ui.remark(&format!("run {id}"));
    let mut view: Box<dyn View> = match ui.voice {
        Voice::Json => Box::new(JsonView::new()),
        Voice::Quiet => Box::new(QuietView),
        Voice::Human => Box::new(PlainView::new(ui.terminal.paint)),
    };
    let finish = session.follow(&mut history, &mut *view)?;
    conclude(&history, &finish)
}

fn conclude(history: &History, finish: &Finish) -> Outcome {
    let id = history.run().id().short();
    if let Some(failure) = &finish.failure {
        return Err(Fault::of_store(failure, Some(&id)).into());
    }
    Ok(match history.run().state() {
        _ if finish.interrupted => ExitCode::Cancelled,
        RunState::Succeeded => ExitCode::Success,
        RunState::Failed => ExitCode::RunFailed,
        _ => ExitCode::Cancelled,
    })
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
        let map: serde_json::Map<String, Value> =
            serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
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
