//! Listings: what nodes say to each other, what clients ask, what stores find.

use core::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use cartwheel_core::coverage::{
    CoverageMessage, CoverageOp, CoverageRequest, ENTRIES_PER_PAGE_MAX, Entry, Found, Listing, Query,
    Refusal, Scan, Span,
};
use cartwheel_core::id::{CallId, OpId};
use cartwheel_core::membership::Bucket;
use cartwheel_core::ring::Partition;
use prost::encoding::{decode_varint, encode_varint};

use super::{all, chosen, required, small};
use crate::error::DecodeError;
use crate::key::check_parts;
use crate::limits::{KEY_BYTES_MAX, PARTITIONS_MAX, TERM_BYTES_MAX};
use crate::schema::Nothing;
use crate::schema::coverage::{self as schema, CoverageBody as Body, QueryKind};

impl From<&CoverageMessage> for schema::Coverage {
    fn from(message: &CoverageMessage) -> Self {
        let (op, body) = match message {
            CoverageMessage::Ask { op, n, scan } => (op, Body::Ask(ask(*n, scan))),
            CoverageMessage::Answer { op, result } => (
                op,
                match result {
                    Ok(found) => Body::Found(found.into()),
                    Err(Refusal::NotHere(partitions)) => Body::NotHere(partitions_of(partitions)),
                    Err(Refusal::Overloaded) => Body::Overloaded(Nothing {}),
                    Err(Refusal::StorageFailed) => Body::StorageFailed(Nothing {}),
                },
            ),
        };
        Self { op: op.0, body: Some(body) }
    }
}

impl TryFrom<schema::Coverage> for CoverageMessage {
    type Error = DecodeError;
    fn try_from(message: schema::Coverage) -> Result<Self, DecodeError> {
        let op = OpId(message.op);
        let result = match chosen("coverage.body", message.body)? {
            Body::Ask(ask) => {
                let n = small("coverage.n", ask.n)?;
                let scan = Scan {
                    query: required("coverage.query", ask.query)?.try_into()?,
                    partitions: partitions(&ask.partitions.unwrap_or_default())?.into(),
                    after: ask.after.map(TryInto::try_into).transpose()?,
                    limit: ask.limit,
                };
                return Ok(Self::Ask { op, n, scan: Box::new(scan) });
            }
            Body::Found(found) => Ok(found.try_into()?),
            Body::NotHere(missing) => Err(Refusal::NotHere(partitions(&missing)?)),
            Body::Overloaded(Nothing {}) => Err(Refusal::Overloaded),
            Body::StorageFailed(Nothing {}) => Err(Refusal::StorageFailed),
        };
        Ok(Self::Answer { op, result })
    }
}

fn ask(n: u8, scan: &Scan) -> schema::Ask {
    schema::Ask {
        n: n.into(),
        query: Some((&scan.query).into()),
        partitions: Some(partitions_of(&scan.partitions)),
        after: scan.after.as_ref().map(Into::into),
        limit: scan.limit,
    }
}

fn partitions_of(partitions: &[Partition]) -> schema::Partitions {
    let (mut varints, mut next) = (BytesMut::new(), 0);
    for Partition(partition) in partitions {
        encode_varint(u64::from(partition.saturating_sub(next)), &mut varints);
        next = partition.saturating_add(1);
    }
    schema::Partitions { varints: varints.freeze() }
}

fn partitions(partitions: &schema::Partitions) -> Result<Vec<Partition>, DecodeError> {
    let (mut varints, mut next, mut all) = (partitions.varints.clone(), 0, Vec::new());
    while varints.has_remaining() {
        if all.len() == PARTITIONS_MAX {
            return Err(DecodeError::TooMany { what: "partitions", max: PARTITIONS_MAX });
        }
        let out_of_range = |got| DecodeError::OutOfRange { field: "partitions", got };
        let gap = decode_varint(&mut varints)?;
        let partition = u32::try_from(gap).ok().and_then(|gap| gap.checked_add(next));
        let partition = partition.filter(|it| *it < u32::MAX).ok_or(out_of_range(gap))?;
        all.push(Partition(partition));
        next = partition + 1;
    }
    Ok(all)
}

impl From<&Query> for schema::Query {
    fn from(query: &Query) -> Self {
        let kind = match query {
            Query::Buckets { bucket_type } => QueryKind::Buckets(bucket_type.clone()),
            Query::Keys { bucket, span } => QueryKind::Keys(keys(bucket, span)),
            Query::Index { bucket, field, span } => {
                let index = schema::Index { terms: Some(keys(bucket, span)), field: field.clone() };
                QueryKind::Index(index)
            }
        };
        Self { kind: Some(kind) }
    }
}

