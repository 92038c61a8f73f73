//! Every setting: its key in the file, its variable, its flag.
//!
//! One scheme names them all. `server.cors_origins` in the file is `LOOM_SERVER_CORS_ORIGINS` in
//! the environment and `--cors-origins` on the command line, which leaves `server` out. `client`,
//! which every command that works with runs is told, is left out of both: `client.token_file` is
//! `LOOM_TOKEN_FILE` and `--token-file`.

/// What can be set.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// As the file has it: a section and a name, or a name alone.
    pub(crate) key: &'static str,
    /// As the environment has it.
    pub(crate) env: &'static str,
    /// As the command line has it, without its dashes; empty for what belongs on no command line.
    pub(crate) flag: &'static str,
    pub(crate) kind: Kind,
    /// What holds if nobody says anything; empty for nothing, or for what the help says.
    pub(crate) default: &'static str,
    pub(crate) help: &'static str,
}

/// What a setting's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// A text that is shown to nobody.
    Secret,
    /// A path. In the file it starts from the file's folder.
    Path,
    /// An address and a port.
    Address,
    /// True or false.
    Switch,
    /// A whole number, no less than this.
    Count(u64),
    /// A number with its unit: `500ms`, `30s`, `5m`, `1h`.
    Time,
    /// Texts. In a variable they have commas between them; a flag is given for each.
    List,
    /// Texts by name. In a variable: `A=1,B=2`; a flag is given for each.
    Map,
    /// As [`Kind::Map`]; the texts are shown to nobody.
    Secrets,
}

macro_rules! settings {
    ($($key:literal $env:literal $flag:literal $kind:expr, $default:literal, $help:literal;)*) => {
        /// All settings.
        pub(crate) const SETTINGS: &[Setting] = &[$(Setting {
            key: $key, env: $env, flag: $flag, kind: $kind, default: $default, help: $help,
        }),*];
    };
}

