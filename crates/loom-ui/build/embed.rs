//! What the pages consist of, as Rust.

use std::fmt::Write as _;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// The media types of what pages are made of, by the ends of the names.
const KINDS: [(&str, &str); 8] = [
    (".html", "text/html; charset=utf-8"),
    (".js", "text/javascript; charset=utf-8"),
    (".css", "text/css; charset=utf-8"),
    (".svg", "image/svg+xml"),
    (".json", "application/json"),
    (".wasm", "application/wasm"),
    (".woff2", "font/woff2"),
    (".txt", "text/plain; charset=utf-8"),
];

/// Writes `files.rs` for all files of this folder.
pub(crate) fn write(out: &Path, pages: &Path, missing: Option<&str>) {
    let mut paths: Vec<(String, PathBuf)> = files(pages)
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(pages).expect("it is in the folder");
            (format!("/{}", name.to_str().expect("names are text").replace('\\', "/")), path)
        })
        .filter(|(_, path)| path.extension().is_none_or(|end| end != "gz"))
        .collect();
    paths.sort();
    let mut text = String::from("/// All files, by their paths.\npub static FILES: &[File] = &[\n");
    for (name, path) in &paths {
        text.push_str(&entry(name, path));
    }
    let _ = write!(
        text,
        "];\n\n/// Why the pages are not here, if they are not.\n\
         pub const MISSING: Option<&str> = {missing:?};\n"
    );
    fs::write(out.join("files.rs"), text).expect("cargo's folder can be written");
}

fn entry(name: &str, path: &Path) -> String {
    let kind = KINDS.iter().find(|(end, _)| name.ends_with(end));
    let (_, kind) = kind.unwrap_or_else(|| panic!("the media type of {name} is not known"));
    let body = fs::read(path).expect("it was just written");
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    let tag = hasher.finish();
    let path = path.to_str().expect("names are text");
    let gzip = format!("{path}.gz");
    let smaller = fs::metadata(&gzip).is_ok_and(|it| it.len() < body.len() as u64);
    let gzip = if smaller { format!("Some(include_bytes!({gzip:?}))") } else { "None".to_owned() };
    // Vite puts a hash of the content into the names of what is in there.
    let lasting = name.starts_with("/assets/");
    format!(
        "File {{ path: {name:?}, kind: {kind:?}, tag: \"{tag:016x}\", \
         body: include_bytes!({path:?}), gzip: {gzip}, lasting: {lasting} }},\n"
    )
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the pages were just built") {
        let path = entry.expect("it can be read").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// The page for a build that has none.
pub(crate) fn instead(folder: &Path, why: &str) {
    let why = why.replace('&', "&amp;").replace('<', "&lt;");
    let page = include_str!("instead.html").replace("{why}", &why);
    fs::create_dir_all(folder).expect("cargo's folder can be written");
    fs::write(folder.join("index.html"), page).expect("cargo's folder can be written");
}
