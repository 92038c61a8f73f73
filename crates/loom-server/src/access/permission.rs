//! The closed list of what can be permitted.

use std::fmt;
use std::str::FromStr;

macro_rules! permissions {
    ($($variant:ident $text:literal $what:literal;)*) => {
        /// One thing that a caller may be allowed to do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Permission {
            $(#[doc = $what] $variant,)*
        }

        impl Permission {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// As it is written in roles: `resource:action`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// What it allows.
            pub const fn what(self) -> &'static str {
                match self { $(Self::$variant => $what,)* }
            }
        }
    };
}

permissions! {
    WorkflowsList "workflows:list" "list workflows and namespaces";
    WorkflowsGet "workflows:get" "read a workflow, its versions and its graph";
    WorkflowsRegister "workflows:register" "register a version of a workflow: it can run any command";
    WorkflowsDisable "workflows:disable" "disable and enable workflows";
    PluginsList "plugins:list" "list plugins and their parameters";
    RunsList "runs:list" "list, search and count runs";
    RunsGet "runs:get" "read a run, its tasks, variables and events";
    RunsStart "runs:start" "start runs";
    RunsUpdate "runs:update" "change a run's reason, tags and annotations";
    RunsCancel "runs:cancel" "cancel runs";
    RunsPause "runs:pause" "pause and resume runs";
    RunsRetry "runs:retry" "retry failed runs, and run them again";
    RunsDelete "runs:delete" "delete ended runs";
    TasksRetry "tasks:retry" "retry one task";
    TasksResolve "tasks:resolve" "settle a task by hand";
    TasksSkip "tasks:skip" "skip a task";
    TasksCancel "tasks:cancel" "cancel one task";
    TasksUpdate "tasks:update" "change a task's attempt limit or inputs";
    LogsGet "logs:get" "read what attempts printed";
    EventsRead "events:read" "follow live events";
    SchedulesList "schedules:list" "list and read schedules";
    SchedulesWrite "schedules:write" "make, change, pause and delete schedules";
    TriggersList "triggers:list" "list and read triggers";
    TriggersWrite "triggers:write" "make, change and delete triggers";
    WebhooksList "webhooks:list" "list and read webhook subscriptions and deliveries";
    WebhooksWrite "webhooks:write" "make, change and delete webhook subscriptions, replay deliveries";
    LimitsList "limits:list" "read limits of runs";
    LimitsWrite "limits:write" "change limits of runs";
    AnalyticsGet "analytics:get" "read performance and bottlenecks";
    MetricsGet "metrics:get" "read metrics";
    StatusGet "status:get" "read the server's status and settings";
    TokensList "tokens:list" "list tokens and roles";
    TokensWrite "tokens:write" "create and revoke tokens, define roles";
    AuditList "audit:list" "read the audit log";
    ReportsWrite "reports:write" "report runs that another system executes";
}

impl Permission {
    /// Whether it changes something.
    pub fn is_change(self) -> bool {
        let action = self.name().split(':').next_back();
        !matches!(action, Some("list" | "get" | "read"))
    }

    /// Whether each call goes into the audit log. What a system reports of its runs is in their
    /// journals; the audit log has who reports, where that changes.
    pub fn is_recorded(self) -> bool {
        self.is_change() && self != Self::ReportsWrite
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownPermission(pub String);

impl FromStr for Permission {
    type Err = UnknownPermission;

    fn from_str(text: &str) -> Result<Self, UnknownPermission> {
        let found = Self::ALL.iter().copied().find(|permission| permission.name() == text);
        found.ok_or_else(|| UnknownPermission(text.to_owned()))
    }
}

/// A set of permissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions(u64);

impl Permissions {
    /// Every permission.
    pub const fn all() -> Self {
        Self((1 << Permission::ALL.len()) - 1)
    }

    /// Whether the set has this one.
    pub const fn has(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u8) != 0
    }

    /// The set with another's members.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The members, in the order of the list.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |permission| self.has(*permission))
    }

    /// The set that patterns describe: `runs:get`, `runs:*`, `*`.
    pub fn parse<'a>(
        patterns: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, UnknownPermission> {
        let mut set = Self::default();
        for pattern in patterns {
            set = set.union(Self::matching(pattern)?);
        }
        Ok(set)
    }

    fn matching(pattern: &str) -> Result<Self, UnknownPermission> {
        let found = match pattern.strip_suffix('*') {
            Some("") => Self::all(),
            Some(resource) if resource.ends_with(':') => {
                let of = |it: &Permission| it.name().starts_with(resource);
                Permission::ALL.iter().copied().filter(of).collect()
            }
            Some(_) => Self::default(),
            None => [pattern.parse::<Permission>()?].into_iter().collect(),
        };
        if found == Self::default() {
            Err(UnknownPermission(pattern.to_owned()))
        } else {
            Ok(found)
        }
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().fold(0, |set, permission| set | 1 << permission as u8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_one_all_of_a_resource_or_all() {
        assert_eq!(Permissions::parse(["*"]), Ok(Permissions::all()));
        let set = Permissions::parse(["runs:*", "logs:get"]).unwrap();
        assert!(set.has(Permission::RunsDelete) && set.has(Permission::LogsGet));
        assert!(!set.has(Permission::TasksRetry));
        for wrong in ["runs", "run:*", "runs:ge*", "", "runs:fly"] {
            assert_eq!(Permissions::parse([wrong]), Err(UnknownPermission(wrong.into())));
        }
    }

    #[test]
    fn the_set_has_room_for_all() {
        assert!(Permission::ALL.len() < 64);
        assert_eq!(Permissions::all().iter().count(), Permission::ALL.len());
    }
}
