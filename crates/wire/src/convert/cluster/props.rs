use std::collections::BTreeMap;

use bytes::Bytes;
use cartwheel_core::id::NodeId;
use cartwheel_core::membership::{
    Bucket, BucketType, Datatype, Others, PROPS_NAME_BYTES_MAX, Props, Register,
};
use cartwheel_core::{Key, Quorum};

use crate::convert::{all, code, of_code, out_of_range, required, small};
use crate::error::DecodeError;
use crate::limits::{BUCKETS_MAX, TYPES_MAX};
use crate::schema::Repeated;
use crate::schema::cluster::{Other, WrittenProps, WrittenType};

/// Riak's numbers for the words.
const WORDS: [(Quorum, u32); 4] = [
    (Quorum::One, u32::MAX - 1),
    (Quorum::Majority, u32::MAX - 2),
    (Quorum::All, u32::MAX - 3),
    (Quorum::Default, u32::MAX - 4),
];

/// Codes count from 1, in this order, for ever.
const DATATYPES: [Datatype; 5] =
    [Datatype::Counter, Datatype::Set, Datatype::Map, Datatype::Gset, Datatype::Hll];

pub(in crate::convert) fn written((bucket, register): (&Bucket, &Register<Props>)) -> WrittenProps {
    let Register { count, by, value: props } = register;
    let bucket_type = (bucket.bucket_type != Key::DEFAULT_TYPE).then(|| copy(&bucket.bucket_type));
    WrittenProps {
        bucket_type,
        bucket: copy(&bucket.name),
        count: *count,
        by: by.0,
        n_val: props.n_val.map(Into::into),
        r: props.r.map(number),
        w: props.w.map(number),
        pr: props.pr.map(number),
        pw: props.pw.map(number),
        dw: props.dw.map(number),
        node_confirms: props.node_confirms.map(Into::into),
        notfound_ok: props.notfound_ok,
        basic_quorum: props.basic_quorum,
        allow_mult: props.allow_mult,
        last_write_wins: props.last_write_wins,
        datatype: props.datatype.map(|datatype| code(&DATATYPES, datatype)),
        hll_precision: props.hll_precision.map(Into::into),
        write_once: props.write_once,
        others: (!props.others.is_empty()).then(|| props.others.iter().map(other).collect()),
    }
}

fn other((name, value): (&[u8], &[u8])) -> Other {
    Other { name: copy(name), value: copy(value) }
}

/// A bucket type is written as a bucket of its name in the default type.
pub(in crate::convert) fn of_type(name: &[u8]) -> Bucket {
    Bucket { bucket_type: Key::DEFAULT_TYPE.to_vec(), name: name.to_vec() }
}

pub(super) fn written_type((name, bucket_type): (&Vec<u8>, &BucketType)) -> WrittenType {
    let BucketType { is_active, props } = bucket_type;
    WrittenType { props: Some(written((&of_type(name), props))), is_active: *is_active }
}

fn copy(name: &[u8]) -> Bytes {
    Bytes::copy_from_slice(name)
}

/// A quorum as Riak's number.
pub(in crate::convert) fn number(quorum: Quorum) -> u32 {
    match quorum {
        Quorum::Count(count) => count.into(),
        word => WORDS.iter().find(|(known, _)| *known == word).map_or(0, |(_, number)| *number),
    }
}

/// What is set in a cluster of N `n`. What no request could meet is nothing that a node of it would have let pass.
pub(super) fn all_read(
    written: Option<Repeated<WrittenProps, BUCKETS_MAX>>,
    n: u8,
) -> Result<BTreeMap<Bucket, Register<Props>>, DecodeError> {
    let Some(written) = written else { return Ok(BTreeMap::new()) };
    all("buckets with properties", written)?.into_iter().map(|written| read(written, n)).collect()
}

pub(super) fn all_types_read(
    written: Option<Repeated<WrittenType, TYPES_MAX>>,
    n: u8,
) -> Result<BTreeMap<Vec<u8>, BucketType>, DecodeError> {
    let Some(written) = written else { return Ok(BTreeMap::new()) };
    let one = |WrittenType { props, is_active }: WrittenType| {
        let (bucket, props) = read(required("type.props", props)?, n)?;
        Ok((bucket.name, BucketType { is_active, props }))
    };
    all("bucket types", written)?.into_iter().map(one).collect()
}

fn read(written: WrittenProps, n: u8) -> Result<(Bucket, Register<Props>), DecodeError> {
    let (bucket, register) = unchecked(written)?;
    let props = &register.value;
    props.check(n).map_err(|_| out_of_range("props", props.n_val.unwrap_or(n).into()))?;
    if bucket.bucket_type.len() + bucket.name.len() > PROPS_NAME_BYTES_MAX {
        return Err(DecodeError::TooMany { what: "bytes of a bucket's name", max: PROPS_NAME_BYTES_MAX });
    }
    Ok((bucket, register))
}

/// What somebody asked for, which may make no sense.
pub(in crate::convert) fn unchecked(written: WrittenProps) -> Result<(Bucket, Register<Props>), DecodeError> {
    let props = Props {
        n_val: written.n_val.map(|n_val| small("props.n_val", n_val)).transpose()?,
        r: quorum("props.r", written.r)?,
        w: quorum("props.w", written.w)?,
        pr: quorum("props.pr", written.pr)?,
        pw: quorum("props.pw", written.pw)?,
        dw: quorum("props.dw", written.dw)?,
        node_confirms: written.node_confirms.map(|count| small("props.node_confirms", count)).transpose()?,
        notfound_ok: written.notfound_ok,
        basic_quorum: written.basic_quorum,
        allow_mult: written.allow_mult,
        last_write_wins: written.last_write_wins,
        datatype: written.datatype.map(|code| of_code("datatype", &DATATYPES, code)).transpose()?,
        hll_precision: written.hll_precision.map(|bits| small("props.hll_precision", bits)).transpose()?,
        write_once: written.write_once,
        others: match written.others {
            Some(others) => {
                let others = all("properties that are only kept", others)?;
                others.into_iter().map(|other| (other.name.into(), other.value.into())).collect()
            }
            None => Others::default(),
        },
    };
    let bucket_type = written.bucket_type.map_or_else(|| Key::DEFAULT_TYPE.to_vec(), Vec::from);
    let bucket = Bucket { bucket_type, name: written.bucket.into() };
    Ok((bucket, Register { count: written.count, by: NodeId(written.by), value: props }))
}

pub(in crate::convert) fn quorum(
    field: &'static str,
    written: Option<u32>,
) -> Result<Option<Quorum>, DecodeError> {
    written.map(|number| one_quorum(field, number)).transpose()
}

pub(in crate::convert) fn one_quorum(field: &'static str, number: u32) -> Result<Quorum, DecodeError> {
    let word = WORDS.iter().find(|(_, known)| *known == number).map(|(word, _)| *word);
    word.map_or_else(|| small(field, number).map(Quorum::Count), Ok)
}
