//! When certificates expire.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::files::{chain, complaint};
use crate::reload::FileContent;
use crate::runtime::unix_seconds;

const DAY: i64 = 24 * 3_600;
/// So long before its end a certificate is spoken of.
const AHEAD_DAYS: i64 = 30;
/// How often it is spoken of.
const REMIND_INTERVAL: Duration = Duration::from_secs(24 * 3_600);

/// How long a certificate of this node is good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateReport {
    /// Its file.
    pub file: String,
    /// Whom it is shown to: `peers` or `clients`.
    pub shown_to: String,
    /// Until when it is good, in seconds since 1970.
    pub expires: i64,
    /// Whole days until then; negative once it has expired.
    pub days_left: i64,
}

/// A certificate's last moment.
#[derive(Clone, Debug)]
pub(super) struct Expiry {
    file: String,
    shown_to: &'static str,
    at: i64,
}

impl Expiry {
    /// Of the first certificate in `file`.
    pub fn read(file: &FileContent, shown_to: &'static str) -> Result<Self, String> {
        let chain = chain(file)?;
        let (_, own) = X509Certificate::from_der(&chain[0])
            .map_err(|error| complaint(file, &format!("holds no certificate that can be read: {error}")))?;
        let at = own.validity().not_after.timestamp();
        Ok(Self { file: file.path.display().to_string(), shown_to, at })
    }

    fn days_left(&self, now: i64) -> i64 {
        (self.at - now).div_euclid(DAY)
    }

    pub fn report(&self) -> CertificateReport {
        let Self { file, shown_to, at } = self.clone();
        let days_left = self.days_left(unix_seconds());
        CertificateReport { file, shown_to: shown_to.to_owned(), expires: at, days_left }
    }
}

/// Says in time that a certificate is about to expire, once a day.
#[derive(Debug, Default)]
pub(super) struct Reminder(Mutex<Option<(i64, tokio::time::Instant)>>);

impl Reminder {
    pub fn remind(&self, expiry: &Expiry) {
        let left = expiry.days_left(unix_seconds());
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = last.is_none_or(|(at, said)| at != expiry.at || said.elapsed() >= REMIND_INTERVAL);
        if left > AHEAD_DAYS || !is_news {
            return;
        }
        *last = Some((expiry.at, tokio::time::Instant::now()));
        let Expiry { file, shown_to, .. } = expiry;
        if left < 0 {
            tracing::error!(file, shown_to, "the certificate has expired; nobody will accept it");
        } else {
            tracing::warn!(file, shown_to, days_left = left, "the certificate expires soon");
        }
    }
}
