//! The query string: quorums, timeouts, switches, and what they promise.

use std::time::Duration;

use cartwheel_core::{Quorum, ReadOptions, WriteOptions};

use super::call::Defaults;
use super::refusal::Refusal;

/// A query string's parameters. Of one that is named twice, the first counts.
pub(super) struct Query<'a> {
    parameters: Vec<(String, String)>,
    defaults: &'a Defaults,
}

impl<'a> Query<'a> {
    pub fn parse(query: Option<&str>, defaults: &'a Defaults) -> Self {
        let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        Self { parameters: pairs.into_owned().collect(), defaults }
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }

    /// When a get is answered.
    pub fn read_options(&self) -> Result<ReadOptions, Refusal> {
        self.reads(self.required_quorum("r")?)
    }

    /// When a put is answered.
    pub fn write_options(&self) -> Result<WriteOptions, Refusal> {
        self.writes(self.required_quorum("w")?)
    }

    /// When the read of a delete is answered. `rw` may stand for `r`.
    pub fn delete_read_options(&self) -> Result<ReadOptions, Refusal> {
        self.reads(self.required_quorum(self.present("r", "rw"))?)
    }

    /// When a delete is answered. `rw` may stand for `w`.
    pub fn delete_write_options(&self) -> Result<WriteOptions, Refusal> {
        self.writes(self.required_quorum(self.present("w", "rw"))?)
    }

    fn reads(&self, r: Quorum) -> Result<ReadOptions, Refusal> {
        self.refuse_unsupported()?;
        Ok(ReadOptions {
            r,
            pr: self.optional_quorum("pr")?,
            node_confirms: self.confirms()?,
            notfound_ok: self.switch("notfound_ok")?,
            basic_quorum: self.switch("basic_quorum")?,
            sloppy: self.switch("sloppy_quorum")?.unwrap_or(true),
            n: self.n()?,
        })
    }

    fn writes(&self, w: Quorum) -> Result<WriteOptions, Refusal> {
        self.refuse_unsupported()?;
        Ok(WriteOptions {
            w,
            pw: self.optional_quorum("pw")?,
            dw: self.optional_quorum("dw")?,
            node_confirms: self.confirms()?,
            sloppy: self.switch("sloppy_quorum")?.unwrap_or(true),
            n: self.n()?,
            condition: None,
        })
    }

    fn confirms(&self) -> Result<Option<u8>, Refusal> {
        let asked = self.optional_quorum("node_confirms")?;
        asked.map(|quorum| self.count(quorum)).transpose()
    }

