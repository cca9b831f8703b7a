//! What happens to a node.

mod storage;

use core::time::Duration;

use bytes::Bytes;
use cartwheel_core::datatype::Mutation;
use cartwheel_core::id::{CallId, NodeId};
use cartwheel_core::membership::{Bucket, Change, Opaque, Plan, Props, Register};
use cartwheel_core::version::Context;
use cartwheel_core::{
    AdminOp, AdminRequest, ClientOp, ClientRequest, Condition, Input, ReadOptions, WriteOptions,
};

use super::cluster::metadata;
use super::cluster::props::{self, number, one_quorum, quorum};
use super::{chosen, join, required, small, split};
use crate::error::DecodeError;
use crate::schema::Nothing;
use crate::schema::cluster::{StagedChange, WrittenProps};
use crate::schema::input::{self as schema, ConditionKind, InputKind};

impl From<&Input> for schema::Input {
    fn from(input: &Input) -> Self {
        let kind = match input {
            Input::Client(request) => InputKind::Client(request.into()),
            Input::Peer { from, message } => {
                InputKind::Peer(schema::Peer { from: from.0, message: Some(message.into()) })
            }
            Input::Storage(completion) => InputKind::Storage(completion.into()),
            Input::Timeout => InputKind::Timeout(Nothing {}),
            Input::Admin(request) => InputKind::Admin(request.into()),
            Input::Coverage(request) => InputKind::Coverage(request.into()),
        };
        Self { kind: Some(kind) }
    }
}

impl TryFrom<schema::Input> for Input {
    type Error = DecodeError;
    fn try_from(input: schema::Input) -> Result<Self, DecodeError> {
        Ok(match chosen("input.kind", input.kind)? {
            InputKind::Client(request) => Self::Client(request.try_into()?),
            InputKind::Peer(schema::Peer { from, message }) => {
                Self::Peer { from: NodeId(from), message: required("peer.message", message)?.try_into()? }
            }
            InputKind::Storage(completion) => Self::Storage(completion.try_into()?),
            InputKind::Timeout(Nothing {}) => Self::Timeout,
            InputKind::Admin(request) => Self::Admin(request.try_into()?),
            InputKind::Coverage(request) => Self::Coverage(request.try_into()?),
        })
    }
}

impl From<&ClientRequest> for schema::ClientRequest {
    fn from(asked: &ClientRequest) -> Self {
        let (request_high, request_low) = split(asked.request);
        let ns = |span: Duration| u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        Self {
            call: asked.call.0,
            request_high,
            request_low,
            key: Some((&asked.key).into()),
            timeout_ns: asked.timeout.map(ns),
            op: Some((&asked.op).into()),
        }
    }
}

impl TryFrom<schema::ClientRequest> for ClientRequest {
    type Error = DecodeError;
    fn try_from(asked: schema::ClientRequest) -> Result<Self, DecodeError> {
        Ok(Self {
            call: CallId(asked.call),
            request: join(asked.request_high, asked.request_low),
            key: required("client_request.key", asked.key)?.try_into()?,
            op: chosen("client_request.op", asked.op)?.try_into()?,
            timeout: asked.timeout_ns.map(Duration::from_nanos),
        })
    }
}

impl From<&ClientOp> for schema::ClientOp {
    fn from(op: &ClientOp) -> Self {
        let count = |count: Option<u8>| count.map(u32::from);
        match op {
            ClientOp::Get(ReadOptions { r, pr, node_confirms, notfound_ok, basic_quorum, sloppy, n }) => {
                Self::Get(schema::ReadOptions {
                    r: number(*r),
                    pr: pr.map(number),
                    node_confirms: count(*node_confirms),
                    notfound_ok: *notfound_ok,
                    basic_quorum: *basic_quorum,
                    strict: !sloppy,
                    n: count(*n),
                })
            }
            ClientOp::Put { context, value, options } => {
                let (context, value) = (Some((&context.0).into()), Some(value.into()));
                Self::Put(schema::Put { context, value, ..options.into() })
            }
            ClientOp::Update { op, context, options } => {
                let mutation = Mutation { op: op.clone(), context: context.clone() };
                let (mutation, options) = (Some((&mutation).into()), Some(options.into()));
                Self::Update(schema::Update { mutation, options })
            }
        }
    }
}

