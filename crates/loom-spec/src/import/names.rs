//! Names that are allowed here, made from names that need not be.

use std::collections::HashMap;

/// The most characters of a made name, before a number makes it unique.
const MOST: usize = 150;

/// Hands out names, each once.
#[derive(Default)]
pub(super) struct Names {
    /// Name → the last number that was put behind it.
    taken: HashMap<String, u32>,
}

impl Names {
    /// A task's name: one line, not too long.
    pub(super) fn task(&mut self, wanted: &str) -> String {
        let line =
            |c: char| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { '_' } else { c };
        let name: String = wanted.trim().chars().take(MOST).map(line).collect();
        self.unique(if name.trim().is_empty() { "task".into() } else { name })
    }

    /// A variable's name. The prefix keeps clear of names that mean something to processes.
    pub(super) fn variable(&mut self, file: &str) -> String {
        let base = file.rsplit('/').find(|part| !part.is_empty()).unwrap_or(file);
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let name: String = "FILE_".chars().chain(base.chars().take(MOST).map(plain)).collect();
        self.unique(name)
    }

    fn unique(&mut self, name: String) -> String {
        let Some(mut number) = self.taken.get(&name).copied() else {
            self.taken.insert(name.clone(), 1);
            return name;
        };
        loop {
            number += 1;
            let candidate = format!("{name}_{number}");
            if !self.taken.contains_key(&candidate) {
                self.taken.insert(name, number);
                self.taken.insert(candidate.clone(), 1);
                return candidate;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_allowed_and_unique() {
        let mut names = Names::default();
        assert_eq!(names.task("a\nb"), "a_b");
        assert_eq!(names.task("a_b"), "a_b_2");
        assert_eq!(names.task("a_b_2"), "a_b_2_2");
        assert_eq!(names.task(" "), "task");
        assert_eq!(names.variable("/x/1.tar.gz"), "FILE_1_tar_gz");
        assert_eq!(names.variable("y/1-tar-gz/"), "FILE_1_tar_gz_2");
    }
}
