//! The rewriting of commands, against what a real shell makes of them.

use super::*;
use proptest::prelude::*;
use std::process::Command;

fn expand(line: &str) -> Cow<'_, str> {
    expand_in_single_quotes(line, |name| name == "X" || name == "FREE_SPACE")
}

#[test]
fn the_source_s_example() {
    assert_eq!(
        expand("echo 'Free space is $FREE_SPACE' > space_report.txt"),
        "echo 'Free space is '\"$FREE_SPACE\"'' > space_report.txt"
    );
}

#[test]
fn only_what_expands_is_rewritten() {
    for (line, rewritten) in [
        ("echo '${X}'", "echo ''\"${X}\"''"),
        ("echo '$X$X'", "echo ''\"$X\"''\"$X\"''"),
        ("echo \"$(echo 'a $X')\"", "echo \"$(echo 'a '\"$X\"'')\""),
        ("echo `echo 'a $X'`", "echo `echo 'a '\"$X\"''`"),
        ("a=1 B='$X' cmd", "a=1 B=''\"$X\"'' cmd"),
        ("if true; then echo '$X'; fi", "if true; then echo ''\"$X\"''; fi"),
        ("echo a > '$X.txt' 2>&1", "echo a > ''\"$X\"'.txt' 2>&1"),
        ("echo use sh: '$X'", "echo use sh: ''\"$X\"''"),
        ("sh a.sh; echo '$X'", "sh a.sh; echo ''\"$X\"''"),
        (
            "cat <<E; echo '$X'\n'$X'\nE\necho '$X'",
            "cat <<E; echo ''\"$X\"''\n'$X'\nE\necho ''\"$X\"''",
        ),
        ("echo $((1 + 2)) '$X'", "echo $((1 + 2)) ''\"$X\"''"),
        ("(echo '$X')", "(echo ''\"$X\"'')"),
        ("case a in a) echo '$X';; esac", "case a in a) echo ''\"$X\"'';; esac"),
        ("echo '$X' | grep 1 # sh '$X'", "echo ''\"$X\"'' | grep 1 # sh '$X'"),
    ] {
        assert_eq!(expand(line), rewritten, "{line}");
    }
}

#[test]
fn what_is_code_or_no_reference_is_left_alone() {
    for line in [
        "echo \"it's $X and it's $X\"",
        "echo it\\'s '' $X it\\'s",
        "echo '$XY ${X:-1} $1 \\$X ${X'",
        "sh -c 'echo $X'",
        "sudo -u a /bin/bash -ec 'echo $X'",
        "find . -exec sh -c 'echo $X' ';'",
        "\"$SHELL\" -c 'echo $X'",
        "env A=1 $P -c 'echo $X'",
        "eval 'echo $X'",
        "eval \"$(echo 'echo $X')\"",
        "trap 'echo $X' EXIT",
        "python3.11 -c 'print($X)'",
        "awk '{print $X}' f",
        "ssh host 'echo $X'",
        "echo 'echo $X' | sh",
        "echo 'echo $X' | (sh)",
        "{ echo 'echo $X'; } | sudo bash -s",
        "sh 2>&1 -c 'echo $X'",
        "bash <<< 'echo $X'",
        "bash <(echo 'echo $X')",
        "sh -c \"$(echo 'echo $X')\"",
        "cat <<'E'\n'$X'\nE",
        "cat <<E\n'$X'\nE",
        "cat <<-\\E\n\t'$X'\n\tE\n",
        "echo $'a\\'$X'",
        "echo $'$X'",
        "# it's '$X'",
        "echo 'unclosed $X",
    ] {
        assert_eq!(expand(line), line, "{line}");
    }
}

#[test]
fn plain_lines_need_no_shell() {
    assert_eq!(
        plain_words(" true  --a=b /x.y "),
        Some(vec!["true".into(), "--a=b".into(), "/x.y".into()])
    );
    for line in [
        "", "  ", "A=1 b", "cd /tmp", "exit 3", "a | b", "a $X", "a 'b'", "a; b", "a > b", "a *",
        "~/b", "a #", "! a", "a\nb", "if a", "a {b,c}", "a [b]", "a ?", "a \\b", "a & b", "echo a",
        "a `b`", ". f",
    ] {
        assert_eq!(plain_words(line), None, "{line}");
    }
}

/// What a shell prints for a line, with the variable `X` set.
fn print(shell: &str, line: &str, value: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(shell)
        .args(["-c", &expand(line)])
        .env("X", value)
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(output.stderr.is_empty(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(folder.path().read_dir().unwrap().count(), 0, "{line} ran something");
    String::from_utf8(output.stdout).unwrap()
}

/// Every position in which a value may stand; each prints it between angle brackets.
const POSITIONS: &[&str] = &[
    "printf %s '<$X>'",
    "printf %s '<${X}>'",
    "printf '<%s>' '$X'",
    "printf %s \"<$X>\"",
    "printf %s \"$(printf %s '<$X>')\"",
    "printf %s \"`printf %s '<$X>'`\"",
    "Y='<$X>'; printf %s \"$Y\"",
    "f() { printf %s '<$X>'; }; f",
    "for v in '<$X>'; do printf %s \"$v\"; done",
    "case '$X' in '$X') printf %s '<$X>';; esac",
    "(printf %s '<$X>')",
    "{ printf %s '<'; printf %s '$X'; printf %s '>'; }",
    "true && printf %s '<$X>' # it's '$X'",
    "printf %s '<$X>' | cat",
    "cat <<E | tr -d '\\n'\n'skipped'\nE\nprintf %s '<$X>'",
    "sh -c 'printf %s \"<$X>\"'",
    "eval 'printf %s \"<$X>\"'",
    "echo 'printf %s \"<$X>\"' | sh",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_value_stays_a_value(
        value in "([a-z ]|'|\"|\\$\\(touch x\\)|`touch x`|;|\n|\\\\|\\$X|\\$|\\*|touch x|&|\\||#|>x){0,8}",
        position in prop::sample::select(POSITIONS),
    ) {
        // A command substitution takes away line ends at the end, as always.
        let value = value.trim_end_matches('\n');
        for shell in ["sh", "bash"] {
            let printed = print(shell, position, value);
            let printed = printed.strip_prefix("'skipped'").unwrap_or(&printed);
            prop_assert_eq!(printed, format!("<{value}>"), "{} in {}", position, shell);
        }
    }

    #[test]
    fn any_line_is_scanned_and_stays_itself_without_the_additions(
        line in "([a-c $X{}()`'\"\\\\\n<E#;|&>-]|\\$X|case|sh|eval){0,30}",
    ) {
        let expanded = expand(&line).replace("'\"$X\"'", "$X").replace("'\"${X}\"'", "${X}");
        prop_assert_eq!(expanded, line.replace("'\"$X\"'", "$X").replace("'\"${X}\"'", "${X}"));
    }
}
