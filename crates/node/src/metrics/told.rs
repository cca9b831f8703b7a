//! A node's account of itself, as metrics.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::{MetricType, TypedMetric};

use crate::report::Report;

/// What a node says of itself.
#[derive(Debug)]
pub struct Told(pub Report);

impl Collector for Told {
    fn encode(&self, encoder: DescriptorEncoder) -> fmt::Result {
        let mut out = Out(encoder);
        self.standing(&mut out)?;
        self.owed(&mut out)?;
        self.peers(&mut out)?;
        self.counters(&mut out)
    }
}

impl Told {
    fn standing(&self, out: &mut Out<'_>) -> fmt::Result {
        let Self(report) = self;
        let flag = |holds: bool| u64::from(holds) as f64;
        out.labelled(
            "build_info",
            "1; which release this is",
            [(vec![("version", env!("CARGO_PKG_VERSION").to_owned())], 1.0)],
        )?;
        out.labelled(
            "member_info",
            "1; how this node stands in its cluster, and the state of the ring that it goes by",
            [(vec![("status", report.member.clone()), ("ring", report.ring.clone())], 1.0)],
        )?;
        out.gauge("serves", "Whether it takes requests of clients", flag(report.serves))?;
        out.gauge(
            "membership_idle",
            "Whether members and ring are as they will stay",
            flag(report.membership_idle),
        )?;
        out.gauge("boot", "How often its data directory was opened", report.about.boot as f64)?;
        out.gauge(
            "requests_running",
            "Requests being coordinated or forwarded",
            report.requests_running as f64,
        )?;
        out.gauge(
            "storage_operations_running",
            "Storage operations in flight",
            report.storage_in_flight as f64,
        )?;
        out.gauge("peers_suspected", "Peers for which others stand in", report.suspected.len() as f64)?;
        out.gauge("peers_down", "Members that all together hold to be dead", report.down.len() as f64)?;
        if let Some(background) = &report.background {
            out.gauge(
                "background_rate_records_per_second",
                "Background work that is allowed",
                f64::from(background.rate),
            )?;
            out.gauge(
                "foreground_p99_seconds",
                "99th percentile of what requests of clients waited for at a replica",
                background.foreground_p99_us as f64 / 1e6,
            )?;
        }
        Ok(())
    }

    fn owed(&self, out: &mut Out<'_>) -> fmt::Result {
        let Self(report) = self;
        let home = |home: &str| vec![("home", home.to_owned())];
        let hints = || report.hints.iter();
        out.labelled(
            "hints",
            "Keys kept for another node",
            hints().map(|hint| (home(&hint.home), hint.keys as f64)),
        )?;
        out.labelled(
            "hints_bytes",
            "Bytes of their values",
            hints().map(|hint| (home(&hint.home), hint.bytes as f64)),
        )?;
        out.gauge(
            "handoff_partitions_open",
            "Partitions that may hold what belongs elsewhere",
            report.handoff_open as f64,
        )?;
        out.gauge(
            "partitions_recovering",
            "Partitions still to be fetched after the disk was lost",
            report.recovering as f64,
        )?;
        out.gauge(
            "fetches_open",
            "Comparisons to be made to fetch what it should hold",
            report.fetches as f64,
        )?;
        out.counter(
            "keys_repaired",
            "Keys that comparisons led by this node found to differ",
            report.keys_repaired,
        )?;
        out.counter("records_given", "Records given to their homes and dropped here", report.records_given)?;
        out.counter(
            "tombstones_reaped_here",
            "Tombstones that this node had reaped everywhere",
            report.reaped,
        )
    }

    fn peers(&self, out: &mut Out<'_>) -> fmt::Result {
        let peer = |name: &str| vec![("peer", name.to_owned())];
        let peers = || self.0.peers.iter();
        out.labelled(
            "peer_queue_messages",
            "Messages that wait for a peer",
            peers().map(|it| (peer(&it.name), it.queued as f64)),
        )?;
        out.counters(
            "peer_dropped_messages",
            "Messages dropped: too many waited, or the peer could not be reached",
            peers().map(|it| (peer(&it.name), it.dropped)),
        )?;
        out.counters(
            "peer_connects",
            "Connections made to a peer",
            peers().map(|it| (peer(&it.name), it.connects)),
        )
    }

    /// One of each of the node's [`Counters`](crate::Counters), by its name.
    fn counters(&self, out: &mut Out<'_>) -> fmt::Result {
        let Ok(serde_json::Value::Object(counters)) = serde_json::to_value(self.0.counters) else {
            return Ok(());
        };
        for (name, count) in counters {
            let help = format!("{} since the start", name.replace('_', " "));
            out.counter(&name, &help, count.as_u64().unwrap_or(0))?;
        }
        Ok(())
    }
}

type Labels = Vec<(&'static str, String)>;

struct Out<'a>(DescriptorEncoder<'a>);

impl Out<'_> {
    fn gauge(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        ConstGauge::new(value).encode(self.0.encode_descriptor(name, help, None, ConstGauge::<f64>::TYPE)?)
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        ConstCounter::new(value).encode(self.0.encode_descriptor(
            name,
            help,
            None,
            ConstCounter::<u64>::TYPE,
        )?)
    }

    fn labelled(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (Labels, f64)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in values {
            ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn counters(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (Labels, u64)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in values {
            ConstCounter::new(value).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
