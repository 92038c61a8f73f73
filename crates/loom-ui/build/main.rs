//! Builds the pages of `ui/` with Node, and writes down what they consist of.
//!
//! Without Node, with one that is too old, or where npm cannot get what the pages are made of, the
//! crate builds all the same, with one page that says so. `LOOM_UI=off` asks for that, and
//! `LOOM_UI=require` for the build to fail instead.
//!
//! Nothing is written to the source tree but `ui/node_modules`.

#![expect(clippy::print_stdout, reason = "that is how a build script talks to cargo")]

mod embed;
mod node;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui");
    watch(&ui);
    let wish = env::var("LOOM_UI").unwrap_or_default();
    let built = match wish.as_str() {
        "" | "require" => node::build(&ui, &out.join("pages")),
        "off" => Err("LOOM_UI=off was set".to_owned()),
        other => Err(format!("LOOM_UI is `off`, `require` or not set, not `{other}`")),
    };
    match built {
        Ok(pages) => embed::write(&out, &pages, None),
        Err(why) if wish == "require" => panic!("the pages cannot be built: {why}"),
        Err(why) => {
            if wish != "off" {
                println!("cargo::warning=this build has no web interface: {why}");
            }
            let pages = out.join("instead");
            embed::instead(&pages, &why);
            embed::write(&out, &pages, Some(&why));
        }
    }
}

/// Has the pages built anew when something changes that they are made of. Files are named one by
/// one: tests and generated types change without the pages.
fn watch(ui: &Path) {
    println!("cargo::rerun-if-env-changed=LOOM_UI");
    println!("cargo::rerun-if-changed=build");
    for name in ["index.html", "package.json", "package-lock.json", "vite.config.ts", "public"] {
        println!("cargo::rerun-if-changed={}", ui.join(name).display());
    }
    let mut folders = vec![ui.join("src")];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()) {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() {
                folders.push(path);
            } else if !name.ends_with(".test.ts") && !name.ends_with(".d.ts") {
                println!("cargo::rerun-if-changed={}", path.display());
            }
        }
    }
}