fn keys(bucket: &Bucket, span: &Span) -> schema::Keys {
    schema::Keys {
        bucket_type: Bytes::copy_from_slice(&bucket.bucket_type),
        bucket: Bytes::copy_from_slice(&bucket.name),
        from: span.from.clone(),
        to: span.to.clone(),
    }
}

impl TryFrom<schema::Query> for Query {
    type Error = DecodeError;
    fn try_from(query: schema::Query) -> Result<Self, DecodeError> {
        Ok(match chosen("query.kind", query.kind)? {
            QueryKind::Buckets(bucket_type) => {
                check_parts([&bucket_type, &[], &[]])?;
                Self::Buckets { bucket_type }
            }
            QueryKind::Keys(keys) => {
                let (bucket, span) = bucket_and_span(keys)?;
                Self::Keys { bucket, span }
            }
            QueryKind::Index(index) => {
                let (bucket, span) = bucket_and_span(required("query.terms", index.terms)?)?;
                check_term(&index.field)?;
                Self::Index { bucket, field: index.field, span }
            }
        })
    }
}

fn bucket_and_span(keys: schema::Keys) -> Result<(Bucket, Span), DecodeError> {
    let schema::Keys { bucket_type, bucket, from, to } = keys;
    check_parts([&bucket_type, &bucket, &[]])?;
    check_term(&from)?;
    check_term(to.as_deref().unwrap_or_default())?;
    let bucket = Bucket { bucket_type: bucket_type.into(), name: bucket.into() };
    Ok((bucket, Span { from, to }))
}

fn check_term(term: &[u8]) -> Result<(), DecodeError> {
    if term.len() <= TERM_BYTES_MAX {
        Ok(())
    } else {
        Err(DecodeError::TooMany { what: "bytes of an index term", max: TERM_BYTES_MAX })
    }
}

impl From<&Entry> for schema::Entry {
    fn from(entry: &Entry) -> Self {
        Self { term: entry.term.clone(), key: entry.key.clone() }
    }
}

impl TryFrom<schema::Entry> for Entry {
    type Error = DecodeError;
    fn try_from(schema::Entry { term, key }: schema::Entry) -> Result<Self, DecodeError> {
        check_term(&term)?;
        if key.len() > KEY_BYTES_MAX {
            return Err(DecodeError::TooMany { what: "bytes of a key", max: KEY_BYTES_MAX });
        }
        Ok(Self { term, key })
    }
}

impl From<&Found> for schema::Found {
    fn from(found: &Found) -> Self {
        let entries = found.entries.iter().map(Into::into).collect();
        Self { entries: Some(entries), next: found.next.as_ref().map(Into::into) }
    }
}

impl TryFrom<schema::Found> for Found {
    type Error = DecodeError;
    fn try_from(found: schema::Found) -> Result<Self, DecodeError> {
        let entries = all::<_, ENTRIES_PER_PAGE_MAX>("entries of a page", found.entries.unwrap_or_default())?;
        Ok(Self {
            entries: entries.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
            next: found.next.map(TryInto::try_into).transpose()?,
        })
    }
}

impl From<&CoverageRequest> for schema::Request {
    fn from(CoverageRequest { call, op }: &CoverageRequest) -> Self {
        let op = match op {
            CoverageOp::Begin(listing) => {
                let Listing { query, after, limit, timeout } = &**listing;
                let ns = |span: Duration| u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
                schema::Op::Begin(Box::new(schema::Begin {
                    query: Some(query.into()),
                    after: after.as_ref().map(Into::into),
                    limit: *limit,
                    timeout_ns: timeout.map(ns),
                }))
            }
            CoverageOp::Next => schema::Op::Next(Nothing {}),
            CoverageOp::Cancel => schema::Op::Cancel(Nothing {}),
        };
        Self { call: call.0, op: Some(op) }
    }
}

impl TryFrom<schema::Request> for CoverageRequest {
    type Error = DecodeError;
    fn try_from(request: schema::Request) -> Result<Self, DecodeError> {
        let op = match chosen("coverage_request.op", request.op)? {
            schema::Op::Begin(begin) => CoverageOp::Begin(Box::new(Listing {
                query: required("listing.query", begin.query)?.try_into()?,
                after: begin.after.map(TryInto::try_into).transpose()?,
                limit: begin.limit,
                timeout: begin.timeout_ns.map(Duration::from_nanos),
            })),
            schema::Op::Next(Nothing {}) => CoverageOp::Next,
            schema::Op::Cancel(Nothing {}) => CoverageOp::Cancel,
        };
        Ok(Self { call: CallId(request.call), op })
    }
}
