//! Properties of buckets and bucket types: asked for, set, and what Riak says when they are not.

use cartwheel_core::membership::{PlanError, Props, TypeError};

use super::erlang::binary;
use super::message::{RpbBucketProps, RpbGetBucketResp};
use super::refusal::Refusal;
use crate::props::{self, Held, Owner, Trouble};

/// What a message sets, in a cluster of N `n`.
///
/// # Errors
///
/// Something in it makes no sense, or is not kept.
pub fn asked(message: &RpbBucketProps, n: u8) -> Result<Props, Refusal> {
    props::read(&props::of_message(message), n).map_err(|trouble| invalid(&trouble))
}

/// What holds for `owner`.
///
/// # Errors
///
/// There is no such type.
pub fn shown(owner: &Owner, held: Option<&Held>) -> Result<RpbGetBucketResp, Refusal> {
    match held {
        Some(held) => Ok(RpbGetBucketResp { props: props::to_message(&props::shown(owner, held)) }),
        None => Err(no_type(owner)),
    }
}

/// Why properties of `owner` were not set.
pub fn not_set(owner: &Owner, error: &PlanError) -> Refusal {
    let of_props = |error| Trouble::of(error).map_or_else(|| no_type(owner), |trouble| invalid(&trouble));
    match error {
        PlanError::Props(error) | PlanError::Type(TypeError::Props(error)) => of_props(error),
        PlanError::Type(TypeError::Default) => invalid(&"no_default_update"),
        PlanError::Type(TypeError::NotActive | TypeError::Undefined) => invalid(&"not_active"),
        other => Refusal::Other(other.to_string()),
    }
}

fn invalid(what: &impl std::fmt::Display) -> Refusal {
    Refusal::Other(format!("Invalid bucket properties: {what}"))
}

fn no_type(owner: &Owner) -> Refusal {
    let name = owner.bucket_type();
    Refusal::Other(match owner {
        Owner::Bucket(_) => format!("No bucket-type named '{}'", String::from_utf8_lossy(name)),
        Owner::Type(_) => format!("Invalid bucket type: {}", binary(name)),
    })
}
