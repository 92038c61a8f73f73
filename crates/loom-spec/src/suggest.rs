//! What somebody probably meant to write.

/// The candidate that is nearest to what was written, if one is near enough to be meant.
pub fn nearest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let lower = written.to_lowercase();
    let length = lower.chars().count();
    let allowed = (length / 3).clamp(1, 4);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len().abs_diff(written.len()) <= allowed * 4)
        .filter_map(|candidate| {
            let distance = strsim::osa_distance(&lower, &candidate.to_lowercase());
            (distance <= allowed && distance < length).then_some((distance, candidate))
        })
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// "`a`, `b` and `c`", at most `most` of them.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>, most: usize) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let mut parts: Vec<String> = names.iter().take(most).map(|name| format!("`{name}`")).collect();
    if names.len() > most {
        parts.push(format!("{} more", names.len() - most));
    }
    match parts.as_slice() {
        [] => "none".into(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_far_ones_are_not() {
        let keys = ["inputs", "outputs", "plugin", "name"];
        assert_eq!(nearest("input", keys), Some("inputs"));
        assert_eq!(nearest("Outptus", keys), Some("outputs"));
        assert_eq!(nearest("NAME", keys), Some("name"));
        assert_eq!(nearest("zebra", keys), None);
        assert_eq!(nearest("x", ["y"]), None);
    }

    #[test]
    fn names_are_listed_as_people_do() {
        assert_eq!(listed(["a"], 3), "`a`");
        assert_eq!(listed(["a", "b", "c"], 3), "`a`, `b` and `c`");
        assert_eq!(listed(["a", "b", "c"], 1), "`a` and 2 more");
    }
}
