use core::time::Duration;
use std::sync::Arc;

use cartwheel_core::id::OpId;
use cartwheel_core::message::ForwardMessage;
use cartwheel_core::replica::Written;
use cartwheel_core::version::{Context, Dot, Value};
use cartwheel_core::{Answer, ClientError, Invalid, Needs, QuorumKind, Unfit};

use super::{chosen, code, join, nodes, of_code, required, small, split};
use crate::error::DecodeError;
use crate::schema::Nothing;
use crate::schema::message::{self as schema, ClientErrorKind, ForwardBody, PutValue, ReplyResult};

impl From<&ForwardMessage> for schema::Forward {
    fn from(message: &ForwardMessage) -> Self {
        let (op, body) = match message {
            ForwardMessage::Request { op, request, key, context, value, needs, time_left } => {
                let (request_high, request_low) = split(*request);
                let request = schema::Request {
                    request_high,
                    request_low,
                    key: Some(key.into()),
                    time_left_ns: u64::try_from(time_left.as_nanos()).unwrap_or(u64::MAX),
                    context: Some((&context.0).into()),
                    w: needs.total.into(),
                    n: needs.n.into(),
                    pw: needs.homes.into(),
                    strict: !needs.sloppy,
                    value: Some(value.into()),
                };
                (op, ForwardBody::Request(request))
            }
            ForwardMessage::Accepted { op } => (op, ForwardBody::Accepted(Nothing {})),
            ForwardMessage::Reply { op, result } => {
                let result = match result {
                    Ok(answer) => ReplyResult::Answer(answer.into()),
                    Err(error) => ReplyResult::Error(error.into()),
                };
                (op, ForwardBody::Reply(schema::Reply { result: Some(result) }))
            }
        };
        Self { op: op.0, body: Some(body) }
    }
}

impl TryFrom<schema::Forward> for ForwardMessage {
    type Error = DecodeError;
    fn try_from(message: schema::Forward) -> Result<Self, DecodeError> {
        let op = OpId(message.op);
        Ok(match chosen("forward.body", message.body)? {
            ForwardBody::Request(request) => Self::Request {
                op,
                request: join(request.request_high, request.request_low),
                key: required("request.key", request.key)?.try_into()?,
                context: required("request.context", request.context)?.try_into()?,
                value: chosen("request.value", request.value)?.try_into()?,
                needs: Needs {
                    n: small("request.n", request.n)?,
                    total: small("request.w", request.w)?,
                    homes: small("request.pw", request.pw)?,
                    sloppy: !request.strict,
                },
                time_left: Duration::from_nanos(request.time_left_ns),
            },
            ForwardBody::Accepted(Nothing {}) => Self::Accepted { op },
            ForwardBody::Reply(reply) => {
                let result = match chosen("reply.result", reply.result)? {
                    ReplyResult::Answer(answer) => Ok(answer.try_into()?),
                    ReplyResult::Error(error) => Err(error.try_into()?),
                };
                Self::Reply { op, result }
            }
        })
    }
}

/// Codes count from 1, in this order, for ever.
const QUORUMS: [QuorumKind; 4] = [QuorumKind::R, QuorumKind::Pr, QuorumKind::W, QuorumKind::Pw];
const UNFITS: [Unfit; 3] = [Unfit::Found, Unfit::NotFound, Unfit::Modified];

impl From<&Value> for PutValue {
    fn from(value: &Value) -> Self {
        match value {
            Value::Data(data) => Self::Data(data.clone()),
            Value::Tombstone => Self::Tombstone(Nothing {}),
            Value::DataType(value) => Self::DataType((&**value).into()),
        }
    }
}

impl From<&Written> for PutValue {
    fn from(written: &Written) -> Self {
        match written {
            Written::Value(value) => value.into(),
            Written::Changed(mutation) => Self::Changed((&**mutation).into()),
        }
    }
}

impl TryFrom<PutValue> for Written {
    type Error = DecodeError;
    fn try_from(value: PutValue) -> Result<Self, DecodeError> {
        Ok(match value {
            PutValue::Data(data) => Value::Data(data).into(),
            PutValue::Tombstone(Nothing {}) => Value::Tombstone.into(),
            PutValue::DataType(value) => Value::DataType(Arc::new(value.try_into()?)).into(),
            PutValue::Changed(mutation) => Self::Changed(Arc::new(mutation.try_into()?)),
        })
    }
}

impl TryFrom<PutValue> for Value {
    type Error = DecodeError;
    fn try_from(value: PutValue) -> Result<Self, DecodeError> {
        match Written::try_from(value)? {
            Written::Value(value) => Ok(value),
            Written::Changed(_) => Err(DecodeError::UnknownMessage { choice: "put.value" }),
        }
    }
}

