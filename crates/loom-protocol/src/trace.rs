//! W3C trace context: which trace a run is, and which spans its tasks and attempts are.
//!
//! All identities follow from the run's own, so that whoever starts an attempt and whoever reports
//! it later name the same span without having spoken.

/// A caller's `traceparent`: the trace and the span that a run continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceParent {
    /// The trace.
    pub trace: [u8; 16],
    /// The caller's span.
    pub span: [u8; 8],
    /// The caller's flags; bit 0 says that the trace is recorded.
    pub flags: u8,
}

impl TraceParent {
    /// Reads a header of any version that begins as version 00 does.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('-');
        let [version] = hex(parts.next()?)?;
        let (trace, span) = (hex(parts.next()?)?, hex(parts.next()?)?);
        let [flags] = hex(parts.next()?)?;
        let is_valid = version != 0xff
            && trace != [0; 16]
            && span != [0; 8]
            && (version != 0 || parts.next().is_none());
        is_valid.then_some(Self { trace, span, flags })
    }

    /// As a header of version 00.
    pub fn header(&self) -> String {
        let mut text = String::with_capacity(55);
        text.push_str("00-");
        put_hex(&mut text, &self.trace);
        text.push('-');
        put_hex(&mut text, &self.span);
        text.push('-');
        put_hex(&mut text, &[self.flags]);
        text
    }
}

/// The spans of one run.
#[derive(Clone, Copy, Debug)]
pub struct RunTrace {
    run: [u8; 16],
    caller: Option<TraceParent>,
}

impl RunTrace {
    /// Of the run with this identity, which continues its caller's trace if that is one.
    pub fn new(run: [u8; 16], traceparent: Option<&str>) -> Self {
        Self { run, caller: traceparent.and_then(TraceParent::parse) }
    }

    /// The caller's span, if there is one.
    pub const fn caller(&self) -> Option<TraceParent> {
        self.caller
    }

    /// The trace: the caller's, else one with the run's own identity.
    pub fn trace(&self) -> [u8; 16] {
        self.caller.map_or(self.run, |caller| caller.trace)
    }

    /// The run's span.
    pub fn run_span(&self) -> [u8; 8] {
        self.span([0, 0, 0, 0])
    }

    /// The span of a task.
    pub fn task_span(&self, task: u32) -> [u8; 8] {
        self.span([1, task, 0, 0])
    }

    /// The span of an attempt at a task or item.
    pub fn attempt_span(&self, task: u32, item: Option<u32>, attempt: u32) -> [u8; 8] {
        self.span([2, task, item.map_or(0, |item| item.saturating_add(1)), attempt])
    }

    /// What an attempt's process is handed as `TRACEPARENT`: its own span.
    pub fn attempt_parent(&self, task: u32, item: Option<u32>, attempt: u32) -> TraceParent {
        TraceParent {
            trace: self.trace(),
            span: self.attempt_span(task, item, attempt),
            flags: self.caller.map_or(1, |caller| caller.flags),
        }
    }

    fn span(&self, what: [u32; 4]) -> [u8; 8] {
        let half = |from: usize| {
            u64::from_be_bytes(self.run[from..from + 8].try_into().expect("eight of sixteen"))
        };
        let [kind, task, item, attempt] = what.map(u64::from);
        let words = [half(0), half(8), (kind << 32) | task, (item << 32) | attempt];
        let id = words.into_iter().fold(0, |hash, word| mix(hash ^ word));
        // All zeros is no identity.
        id.max(1).to_be_bytes()
    }
}

/// The finaliser of `SplitMix64`: every bit of the word reaches every bit of the answer.
const fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let text = text.as_bytes();
    let mut bytes = [0; N];
    if text.len() != 2 * N {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = (digit(pair[0])? << 4) | digit(pair[1])?;
    }
    Some(bytes)
}

fn put_hex(text: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        let digits = [byte >> 4, byte & 15];
        text.extend(digits.map(|digit| char::from(DIGITS[usize::from(digit)])));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

    #[test]
    fn a_header_comes_back_as_it_went_and_nothing_else_is_one() {
        assert_eq!(TraceParent::parse(HEADER).unwrap().header(), HEADER);
        for wrong in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-00",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-00",
        ] {
            assert_eq!(TraceParent::parse(wrong), None, "{wrong}");
        }
        let later = format!("cc{}-what-ever", &HEADER[2..]);
        assert!(TraceParent::parse(&later).is_some(), "a later version may say more");
    }

    #[test]
    fn a_run_is_its_callers_trace_or_its_own() {
        let own = RunTrace::new([7; 16], Some("nonsense"));
        assert_eq!((own.trace(), own.attempt_parent(0, None, 1).flags), ([7; 16], 1));
        let called = RunTrace::new([7; 16], Some(HEADER));
        let parent = called.attempt_parent(0, None, 1);
        assert_eq!((parent.trace, parent.flags), (called.caller().unwrap().trace, 0));
        assert_eq!(parent.span, own.attempt_span(0, None, 1), "spans are the run's own");
    }

    #[test]
    fn spans_differ() {
        let trace = RunTrace::new([7; 16], None);
        let mut spans = vec![trace.run_span(), RunTrace::new([8; 16], None).run_span()];
        for task in 0..20 {
            spans.push(trace.task_span(task));
            for item in [None, Some(0), Some(1)] {
                spans.extend((1..4).map(|attempt| trace.attempt_span(task, item, attempt)));
            }
        }
        let different: std::collections::BTreeSet<_> = spans.iter().collect();
        assert_eq!(different.len(), spans.len());
    }
}
