//! Knowing callers: tokens of our own, JSON Web Tokens of somebody else.

use super::Caller;
use super::audit::{Audit, Deed};
use super::jwt::Issuer;
use super::made::Outcome;
use super::roles::Roles;
use super::throttle::Throttle;
use super::token;
use super::tokens::Tokens;
use crate::config::Config;
use crate::parts::Stores;
use crate::problem::Problem;
use crate::serve::ServeError;
use crate::shelf::Shelf;
use loom_engine::Clock;
use loom_protocol::ErrorCode;
use std::sync::Arc;
use std::time::Duration;

/// How often uses of tokens are written down.
const WRITE_USES: Duration = Duration::from_mins(1);
/// How often old entries of the audit log are deleted, in rounds of the above.
const FORGET_EVERY: u64 = 60;

/// Who may come in, and what they did.
pub struct Access {
    /// Tokens.
    pub tokens: Tokens,
    /// Roles.
    pub roles: Arc<Roles>,
    /// What was changed.
    pub audit: Audit,
    issuer: Option<Issuer>,
    /// How often each client may call.
    pub(crate) calls: Throttle,
    /// How often each address may show what is not known.
    pub(crate) failures: Throttle,
}

impl Access {
    pub(crate) fn start(
        shelf: &Shelf,
        clock: &Arc<dyn Clock>,
        config: &Config,
    ) -> Result<Arc<Self>, ServeError> {
        let roles = Arc::new(Roles::new(shelf.clone()));
        let issuer = config.jwt.clone().map(|jwt| {
            Issuer::new(jwt, Arc::clone(&roles), Arc::clone(clock)).map_err(ServeError::Setting)
        });
        let access = Arc::new(Self {
            tokens: Tokens::new(shelf.clone(), Arc::clone(&roles), Arc::clone(clock)),
            roles,
            audit: Audit::start(shelf.clone(), Arc::clone(clock)),
            issuer: issuer.transpose()?,
            calls: Throttle::new(config.limits.rate, Duration::from_secs(1)),
            failures: Throttle::new(config.limits.failures, Duration::from_mins(1)),
        });
        let keep = Duration::from_hours(24) * config.audit_days;
        tokio::spawn(keep_house(Arc::downgrade(&access), keep));
        Ok(access)
    }

    /// Who shows this in their `Authorization` header.
    pub(crate) async fn caller(&self, shown: &str) -> Result<Caller, Problem> {
        match &self.issuer {
            Some(issuer) if !shown.starts_with(token::PREFIX) => issuer.caller(shown).await,
            _ => self.tokens.caller(shown).await,
        }
    }

    /// Lets a caller change something, and records it. Neither a client that goes away nor a limit
    /// on time cuts a change off from its record. `told` says what came of it; nothing is recorded
    /// if it says nothing.
    pub(crate) async fn witness<T: Send + 'static>(
        self: Arc<Self>,
        caller: Caller,
        deed: Deed,
        change: impl Future<Output = T> + Send + 'static,
        told: impl FnOnce(&T) -> Option<Outcome> + Send + 'static,
    ) -> Result<T, Problem> {
        let done = tokio::spawn(async move {
            let answer = change.await;
            let outcome = told(&answer);
            for deed in outcome.into_iter().flat_map(|outcome| deed.clone().told(outcome)) {
                self.audit.record(&caller, deed).await?;
            }
            Ok(answer)
        });
        let failed = || Problem::new(ErrorCode::MachineFailed, "the request failed");
        done.await.unwrap_or_else(|_| Err(failed()))
    }

    /// Writes down what has to outlive the process.
    pub(crate) async fn finish(&self) {
        self.audit.flush().await;
        // A use that is not written down is found again with the next one.
        let _ = self.tokens.write_uses().await;
    }
}

async fn keep_house(access: std::sync::Weak<Access>, keep: Duration) {
    for round in 0_u64.. {
        {
            let Some(access) = access.upgrade() else { return };
            // What fails now is done in the next round.
            let _ = access.tokens.write_uses().await;
            if round % FORGET_EVERY == 0 {
                let _ = access.audit.forget(keep).await;
            }
        }
        tokio::time::sleep(WRITE_USES).await;
    }
}

/// The tokens of a store, for the one who has the store's files: nobody else has to be asked.
pub struct Office {
    /// Tokens.
    pub tokens: Tokens,
    /// What was changed.
    pub audit: Audit,
}

impl Office {
    /// Opens the store's documents. Needs a runtime.
    pub fn open(stores: &dyn Stores, clock: &Arc<dyn Clock>) -> Result<Self, Problem> {
        let shelf = Shelf::start(stores, Arc::clone(clock)).map_err(Problem::from)?;
        let roles = Arc::new(Roles::new(shelf.clone()));
        let tokens = Tokens::new(shelf.clone(), roles, Arc::clone(clock));
        Ok(Self { tokens, audit: Audit::start(shelf, Arc::clone(clock)) })
    }
}

/// What is shown in a header of this text.
pub(crate) fn bearer(header: &str) -> Result<&str, Problem> {
    let shown = header.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let shown = shown.map(|(_, token)| token.trim()).filter(|token| !token.is_empty());
    shown.ok_or_else(|| {
        Problem::new(ErrorCode::Unauthenticated, "the `Authorization` header is not understood")
            .help("send `Authorization: Bearer TOKEN`")
    })
}
