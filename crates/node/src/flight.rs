//! The node's flight recorder: everything that happens to the core, in `flight/` of the data directory. On unless the
//! configuration says otherwise. A node whose recorder fails goes on without it.

use std::sync::atomic::Ordering;

use cartwheel_core::time::{Instant, Now};
use cartwheel_core::{Boot, Input, Output};
use cartwheel_flight::{Birth, Kept, Limits, Origin, Recorder, Values};
use serde::{Deserialize, Serialize};

use crate::config::Settings;

/// Where, in the data directory.
const DIRECTORY: &str = "flight";
/// Room for segments where the configuration says nothing, in bytes.
const BYTES_MAX_DEFAULT: u64 = 1 << 30;

/// What is recorded of values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlightValues {
    /// All of them.
    #[default]
    Whole,
    /// Their lengths, and hashes that stand in for them.
    Hashes,
}

/// How the flight recorder does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FlightReport {
    /// Inputs written since the start.
    pub recorded: u64,
    /// Inputs dropped since the start, because the disk could not keep up or failed: what came after the first of them
    /// cannot be re-executed.
    pub dropped: u64,
    /// What all segments take, in bytes.
    pub bytes: u64,
    /// Why nothing is recorded any more.
    pub failed: Option<String>,
}

/// The recorder, if there is one.
pub(crate) struct Flight {
    recorder: Option<Recorder>,
    /// Each is said once.
    said_dropped: bool,
    said_failed: bool,
}

impl Flight {
    /// Begins to record a node that was just born and wants `outputs` done, and to be called at the time beside them.
    pub fn begin(settings: &Settings, boot: Boot, now: Now, outputs: (&[Output], Option<Instant>)) -> Self {
        let (said_dropped, said_failed) = (false, false);
        let bytes_max = settings.file.flight_bytes_max.unwrap_or(BYTES_MAX_DEFAULT);
        if bytes_max == 0 {
            return Self { recorder: None, said_dropped, said_failed };
        }
        let values = match settings.file.flight_values {
            FlightValues::Whole => Values::Whole,
            FlightValues::Hashes => Values::Hashes,
        };
        let origin = Origin {
            cluster: settings.file.cluster.clone(),
            name: settings.file.node.clone(),
            node: settings.core.node,
            store: boot.store,
            boot: boot.number,
            values,
            software: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let dir = settings.file.data.join(DIRECTORY);
        // The recorder gives way before the store must.
        let limits = Limits { bytes_max, free_min: settings.file.disk_reserve_bytes.saturating_mul(2) };
        let birth = Birth { config: settings.core.clone(), boot, now, digest: 0 };
        let recorder = Recorder::begin(&dir, limits, origin, birth, outputs)
            .inspect_err(|error| tracing::warn!(dir = %dir.display(), %error, "no flight recorder"))
            .ok();
        Self { recorder, said_dropped, said_failed }
    }

    /// The core is about to be handed `input`.
    pub fn hears(&mut self, now: Now, input: &Input) {
        if let Some(recorder) = &mut self.recorder {
            recorder.hears(now, input);
        }
    }

    /// What the core wants done about it, and when it wants to be called next.
    pub fn wants(&mut self, outputs: &[Output], next: Option<Instant>) {
        if let Some(recorder) = &mut self.recorder {
            recorder.wants(outputs, next);
        }
    }

    /// Hands over what was noted. Never waits.
    pub fn flush(&mut self) {
        let Some(recorder) = &mut self.recorder else { return };
        match recorder.flush() {
            Kept::Dropped(inputs) if !self.said_dropped => {
                self.said_dropped = true;
                tracing::warn!(
                    inputs,
                    "the flight recorder cannot keep up with the disk and drops inputs; this start cannot be re-executed beyond here"
                );
            }
            Kept::Failed if !self.said_failed => {
                self.said_failed = true;
                let error = recorder.gauges().failed.get().map_or("its thread has ended", String::as_str);
                tracing::warn!(error, "the flight recorder failed; nothing is recorded any more");
            }
            Kept::Yes | Kept::Dropped(_) | Kept::Failed => {}
        }
    }

    /// How it does; `None`: it is off, or could not begin.
    pub fn report(&self) -> Option<FlightReport> {
        let gauges = self.recorder.as_ref()?.gauges();
        Some(FlightReport {
            recorded: gauges.recorded.load(Ordering::Relaxed),
            dropped: gauges.dropped.load(Ordering::Relaxed),
            bytes: gauges.bytes.load(Ordering::Relaxed),
            failed: gauges.failed.get().cloned(),
        })
    }
}
