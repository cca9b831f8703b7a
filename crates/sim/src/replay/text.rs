//! A situation for people.

use std::fmt;

use super::{NodeState, RecordState, Situation, UnderWay, VersionState, View, seconds};

/// Lists that nobody reads to the end are cut to so many lines; `--json` has all of them.
const LINES_MAX: usize = 40;

impl fmt::Display for Situation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flaw = self.flaw.as_ref().map(|flaw| format!(", flaw {flaw}")).unwrap_or_default();
        writeln!(f, "scenario      {}, seed {}{flaw}", self.scenario, self.seed)?;
        let phase = match (self.is_over, self.faults_strike) {
            (true, _) => "the run is over",
            (false, true) => "faults strike, clients work",
            (false, false) => "faults have ceased",
        };
        writeln!(f, "time          {}: {phase}", exactly(self.at_ns))?;
        writeln!(f, "ring          {}", self.ring)?;
        if let Some(place) = &self.key {
            let (homes, fallbacks) = (place.homes.join(" "), place.fallbacks.join(" "));
            let fallbacks = if fallbacks.is_empty() { "nobody".into() } else { fallbacks };
            writeln!(f, "key           {}: homes {homes}; {fallbacks} to stand in", place.key)?;
        }
        self.copies(f)?;
        for node in &self.nodes {
            writeln!(f)?;
            node.fmt(f)?;
        }
        self.messages(f)?;
        if let Some(verdict) = &self.verdict {
            writeln!(f, "\nverdict       {verdict}")?;
            self.findings.iter().try_for_each(|finding| writeln!(f, "              {finding}"))?;
        }
        write!(f, "trace digest  {}", self.trace_digest)
    }
}

impl Situation {
    fn copies(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_some() {
            return Ok(());
        }
        if self.keys.is_empty() {
            writeln!(f, "keys          nothing is written yet")?;
        }
        for (number, copies) in self.keys.iter().take(LINES_MAX).enumerate() {
            let label = if number == 0 { "keys" } else { "" };
            let held: Vec<String> =
                copies.copies.iter().map(|(node, held)| format!("{node} {held}")).collect();
            let agrees = if copies.agrees { "homes agree" } else { "homes DIFFER" };
            writeln!(f, "{label:<13} {}: {agrees}; {}", copies.key, held.join(", "))?;
        }
        cut(f, self.keys.len())
    }

    fn messages(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let about = if self.key.is_some() { " about it" } else { "" };
        if self.under_way.is_empty() {
            return writeln!(f, "\nunder way     nothing{about}");
        }
        let count = self.under_way.len();
        let plural = if count == 1 { "" } else { "s" };
        writeln!(f, "\nunder way     {count} message{plural}{about}")?;
        for UnderWay { from, to, kind, text, keys, sent_ns, due_ns } in self.under_way.iter().take(LINES_MAX)
        {
            let due = due_ns.map_or_else(|| "later".into(), exactly);
            let keys = if self.key.is_some() { String::new() } else { format!(" {}", keys.join(" ")) };
            let sent = exactly(*sent_ns);
            writeln!(f, "  {from} -> {to}  {kind}{keys} {text}  (sent {sent}, arrives {due})")?;
        }
        cut(f, self.under_way.len())
    }
}

/// `2.310500 s`: messages take less than a millisecond.
fn exactly(ns: u64) -> String {
    format!("{}.{:06} s", ns / 1_000_000_000, ns / 1_000 % 1_000_000)
}

fn cut(f: &mut fmt::Formatter<'_>, lines: usize) -> fmt::Result {
    if lines > LINES_MAX {
        writeln!(f, "              ... and {} more (--json names all)", lines - LINES_MAX)?;
    }
    Ok(())
}

impl fmt::Display for NodeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { node, exists, is_up, since_ns, boot, record, hints, view } = self;
        let role = record.as_ref().map(|record| format!("{}, ", record.role)).unwrap_or_default();
        let since = seconds(*since_ns);
        let state = match (exists, is_up, *boot) {
            (false, _, 0) => "not part of the world yet".to_owned(),
            (false, ..) => format!("gone for good since {since}"),
            (true, true, boot) => format!("up since {since}, boot {boot}"),
            (true, false, boot) => format!("DOWN since {since}; its disk, boot {boot}:"),
        };
        writeln!(f, "{node:<4} {role}{state}")?;
        if let Some(record) = record {
            record.fmt(f)?;
        }
        for owed in hints {
            let keys = if owed.keys == 1 { "key" } else { "keys" };
            writeln!(f, "    hints     {} {keys}, {} bytes for {} in all", owed.keys, owed.bytes, owed.home)?;
        }
        if let Some(view) = view {
            view.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for RecordState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.siblings.is_empty() {
            writeln!(f, "    holds     nothing")?;
        }
        for (number, version) in self.siblings.iter().enumerate() {
            let label = if number == 0 { "holds" } else { "" };
            writeln!(f, "    {label:<9} {version}")?;
        }
        if !self.is_durable {
            writeln!(f, "              not yet durable: a crash now may leave something else")?;
        }
        if !self.owed_to.is_empty() {
            writeln!(f, "    hint      it owes the key to {}", self.owed_to.join(" "))?;
        }
        if let Some(dot) = &self.counts_on {
            writeln!(f, "    counts    on after {dot}")?;
        }
        self.disk_waits.iter().try_for_each(|what| writeln!(f, "    disk      is asked: {what}"))
    }
}

impl fmt::Display for VersionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { write, dot, past, value, request, written_at, .. } = self;
        let write = write.as_deref().unwrap_or("?");
        let past = past.join(" ");
        write!(f, "{write} {value}  dot {dot}  past {{{past}}}  request {request}, written at {written_at}")
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let serves = if self.serves { "takes part" } else { "takes NO part" };
        let phase = self.phase.as_ref().map(|phase| format!(", {phase}")).unwrap_or_default();
        let unusual: Vec<String> = self
            .members
            .iter()
            .filter(|member| member.status != "member" || member.liveness != "alive")
            .map(|member| match (member.status.as_str(), member.liveness.as_str()) {
                ("member", liveness) => format!("{} {liveness}", member.node),
                (status, "alive") => format!("{} {status}", member.node),
                (status, liveness) => format!("{} {status}, {liveness}", member.node),
            })
            .collect();
        let unusual = if unusual.is_empty() {
            format!("all {} members alive", self.members.len())
        } else {
            unusual.join("; ")
        };
        let running = match self.requests_running {
            0 => String::new(),
            1 => "; coordinates a request".into(),
            running => format!("; coordinates {running} requests"),
        };
        writeln!(f, "    sees      ring {}{phase}, {serves}; {unusual}{running}", self.ring)
    }
}
