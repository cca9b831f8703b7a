//! The sections that files have for workloads: what all kinds share, and what each has of its own, side by side.

use serde::{Deserialize, Serialize};

use super::{ArrivalSpec, KindSpec, Mix, PopularitySpec, TypeSpec, WorkloadSpec};
use crate::latency::Latency;
use crate::scenario::{Probability, Span};

/// One section for each kind: its type, what it calls its keys, and the settings of its own.
macro_rules! sections {
    ($($kind:ident as $section:ident counts $keys:ident with {
        $($(#[$meta:meta])* $own:ident: $type:ty),* $(,)?
    })*) => {
        /// One of the sections.
        #[derive(Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub(super) enum File {
            $($kind($section),)*
        }

        $(
            #[derive(Serialize, Deserialize)]
            #[serde(deny_unknown_fields)]
            pub(super) struct $section {
                clients: u32,
                $keys: u32,
                #[serde(default = "default_buckets")]
                buckets: u32,
                #[serde(default, skip_serializing_if = "Option::is_none")]
                think: Option<Latency>,
                #[serde(default, skip_serializing_if = "Option::is_none")]
                rate: Option<f64>,
                #[serde(default, skip_serializing_if = "Option::is_none")]
                popularity: Option<PopularitySpec>,
                $($(#[$meta])* $own: $type,)*
                #[serde(default)]
                delete: Probability,
                #[serde(default)]
                strict: Probability,
                #[serde(default)]
                primary: Probability,
                #[serde(default = "default_retries")]
                retries: u32,
                #[serde(default)]
                crash: Probability,
                #[serde(default = "default_restart_after")]
                restart_after: Latency,
            }
        )*

        impl TryFrom<File> for WorkloadSpec {
            type Error = String;

            fn try_from(file: File) -> Result<Self, String> {
                match file {
                    $(File::$kind(section) => Ok(Self {
                        clients: section.clients,
                        keys: section.$keys,
                        buckets: section.buckets,
                        arrivals: arrivals(section.think, section.rate)?,
                        popularity: section.popularity,
                        delete: section.delete,
                        strict: section.strict,
                        primary: section.primary,
                        retries: section.retries,
                        crash: section.crash,
                        restart_after: section.restart_after,
                        kind: KindSpec::$kind { $($own: section.$own),* },
                    }),)*
                }
            }
        }

        impl From<WorkloadSpec> for File {
            fn from(spec: WorkloadSpec) -> Self {
                let (think, rate) = match spec.arrivals {
                    ArrivalSpec::Closed { think } => (Some(think), None),
                    ArrivalSpec::Open { rate } => (None, Some(rate)),
                };
                match spec.kind {
                    $(KindSpec::$kind { $($own),* } => Self::$kind($section {
                        clients: spec.clients,
                        $keys: spec.keys,
                        buckets: spec.buckets,
                        think,
                        rate,
                        popularity: spec.popularity,
                        $($own,)*
                        delete: spec.delete,
                        strict: spec.strict,
                        primary: spec.primary,
                        retries: spec.retries,
                        crash: spec.crash,
                        restart_after: spec.restart_after,
                    }),)*
                }
            }
        }
    };
}

sections! {
    Cart as Cart counts carts with {
        #[serde(default)]
        remove: Probability,
        #[serde(default)]
        blind: Probability,
    }
    Registers as Registers counts keys with {
        #[serde(default = "half")]
        read: Probability,
    }
    Counters as Counters counts keys with {
        #[serde(default)]
        read: Probability,
    }
    DataTypes as DataTypes counts keys with {
        of: TypeSpec,
        #[serde(default)]
        read: Probability,
        #[serde(default)]
        remove: Probability,
    }
    Ycsb as Ycsb counts keys with {
        mix: Mix,
        #[serde(default = "default_scan_max")]
        scan_max: u32,
    }
}

fn arrivals(think: Option<Latency>, rate: Option<f64>) -> Result<ArrivalSpec, String> {
    match (think, rate) {
        (Some(think), None) => Ok(ArrivalSpec::Closed { think }),
        (None, Some(rate)) => Ok(ArrivalSpec::Open { rate }),
        (None, None) => Err("neither `think` nor `rate`; allowed: one of them".into()),
        (Some(_), Some(_)) => Err("both `think` and `rate`; allowed: one of them".into()),
    }
}

fn default_buckets() -> u32 {
    1
}

fn default_retries() -> u32 {
    2
}

fn default_restart_after() -> Latency {
    Latency::Exponential { min: Span::default(), mean: Span::from_ms(500) }
}

fn default_scan_max() -> u32 {
    10
}

fn half() -> Probability {
    Probability::new(0.5).unwrap_or_default()
}
