//! What a configuration file may say.

use cartwheel_core::Quorum;
use cartwheel_wire::limits::NAME_BYTES_MAX;

use crate::endpoint::Endpoint;

use super::{ConfigFile, Member, QuorumSetting};

/// Beyond an hour, a time in milliseconds was meant in another unit.
const TIME_LIMIT_MS: u64 = 3_600_000;
/// Tombstones may be kept for as long as a month.
const REAP_LIMIT_MS: u64 = 31 * 24 * 3_600_000;

impl ConfigFile {
    pub(super) fn check(&self) -> Result<(), String> {
        self.check_names()?;
        self.check_addresses()?;
        self.members.iter().try_for_each(Member::check)?;
        self.check_quorums()?;
        self.check_tls()?;
        self.check_limits()?;
        self.check_flight()?;
        self.check_times()
    }

    fn check_names(&self) -> Result<(), String> {
        for (key, name) in [("cluster", &self.cluster), ("node", &self.node)] {
            check_name(key, name)?;
        }
        if self.members.is_empty() {
            return Err(
                "member: nobody is named; name the founders, or to a newcomer a member that runs".into()
            );
        }
        let mut names: Vec<&str> = self.members.iter().map(|member| member.name.as_str()).collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(format!("member.name: {:?} is named twice; each may be there once", pair[0])),
            None => Ok(()),
        }
    }

    /// A node that is asked two things at one address cannot be started.
    fn check_listeners(&self) -> Result<(), String> {
        let listeners =
            [("http", Some(self.http)), ("peer", Some(self.peer)), ("pb", self.pb), ("https", self.https)];
        for (at, (key, address)) in listeners.iter().enumerate() {
            // Port 0 is whatever is free.
            let Some(address) = address.filter(|address| address.port() != 0) else { continue };
            if let Some((other, _)) = listeners[..at].iter().find(|(_, other)| *other == Some(address)) {
                return Err(format!("{key}: {address} is {other}'s already; each needs its own"));
            }
        }
        Ok(())
    }

    fn check_addresses(&self) -> Result<(), String> {
        self.check_listeners()?;
        let mut addresses: Vec<&Endpoint> = self.members.iter().map(|member| &member.peer).collect();
        addresses.sort_unstable();
        if let Some(pair) = addresses.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("member.peer: {} is named twice; each node has its own", pair[0]));
        }
        let own = self.members.iter().find(|member| member.name == self.node);
        match (own.map(|own| &own.peer), &self.advertise) {
            (Some(own), Some(advertise)) if advertise != own => Err(format!(
                "advertise: {advertise} is not where the members call this node; allowed is {own} (its member.peer)"
            )),
            (Some(own), None) if own.port() != self.peer.port() => Err(format!(
                "peer: {} is not where the others call this node; allowed is port {} (or say advertise)",
                self.peer,
                own.port()
            )),
            (None, _) => self.check_newcomer(),
            _ => Ok(()),
        }
    }

    /// Most likely a copied file in which only the name was changed, or a name with a slip in it.
    fn check_newcomer(&self) -> Result<(), String> {
        let own = self.advertise.clone().unwrap_or_else(|| self.peer.into());
        match self.members.iter().find(|member| member.peer == own) {
            Some(member) => {
                let (node, name) = (&self.node, &member.name);
                Err(format!(
                    "peer: {own} is the member {name:?}'s; {node:?}, not among the members, needs its own"
                ))
            }
            None => Ok(()),
        }
    }

    fn check_quorums(&self) -> Result<(), String> {
        for (key, QuorumSetting(quorum)) in [("r", self.r), ("w", self.w)] {
            if let Quorum::Count(count) = quorum
                && !(1..=self.n).contains(&count)
            {
                let n = self.n;
                return Err(format!(
                    "{key}: {count} is not allowed; allowed are 1..={n} (n), one, quorum, all"
                ));
            }
        }
        Ok(())
    }

    fn check_limits(&self) -> Result<(), String> {
        // A whole message, siblings included, must fit into a peer frame; the store refuses what would not.
        const BODY_BYTES_LIMIT: u64 = 32 << 20;
        // Far below what a record or a context may have.
        const PAST_ENTRIES_LIMIT: u64 = 1_000;
        const RATE_LIMIT: u64 = 1_000_000_000;
        let count = |value: Option<u32>| value.map(u64::from);
        for (key, value, limit) in [
            ("connections_max", count(Some(self.connections_max)), 1 << 20),
            ("body_bytes_max", count(Some(self.body_bytes_max)), BODY_BYTES_LIMIT),
            ("bodies_bytes_max", count(Some(self.bodies_bytes_max)), 1 << 31),
            ("header_timeout_ms", Some(self.header_timeout_ms), TIME_LIMIT_MS),
            ("body_timeout_ms", Some(self.body_timeout_ms), TIME_LIMIT_MS),
            ("peer_queue_max", count(Some(self.peer_queue_max)), 1 << 24),
            ("requests_max", count(self.requests_max), 1 << 24),
            ("suspect_after", count(self.suspect_after), 1 << 20),
            ("request_timeout_ms", self.request_timeout_ms, TIME_LIMIT_MS),
            ("replica_timeout_ms", self.replica_timeout_ms, TIME_LIMIT_MS),
            ("forward_timeout_ms", self.forward_timeout_ms, TIME_LIMIT_MS),
            ("probe_interval_ms", self.probe_interval_ms, TIME_LIMIT_MS),
            ("hint_interval_ms", self.hint_interval_ms, TIME_LIMIT_MS),
            ("anti_entropy_interval_ms", self.anti_entropy_interval_ms, TIME_LIMIT_MS),
            ("gossip_interval_ms", self.gossip_interval_ms, TIME_LIMIT_MS),
            ("handoff_interval_ms", self.handoff_interval_ms, TIME_LIMIT_MS),
            ("handoff_batch_max", count(self.handoff_batch_max), 1 << 16),
            ("hint_bytes_max", self.hint_bytes_max, u64::MAX >> 1),
            ("background_window_ms", self.background_window_ms, TIME_LIMIT_MS),
            ("background_rate_min", count(self.background_rate_min), RATE_LIMIT),
            ("background_rate_max", count(self.background_rate_max), RATE_LIMIT),
            ("past_entries_max", count(self.past_entries_max), PAST_ENTRIES_LIMIT),
        ] {
            if let Some(value) = value
                && !(1..=limit).contains(&value)
            {
                return Err(format!("{key}: {value} is not allowed; allowed are 1..={limit}"));
            }
        }
        // Below, the reader of heads would not even begin.
        const HEADER_BYTES: std::ops::RangeInclusive<u32> = 8_192..=1 << 20;
        if !HEADER_BYTES.contains(&self.header_bytes_max) {
            let (min, max) = (HEADER_BYTES.start(), HEADER_BYTES.end());
            let bytes = self.header_bytes_max;
            return Err(format!("header_bytes_max: {bytes} is not allowed; allowed are {min}..={max}"));
        }
        if self.bodies_bytes_max < self.body_bytes_max {
            let (all, each) = (self.bodies_bytes_max, self.body_bytes_max);
            return Err(format!(
                "bodies_bytes_max: {all} is not allowed; allowed are {each} (body_bytes_max)..=2147483648"
            ));
        }
        Ok(())
    }

    fn check_flight(&self) -> Result<(), String> {
        const ALLOWED: std::ops::RangeInclusive<u64> = 1 << 20..=u64::MAX >> 1;
        match self.flight_bytes_max {
            Some(max) if max != 0 && !ALLOWED.contains(&max) => Err(format!(
                "flight_bytes_max: {max} is not allowed; allowed are 0 (no flight recorder) and {}..={}",
                ALLOWED.start(),
                ALLOWED.end()
            )),
            _ => Ok(()),
        }
    }

    fn check_times(&self) -> Result<(), String> {
        for (key, span) in [
            ("start_wait_ms", self.start_wait_ms),
            ("background_latency_target_ms", self.background_latency_target_ms),
        ] {
            if let Some(span) = span.filter(|span| *span > TIME_LIMIT_MS) {
                return Err(format!("{key}: {span} is not allowed; allowed are 0..={TIME_LIMIT_MS}"));
            }
        }
        if let Some(interval) = self.swim_interval_ms.filter(|it| !(10..=TIME_LIMIT_MS).contains(it)) {
            return Err(format!(
                "swim_interval_ms: {interval} is not allowed; allowed are 10..={TIME_LIMIT_MS}"
            ));
        }
        // Whatever is under way must have ended by then, so it is at least as long as a request may take.
        let longest = self.request_timeout_ms.unwrap_or(5_000);
        match self.reap_after_ms {
            Some(after) if after != 0 && !(longest..=REAP_LIMIT_MS).contains(&after) => Err(format!(
                "reap_after_ms: {after} is not allowed; allowed are 0 (never) and {longest} \
                 (request_timeout_ms)..={REAP_LIMIT_MS}"
            )),
            _ => Ok(()),
        }
    }
}

impl Member {
    fn check(&self) -> Result<(), String> {
        check_name("member.name", &self.name)?;
        if self.weight == Some(0) {
            return Err("member.weight: 0 is not allowed; allowed are 1..=65535".into());
        }
        match &self.zone {
            Some(zone) => check_name("member.zone", zone),
            None => Ok(()),
        }
    }
}

fn check_name(key: &str, name: &str) -> Result<(), String> {
    match name {
        "" => Err(format!("{key}: must not be empty")),
        _ if name.len() > NAME_BYTES_MAX => {
            Err(format!("{key}: {} bytes are too long; allowed are {NAME_BYTES_MAX}", name.len()))
        }
        _ => Ok(()),
    }
}
