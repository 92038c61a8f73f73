//! `loom token`: tokens, directly in the store. Who has the store's files has to ask nobody; this
//! is where the first token of a server comes from.

use crate::args::{Global, TokenCommand, TokenCreateArgs};
use crate::commands::serve::Database;
use crate::fault::{Ended, Fault, Outcome};
use crate::render::table::Table;
use crate::session::actor;
use crate::store;
use crate::ui::{Ui, Voice};
use loom_engine::{Clock, SystemClock};
use loom_protocol::api::{CreateToken, TokenCreated, TokenView};
use loom_protocol::{ErrorCode, ExitCode};
use loom_server::Problem;
use loom_server::access::{self, Caller, Deed, Made, Office, Permission};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many tokens are read at once.
const PAGE: usize = 500;

pub(crate) fn token(command: TokenCommand, global: &Global, ui: &mut Ui) -> Outcome {
    let path = store::locate(global.store.as_deref())?;
    // Makes the store if there is none.
    drop(store::open(&path)?);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(|error| Fault::machine("the system gives no runtime", error))?;
    runtime.block_on(async {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let office = Office::open(&Database(path), &clock).map_err(told)?;
        let caller = Caller::everything(actor());
        match command {
            TokenCommand::Create(args) => create(&office, &caller, args, ui).await,
            TokenCommand::List => list(&office, &caller, ui).await,
            TokenCommand::Revoke(args) => revoke(&office, &caller, &args.id, ui).await,
        }
    })
}

async fn create(office: &Office, caller: &Caller, args: TokenCreateArgs, ui: &mut Ui) -> Outcome {
    if args.expires.is_some_and(|expires| expires.as_secs() == 0) {
        let what = "--expires is at least 1s; leave it out for no end";
        return Err(Fault::new(ErrorCode::BadArgument, what).into());
    }
    let namespaces = (!args.namespaces.is_empty()).then(|| args.namespaces.into_iter().collect());
    let request = CreateToken {
        name: args.name,
        roles: args.roles.into_iter().collect(),
        namespaces,
        expires_in_s: args.expires.map(|expires| expires.as_secs()),
    };
    let created = office.tokens.create(caller, request).await.map_err(told)?;
    record(office, caller, "create", Made::from(&created.view)).await?;
    let TokenCreated { token, view } = &created;
    match ui.voice {
        Voice::Json => ui.json(&created)?,
        Voice::Human | Voice::Quiet => ui.print(&format!("{token}\n"))?,
    }
    ui.remark(&format!("token {} of {}; it is shown this once: keep it safe", view.id, view.name));
    Ok(ExitCode::Success)
}

async fn list(office: &Office, caller: &Caller, ui: &mut Ui) -> Outcome {
    let mut table = Table::new(&["TOKEN", "NAME", "ROLES", "NAMESPACES", "ENDS", "LAST USED"]);
    let mut cursor = None;
    loop {
        let page = office.tokens.list(caller, cursor, PAGE).await.map_err(told)?;
        for token in &page.items {
            if ui.voice == Voice::Json {
                ui.json(token)?;
            } else {
                table.row(row(token));
            }
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    if ui.voice != Voice::Json {
        ui.print(&table.render(ui.terminal.paint))?;
    }
    Ok(ExitCode::Success)
}

fn row(token: &TokenView) -> [String; 6] {
    let joined = |names: &std::collections::BTreeSet<String>| {
        names.iter().map(String::as_str).collect::<Vec<_>>().join(",")
    };
    let ends = match (&token.revoked_at, &token.expires_at) {
        (Some(_), _) => "revoked".to_owned(),
        (None, Some(at)) => at.clone(),
        (None, None) => "never".to_owned(),
    };
    [
        token.id.clone(),
        token.name.clone(),
        joined(&token.roles),
        token.namespaces.as_ref().map_or_else(|| "all".to_owned(), joined),
        ends,
        token.last_used_at.clone().unwrap_or_else(|| "never".to_owned()),
    ]
}

async fn revoke(office: &Office, caller: &Caller, id: &str, ui: &mut Ui) -> Outcome {
    let view = office.tokens.revoke(caller, id).await.map_err(told)?;
    record(office, caller, "revoke", Made::one("id", id)).await?;
    match ui.voice {
        Voice::Json => ui.json(&view)?,
        Voice::Human => ui.print(&format!("revoked {id} of {}\n", view.name))?,
        Voice::Quiet => {}
    }
    ui.remark("servers that run let it in for at most 5 more seconds");
    Ok(ExitCode::Success)
}

async fn record(office: &Office, caller: &Caller, what: &str, made: Made) -> Result<(), Ended> {
    let deed = Deed {
        from: "this machine".to_owned(),
        action: Permission::TokensWrite,
        call: format!("loom token {what}"),
        target: BTreeMap::new(),
        detail: BTreeMap::new(),
        status: 0,
    };
    for deed in deed.told(access::Outcome { status: 0, made: vec![made] }) {
        office.audit.record(caller, deed).await.map_err(told)?;
    }
    office.audit.flush().await;
    Ok(())
}

fn told(problem: Problem) -> Ended {
    let fault = Fault::new(problem.code, problem.message);
    problem.help.into_iter().fold(fault, Fault::help).into()
}