impl TryFrom<schema::ClientOp> for ClientOp {
    type Error = DecodeError;
    fn try_from(op: schema::ClientOp) -> Result<Self, DecodeError> {
        let count = |field, count: Option<u32>| count.map(|count| small(field, count)).transpose();
        Ok(match op {
            schema::ClientOp::Get(get) => Self::Get(ReadOptions {
                r: one_quorum("get.r", get.r)?,
                pr: quorum("get.pr", get.pr)?,
                node_confirms: count("get.node_confirms", get.node_confirms)?,
                notfound_ok: get.notfound_ok,
                basic_quorum: get.basic_quorum,
                sloppy: !get.strict,
                n: count("get.n", get.n)?,
            }),
            schema::ClientOp::Put(mut put) => Self::Put {
                context: required("put.context", put.context.take())?.try_into()?,
                value: chosen("put.value", put.value.take())?.try_into()?,
                options: put.try_into()?,
            },
            schema::ClientOp::Update(schema::Update { mutation, options }) => {
                let Mutation { op, context } = required("update.mutation", mutation)?.try_into()?;
                Self::Update { op, context, options: required("update.options", options)?.try_into()? }
            }
        })
    }
}

impl From<&WriteOptions> for schema::Put {
    fn from(options: &WriteOptions) -> Self {
        let count = |count: Option<u8>| count.map(u32::from);
        let WriteOptions { w, pw, dw, node_confirms, sloppy, n, condition } = options;
        Self {
            context: None,
            w: number(*w),
            pw: pw.map(number),
            dw: dw.map(number),
            node_confirms: count(*node_confirms),
            strict: !sloppy,
            n: count(*n),
            value: None,
            condition: condition.as_ref().map(Into::into),
        }
    }
}

impl TryFrom<schema::Put> for WriteOptions {
    type Error = DecodeError;
    fn try_from(put: schema::Put) -> Result<Self, DecodeError> {
        let count = |field, count: Option<u32>| count.map(|count| small(field, count)).transpose();
        Ok(Self {
            w: one_quorum("put.w", put.w)?,
            pw: quorum("put.pw", put.pw)?,
            dw: quorum("put.dw", put.dw)?,
            node_confirms: count("put.node_confirms", put.node_confirms)?,
            sloppy: !put.strict,
            n: count("put.n", put.n)?,
            condition: put.condition.map(TryInto::try_into).transpose()?,
        })
    }
}

impl From<&Condition> for schema::Condition {
    fn from(condition: &Condition) -> Self {
        let kind = match condition {
            Condition::NoneMatch => ConditionKind::NoneMatch(Nothing {}),
            Condition::NotModified(Context(seen)) => ConditionKind::NotModified(seen.into()),
        };
        Self { kind: Some(kind) }
    }
}

impl TryFrom<schema::Condition> for Condition {
    type Error = DecodeError;
    fn try_from(condition: schema::Condition) -> Result<Self, DecodeError> {
        Ok(match chosen("condition.kind", condition.kind)? {
            ConditionKind::NoneMatch(Nothing {}) => Self::NoneMatch,
            ConditionKind::NotModified(seen) => Self::NotModified(seen.try_into()?),
        })
    }
}

