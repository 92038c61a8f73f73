//! The three workflows that the format comes from, as they were written, with stand-ins for the
//! programs and the service that they call.

use crate::authority::Authority;
use crate::harness::Loom;

#[test]
fn disk_monitoring_runs_as_it_is_written() {
    let loom = Loom::new()
        .file("w.yaml", include_str!("../../../loom-spec/tests/good/disk-monitoring.yaml"));
    let mut run = loom.start(&["run", "w.yaml", "--var", "TIMEOUT=10"]);
    run.until("✔ CMD");
    let loom = loom.file("semaphore.txt", "now");
    run.end().exits(0).says("✔ END");
    assert!(loom.read("space_report.txt").starts_with("Free space is "));
    assert!(!loom.read("space_report.txt").contains("$FREE_SPACE"));
}

#[test]
fn secured_disk_monitoring_asks_once_and_fails_closed() {
    let text = include_str!("../../../loom-spec/tests/good/secured-disk-monitoring.yaml");
    let loom = Loom::new().file("w.yaml", text).env("AUTH_TOKEN", "token-1");
    let granted = Authority::granting(r#"["can_view_system","can_execute_commands"]"#);
    let said = loom.loom(&["run", "w.yaml", "--permissions-url", &granted.url]).exits(0);
    said.says("✔ SENSITIVE_CMD");
    assert_eq!(granted.asked(), ["token-1"]);
    let some = Authority::granting(r#"{"can_view_system":true,"can_execute_commands":false}"#);
    let said = loom.loom(&["run", "w.yaml", "--permissions-url", &some.url]).exits(1);
    said.says("✔ DF").says("✘ SENSITIVE_CMD").says("[L407]");
    loom.loom(&["run", "w.yaml"]).exits(1).says("✘ DF").says("[L407]").says("↷ SENSITIVE_CMD");
}

#[test]
fn the_parallel_data_pipeline_runs_as_it_is_written() {
    let text = include_str!("../../../loom-spec/tests/good/parallel-data-pipeline.yaml");
    let bin = "#!/bin/sh\ncase \"$1\" in\n\
        extract.py) echo RAW_DATA=raw.csv ;;\n\
        transform.py) echo CLEAN_DATA=clean-$RAW_DATA ;;\n\
        load.py) echo \"$@\" > loaded ;;\nesac\n";
    let aws = "#!/bin/sh\necho \"$@\" > copied\necho BACKUP_LOCATION=$4\n";
    let loom = Loom::new().file("w.yaml", text).script("bin/python", bin).script("bin/aws", aws);
    let path = format!("{}:{}", loom.path("bin").display(), std::env::var("PATH").unwrap());
    let granted = Authority::granting(r#"["can_read_source","can_write_backup","can_write_db"]"#);
    let loom =
        loom.env("API_TOKEN", "t").env("PATH", &path).env("LOOM_PERMISSIONS_URL", &granted.url);
    loom.loom(&["run", "w.yaml"]).exits(0).says("✔ load_data").says("✔ end");
    assert_eq!(granted.asked(), ["t"]);
    assert_eq!(loom.read("loaded"), "load.py --input clean-raw.csv\n");
    assert_eq!(loom.read("copied"), "s3 cp raw.csv s3://backups/\n");
}
