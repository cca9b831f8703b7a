//! Recorded messages about properties.

use bytes::Bytes;
use cartwheel_riak::pb::frame::Frame;
use cartwheel_riak::pb::props::{asked, not_set, shown};
use cartwheel_riak::pb::{Refusal, Request, bucket_of, code};
use cartwheel_riak::props::Owner;

use super::compare::Names;
use super::exchange::{Exchange, Recorded};
use super::toy::Toy;
use super::{DEFAULTS, framed, recording};

fn answer(toy: &mut Toy, request: &Request) -> Result<Frame, Refusal> {
    let bucket = |of: Option<&[u8]>, name: &[u8]| Owner::Bucket(bucket_of(of, name));
    let (owner, props) = match request {
        Request::GetBucket(it) => (bucket(it.bucket_type.as_deref(), &it.bucket), None),
        Request::GetBucketType(it) => (Owner::Type(it.bucket_type.to_vec()), None),
        Request::SetBucket(it) => (bucket(it.bucket_type.as_deref(), &it.bucket), Some(&it.props)),
        Request::SetBucketType(it) => (Owner::Type(it.bucket_type.to_vec()), Some(&it.props)),
        Request::ResetBucket(it) => {
            toy.reset(&bucket(it.bucket_type.as_deref(), &it.bucket));
            return Ok(Frame { code: code::RESET_BUCKET_RESP, body: Bytes::new() });
        }
        other => panic!("{other:?} is about no properties"),
    };
    match props {
        None => Ok(framed(&shown(&owner, toy.held(&owner).as_ref())?)),
        Some(props) => {
            toy.set(&owner, asked(props, DEFAULTS.n)?).map_err(|error| not_set(&owner, &error))?;
            Ok(Frame { code: code::SET_BUCKET_RESP, body: Bytes::new() })
        }
    }
}

#[test]
fn properties_are_shown_set_and_reset_as_with_riak() {
    let (mut toy, mut compared) = (Toy::default(), 0);
    for Exchange { name, request, answers } in recording() {
        // Riak takes an R that no request can meet.
        let is_about_props = name.contains("props") || name.starts_with("set type");
        if !is_about_props || name == "set props r=9" {
            continue;
        }
        let [Recorded::Frame(theirs)] = answers.as_slice() else { panic!("{name}: not one whole answer") };
        let request = Request::read(request).expect("a request");
        let ours = answer(&mut toy, &request).unwrap_or_else(|refusal| framed(&refusal.message()));
        assert_eq!(ours.code, theirs.code, "{name}");
        let (theirs, ours) = Names::default().comparable(ours.code, &theirs.body, &ours.body);
        assert_eq!(theirs, ours, "{name}");
        compared += 1;
    }
    assert!(compared >= 14, "{compared} exchanges");
}
