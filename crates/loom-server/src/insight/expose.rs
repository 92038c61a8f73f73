//! The text format of Prometheus, version 0.0.4.

use std::fmt::{Display, Write};

/// The type of the page.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Labels and their values.
pub(crate) type Labels<'a> = [(&'a str, &'a str)];

/// A page of metrics in the making.
#[derive(Default)]
pub(crate) struct Page {
    text: String,
}

impl Page {
    /// Begins a metric. All of its samples follow.
    pub(crate) fn metric(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// One sample.
    pub(crate) fn sample(&mut self, name: &str, labels: &Labels<'_>, value: impl Display) {
        self.text.push_str(name);
        self.labels(labels, None);
        let _ = writeln!(self.text, " {value}");
    }

    /// A metric without labels.
    pub(crate) fn single(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.metric(name, kind, help);
        self.sample(name, &[], value);
    }

    /// A histogram's samples.
    pub(crate) fn histogram(&mut self, name: &str, labels: &Labels<'_>, values: &Histogram) {
        let mut below = 0;
        for (bound, count) in values.bounds.iter().zip(&values.counts) {
            below += count;
            self.bucket(name, labels, &bound.to_string(), below);
        }
        let count = below + values.above;
        self.bucket(name, labels, "+Inf", count);
        self.sample(&format!("{name}_sum"), labels, values.sum);
        self.sample(&format!("{name}_count"), labels, count);
    }

    /// The page.
    pub(crate) fn finish(self) -> String {
        self.text
    }

    fn bucket(&mut self, name: &str, labels: &Labels<'_>, bound: &str, count: u64) {
        let _ = write!(self.text, "{name}_bucket");
        self.labels(labels, Some(bound));
        let _ = writeln!(self.text, " {count}");
    }

    fn labels(&mut self, labels: &Labels<'_>, bound: Option<&str>) {
        let bound = bound.map(|bound| ("le", bound));
        let mut first = true;
        for (name, value) in labels.iter().copied().chain(bound) {
            let _ = write!(self.text, "{}{name}=\"", if first { '{' } else { ',' });
            for letter in value.chars() {
                match letter {
                    '\\' => self.text.push_str("\\\\"),
                    '"' => self.text.push_str("\\\""),
                    '\n' => self.text.push_str("\\n"),
                    letter => self.text.push(letter),
                }
            }
            self.text.push('"');
            first = false;
        }
        if !first {
            self.text.push('}');
        }
    }
}

/// Counts of values by size.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    bounds: &'static [f64],
    counts: Box<[u64]>,
    above: u64,
    sum: f64,
}

impl Histogram {
    /// One with these upper bounds, the smallest first.
    pub(crate) fn new(bounds: &'static [f64]) -> Self {
        Self { bounds, counts: vec![0; bounds.len()].into(), above: 0, sum: 0.0 }
    }

    pub(crate) fn add(&mut self, value: f64) {
        let place = self.bounds.partition_point(|bound| *bound < value);
        *self.counts.get_mut(place).unwrap_or(&mut self.above) += 1;
        self.sum += value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped_and_buckets_add_up() {
        let mut histogram = Histogram::new(&[0.1, 1.0]);
        [0.1, 0.5, 7.0].into_iter().for_each(|value| histogram.add(value));
        let mut page = Page::default();
        page.metric("a_seconds", "histogram", "How long.");
        page.histogram("a_seconds", &[("w", "a\"b\\c\nd")], &histogram);
        page.single("b", "gauge", "How many.", 2);
        let w = r#"w="a\"b\\c\nd""#;
        let expected = format!(
            "# HELP a_seconds How long.\n# TYPE a_seconds histogram\n\
             a_seconds_bucket{{{w},le=\"0.1\"}} 1\n\
             a_seconds_bucket{{{w},le=\"1\"}} 2\n\
             a_seconds_bucket{{{w},le=\"+Inf\"}} 3\n\
             a_seconds_sum{{{w}}} 7.6\n\
             a_seconds_count{{{w}}} 3\n\
             # HELP b How many.\n# TYPE b gauge\nb 2\n"
        );
        assert_eq!(page.finish(), expected);
    }
}
