//! Named sets of permissions.

use super::permission::{Permission as P, Permissions};

/// A role that ships with the server. Others are defined by administrators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Looks at everything but tokens and the audit log.
    Viewer,
    /// A viewer who also starts, stops and mends runs.
    Operator,
    /// An operator who also writes workflows, schedules and triggers.
    Author,
    /// May do everything.
    Admin,
}

impl Role {
    /// All built-in roles.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Operator, Self::Author, Self::Admin];

    /// The name by which tokens refer to it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Author => "author",
            Self::Admin => "admin",
        }
    }

    /// What it is for.
    pub const fn what(self) -> &'static str {
        match self {
            Self::Viewer => "looks at everything but tokens and the audit log",
            Self::Operator => "also starts, stops and mends runs",
            Self::Author => "also writes workflows, schedules and triggers",
            Self::Admin => "may do everything",
        }
    }

    /// The built-in role of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// What it allows.
    pub fn permissions(self) -> Permissions {
        match self {
            Self::Viewer => VIEWER.iter().copied().collect(),
            Self::Operator => Self::Viewer.permissions().union(OPERATOR.iter().copied().collect()),
            Self::Author => Self::Operator.permissions().union(AUTHOR.iter().copied().collect()),
            Self::Admin => Permissions::all(),
        }
    }
}

const VIEWER: [P; 14] = [
    P::WorkflowsList,
    P::WorkflowsGet,
    P::PluginsList,
    P::RunsList,
    P::RunsGet,
    P::LogsGet,
    P::EventsRead,
    P::SchedulesList,
    P::TriggersList,
    P::WebhooksList,
    P::LimitsList,
    P::AnalyticsGet,
    P::MetricsGet,
    P::StatusGet,
];

const OPERATOR: [P; 11] = [
    P::RunsStart,
    P::RunsUpdate,
    P::RunsCancel,
    P::RunsPause,
    P::RunsRetry,
    P::TasksRetry,
    P::TasksResolve,
    P::TasksSkip,
    P::TasksCancel,
    P::TasksUpdate,
    P::ReportsWrite,
];

const AUTHOR: [P; 6] = [
    P::WorkflowsRegister,
    P::WorkflowsDisable,
    P::SchedulesWrite,
    P::TriggersWrite,
    P::WebhooksWrite,
    P::LimitsWrite,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_do_what_the_one_before_may_and_more() {
        for pair in Role::ALL.windows(2) {
            let (less, more) = (pair[0].permissions(), pair[1].permissions());
            assert_eq!(less.union(more), more, "{} and {}", pair[0].name(), pair[1].name());
            assert_ne!(less, more);
        }
    }
}
