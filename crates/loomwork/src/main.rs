//! The binary `loom`: the command line, and the only place where concrete parts are chosen.
//!
//! - Results go to standard output, errors and remarks to standard error.
//! - A command ends with one of the statuses of [`loom_protocol::ExitCode`].
//! - Whatever waits, waits on a thread of its own: the engine's, the worker's, the signals'.

mod aim;
mod args;
mod bridge;
mod client;
mod commands;
mod fault;
mod folders;
mod look;
mod names;
mod pages;
mod place;
mod plugins;
mod progress;
mod refusal;
mod render;
mod session;
mod settings;
mod signals;
mod store;
mod terminal;
mod timed;
mod ui;
mod web;
mod workflow;

use args::{Cli, Command, Scope};
use clap::{CommandFactory, Parser};
use fault::{Ended, Fault, Outcome};
use loom_protocol::ExitCode;
use place::{Place, check_flags, not_with_server};
use settings::Settings;
use std::panic::AssertUnwindSafe;
use terminal::Terminal;
use ui::{Ui, Voice};

fn main() -> std::process::ExitCode {
    std::panic::set_hook(Box::new(tell_panic));
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misused(&error),
    };
    let voice = match (cli.global.json, cli.global.quiet) {
        (true, _) => Voice::Json,
        (_, true) => Voice::Quiet,
        _ => Voice::Human,
    };
    let mut ui = Ui::new(Terminal::detect(cli.global.color), voice);
    // A bug ends with the status of a machine that failed; the hook has told it.
    let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| dispatch(cli, &mut ui)))
        .unwrap_or(Err(Ended::Told(ExitCode::Machine)));
    status(ui.conclude(outcome))
}

/// A panic is a bug of ours; it is told as one, with what is left to do.
fn tell_panic(info: &std::panic::PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let what = info.payload_as_str().unwrap_or("for a reason that it does not say");
    ui::tell(&format!(
        "error[{}]: loom failed at {place}: {what}\n  = help: this is a bug of loom; please report it \
         with this line and `loom --version`\n  = help: what was recorded stays: `loom list` shows the \
         runs, `loom resume RUN` goes on\n",
        loom_protocol::ErrorCode::MachineFailed
    ));
}

fn dispatch(mut cli: Cli, ui: &mut Ui) -> Outcome {
    signals::outlive_file_limit()?;
    let scope = cli.command.scope();
    if let Scope::Nothing(..) = scope {
        check_flags(scope, &cli.global)?;
    }
    let settings = match cli.command.flags() {
        Some(flags) => Some(Settings::load(&cli.global, &flags)?),
        None => None,
    };
    let place = match (&settings, scope) {
        (Some(settings), Scope::Runs | Scope::Store(..)) => {
            Some(Place::choose(scope, settings, &cli.global)?)
        }
        _ => None,
    };
    if let Some(settings) = &settings {
        aim::HERE.take(settings);
        cli.global.store = settings.text("store");
        match place {
            Some(Place::Remote(_)) => check_execution(&mut cli.command)?,
            _ => execute_as_set(&mut cli.command, settings)?,
        }
    }
    perform(cli, settings, place, ui)
}

/// What is set about executing runs holds for those of this process.
fn execute_as_set(command: &mut Command, settings: &Settings) -> Result<(), Fault> {
    if let Some(execution) = command.execution() {
        let given = std::mem::take(&mut execution.queues);
        execution.queues = settings.queues()?.into_iter().chain(given).collect();
        execution.permissions_url = settings.text("permissions_url");
        execution.report = settings.report()?;
    }
    Ok(())
}

/// A server executes runs as it is set to; to tell it otherwise would have no effect.
fn check_execution(command: &mut Command) -> Result<(), Fault> {
    let Some(execution) = command.execution() else { return Ok(()) };
    let given = [
        ("the option --queue", !execution.queues.is_empty()),
        ("the option --permissions-url", execution.permissions_url.is_some()),
    ];
    match given.into_iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((option, _)) => {
            let instead = "it is for runs that this process executes; set it where the server runs";
            Err(not_with_server(option, instead))
        }
    }
}

fn perform(cli: Cli, settings: Option<Settings>, place: Option<Place>, ui: &mut Ui) -> Outcome {
    let global = &cli.global;
    match cli.command {
        Command::Run(args) => commands::run::run(args, known(place), ui),
        Command::Serve(_) => commands::serve::serve(&known(settings), global, ui),
        Command::Config(_) => commands::config::config(&known(settings), ui),
        Command::Token(command) => commands::token::token(command, global, ui),
        Command::Resume(args) => commands::ask::resume(args, known(place), ui),
        Command::Retry(args) => commands::ask::retry(args, known(place), ui),
        Command::Resolve(args) => commands::ask::resolve(args, known(place), ui),
        Command::Skip(args) => commands::ask::skip(args, known(place), ui),
        Command::Cancel(args) => commands::ask::cancel(args, known(place), ui),
        Command::List(args) => commands::list::list(args, &mut known(place), ui),
        Command::Show(args) => commands::show::show(&args, &mut known(place), ui),
        Command::Logs(args) => commands::logs::logs(&args, known(place), ui),
        Command::Why(args) => commands::why::why(&args, &mut known(place), ui),
        Command::Events(args) => commands::events::events(&args, ui),
        Command::Validate(args) => commands::validate::validate(args, ui),
        Command::Graph(args) => commands::graph::graph(&args, place, ui),
        Command::Schema => commands::plain::schema(ui),
        Command::Import(args) => commands::import::import(&args, ui),
        Command::Init(args) => commands::init::init(&args, ui),
        Command::Plugin(command) => commands::plugin::plugin(&command, ui),
        Command::Prune(args) => commands::prune::prune(&args, global, ui),
        Command::Explain(args) => commands::plain::explain(&args, ui),
        Command::Completions(args) => commands::plain::completions(&args, ui),
        Command::Man(args) => commands::plain::man(&args, ui),
    }
}

/// What was found out before for a command that needs it.
fn known<T>(found: Option<T>) -> T {
    found.expect("commands that work with runs or settings have them")
}

/// A call that cannot be understood, or one for help.
fn misused(error: &clap::Error) -> std::process::ExitCode {
    let failed = error.use_stderr();
    let text = error.render();
    let text = if anstyle_wanted() { text.ansi().to_string() } else { text.to_string() };
    if std::env::args_os().len() < 2 {
        // `loom` alone is a question.
        let help = Cli::command().render_help();
        ui::tell(&if anstyle_wanted() { help.ansi().to_string() } else { help.to_string() });
        status(ExitCode::Usage)
    } else if failed {
        if asks_for_json() {
            let mut ui = Ui::new(Terminal::detect(terminal::When::Never), Voice::Json);
            ui.document(&fault::misuse(&error.to_string()));
        }
        ui::tell(&text.replacen("error:", "error[L605]:", 1));
        status(ExitCode::Usage)
    } else {
        // If nobody reads the help, nobody misses it.
        let _ = std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes());
        status(ExitCode::Success)
    }
}

/// Whether a call that could not be understood asks for JSON.
fn asks_for_json() -> bool {
    std::env::args_os().take_while(|word| word != "--").any(|word| word == "--json")
}

fn anstyle_wanted() -> bool {
    let terminal = Terminal::detect(terminal::When::Auto);
    terminal.paint.0 && terminal.paint_err.0
}

fn status(code: ExitCode) -> std::process::ExitCode {
    std::process::ExitCode::from(code as u8)
}
