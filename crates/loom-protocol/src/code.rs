//! The codes of errors. Each has a page in `docs/errors/`.

use crate::ExitCode;
use std::fmt;

/// What part of the product an error belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// Reading a workflow file.
    Document,
    /// Checking a workflow.
    Check,
    /// Finding and loading plugins.
    Plugin,
    /// Running a task.
    Task,
    /// Keeping what happened.
    Store,
    /// The call itself.
    Call,
    /// Serving requests.
    Server,
    /// Working with a server.
    Client,
}

impl Area {
    /// The exit status of a process that ends for an error of this area.
    pub const fn exit(self) -> ExitCode {
        match self {
            Self::Document | Self::Check | Self::Plugin | Self::Call | Self::Server => {
                ExitCode::Usage
            }
            Self::Task => ExitCode::RunFailed,
            Self::Store | Self::Client => ExitCode::Machine,
        }
    }
}

macro_rules! codes {
    ($($variant:ident = $number:literal $area:ident $title:literal;)*) => {
        /// A documented error.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum ErrorCode {
            $(#[doc = $title] $variant = $number,)*
        }

        impl ErrorCode {
            /// Every code, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The part of the product that it belongs to.
            pub const fn area(self) -> Area {
                match self { $(Self::$variant => Area::$area,)* }
            }

            /// The headline of its page.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

codes! {
    NotYaml = 101 Document "the file is not YAML";
    NotAWorkflow = 102 Document "the file is not a workflow";
    UnknownKey = 103 Document "unknown key";
    MissingKey = 104 Document "a key is missing";
    WrongType = 105 Document "a value has the wrong type";
    TooLarge = 106 Document "the file exceeds a limit";
    BadName = 107 Document "a name is not allowed";
    BadValue = 108 Document "a value is not allowed";
    FileUnreadable = 109 Document "the file cannot be read";
    DuplicateKey = 110 Document "a key is given twice";
    BadTrace = 111 Document "the trace cannot be imported";

    UnknownPlugin = 201 Check "unknown plugin";
    DuplicateTask = 202 Check "two tasks have one name";
    BadParameter = 203 Check "a parameter is wrong";
    Cycle = 204 Check "tasks wait for each other";
    UnsetInput = 205 Check "nothing sets an input";
    UnknownTask = 206 Check "a task depends on one that does not exist";
    HostVariableUnset = 207 Check "an environment variable is not set";
    BadExpression = 208 Check "an expression is wrong";
    BadContract = 209 Check "a contract is not a JSON Schema";
    SyncAssertion = 210 Check "a join is asserted where there is none";
    DuplicateName = 211 Check "a name is listed twice";
    UnknownVariable = 212 Check "unknown variable";
    PluginNeeds = 213 Check "a task does not give its plugin what it needs";
    BadEventName = 214 Check "an event's name is not allowed";

    BadManifest = 301 Plugin "a plugin's manifest is wrong";
    NotExecutable = 302 Plugin "a plugin cannot be executed";
    PluginExists = 303 Plugin "a plugin of this name exists";

    TaskExit = 401 Task "a command failed";
    TaskSignal = 402 Task "a command was ended by a signal";
    TaskTimeout = 403 Task "a task took too long";
    TaskSpawn = 404 Task "a command could not be started";
    MissingOutput = 405 Task "a required output is missing";
    BadOutput = 406 Task "an output cannot be used";
    PermissionDenied = 407 Task "permission denied";
    ContractViolation = 408 Task "a result breaks its contract";
    PluginFailed = 409 Task "a plugin failed";
    HttpStatus = 410 Task "an HTTP answer has an unexpected status";
    Connection = 411 Task "a connection failed";
    ParameterValue = 412 Task "a parameter has no usable value";
    Expression = 413 Task "an expression could not be evaluated";

    StoreBusy = 501 Store "the store is locked";
    StoreFull = 502 Store "the disk is full";
    StoreUnavailable = 503 Store "the store cannot be used";
    StoreCorrupt = 504 Store "the store is damaged";
    StoreNewer = 505 Store "the store was written by a newer version";
    StoreConflict = 506 Store "a run was taken over";
    MachineFailed = 507 Store "the machine failed";
    Leftovers = 508 Store "leftovers of a crash could not be ended";
    StoreKey = 509 Store "the store lacks its key";

    NoSuchRun = 601 Call "no such run";
    AmbiguousRun = 602 Call "several runs match";
    Refused = 603 Call "the run's state does not allow it";
    RunIsAlive = 604 Call "another process has the run";
    BadArgument = 605 Call "an argument is wrong";
    NoSuchTask = 606 Call "no such task";
    FileExists = 607 Call "a file is in the way";
    RunExists = 608 Call "the run exists already";

    Unauthenticated = 701 Server "the caller is not known";
    Forbidden = 702 Server "the caller may not do that";
    NotFound = 703 Server "there is no such thing";
    AlreadyThere = 704 Server "something else is there already";
    PreconditionFailed = 705 Server "it was changed meanwhile";
    TooManyRequests = 706 Server "too many requests";
    BodyTooLarge = 707 Server "the request is too large";
    RequestTimeout = 708 Server "the request took too long";
    ServerBusy = 709 Server "the server has too much to do";
    ServerStopping = 710 Server "the server is stopping";
    BadCursor = 711 Server "the cursor is not one of ours";
    WorkflowDisabled = 712 Server "the workflow is disabled";
    MissingVariable = 713 Server "a run is not given what it needs";
    OpenListener = 714 Server "a server without access control may not be reached from outside";
    MethodNotAllowed = 715 Server "the method is not allowed here";
    KeyReused = 716 Server "an idempotency key was used for another request";
    BadSetting = 717 Server "a setting is wrong";
    BadRange = 740 Server "there is nothing in the range";
    LimitReached = 750 Server "there are as many of these as there may be";
    BadQuery = 751 Server "a GraphQL query is wrong";
    QueryTooLarge = 752 Server "a GraphQL query asks for too much";
    BadDialogue = 753 Server "a WebSocket is not used as agreed";
    ExternalRun = 755 Server "another system executes the run";
    LimitFull = 765 Server "a limit has no room for the run";
    FixedAtStart = 766 Server "a run keeps this from its start";
    FolderNotAllowed = 771 Server "a folder may not be watched";
    UnreadableRequest = 775 Server "what another process asks cannot be read";

    ServerUnreachable = 761 Client "the server cannot be reached";
    BadAnswer = 762 Client "the server's answer cannot be understood";
    TokenInTheOpen = 763 Call "a token would travel in the open";
    NotWithServer = 764 Call "this does not work with a server";
}

impl ErrorCode {
    /// The code's number.
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// The code of this number.
    pub fn from_number(number: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.number() == number)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "L{}", self.number())
    }
}