impl From<&Answer> for schema::Answer {
    fn from(answer: &Answer) -> Self {
        Self {
            siblings: Some((&answer.siblings).into()),
            dot: answer.dot.map(Into::into),
            by: answer.by.iter().map(|node| node.0).collect(),
            seen: answer.seen.as_ref().map(|seen| (&seen.0).into()),
        }
    }
}

impl TryFrom<schema::Answer> for Answer {
    type Error = DecodeError;
    fn try_from(answer: schema::Answer) -> Result<Self, DecodeError> {
        Ok(Self {
            siblings: required("answer.siblings", answer.siblings)?.try_into()?,
            dot: answer.dot.map(Dot::try_from).transpose()?,
            by: nodes(answer.by)?,
            seen: answer.seen.map(Context::try_from).transpose()?,
        })
    }
}

impl From<&ClientError> for schema::ClientError {
    fn from(error: &ClientError) -> Self {
        let invalid = |asked: u8, n: u8| schema::Invalid { asked: asked.into(), n: n.into() };
        let tally = |needed: u8, got: u8| schema::Tally { needed: needed.into(), got: got.into() };
        let kind = match error.clone() {
            ClientError::Invalid(Invalid::Quorum { asked, n }) => {
                ClientErrorKind::InvalidQuorum(invalid(asked, n))
            }
            ClientError::Invalid(Invalid::Replicas { asked, n }) => {
                ClientErrorKind::InvalidReplicas(invalid(asked, n))
            }
            ClientError::Overloaded { limit } => ClientErrorKind::Overloaded(limit),
            ClientError::Timeout { needed, got } => ClientErrorKind::Timeout(tally(needed, got)),
            ClientError::QuorumUnmet { quorum, needed, got } => {
                let (needed, got) = (needed.into(), got.into());
                ClientErrorKind::QuorumUnmet(schema::Unmet { needed, got, quorum: code(&QUORUMS, quorum) })
            }
            ClientError::Unfit(unfit) => ClientErrorKind::Unfit(code(&UNFITS, unfit)),
            ClientError::StorageFailed => ClientErrorKind::StorageFailed(Nothing {}),
            ClientError::NotAMember => ClientErrorKind::NotAMember(Nothing {}),
            ClientError::NoType => ClientErrorKind::NoType(Nothing {}),
            ClientError::Invalid(Invalid::OneValue) => ClientErrorKind::OneValue(Nothing {}),
            ClientError::Refused(refusal) => ClientErrorKind::Refused((&refusal).into()),
        };
        Self { kind: Some(kind) }
    }
}

impl TryFrom<schema::ClientError> for ClientError {
    type Error = DecodeError;
    fn try_from(error: schema::ClientError) -> Result<Self, DecodeError> {
        let asked = |invalid: schema::Invalid| small("asked", invalid.asked);
        let n = |invalid: schema::Invalid| small("n", invalid.n);
        let needed = |tally: schema::Tally| small("needed", tally.needed);
        let got = |tally: schema::Tally| small("got", tally.got);
        Ok(match chosen("client_error.kind", error.kind)? {
            ClientErrorKind::InvalidQuorum(of) => {
                Self::Invalid(Invalid::Quorum { asked: asked(of)?, n: n(of)? })
            }
            ClientErrorKind::InvalidReplicas(of) => {
                Self::Invalid(Invalid::Replicas { asked: asked(of)?, n: n(of)? })
            }
            ClientErrorKind::Overloaded(limit) => Self::Overloaded { limit },
            ClientErrorKind::Timeout(of) => Self::Timeout { needed: needed(of)?, got: got(of)? },
            ClientErrorKind::QuorumUnmet(of) => Self::QuorumUnmet {
                quorum: of_code("quorum", &QUORUMS, of.quorum)?,
                needed: small("needed", of.needed)?,
                got: small("got", of.got)?,
            },
            ClientErrorKind::Unfit(code) => Self::Unfit(of_code("condition", &UNFITS, code)?),
            ClientErrorKind::StorageFailed(Nothing {}) => Self::StorageFailed,
            ClientErrorKind::NotAMember(Nothing {}) => Self::NotAMember,
            ClientErrorKind::NoType(Nothing {}) => Self::NoType,
            ClientErrorKind::OneValue(Nothing {}) => Self::Invalid(Invalid::OneValue),
            ClientErrorKind::Refused(refusal) => Self::Refused(refusal.try_into()?),
        })
    }
}