settings! {
    "store" "LOOM_STORE" "store" Kind::Path, "",
        "The store: an SQLite file, as a path or sqlite:PATH";
    "permissions_url" "LOOM_PERMISSIONS_URL" "permissions-url" Kind::Text, "",
        "The service that says what `AUTH_TOKEN` permits";
    "queue" "LOOM_QUEUE" "queue" Kind::Map, "",
        "The most tasks of a queue at once; may be given often";
    "client.server" "LOOM_SERVER" "server" Kind::Text, "",
        "The server whose runs are meant, instead of those of a store: http://HOST:PORT or https://HOST";
    "client.token" "LOOM_TOKEN" "" Kind::Secret, "",
        "The token that the server is shown";
    "client.token_file" "LOOM_TOKEN_FILE" "token-file" Kind::Path, "",
        "A file with the token that the server is shown";
    "client.ca" "LOOM_CA" "ca" Kind::Path, "",
        "The certificates that the server's is signed by, in PEM, instead of the built-in ones";
    "client.insecure_token" "LOOM_INSECURE_TOKEN" "insecure-token" Kind::Switch, "false",
        "Show the token over plain http, too, where everybody on the way can read it";
    "server.listen" "LOOM_SERVER_LISTEN" "listen" Kind::Address, "127.0.0.1:7420",
        "Where to listen; port 0 takes a free one";
    "server.access" "LOOM_SERVER_ACCESS" "access" Kind::Switch, "false",
        "Let nobody in without a token";
    "server.base" "LOOM_SERVER_BASE" "base" Kind::Path, "",
        "The folder that relative paths of workflows start from; the current one if not set";
    "server.workers" "LOOM_SERVER_WORKERS" "workers" Kind::Count(1), "",
        "The most tasks of a run at once, unless it says otherwise; the number of cores if not set";
    "server.host_env" "LOOM_SERVER_HOST_ENV" "host-env" Kind::List, "",
        "A variable of the environment that workflows may read as {{ENV:NAME}}; may be given often";
    "server.hosts" "LOOM_SERVER_HOSTS" "hosts" Kind::List, "",
        "A name of this server, beside localhost, that requests may be for without access control";
    "server.cors_origins" "LOOM_SERVER_CORS_ORIGINS" "cors-origins" Kind::List, "",
        "An origin whose pages may call from a browser, such as https://ci.example";
    "server.trusted_proxies" "LOOM_SERVER_TRUSTED_PROXIES" "trusted-proxies" Kind::List, "",
        "A proxy, as an address or a range such as 10.0.0.0/8, that is believed whom it speaks for";
    "server.proxy_header" "LOOM_SERVER_PROXY_HEADER" "proxy-header" Kind::Text, "x-forwarded-for",
        "Where proxies say whom they speak for: x-forwarded-for or forwarded";
    "server.open_metrics" "LOOM_SERVER_OPEN_METRICS" "open-metrics" Kind::Switch, "false",
        "Let everybody read /metrics";
    "server.private_receivers" "LOOM_SERVER_PRIVATE_RECEIVERS" "private-receivers" Kind::Switch, "false",
        "Let webhooks lead to this machine and into its own network";
    "server.receiver_certificates" "LOOM_SERVER_RECEIVER_CERTIFICATES" "receiver-certificates" Kind::Path, "",
        "What the certificates of webhooks' receivers are signed by, in PEM; Mozilla's list if not set";
    "server.watched_folders" "LOOM_SERVER_WATCHED_FOLDERS" "watched-folders" Kind::List, "",
        "A folder whose files may start runs, an absolute path; may be given often";
    "report.url" "LOOM_REPORT_URL" "report-url" Kind::Text, "",
        "Where runs are reported to in dotflow's protocol [also: DOTFLOW_SERVER_URL]";
    "report.token" "LOOM_REPORT_TOKEN" "report-token" Kind::Secret, "",
        "The token that is shown there [also: DOTFLOW_USER_TOKEN]";
    "otlp.endpoint" "LOOM_OTLP_ENDPOINT" "otlp-endpoint" Kind::Text, "",
        "The OpenTelemetry collector that traces go to, over HTTP; `/v1/traces` is added";
    "otlp.headers" "LOOM_OTLP_HEADERS" "otlp-headers" Kind::Secrets, "",
        "A header for the collector; may be given often";
    "log.style" "LOOM_LOG_STYLE" "log-style" Kind::Text, "text",
        "How the log on standard error looks: text or json";
    "log.level" "LOOM_LOG_LEVEL" "log-level" Kind::Text, "info",
        "Leave out of the log what matters less: error, warn or info";
    "tls.certificate" "LOOM_TLS_CERTIFICATE" "tls-certificate" Kind::Path, "",
        "The certificate, in PEM, with those between it and the authority";
    "tls.key" "LOOM_TLS_KEY" "tls-key" Kind::Path, "",
        "The certificate's private key, in PEM";
    "jwt.issuer" "LOOM_JWT_ISSUER" "jwt-issuer" Kind::Text, "",
        "Take JSON Web Tokens whose `iss` is this";
    "jwt.audience" "LOOM_JWT_AUDIENCE" "jwt-audience" Kind::Text, "",
        "What has to be in their `aud`";
    "jwt.secret" "LOOM_JWT_SECRET" "jwt-secret" Kind::Secret, "",
        "The secret that verifies them (HS256, HS384, HS512): 32 bytes or more";
    "jwt.jwks" "LOOM_JWT_JWKS" "jwt-jwks" Kind::Path, "",
        "The public keys that verify them (RS, PS, ES): a file or a URL";
    "jwt.name_claim" "LOOM_JWT_NAME_CLAIM" "jwt-name-claim" Kind::Text, "sub",
        "The claim with the caller's name";
    "jwt.roles_claim" "LOOM_JWT_ROLES_CLAIM" "jwt-roles-claim" Kind::Text, "roles",
        "The claim with the caller's roles";
    "jwt.roles" "LOOM_JWT_ROLES" "jwt-roles" Kind::Map, "",
        "What a role of the issuer is called here: THEIRS=OURS; may be given often";
    "jwt.namespaces_claim" "LOOM_JWT_NAMESPACES_CLAIM" "jwt-namespaces-claim" Kind::Text, "",
        "The claim with the caller's namespaces, `*` for all; all without it";
    "audit.days" "LOOM_AUDIT_DAYS" "audit-days" Kind::Count(1), "90",
        "For how many days changes are kept in the audit log";
    "limits.body" "LOOM_LIMITS_BODY" "limits-body" Kind::Count(1), "4194304",
        "The most bytes of a request's body";
    "limits.request" "LOOM_LIMITS_REQUEST" "limits-request" Kind::Time, "30s",
        "How long a request may take, streams excepted";
    "limits.headers" "LOOM_LIMITS_HEADERS" "limits-headers" Kind::Time, "10s",
        "How long a client may take to send its headers, and be idle";
    "limits.write" "LOOM_LIMITS_WRITE" "limits-write" Kind::Time, "30s",
        "How long a client may take nothing of an answer that waits for it";
    "limits.connections" "LOOM_LIMITS_CONNECTIONS" "limits-connections" Kind::Count(1), "4096",
        "The most connections at once";
    "limits.address_connections" "LOOM_LIMITS_ADDRESS_CONNECTIONS" "limits-address-connections" Kind::Count(1), "2048",
        "The most connections of one address at once; those of trusted proxies are not counted";
    "limits.streams" "LOOM_LIMITS_STREAMS" "limits-streams" Kind::Count(0), "2048",
        "The most event streams at once";
    "limits.rate" "LOOM_LIMITS_RATE" "limits-rate" Kind::Count(0), "0",
        "The most requests of one client in a second; 0 for any number";
    "limits.failures" "LOOM_LIMITS_FAILURES" "limits-failures" Kind::Count(0), "60",
        "The most requests of one address in a minute that show no good token; 0 for any number";
    "limits.silence" "LOOM_LIMITS_SILENCE" "limits-silence" Kind::Time, "24h",
        "How long nothing may be heard of a run that another system reports, before it counts as lost";
    "limits.stop" "LOOM_LIMITS_STOP" "limits-stop" Kind::Time, "10s",
        "How long a server that is being stopped waits for requests under way";
    "limits.drain" "LOOM_LIMITS_DRAIN" "limits-drain" Kind::Time, "1m",
        "How long it then waits for tasks under way, before it interrupts them";
}