impl From<&AdminRequest> for schema::AdminRequest {
    fn from(AdminRequest { call, op }: &AdminRequest) -> Self {
        let op = match op {
            AdminOp::Stage { node, change } => schema::AdminOp::Stage(staged((node, change))),
            AdminOp::Clear => schema::AdminOp::Clear(Nothing {}),
            AdminOp::Plan => schema::AdminOp::Plan(Nothing {}),
            AdminOp::Commit { shown } => {
                schema::AdminOp::Commit(schema::Commit { shown: shown.as_ref().map(plan_of) })
            }
            AdminOp::SetProps { bucket, props } => {
                schema::AdminOp::SetProps(props::written((bucket, &asked(props.clone()))))
            }
            AdminOp::ResetProps { bucket: Bucket { bucket_type, name } } => {
                let copy = |name: &[u8]| Bytes::copy_from_slice(name);
                schema::AdminOp::ResetProps(schema::Bucket {
                    bucket_type: copy(bucket_type),
                    name: copy(name),
                })
            }
            AdminOp::CreateType { name, props } => schema::AdminOp::CreateType(of_type(name, props)),
            AdminOp::ActivateType { name } => schema::AdminOp::ActivateType(Bytes::copy_from_slice(name)),
            AdminOp::SetTypeProps { name, props } => schema::AdminOp::SetTypeProps(of_type(name, props)),
            AdminOp::SetMetadata { changes } => {
                let entry = |(name, value): &(Vec<u8>, Option<Opaque>)| {
                    metadata::written((name, &asked(value.clone())))
                };
                schema::AdminOp::SetMetadata(schema::Entries { changes: changes.iter().map(entry).collect() })
            }
        };
        Self { call: call.0, op: Some(op) }
    }
}

impl TryFrom<schema::AdminRequest> for AdminRequest {
    type Error = DecodeError;
    fn try_from(asked: schema::AdminRequest) -> Result<Self, DecodeError> {
        let op = match chosen("admin_request.op", asked.op)? {
            schema::AdminOp::Stage(staged) => {
                let (node, change) = unstaged(staged)?;
                AdminOp::Stage { node, change }
            }
            schema::AdminOp::Clear(Nothing {}) => AdminOp::Clear,
            schema::AdminOp::Plan(Nothing {}) => AdminOp::Plan,
            schema::AdminOp::Commit(commit) => AdminOp::Commit { shown: commit.shown.map(plan).transpose()? },
            schema::AdminOp::SetProps(written) => {
                let (bucket, register) = props::unchecked(written)?;
                AdminOp::SetProps { bucket, props: register.value }
            }
            schema::AdminOp::ResetProps(schema::Bucket { bucket_type, name }) => {
                AdminOp::ResetProps { bucket: Bucket { bucket_type: bucket_type.into(), name: name.into() } }
            }
            schema::AdminOp::CreateType(written) => {
                let (bucket, register) = props::unchecked(written)?;
                AdminOp::CreateType { name: bucket.name, props: register.value }
            }
            schema::AdminOp::ActivateType(name) => AdminOp::ActivateType { name: name.into() },
            schema::AdminOp::SetTypeProps(written) => {
                let (bucket, register) = props::unchecked(written)?;
                AdminOp::SetTypeProps { name: bucket.name, props: register.value }
            }
            schema::AdminOp::SetMetadata(schema::Entries { changes }) => {
                let change = |entry| metadata::read(entry).map(|(name, register)| (name, register.value));
                AdminOp::SetMetadata { changes: changes.into_iter().map(change).collect::<Result<_, _>>()? }
            }
        };
        Ok(Self { call: CallId(asked.call), op })
    }
}

/// What is only asked for has been written by nobody yet.
fn asked<T>(value: T) -> Register<T> {
    Register { count: 0, by: NodeId(0), value }
}

fn of_type(name: &[u8], props: &Props) -> WrittenProps {
    props::written((&props::of_type(name), &asked(props.clone())))
}

fn staged((node, change): (&NodeId, &Change)) -> StagedChange {
    StagedChange { node: node.0, change: Some(change.into()) }
}

fn unstaged(staged: StagedChange) -> Result<(NodeId, Change), DecodeError> {
    Ok((NodeId(staged.node), chosen("staged.change", staged.change)?.try_into()?))
}

fn plan_of(plan: &Plan) -> schema::Plan {
    let nodes = |nodes: &[NodeId]| nodes.iter().map(|node| node.0).collect();
    schema::Plan {
        changes: plan.changes.iter().map(staged).collect(),
        before: nodes(&plan.before),
        after: nodes(&plan.after),
    }
}

fn plan(plan: schema::Plan) -> Result<Plan, DecodeError> {
    let nodes = |nodes: Vec<u64>| nodes.into_iter().map(NodeId).collect();
    Ok(Plan {
        changes: plan.changes.into_iter().map(unstaged).collect::<Result<_, _>>()?,
        before: nodes(plan.before),
        after: nodes(plan.after),
    })
}
