//! Which words of a command line name something that runs its arguments or its input as code.

/// Shells: arguments of `-c` and standard input are code.
const SHELLS: &[&str] =
    &["ash", "bash", "csh", "dash", "fish", "ksh", "mksh", "pdksh", "sh", "tcsh", "yash", "zsh"];

/// Other programs whose standard input is code, unless a file is named.
const READERS: &[&str] = &[
    "at", "batch", "bc", "dc", "deno", "expect", "groovy", "julia", "lua", "mariadb", "mongosh",
    "mysql", "node", "nodejs", "octave", "parallel", "perl", "php", "psql", "pwsh", "python", "R",
    "Rscript", "ruby", "sqlite3", "ssh", "tclsh", "xargs",
];

/// Other programs whose arguments may be code.
const TAKERS: &[&str] = &[
    "awk",
    "busybox",
    "ex",
    "flock",
    "gawk",
    "gdb",
    "gsed",
    "jq",
    "m4",
    "make",
    "mawk",
    "nawk",
    "osascript",
    "runuser",
    "screen",
    "script",
    "sed",
    "su",
    "tmux",
    "vi",
    "vim",
    "watch",
    "yq",
];

/// Commands of the shell that keep or run text as code, wherever it came from.
const KEEPERS: &[&str] = &["alias", "eval", "trap"];

/// Commands that run the command in their arguments.
const WRAPPERS: &[&str] = &[
    "chroot", "chrt", "command", "doas", "docker", "env", "exec", "find", "ionice", "kubectl",
    "nice", "nohup", "nsenter", "podman", "setpriv", "setsid", "stdbuf", "strace", "sudo",
    "taskset", "time", "timeout", "unshare",
];

/// Words that stand before a command without being one.
const RESERVED: &[&str] =
    &["!", "coproc", "do", "elif", "else", "if", "then", "time", "until", "while", "{"];

/// Words that mean something to a shell itself.
const BUILTINS: &[&str] = &[
    ".", ":", "alias", "bg", "bind", "break", "builtin", "caller", "case", "cd", "command",
    "compgen", "complete", "continue", "coproc", "declare", "dirs", "disown", "do", "done", "echo",
    "elif", "else", "enable", "esac", "eval", "exec", "exit", "export", "fc", "fg", "fi", "for",
    "function", "getopts", "hash", "help", "history", "if", "in", "jobs", "kill", "let", "local",
    "logout", "mapfile", "popd", "printf", "pushd", "pwd", "read", "readonly", "return", "select",
    "set", "shift", "shopt", "source", "suspend", "test", "then", "time", "times", "trap", "type",
    "typeset", "ulimit", "umask", "unalias", "unset", "until", "wait", "while",
];

/// What a word in a simple command says about the rest of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Code is kept for later: nothing about the line is certain.
    Keeper,
    /// What follows may be code; and so may standard input, until a file is named.
    Reader,
    /// What follows may be code.
    Taker,
    /// Runs what follows as a command.
    Wrapper,
    /// Prints its arguments, whatever they look like.
    Printer,
    /// Nothing.
    Plain,
}

/// Whether a word is the shell's own, so that a command that begins with it needs a shell. Where a
/// program of that name exists too, such as `echo`, it differs in details.
pub(super) fn is_shell_word(word: &str) -> bool {
    BUILTINS.contains(&word)
}

/// Whether a word stands before a command without being one.
pub(super) fn is_reserved(word: &str) -> bool {
    RESERVED.contains(&word)
}

/// What a word says about those that follow it.
pub(super) fn kind(word: &str) -> Kind {
    let name = word.rsplit('/').next().unwrap_or(word);
    // python3.11, perl5, lua5.4
    let bare = name.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
    let bare = if bare.is_empty() { name } else { bare };
    let among = |list: &[&str]| list.contains(&name) || list.contains(&bare);
    if KEEPERS.contains(&name) {
        Kind::Keeper
    } else if among(SHELLS) || among(READERS) {
        Kind::Reader
    } else if among(TAKERS) {
        Kind::Taker
    } else if among(WRAPPERS) {
        Kind::Wrapper
    } else if matches!(name, "echo" | "printf") {
        Kind::Printer
    } else {
        Kind::Plain
    }
}
