//! What a node's error texts mean. The protocol has no codes for errors: clients read the texts.

use super::{Error, Fate, Unmet};

/// How a text begins, and the error that it is.
type Meaning = (&'static str, fn(String) -> Error);

const BEGINNINGS: [Meaning; 19] = [
    ("Permission denied", Error::Denied),
    ("Security is enabled", Error::Denied),
    ("no_type", Error::NoSuchType),
    ("No bucket-type named", Error::NoSuchType),
    ("Invalid bucket type:", Error::NoSuchType),
    ("Error no bucket type", Error::NoSuchType),
    ("Operation type is", Error::WrongType),
    ("{precondition,{not_present", Error::NotPresent),
    ("overload", Error::Overloaded),
    ("the requests under way are too large together", Error::Overloaded),
    ("this node is not a member", Error::NotServing),
    ("Bucket cannot be", Error::Refused),
    ("Key cannot be", Error::Refused),
    ("Type cannot be", Error::Refused),
    ("{n_val_violation", Error::Refused),
    ("{precommit_fail", Error::Refused),
    ("Invalid bucket properties", Error::Refused),
    ("Unknown message code", Error::Refused),
    ("value too large", Error::Refused),
];

/// A node's words as an error. `fate` is what became of the data if the words do not say that nothing was done.
pub(crate) fn error_of(text: &str, fate: Fate) -> Error {
    match text {
        "match_found" => return Error::Condition(Unmet::Found),
        "notfound" => return Error::Condition(Unmet::NotFound),
        "modified" => return Error::Condition(Unmet::Modified),
        "timeout" => return Error::TimedOut { after: None, fate },
        _ => {}
    }
    if let Some((quorum, needed, got)) = unsatisfied(text) {
        return Error::QuorumUnmet { quorum, needed, got, fate };
    }
    if let Some((_, error)) = BEGINNINGS.iter().find(|(beginning, _)| text.starts_with(beginning)) {
        return error(text.to_owned());
    }
    if text.contains("is not a supported type") || text.contains("Counters require bucket property") {
        return Error::WrongType(text.to_owned());
    }
    // What Cartwheel says in its own words ends like this when it is so.
    if text.ends_with("nothing was done") || text.ends_with("is not supported") {
        return Error::Refused(text.to_owned());
    }
    Error::Failed { text: text.to_owned(), fate }
}

/// `{pr_val_unsatisfied,2,1}`: which, needed, got.
fn unsatisfied(text: &str) -> Option<(String, u32, u32)> {
    let (name, numbers) = text.strip_prefix('{')?.strip_suffix('}')?.split_once("_val_unsatisfied,")?;
    let (needed, got) = numbers.split_once(',')?;
    Some((name.to_owned(), needed.trim().parse().ok()?, got.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(text: &str) -> Error {
        error_of(text, Fate::Unknown)
    }

    #[test]
    fn a_quorum_that_is_not_met_says_its_numbers_and_that_the_write_may_be_somewhere() {
        let Error::QuorumUnmet { quorum, needed: 2, got: 1, fate: Fate::Unknown } =
            write("{pw_val_unsatisfied,2,1}")
        else {
            panic!("numbers")
        };
        assert_eq!(quorum, "pw");
    }

    #[test]
    fn what_is_refused_was_not_done_and_what_times_out_may_have_been() {
        let done = |text| write(text).fate();
        assert_eq!(done("{n_val_violation,3}"), Fate::NotDone);
        assert_eq!(done("match_found"), Fate::NotDone);
        assert_eq!(done("Permission denied: User 'u' does not have 'riak_kv.put' on any"), Fate::NotDone);
        assert_eq!(done("overload"), Fate::NotDone);
        assert_eq!(done("timeout"), Fate::Unknown);
        assert_eq!(done("Error processing incoming message: error:badarg"), Fate::Unknown);
    }

    #[test]
    fn types_are_told_apart() {
        assert!(matches!(write("Error no bucket type `<<\"x\">>`"), Error::NoSuchType(_)));
        assert!(matches!(write("`undefined` is not a supported type"), Error::WrongType(_)));
        assert!(matches!(
            write("Operation type is `set` but  bucket type is `counter`."),
            Error::WrongType(_)
        ));
        assert!(matches!(write("{precondition,{not_present,<<\"nope\">>}}"), Error::NotPresent(_)));
    }
}
