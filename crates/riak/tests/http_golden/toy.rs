//! A node that is nothing but a map: the core's pure apply, and no cluster.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use cartwheel_core::id::{NodeId, RequestId, StoreId};
use cartwheel_core::membership::{Bucket, Props};
use cartwheel_core::ring::Ring;
use cartwheel_core::time::WallTime;
use cartwheel_core::version::{Actor, Dot, Policy, Siblings, Version};
use cartwheel_core::{Answer, ClientError, ClientOp, Config, Key};
use cartwheel_riak::http::{BucketProps, Call, Defaults, PropsVerb, Response, pong};
use http::request::Parts;

#[derive(Default)]
pub struct Toy {
    keys: HashMap<Key, Siblings>,
    props: BTreeMap<Bucket, Props>,
    writes: u64,
}

impl Toy {
    pub fn answer(&mut self, head: &Parts, body: &str) -> Response {
        match Call::parse(head, &Defaults { n: 3 }) {
            Ok(Call::Ping) => pong(),
            Ok(Call::Resources(resources)) => resources.render(),
            Ok(Call::Get(get)) => get.render(&self.run(get.key(), get.op())),
            Ok(Call::Put(put)) => {
                let key = put.key(RequestId(u128::from(self.writes))).expect("short names");
                if let Some(read) = put.read_op()
                    && let Some(response) = put.unmet(&self.run(&key, read))
                {
                    return response;
                }
                let result = self.run(&key, put.op(Bytes::copy_from_slice(body.as_bytes())));
                put.render(&key, &result)
            }
            Ok(Call::Props(call)) => self.props(&call, body),
            Ok(Call::Delete(delete)) => {
                let context = match delete.context() {
                    Some(context) => context.clone(),
                    None => match delete.seen(&self.run(delete.key(), delete.read_op())) {
                        Ok(context) => context,
                        Err(response) => return *response,
                    },
                };
                delete.render(&self.run(delete.key(), delete.write_op(context)))
            }
            Err(refusal) => Call::refuse(&refusal),
        }
    }

    fn props(&mut self, call: &BucketProps, body: &str) -> Response {
        let members: Vec<NodeId> = (1..=3).map(NodeId).collect();
        let defaults = Config::new(NodeId(1), Ring::new(&members, 8, 3).expect("a ring")).rules();
        let set = self.props.entry(call.bucket().clone()).or_default();
        match call.verb() {
            PropsVerb::Show => return call.shown(set, &defaults.with(set)),
            PropsVerb::Set => match call.props(body.as_bytes()) {
                Ok(props) => *set = props.over(set),
                Err(refusal) => return Call::refuse(&refusal),
            },
            PropsVerb::Reset => *set = Props::default(),
        }
        call.done()
    }

    pub fn run(&mut self, key: &Key, op: ClientOp) -> Result<Answer, ClientError> {
        let siblings = self.keys.entry(key.clone()).or_default();
        let mut dot = None;
        if let ClientOp::Put { context, value, options } = op {
            let read = Answer::new(siblings, Policy::KeepSiblings, None, vec![]);
            if let Some(unfit) = options.condition.and_then(|condition| condition.unfit(&read)) {
                return Err(ClientError::Unfit(unfit));
            }
            self.writes += 1;
            let actor = Actor { node: NodeId(1), store: StoreId(1), boot: 1, mint: 1 };
            let version = Version {
                dot: Dot { actor, counter: self.writes },
                past: context.0,
                request: RequestId(u128::from(self.writes)),
                // Before every date in the recording, so that If-Modified-Since holds as it did there.
                written_at: WallTime(1_780_000_000_000_000),
                value,
            };
            dot = Some(version.dot);
            *siblings = siblings.with(version, Policy::KeepSiblings);
        }
        Ok(Answer::new(siblings, Policy::KeepSiblings, dot, vec![NodeId(1)]))
    }
}
