//! The pages of the web interface: built from `ui/` when this crate is compiled, and part of the
//! binary.
//!
//! Promises: [`FILES`] always has `/index.html`. Where the pages could not be built it is a page that
//! says why and how to get them, and [`MISSING`] says why. Nothing here is read from the disk.

/// One file, whole.
#[derive(Clone, Copy, Debug)]
pub struct File {
    /// Where it is, with a slash before it.
    pub path: &'static str,
    /// Its media type.
    pub kind: &'static str,
    /// Changes whenever the content does: 16 hexadecimal digits.
    pub tag: &'static str,
    /// The content.
    pub body: &'static [u8],
    /// The content once more, compressed by gzip, where that makes it smaller.
    pub gzip: Option<&'static [u8]>,
    /// Whether the path names this content for good, and no other ever.
    pub lasting: bool,
}

include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// The file at this path.
pub fn file(path: &str) -> Option<&'static File> {
    let at = FILES.binary_search_by(|file| file.path.cmp(path)).ok()?;
    FILES.get(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_is_found_by_its_path() {
        for known in FILES {
            assert_eq!(file(known.path).map(|found| found.tag), Some(known.tag), "{}", known.path);
        }
        assert!(file("/nosuch").is_none() && file("index.html").is_none() && file("").is_none());
    }

    #[test]
    fn there_is_always_a_page_with_room_for_a_nonce() {
        let index = file("/index.html").expect("it is always there");
        let text = std::str::from_utf8(index.body).expect("it is text");
        assert_eq!(text.matches(r#"<meta name="csp-nonce" content="" />"#).count(), 1);
        assert!(!text.contains("<script>") && !text.contains("<style>"), "{text}");
        assert!(index.kind.starts_with("text/html"));
    }

    #[test]
    fn what_is_compressed_is_gzip_and_smaller() {
        for file in FILES {
            let Some(gzip) = file.gzip else { continue };
            assert!(gzip.starts_with(&[0x1f, 0x8b]) && gzip.len() < file.body.len());
        }
    }
}