    fn present(&self, name: &'static str, otherwise: &'static str) -> &'static str {
        if self.text(name).is_some() { name } else { otherwise }
    }

    /// N, where the client wants fewer replicas than the cluster keeps.
    pub fn n(&self) -> Result<Option<u8>, Refusal> {
        let Some(asked) = self.text("n_val").filter(|asked| *asked != "default") else { return Ok(None) };
        match asked.parse() {
            Ok(n) if (1..=self.defaults.n).contains(&n) => Ok(Some(n)),
            _ => Err(Refusal::Replicas { asked: asked.to_owned(), n: self.defaults.n }),
        }
    }

    pub fn timeout(&self) -> Result<Option<Duration>, Refusal> {
        let Some(asked) = self.text("timeout") else { return Ok(None) };
        match asked.parse::<i64>() {
            Ok(millis) if millis <= 0 => Err(Refusal::TimedOut),
            Ok(millis) => Ok(Some(Duration::from_millis(millis.unsigned_abs()))),
            Err(_) => Err(Refusal::Timeout(asked.to_owned())),
        }
    }

    /// Of APIs whose clients mean no time of their own by zero.
    pub fn timeout_unless_zero(&self) -> Result<Option<Duration>, Refusal> {
        if self.text("timeout") == Some("0") { Ok(None) } else { self.timeout() }
    }

    pub fn switch(&self, name: &'static str) -> Result<Option<bool>, Refusal> {
        match self.text(name).map(str::to_ascii_lowercase).as_deref() {
            None | Some("default") => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(Refusal::Boolean { name }),
        }
    }

    /// Of what Riak does for `true`, and for nothing else that it might be told.
    pub fn is_true(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }

    /// The older path of a bucket may ask for its keys, too, beside or instead of its properties.
    pub fn refuse_old_listing(&self) -> Result<(), Refusal> {
        for (name, unwanted) in [("keys", "false"), ("props", "true")] {
            if let Some(value) = self.text(name).filter(|value| *value != unwanted) {
                return Err(Refusal::Unsupported { name, value: value.to_owned() });
            }
        }
        Ok(())
    }

    /// Refuses what would promise something that nobody here keeps yet; lets pass what asks for nothing.
    fn refuse_unsupported(&self) -> Result<(), Refusal> {
        let name = "asis";
        if self.switch(name)? == Some(true) {
            let value = self.text(name).unwrap_or_default().to_owned();
            return Err(Refusal::Unsupported { name, value });
        }
        Ok(())
    }

    fn required_quorum(&self, name: &'static str) -> Result<Quorum, Refusal> {
        let quorum = self.quorum(name)?.unwrap_or_default();
        match self.count(quorum)? {
            0 => Err(Refusal::QuorumZero { name }),
            _ => Ok(quorum),
        }
    }

    /// A quorum that may be 0. Absent and `default` mean what the bucket says.
    fn optional_quorum(&self, name: &'static str) -> Result<Option<Quorum>, Refusal> {
        let asked = self.quorum(name)?.filter(|quorum| *quorum != Quorum::Default);
        asked.map(|quorum| self.count(quorum).map(|_| quorum)).transpose()
    }

    fn quorum(&self, name: &'static str) -> Result<Option<Quorum>, Refusal> {
        let Some(asked) = self.text(name) else { return Ok(None) };
        let quorum = match asked {
            "default" => Quorum::Default,
            "one" => Quorum::One,
            "quorum" => Quorum::Majority,
            "all" => Quorum::All,
            number => match number.parse::<i64>() {
                Ok(count) => Quorum::Count(u8::try_from(count).map_err(|_| self.beyond_n())?),
                Err(_) => return Err(Refusal::QuorumWord { name }),
            },
        };
        Ok(Some(quorum))
    }

    /// How many nodes `quorum` asks for; any number for the default, which fits.
    fn count(&self, quorum: Quorum) -> Result<u8, Refusal> {
        let n = self.n()?.unwrap_or(self.defaults.n);
        quorum.resolve(Quorum::One, n).or(match quorum {
            Quorum::Count(0) => Ok(0),
            _ => Err(Refusal::QuorumBeyondN { n }),
        })
    }

    fn beyond_n(&self) -> Refusal {
        Refusal::QuorumBeyondN { n: self.defaults.n }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULTS: Defaults = Defaults { n: 3 };

    fn query(text: &str) -> Query<'static> {
        Query::parse(Some(text), &DEFAULTS)
    }

    fn w(text: &str) -> Result<Quorum, Refusal> {
        query(text).write_options().map(|options| options.w)
    }

    #[test]
    fn options_are_handed_on_and_what_asks_for_nothing_is_nothing() {
        let plain = query("pr=default&dw=default&sync_on_write=all&unheard_of=1");
        assert_eq!(plain.read_options(), Ok(ReadOptions::default()));
        assert_eq!(plain.write_options(), Ok(WriteOptions::default()));
        let none = query("pr=0&node_confirms=0").read_options();
        let zero = Some(Quorum::Count(0));
        assert_eq!(none, Ok(ReadOptions { pr: zero, node_confirms: Some(0), ..ReadOptions::default() }));
        let asks = query("r=1&pr=quorum&notfound_ok=false&basic_quorum=true&sloppy_quorum=false&n_val=2");
        let options = ReadOptions {
            r: Quorum::Count(1),
            pr: Some(Quorum::Majority),
            node_confirms: None,
            notfound_ok: Some(false),
            basic_quorum: Some(true),
            sloppy: false,
            n: Some(2),
        };
        assert_eq!(asks.read_options(), Ok(options));
        let asks = query("w=1&pw=one&dw=all&node_confirms=2").write_options();
        let options = WriteOptions {
            w: Quorum::Count(1),
            pw: Some(Quorum::One),
            dw: Some(Quorum::All),
            node_confirms: Some(2),
            ..WriteOptions::default()
        };
        assert_eq!(asks, Ok(options));
    }

    #[test]
    fn quorums_fit_into_n() {
        assert_eq!(w("w=4"), Err(Refusal::QuorumBeyondN { n: 3 }));
        assert_eq!(w("w=2&n_val=1"), Err(Refusal::QuorumBeyondN { n: 1 }));
        assert_eq!(w("w=-1"), Err(Refusal::QuorumBeyondN { n: 3 }));
        assert_eq!(w("pw=4"), Err(Refusal::QuorumBeyondN { n: 3 }));
        assert_eq!(w("w=0"), Err(Refusal::QuorumZero { name: "w" }));
        assert_eq!(w("w=some"), Err(Refusal::QuorumWord { name: "w" }));
    }

    #[test]
    fn a_delete_takes_rw_for_both() {
        let r = |text| query(text).delete_read_options().map(|options| options.r);
        let w = |text| query(text).delete_write_options().map(|options| options.w);
        assert_eq!(r("rw=all"), Ok(Quorum::All));
        assert_eq!(r("rw=all&r=1"), Ok(Quorum::Count(1)));
        assert_eq!(w("rw=all"), Ok(Quorum::All));
        assert_eq!(w("rw=all&w=1"), Ok(Quorum::Count(1)));
    }

    #[test]
    fn what_cannot_be_promised_is_refused() {
        assert!(matches!(query("asis=true").write_options(), Err(Refusal::Unsupported { .. })));
    }

    #[test]
    fn a_time_that_is_up_is_not_a_long_one() {
        let timeout = |text| query(text).timeout();
        assert_eq!(timeout("timeout=250"), Ok(Some(Duration::from_millis(250))));
        assert_eq!(timeout("timeout=0"), Err(Refusal::TimedOut));
        assert_eq!(timeout("timeout=1s"), Err(Refusal::Timeout("1s".to_owned())));
    }
}
