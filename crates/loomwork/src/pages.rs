//! The pages of the documented errors, part of the binary.

use loom_protocol::ErrorCode;

macro_rules! pages {
    ($($code:ident $number:literal;)*) => {
        /// The page of an error, in Markdown.
        pub(crate) const fn page(code: ErrorCode) -> &'static str {
            match code {
                $(ErrorCode::$code => {
                    include_str!(concat!("../../../docs/errors/L", $number, ".md"))
                })*
            }
        }
    };
}

pages! {
    NotYaml 101;
    NotAWorkflow 102;
    UnknownKey 103;
    MissingKey 104;
    WrongType 105;
    TooLarge 106;
    BadName 107;
    BadValue 108;
    FileUnreadable 109;
    DuplicateKey 110;
    BadTrace 111;
    UnknownPlugin 201;
    DuplicateTask 202;
    BadParameter 203;
    Cycle 204;
    UnsetInput 205;
    UnknownTask 206;
    HostVariableUnset 207;
    BadExpression 208;
    BadContract 209;
    SyncAssertion 210;
    DuplicateName 211;
    UnknownVariable 212;
    PluginNeeds 213;
    BadEventName 214;
    BadManifest 301;
    NotExecutable 302;
    PluginExists 303;
    TaskExit 401;
    TaskSignal 402;
    TaskTimeout 403;
    TaskSpawn 404;
    MissingOutput 405;
    BadOutput 406;
    PermissionDenied 407;
    ContractViolation 408;
    PluginFailed 409;
    HttpStatus 410;
    Connection 411;
    ParameterValue 412;
    Expression 413;
    StoreBusy 501;
    StoreFull 502;
    StoreUnavailable 503;
    StoreCorrupt 504;
    StoreNewer 505;
    StoreConflict 506;
    MachineFailed 507;
    Leftovers 508;
    StoreKey 509;
    NoSuchRun 601;
    AmbiguousRun 602;
    Refused 603;
    RunIsAlive 604;
    BadArgument 605;
    NoSuchTask 606;
    FileExists 607;
    RunExists 608;
    Unauthenticated 701;
    Forbidden 702;
    NotFound 703;
    AlreadyThere 704;
    PreconditionFailed 705;
    TooManyRequests 706;
    BodyTooLarge 707;
    RequestTimeout 708;
    ServerBusy 709;
    ServerStopping 710;
    BadCursor 711;
    WorkflowDisabled 712;
    MissingVariable 713;
    OpenListener 714;
    MethodNotAllowed 715;
    KeyReused 716;
    BadSetting 717;
    BadRange 740;
    LimitReached 750;
    BadQuery 751;
    QueryTooLarge 752;
    BadDialogue 753;
    ExternalRun 755;
    LimitFull 765;
    FixedAtStart 766;
    FolderNotAllowed 771;
    UnreadableRequest 775;
    ServerUnreachable 761;
    BadAnswer 762;
    TokenInTheOpen 763;
    NotWithServer 764;
}

#[cfg(test)]
mod tests {
    use super::page;
    use loom_protocol::ErrorCode;

    #[test]
    fn every_code_has_its_own_page() {
        for code in ErrorCode::ALL {
            assert!(page(*code).starts_with(&format!("# {code}: ")), "{code}");
        }
    }
}
