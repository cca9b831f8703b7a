use cartwheel_core::membership::PropsError;
use serde_json::{Map, Value, json};

use super::erlang::quoted;

/// What is wrong with a property. Nothing was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The property.
    pub name: String,
    /// What is wrong.
    pub problem: Problem,
}

/// The same in one word, or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Riak's word, such as `not_integer`.
    Word(&'static str),
    /// Riak's sentence. Its JSON shows sentences as lists of the characters' numbers.
    Sentence(String),
    /// A sentence of ours, where Riak has none.
    Ours(String),
}

impl Trouble {
    pub(crate) fn word(name: &str, word: &'static str) -> Self {
        Self { name: name.to_owned(), problem: Problem::Word(word) }
    }

    pub(crate) fn sentence(name: &str, sentence: impl Into<String>) -> Self {
        Self { name: name.to_owned(), problem: Problem::Sentence(sentence.into()) }
    }

    pub(crate) fn ours(name: &str, sentence: impl Into<String>) -> Self {
        Self { name: name.to_owned(), problem: Problem::Ours(sentence.into()) }
    }

    /// What the core has refused. `None`: it is not a property that is wrong, but the bucket type, which is not there.
    pub fn of(error: &PropsError) -> Option<Self> {
        let ours = |name: &str| Some(Self::ours(name, error.to_string()));
        match error {
            PropsError::NoType => None,
            PropsError::Replicas { .. } => ours("n_val"),
            PropsError::Quorum { name, .. } => ours(name),
            PropsError::Name { .. } | PropsError::TooMany { .. } => ours("name"),
            PropsError::Others { .. } => ours("others"),
            PropsError::Unfit { name, why } => Some(Self::sentence(name, *why)),
            PropsError::Datatype(asked) => Some(Self::datatype(asked.name())),
            PropsError::Precision(asked) => Some(Self::precision(asked)),
        }
    }

    pub(super) fn datatype(asked: &str) -> Self {
        Self::sentence("datatype", format!("{asked} not supported for bucket datatype property"))
    }

    pub(super) fn precision(asked: impl std::fmt::Display) -> Self {
        let why = format!(
            "{asked} not supported for Hyperloglog precision property for bucket type. Precision must be an integer \
             between 4 and 16, inclusive (3 < p < 17) and precision can be reduced but never increased after initial \
             setting"
        );
        Self::sentence("hll_precision", why)
    }

    /// As Riak's HTTP API says it.
    pub fn json(&self) -> Value {
        let problem = match &self.problem {
            Problem::Word(word) => json!(word),
            Problem::Sentence(sentence) => sentence.chars().map(u32::from).collect(),
            Problem::Ours(sentence) => json!(sentence),
        };
        Value::Object(Map::from_iter([(self.name.clone(), problem)]))
    }
}

/// As an Erlang term: Riak's protocol-buffers API and its console say it like that.
impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let problem = match &self.problem {
            Problem::Word(word) => (*word).to_owned(),
            Problem::Sentence(sentence) | Problem::Ours(sentence) => quoted(sentence),
        };
        write!(f, "[{{{},{problem}}}]", self.name)
    }
}
