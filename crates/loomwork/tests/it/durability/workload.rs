//! A run of 200 tasks whose commands leave records of all that they do, and the reading of them.
//!
//! All attempts append to one file, so the order of its lines is the order of what happened. Each
//! attempt holds a lock on a file of its task, its children too, while any of them lives: an attempt
//! that does not get the lock overlaps with another one and records that.

use crate::harness::Loom;
use crate::watch::Random;
use std::collections::BTreeMap;
use std::fmt::Write;

/// `work.sh MILLISECONDS HOW`: what every task runs.
const WORK: &str = r#"
milliseconds=$1 how=$2
key=$LOOM_TASK${ITEM_INDEX+.$ITEM_INDEX}
exec 9>>"locks/$key"
flock -n 9 || echo "overlap $key $LOOM_ATTEMPT $$ -" >> records
read -r uptime _ < /proc/uptime
seen=
for name in $INPUTS; do eval "seen=\"\$seen,$name=\$$name\""; done
echo "start $key $LOOM_ATTEMPT $$ $uptime $seen" >> records
case $how in
  plain) ;;
  stubborn) trap '' TERM ;;
  # Nothing but KILL ends its first attempt.
  mule) trap '' TERM; [ "$LOOM_ATTEMPT" -gt 1 ] || milliseconds=30000 ;;
esac
while [ "$milliseconds" -gt 0 ]; do
  sleep 0.02
  milliseconds=$((milliseconds - 20))
done
read -r value < /proc/sys/kernel/random/uuid
read -r uptime _ < /proc/uptime
echo "end $key $LOOM_ATTEMPT $$ $uptime $value" >> records
[ -z "$OUTPUT" ] || echo "$OUTPUT=$value"
"#;

/// How many tasks the run has.
pub(super) const TASKS: usize = 200;
/// How many items each task with `for_each` has.
pub(super) const ITEMS: usize = 6;

/// A task of the run.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) name: String,
    pub(super) inputs: Vec<String>,
    pub(super) output: Option<String>,
    pub(super) each: bool,
    milliseconds: u64,
    how: &'static str,
}

/// Five chains of 16 tasks, of which one has a stubborn task in its midst; 40 tasks between a root and
/// a join; four tasks over six items each, and one that gathers them; 73 that stand alone.
pub(super) fn tasks(random: &mut Random) -> Vec<Task> {
    let mut tasks = Vec::new();
    for chain in 0..5 {
        for link in 0..16 {
            let input = (link > 0).then(|| format!("C{chain}_{}", link - 1));
            let output = Some(format!("C{chain}_{link}"));
            tasks.push(task(random, format!("chain{chain}-{link}"), input, output));
        }
        tasks[chain * 16 + 7].how = if chain == 0 { "mule" } else { "stubborn" };
        tasks[chain * 16 + 7].milliseconds = 200;
    }
    tasks.push(task(random, "root".into(), None, Some("ROOT".into())));
    let leaves: Vec<String> = (0..40).map(|leaf| format!("LEAF{leaf}")).collect();
    for leaf in &leaves {
        tasks.push(task(random, leaf.to_lowercase(), Some("ROOT".into()), Some(leaf.clone())));
    }
    tasks.push(task(random, "join".into(), leaves, Some("JOIN".into())));
    let lists: Vec<String> = (0..4).map(|each| format!("LIST{each}")).collect();
    for list in &lists {
        let each = task(random, list.to_lowercase(), Some("ROOT".into()), Some(list.clone()));
        tasks.push(Task { each: true, ..each });
    }
    tasks.push(task(random, "gather".into(), lists, None));
    for single in tasks.len()..TASKS {
        let output = (single % 2 == 0).then(|| format!("SINGLE{single}"));
        tasks.push(task(random, format!("single{single}"), None, output));
    }
    tasks
}

fn task(
    random: &mut Random,
    name: String,
    inputs: impl IntoIterator<Item = String>,
    output: Option<String>,
) -> Task {
    let milliseconds = [0, 0, 20, 40][random.below(4) as usize];
    let inputs = inputs.into_iter().collect();
    Task { name, inputs, output, each: false, milliseconds, how: "plain" }
}

/// A folder with the workflow.
pub(super) fn site(tasks: &[Task]) -> Loom {
    let mut text = "name: torture\nenv: { MAX_WORKERS: 4 }\ntasks:\n".to_owned();
    for Task { name, inputs, output, each, milliseconds, how } in tasks {
        let (names, output) = (inputs.join(" "), output.as_deref().unwrap_or_default());
        let _ = writeln!(
            text,
            "  - name: {name}\n    plugin: cmd\n    inputs: [{}]\n    outputs: [{output}]\n    \
             params: {{ command: \"INPUTS='{names}' OUTPUT='{output}' sh work.sh {milliseconds} {how}\" }}",
            inputs.join(", ")
        );
        if *each {
            let items: Vec<String> = (0..ITEMS).map(|item| item.to_string()).collect();
            let _ = writeln!(text, "    for_each: [{}]", items.join(", "));
        }
    }
    Loom::with(&text).file("work.sh", WORK).file("locks/.keep", "").file("records", "")
}

/// What an attempt did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Start,
    End,
}

/// A line of the records.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) act: Act,
    /// The task's name, and behind a point the item.
    pub(super) key: String,
    pub(super) attempt: u64,
    /// In seconds since the machine started.
    pub(super) uptime: f64,
    /// At a start the inputs as `,NAME=value`, at an end the value.
    pub(super) text: String,
}

/// Reads what happened, in order. Panics at a record of an overlap.
pub(super) fn records(site: &Loom) -> Vec<Record> {
    let text = site.read("records");
    let record = |line: &str| {
        let words: Vec<&str> = line.splitn(6, ' ').collect();
        let act = match words[0] {
            "start" => Act::Start,
            "end" => Act::End,
            _ => panic!("two attempts of one task overlap: {line}"),
        };
        Record {
            act,
            key: words[1].to_owned(),
            attempt: words[2].parse().unwrap(),
            uptime: words[4].parse().unwrap(),
            text: words[5].to_owned(),
        }
    };
    text.lines().map(record).collect()
}

/// The inputs in a start's text.
pub(super) fn seen(text: &str) -> BTreeMap<&str, &str> {
    text.split(',').filter_map(|entry| entry.split_once('=')).collect()
}
