//! Re-execution: the core is handed what was recorded, and must want the same done.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use cartwheel_core::time::{Instant, Now};
use cartwheel_core::{Input, Node, Outbox, Output};

use crate::digest::OutputDigest;
use crate::entry::{Heard, Values};
use crate::read::{Item, Segment};
use crate::recording::BootRecording;

/// One input, and what came of it.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// When.
    pub now: Now,
    /// What happened; `None`: the node was born.
    pub input: Option<&'a Input>,
    /// What the node wants done about it; nothing where it is not re-executed.
    pub outputs: &'a [Output],
    /// The node afterwards; `None` where it is not re-executed.
    pub node: Option<&'a Node>,
}

/// The first input after which the node wants something else done than it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its number; `None`: the birth.
    pub index: Option<u64>,
    /// When.
    pub now: Now,
    /// The input, in the core's words.
    pub input: String,
    /// What the node wants done now, in the core's words.
    pub outputs: Vec<String>,
}

/// How a re-execution went.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Inputs that were read.
    pub read: u64,
    /// Inputs that were re-executed, all with equal outputs but the one that differs.
    pub executed: u64,
    /// When the last input came.
    pub last: Option<Now>,
    /// Where it differs: there it was ended.
    pub difference: Option<Difference>,
    /// The core panicked at this input: there it was ended. If the recording ends there, too, that is what it shows.
    pub panicked: Option<u64>,
    /// The last input has no digest: the node ended while it was about it.
    pub is_cut_short: bool,
    /// What is missing or cannot be read, in a line each. What comes after it was read, and not re-executed.
    pub notes: Vec<String>,
}

impl Outcome {
    /// Whether everything that was read was re-executed, with equal outputs.
    pub fn is_equal(&self) -> bool {
        self.difference.is_none() && self.panicked.is_none() && self.executed == self.read
    }
}

/// The node, as long as it can be followed.
struct Follower {
    node: Option<Node>,
    out: Outbox,
    digest: OutputDigest,
    until: Option<Instant>,
}

/// Runs one boot again, through the last input that came at `until` or before, and shows each moment to `watch`, which may
/// end it. Inputs before which some are missing are shown without a node. Gives the node as it is then, too, where it could be
/// followed so far.
pub fn re_execute(
    boot: &BootRecording,
    until: Option<Instant>,
    watch: &mut dyn FnMut(Moment<'_>) -> ControlFlow<()>,
) -> (Outcome, Option<Node>) {
    let mut outcome = Outcome::default();
    let mut follower = Follower { node: None, out: Outbox::new(), digest: OutputDigest::default(), until };
    if let Some(birth) = &boot.birth {
        let node = catch_unwind(AssertUnwindSafe(|| {
            Node::new(birth.config.clone(), birth.boot.clone(), birth.now, &mut follower.out)
        }));
        match node {
            Ok(node) => follower.node = Some(node),
            Err(_) => outcome.notes.push("the core panics at the birth".into()),
        }
        if follower.node.is_some() {
            let (now, digest) = (birth.now, Some(birth.digest));
            if follower.judge((None, now, None), digest, &mut outcome, watch).is_break() {
                return (outcome, follower.node);
            }
        }
    } else {
        let (name, number) = (&boot.origin.name, boot.origin.boot);
        outcome.notes.push(format!("{name} boot {number}: its beginning was deleted; it can only be read"));
    }
    let mut expected = boot.first;
    for path in &boot.segments {
        if follower.segment(path, &mut expected, &mut outcome, watch).is_break() {
            break;
        }
    }
    (outcome, follower.node)
}

impl Follower {
    fn segment(
        &mut self,
        path: &Path,
        expected: &mut u64,
        outcome: &mut Outcome,
        watch: &mut dyn FnMut(Moment<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let segment = match Segment::open(path) {
            Ok(segment) => segment,
            Err(error) => {
                outcome.notes.push(error.to_string());
                return ControlFlow::Continue(());
            }
        };
        for item in segment {
            let (index, heard) = match item {
                Item::Heard(index, heard) => (index, *heard),
                Item::Damage(line) | Item::Torn(line) => {
                    outcome.notes.push(line);
                    continue;
                }
            };
            if self.until.is_some_and(|until| heard.now.monotonic > until) {
                return ControlFlow::Break(());
            }
            if index != *expected {
                let missing = index.saturating_sub(*expected);
                outcome
                    .notes
                    .push(format!("inputs {expected} to {}: {missing} are missing", index.saturating_sub(1)));
                self.node = None;
            }
            *expected = index + 1;
            self.heard(index, heard, outcome, watch)?;
        }
        ControlFlow::Continue(())
    }

    fn heard(
        &mut self,
        index: u64,
        heard: Heard,
        outcome: &mut Outcome,
        watch: &mut dyn FnMut(Moment<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Heard { now, input, digest } = heard;
        outcome.read += 1;
        outcome.last = Some(now);
        if let Some(node) = self.node.as_mut() {
            let handled = catch_unwind(AssertUnwindSafe(|| node.handle(now, input.clone(), &mut self.out)));
            if handled.is_err() {
                outcome.panicked = Some(index);
                outcome.is_cut_short = digest.is_none();
                self.node = None;
                return ControlFlow::Break(());
            }
            outcome.executed += 1;
        }
        self.judge((Some(index), now, Some(&input)), digest, outcome, watch)
    }

    /// Compares what the node wants done, and shows it.
    fn judge(
        &mut self,
        (index, now, input): (Option<u64>, Now, Option<&Input>),
        digest: Option<u32>,
        outcome: &mut Outcome,
        watch: &mut dyn FnMut(Moment<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let outputs = self.out.outputs();
        let next = self.node.as_ref().and_then(Node::next_timeout);
        let differs = self.node.is_some()
            // Where stand-ins are heard, stand-ins come out.
            && digest.is_some_and(|digest| digest != self.digest.of(outputs, next, Values::Whole));
        outcome.is_cut_short = digest.is_none();
        if differs {
            let words = outputs.iter().map(|output| format!("{output:?}")).collect();
            let input = input.map_or_else(|| "its birth".to_owned(), |input| format!("{input:?}"));
            outcome.difference = Some(Difference { index, now, input, outputs: words });
            return ControlFlow::Break(());
        }
        let flow = watch(Moment { now, input, outputs, node: self.node.as_ref() });
        self.out.drain().for_each(drop);
        flow
    }
}
