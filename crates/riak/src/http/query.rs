//! The query string: quorums, timeouts, switches, and what they promise.

use std::time::Duration;

use cartwheel_core::Quorum;

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

    /// R of a get.
    pub fn r(&self) -> Result<Quorum, Refusal> {
        self.required_quorum("r")
    }

    /// W of a put or delete. DW and W are one here: nothing is acknowledged before it is synced.
    pub fn w(&self) -> Result<Quorum, Refusal> {
        self.durable(self.required_quorum("w")?)
    }

    /// R of a delete, for which `rw` may stand.
    pub fn r_or_rw(&self) -> Result<Quorum, Refusal> {
        self.required_quorum(self.present("r", "rw"))
    }

    /// W of a delete, for which `rw` may stand.
    pub fn w_or_rw(&self) -> Result<Quorum, Refusal> {
        self.durable(self.required_quorum(self.present("w", "rw"))?)
    }

    fn present(&self, name: &'static str, otherwise: &'static str) -> &'static str {
        if self.text(name).is_some() { name } else { otherwise }
    }

    /// The larger of `w` and `dw`.
    fn durable(&self, w: Quorum) -> Result<Quorum, Refusal> {
        let count = |quorum| self.count(quorum, self.defaults.w);
        match self.quorum("dw")? {
            Some(dw) if count(dw)? > count(w)? => Ok(dw),
            _ => Ok(w),
        }
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

    pub fn switch(&self, name: &'static str) -> Result<Option<bool>, Refusal> {
        match self.text(name) {
            None | Some("default") => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(Refusal::Boolean { name }),
        }
    }

    /// Refuses what would promise something that nobody here keeps yet; lets pass what asks for nothing.
    pub fn refuse_unsupported(&self) -> Result<(), Refusal> {
        for name in ["pr", "pw", "node_confirms"] {
            match self.quorum(name)? {
                None | Some(Quorum::Count(0) | Quorum::Default) => {}
                Some(quorum) => {
                    self.count(quorum, Quorum::Count(0))?;
                    return Err(self.unsupported(name));
                }
            }
        }
        for (name, kept) in
            [("basic_quorum", false), ("notfound_ok", true), ("sloppy_quorum", true), ("asis", false)]
        {
            if self.switch(name)?.is_some_and(|asked| asked != kept) {
                return Err(self.unsupported(name));
            }
        }
        Ok(())
    }

    fn unsupported(&self, name: &'static str) -> Refusal {
        Refusal::Unsupported { name, value: self.text(name).unwrap_or_default().to_owned() }
    }

    fn required_quorum(&self, name: &'static str) -> Result<Quorum, Refusal> {
        let quorum = self.quorum(name)?.unwrap_or_default();
        match self.count(quorum, Quorum::Count(1))? {
            0 => Err(Refusal::QuorumZero { name }),
            _ => Ok(quorum),
        }
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

    /// How many nodes `quorum` asks for.
    fn count(&self, quorum: Quorum, default: Quorum) -> Result<u8, Refusal> {
        let n = self.n()?.unwrap_or(self.defaults.n);
        match quorum {
            Quorum::Default if default == Quorum::Default => Ok(n / 2 + 1),
            Quorum::Default => self.count(default, Quorum::Default),
            Quorum::One => Ok(1),
            Quorum::Majority => Ok(n / 2 + 1),
            Quorum::All => Ok(n),
            Quorum::Count(count) if count > n => Err(Refusal::QuorumBeyondN { n }),
            Quorum::Count(count) => Ok(count),
        }
    }

    fn beyond_n(&self) -> Refusal {
        Refusal::QuorumBeyondN { n: self.defaults.n }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULTS: Defaults = Defaults { n: 3, w: Quorum::Majority };

    fn w(query: &str) -> Result<Quorum, Refusal> {
        Query::parse(Some(query), &DEFAULTS).w()
    }

    fn supported(query: &str) -> Result<(), Refusal> {
        Query::parse(Some(query), &DEFAULTS).refuse_unsupported()
    }

    #[test]
    fn dw_raises_w_and_never_lowers_it() {
        assert_eq!(w("w=1&dw=2"), Ok(Quorum::Count(2)));
        assert_eq!(w("w=all&dw=one"), Ok(Quorum::All));
        assert_eq!(w("dw=one"), Ok(Quorum::Default));
        assert_eq!(w("dw=3"), Ok(Quorum::Count(3)));
        assert_eq!(w("dw=0"), Ok(Quorum::Default));
        assert_eq!(w("n_val=1&dw=one"), Ok(Quorum::Default));
    }

    #[test]
    fn quorums_fit_into_n() {
        assert_eq!(w("w=4"), Err(Refusal::QuorumBeyondN { n: 3 }));
        assert_eq!(w("w=2&n_val=1"), Err(Refusal::QuorumBeyondN { n: 1 }));
        assert_eq!(w("w=-1"), Err(Refusal::QuorumBeyondN { n: 3 }));
        assert_eq!(w("w=0"), Err(Refusal::QuorumZero { name: "w" }));
        assert_eq!(w("w=some"), Err(Refusal::QuorumWord { name: "w" }));
    }

    #[test]
    fn a_delete_takes_rw_for_both() {
        let query = |text| Query::parse(Some(text), &DEFAULTS);
        assert_eq!(query("rw=all").r_or_rw(), Ok(Quorum::All));
        assert_eq!(query("rw=all&r=1").r_or_rw(), Ok(Quorum::Count(1)));
        assert_eq!(query("rw=all&w=1&dw=2").w_or_rw(), Ok(Quorum::Count(2)));
        assert_eq!(query("dw=3").w_or_rw(), Ok(Quorum::Count(3)));
    }

    #[test]
    fn what_cannot_be_promised_is_refused_and_what_promises_nothing_is_not() {
        assert_eq!(supported("pr=0&pw=0&notfound_ok=true&basic_quorum=false&node_confirms=0"), Ok(()));
        assert_eq!(supported("pr=default&sync_on_write=all&unheard_of=1"), Ok(()));
        for asks in
            ["pr=1", "pw=all", "notfound_ok=false", "basic_quorum=true", "node_confirms=2", "asis=true"]
        {
            assert!(matches!(supported(asks), Err(Refusal::Unsupported { .. })), "{asks}");
        }
    }

    #[test]
    fn a_time_that_is_up_is_not_a_long_one() {
        let timeout = |text| Query::parse(Some(text), &DEFAULTS).timeout();
        assert_eq!(timeout("timeout=250"), Ok(Some(Duration::from_millis(250))));
        assert_eq!(timeout("timeout=0"), Err(Refusal::TimedOut));
        assert_eq!(timeout("timeout=1s"), Err(Refusal::Timeout("1s".to_owned())));
    }
}