impl Setting {
    /// Whether every command has its flag, rather than those that are for settings.
    pub(crate) fn is_global(&self) -> bool {
        self.key == "store" || self.key.starts_with("client.")
    }
}

/// Variables of dotflow's own that settings are taken from as well, where ours are not set.
pub(crate) const ALIASES: &[(&str, &str)] =
    &[("DOTFLOW_SERVER_URL", "report.url"), ("DOTFLOW_USER_TOKEN", "report.token")];

/// The variables of the environment that hold secrets of ours: no task is given them.
pub(crate) fn secret_variables() -> Vec<&'static str> {
    let is_secret = |setting: &Setting| matches!(setting.kind, Kind::Secret | Kind::Secrets);
    let own = SETTINGS.iter().filter(|setting| is_secret(setting)).map(|setting| setting.env);
    let others = ALIASES.iter().filter(|(_, key)| find(key).is_some_and(is_secret));
    own.chain(others.map(|(variable, _)| *variable)).collect()
}

/// The setting of this key.
pub(crate) fn find(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}

/// The sections, each once.
pub(crate) fn sections() -> Vec<&'static str> {
    let mut sections: Vec<_> = SETTINGS
        .iter()
        .filter_map(|it| it.key.split_once('.'))
        .map(|(section, _)| section)
        .collect();
    sections.dedup();
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_one_scheme() {
        for setting in SETTINGS {
            let key = setting.key;
            let name = key.strip_prefix("client.").unwrap_or(key);
            let env = format!("LOOM_{}", name.to_uppercase().replace('.', "_"));
            assert_eq!(setting.env, env, "{key}");
            let flag = match key {
                // Everybody on the machine sees flags.
                "client.token" => String::new(),
                _ => name.strip_prefix("server.").unwrap_or(name).replace(['.', '_'], "-"),
            };
            assert_eq!(setting.flag, flag, "{key}");
        }
    }

    #[test]
    fn defaults_are_of_their_kind() {
        for setting in SETTINGS.iter().filter(|setting| !setting.default.is_empty()) {
            assert!(crate::settings::value::parse(setting.kind, setting.default).is_ok());
        }
    }

    #[test]
    fn all_variables_with_secrets_are_known_as_such() {
        let own = ["LOOM_TOKEN", "LOOM_REPORT_TOKEN", "LOOM_OTLP_HEADERS", "LOOM_JWT_SECRET"];
        assert_eq!(secret_variables(), [&own[..], &["DOTFLOW_USER_TOKEN"]].concat());
    }

    #[test]
    fn the_defaults_of_the_limits_are_those_of_the_server() {
        let limits = loom_server::Limits::default();
        let seconds = |time: std::time::Duration| format!("{}s", time.as_secs());
        for (key, expected) in [
            ("limits.body", limits.body.to_string()),
            ("limits.request", seconds(limits.request)),
            ("limits.headers", seconds(limits.headers)),
            ("limits.write", seconds(limits.write)),
            ("limits.connections", limits.connections.to_string()),
            ("limits.address_connections", limits.address_connections.to_string()),
            ("limits.streams", limits.streams.to_string()),
            ("limits.rate", limits.rate.to_string()),
            ("limits.silence", format!("{}h", limits.silence.as_secs() / 3600)),
            ("limits.failures", limits.failures.to_string()),
            ("limits.stop", seconds(limits.stop)),
        ] {
            assert_eq!(find(key).unwrap().default, expected, "{key}");
        }
    }
}
