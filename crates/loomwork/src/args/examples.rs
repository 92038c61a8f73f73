//! Examples for the help of each command.

pub(super) const RUN: &str = r#"Examples:
  loom run pipeline.yaml --var DAY=2026-11-21 --var 'FILES:=["a","b"]' --workers 8
  loom run pipeline.yaml --json | jq -r 'select(.type == "task.failed") | .task'
  loom run pipeline.yaml --queue gpu=1
  loom run pipeline.yaml --server https://loom.example --token-file ~/.loom-token"#;

pub(super) const CONFIG: &str = "Examples:
  loom config
  loom config --json | jq '.settings[] | select(.origin != \"default\")'
  LOOM_SERVER_LISTEN=127.0.0.1:8000 loom config --config /etc/loom.toml";

pub(super) const TOKEN: &str = "Examples:
  loom token create ci --role operator --namespace billing --expires 90d
  loom token list
  loom token revoke 01m7y5qqkx6z346q3qhq2xaxpy";

pub(super) const RESUME: &str = "Examples:
  loom resume last
  loom resume 4k2m9q7x";

pub(super) const RETRY: &str = "Examples:
  loom retry last
  loom retry 4k2m9q7x load";

pub(super) const RESOLVE: &str = r#"Examples:
  loom resolve last load --reason "loaded by hand" --output ROWS:=42"#;

pub(super) const SKIP: &str = r#"Examples:
  loom skip last notify --reason "nobody needs to know""#;

pub(super) const CANCEL: &str = r#"Examples:
  loom cancel 4k2m9q7x --reason "wrong input"
  loom cancel 4k2m9q7x load --reason "it hangs"
  loom cancel 4k2m9q7x --server https://loom.example --token-file ~/.loom-token"#;

pub(super) const LIST: &str = "Examples:
  loom list --state failed --workflow nightly
  loom list --state interrupted
  loom list --server https://loom.example --token-file ~/.loom-token";

pub(super) const SHOW: &str = "Examples:
  loom show last
  loom show 4k2m9q7x --json | jq .counts";

pub(super) const LOGS: &str = "Examples:
  loom logs last
  loom logs last load --attempt 2
  loom logs last 'count[3]' --follow
  LOOM_SERVER=https://loom.example loom logs last --follow";

pub(super) const EVENTS: &str = "Examples:
  loom events
  loom events task.failed --json | jq .schema";

pub(super) const WHY: &str = "Examples:
  loom why last
  loom why 4k2m9q7x report
  loom why 4k2m9q7x 'count[3]'";

pub(super) const VALIDATE: &str = "Examples:
  loom validate workflows/*.yaml
  loom validate pipeline.yaml --json";

pub(super) const GRAPH: &str = "Examples:
  loom graph pipeline.yaml --format text
  loom graph pipeline.yaml --format dot | dot -Tsvg > pipeline.svg
  loom graph --run last --format text";

pub(super) const SCHEMA: &str = "Examples:
  loom schema > loom.schema.json";

pub(super) const IMPORT: &str = "Examples:
  loom import wfformat montage.json --scale 0.01 -o montage.yaml";

pub(super) const SERVE: &str = "Examples:
  loom serve
  loom serve --listen 127.0.0.1:0 --store /var/lib/loom/loom.db";

pub(super) const INIT: &str = "Examples:
  loom init
  loom init my-project && loom run my-project/workflow.yaml";

pub(super) const PRUNE: &str = "Examples:
  loom prune --older-than 30d";

pub(super) const EXPLAIN: &str = "Examples:
  loom explain L205";

pub(super) const COMPLETIONS: &str = "Examples:
  loom completions bash > ~/.local/share/bash-completion/completions/loom";

pub(super) const MAN: &str = "Examples:
  loom man ~/.local/share/man/man1";
