//! A strict reader of Prometheus' text format, version 0.0.4.

use std::collections::{BTreeMap, BTreeSet};

type Labels = BTreeMap<String, String>;

/// Every sample of a page that is as it has to be.
pub(crate) struct Page {
    samples: BTreeMap<(String, Labels), f64>,
}

impl Page {
    /// Reads a page; what is against the format, or against its good manners, panics.
    #[track_caller]
    pub(crate) fn read(text: &str) -> Self {
        let mut page = Self { samples: BTreeMap::new() };
        let mut kinds: BTreeMap<String, String> = BTreeMap::new();
        let mut helped = BTreeSet::new();
        let mut current = String::new();
        assert!(text.ends_with('\n'), "the last line ends");
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, help) = help.split_once(' ').unwrap();
                assert!(!help.is_empty() && helped.insert(name.to_owned()), "{line}");
                name.clone_into(&mut current);
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap();
                assert_eq!(name, current, "the type follows the help");
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
                assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
                assert!(kinds.insert(name.to_owned(), kind.to_owned()).is_none(), "{line}");
            } else {
                let (name, labels, value) = sample(line);
                let base = match kinds[&current].as_str() {
                    "histogram" => ["_bucket", "_sum", "_count"]
                        .iter()
                        .find_map(|end| name.strip_suffix(end))
                        .unwrap_or_else(|| panic!("{line}")),
                    _ => &name,
                };
                assert_eq!(base, current, "samples follow their metric: {line}");
                let again = page.samples.insert((name, labels), value);
                assert!(again.is_none(), "a sample comes once: {line}");
            }
        }
        let histograms = kinds.iter().filter(|(_, kind)| *kind == "histogram");
        histograms.for_each(|(name, _)| page.check_histogram(name));
        page
    }

    /// The sum of the samples of this name that have these labels.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let has = |found: &Labels| {
            labels.iter().all(|(name, value)| found.get(*name).is_some_and(|it| it == value))
        };
        let of = self.samples.iter().filter(|((found, of), _)| found == name && has(of));
        of.map(|(_, value)| value).sum()
    }

    /// The sum of counts.
    pub(crate) fn whole(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        self.sum(name, labels) as u64
    }

    /// The number of samples of this name.
    pub(crate) fn count(&self, name: &str) -> usize {
        self.samples.keys().filter(|(found, _)| found == name).count()
    }

    fn check_histogram(&self, name: &str) {
        let mut series: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
        for ((found, labels), value) in &self.samples {
            if *found == format!("{name}_bucket") {
                let mut labels = labels.clone();
                let bound: f64 = labels.remove("le").unwrap().parse().unwrap();
                series.entry(labels).or_default().push((bound, *value));
            }
        }
        for (labels, mut buckets) in series {
            buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
            assert!(buckets.is_sorted_by_key(|(_, count)| *count), "{name} {labels:?}");
            let (bound, all) = buckets.last().unwrap();
            assert!(bound.is_infinite(), "{name} {labels:?}");
            let count = self.samples[&(format!("{name}_count"), labels.clone())];
            assert_eq!(count as u64, *all as u64, "{name} {labels:?}");
            assert!(self.samples[&(format!("{name}_sum"), labels)] >= 0.0);
        }
    }
}

fn sample(line: &str) -> (String, Labels, f64) {
    let end = line.find(['{', ' ']).unwrap();
    let (name, mut rest) = line.split_at(end);
    assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), "{line}");
    let mut labels = Labels::new();
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        loop {
            let (label, value) = rest.split_once("=\"").unwrap();
            let (value, behind) = quoted(value);
            assert!(labels.insert(label.to_owned(), value).is_none(), "{line}");
            rest = behind;
            match rest.strip_prefix(',') {
                Some(more) => rest = more,
                None => break,
            }
        }
        rest = rest.strip_prefix('}').unwrap();
    }
    let value = rest.strip_prefix(' ').unwrap().parse().unwrap_or_else(|_| panic!("{line}"));
    (name.to_owned(), labels, value)
}

fn quoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.push(match letters.next().unwrap().1 {
                'n' => '\n',
                letter => letter,
            }),
            letter => value.push(letter),
        }
    }
    panic!("a value does not end: {text}")
}
