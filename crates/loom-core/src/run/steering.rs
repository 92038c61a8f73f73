//! Variables by which programs are steered rather than told something.
//!
//! Every variable of a run is in the environment of its processes, where the loader, shells and
//! interpreters take some names for orders: `BASH_ENV` is code, and so is what `LD_PRELOAD` names. Who may
//! start a run may not always say what it executes, so these are the workflow's to ask for.

use crate::Definition;

/// Names that are orders, by whom they are obeyed.
const NAMES: &[&[&str]] = &[
    // Shells.
    &["PATH", "IFS", "ENV", "BASH_ENV", "SHELLOPTS", "BASHOPTS", "PS4", "CDPATH", "GLOBIGNORE"],
    &["PROMPT_COMMAND", "SHELL", "ZDOTDIR", "FPATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR"],
    // The C library, as it ignores them itself in programs with privileges.
    &["GCONV_PATH", "GETCONF_DIR", "GLIBC_TUNABLES", "HOSTALIASES", "LOCALDOMAIN", "LOCPATH"],
    &["MALLOC_TRACE", "NIS_PATH", "NLSPATH", "RESOLV_HOST_CONF", "RES_OPTIONS", "TZDIR"],
    &["TERMINFO", "TERMINFO_DIRS", "TERMCAP"],
    // Interpreters.
    &["PERL5OPT", "PERL5LIB", "PERLLIB", "PERL5DB", "PERL5SHELL", "RUBYOPT", "RUBYLIB"],
    &["RUBYSHELL", "NODE_OPTIONS", "NODE_PATH", "NODE_EXTRA_CA_CERTS"],
    &["NODE_REPL_EXTERNAL_MODULE", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS"],
    &["CLASSPATH", "MAVEN_OPTS", "GRADLE_OPTS", "PHPRC", "PHP_INI_SCAN_DIR", "LUA_INIT"],
    &["LUA_PATH", "LUA_CPATH", "R_PROFILE", "R_PROFILE_USER", "R_ENVIRON", "R_ENVIRON_USER"],
    &["TCLLIBPATH", "AWKPATH", "AWKLIBPATH", "DOTNET_STARTUP_HOOKS", "ERL_FLAGS", "ERL_LIBS"],
    // Tools that start others.
    &["EDITOR", "VISUAL", "PAGER", "MANPAGER", "BROWSER", "LESSOPEN", "LESSCLOSE", "SSH_ASKPASS"],
    &["SUDO_ASKPASS", "RSYNC_RSH", "CVS_RSH", "SVN_SSH", "TAR_OPTIONS", "MAKEFLAGS", "MAKEFILES"],
    &["MFLAGS", "GNUMAKEFLAGS", "RUSTC_WRAPPER", "KUBECONFIG", "PSQLRC", "PGSERVICEFILE"],
    &["GIT_SSH", "GIT_SSH_COMMAND", "GIT_EXEC_PATH", "GIT_EXTERNAL_DIFF", "GIT_PAGER", "GIT_DIR"],
    &["GIT_EDITOR", "GIT_SEQUENCE_EDITOR", "GIT_ASKPASS", "GIT_PROXY_COMMAND", "GIT_TEMPLATE_DIR"],
    // Whom connections lead to, and whom they trust.
    &["OPENSSL_CONF", "OPENSSL_MODULES", "OPENSSL_ENGINES", "SSL_CERT_FILE", "SSL_CERT_DIR"],
    &["CURL_CA_BUNDLE", "CURL_HOME", "REQUESTS_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY"],
    &["ALL_PROXY", "http_proxy", "https_proxy", "all_proxy", "NO_PROXY", "no_proxy"],
];

/// What names that are orders begin with: of loaders, of functions that `bash` takes over, of `git`'s
/// settings, and of Loomwork itself.
const BEGINNINGS: &[&str] = &["LD_", "DYLD_", "BASH_FUNC_", "GIT_CONFIG", "LOOM_"];

/// The first of these names that is an order and that the workflow names neither in `env` nor among its
/// tasks' inputs.
pub(super) fn uninvited<'a>(
    mut names: impl Iterator<Item = &'a str>,
    workflow: &Definition,
) -> Option<&'a str> {
    names.find(|name| steers(name) && !is_invited(name, workflow))
}

fn steers(name: &str) -> bool {
    NAMES.iter().any(|names| names.contains(&name))
        || BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
        // `PYTHONPATH` and its like, not `PYTHON_VERSION`.
        || name.strip_prefix("PYTHON").is_some_and(|rest| rest.starts_with(char::is_alphabetic))
}

fn is_invited(name: &str, workflow: &Definition) -> bool {
    let mut inputs = workflow.tasks.iter().flat_map(|task| &task.inputs);
    workflow.env.iter().any(|var| var.name == name) || inputs.any(|input| input == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;
    use crate::run::Submission;
    use crate::test_support::task;
    use crate::{EnvVar, Refusal, RunId, Variable};
    use serde_json::json;
    use std::sync::Arc;

    fn submitted(name: &str, definition: Definition) -> Result<(), Refusal> {
        let variable = Variable { name: name.into(), value: json!("x"), secret: false };
        let (plan, variables) = (Arc::new(Plan::new(definition)), Arc::new(vec![variable]));
        Submission { id: RunId::new(1, 1), plan, variables, workers: 1 }.check()
    }

    #[test]
    fn orders_are_refused_unless_the_workflow_asks_for_them() {
        for name in ["PATH", "LD_PRELOAD", "BASH_ENV", "PYTHONPATH", "LOOM_SERVER", "http_proxy"] {
            let plain = Definition::new("w", vec![task("a")]);
            let refused = Err(Refusal::Steering { name: name.into() });
            assert_eq!(submitted(name, plain.clone()), refused, "{name}");
            let set = EnvVar { name: name.into(), value: json!("y"), secret: false };
            assert_eq!(submitted(name, Definition { env: vec![set], ..plain }), Ok(()));
            let needed = Definition::new("w", vec![task("a").needs(name)]);
            assert_eq!(submitted(name, needed), Ok(()));
        }
    }

    #[test]
    fn names_that_only_look_alike_are_taken() {
        for name in
            ["PATHS", "GIT_COMMIT", "PYTHON_VERSION", "LOOM", "ENVIRONMENT", "LDAP", "TIMEOUT"]
        {
            assert!(!steers(name), "{name}");
        }
    }
}
