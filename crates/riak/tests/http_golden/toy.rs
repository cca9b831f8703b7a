//! A node that is nothing but a map: the core's pure apply, and no cluster.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use cartwheel_core::coverage::{CoverageError, Entry, Listing, Scan};
use cartwheel_core::datatype::Mutation;
use cartwheel_core::id::{NodeId, RequestId, StoreId};
use cartwheel_core::membership::{Cluster, Datatype, PlanError, Props, Rules};
use cartwheel_core::replica::{Change, Record, Refused, Update, Write, Written};
use cartwheel_core::ring::{Partition, Ring};
use cartwheel_core::time::WallTime;
use cartwheel_core::version::{Actor, Context, Dot, Policy, Siblings, Version};
use cartwheel_core::{Answer, ClientError, ClientOp, Config, Key};
use cartwheel_riak::http::{BucketProps, Call, Coming, DataType, Defaults, PropsVerb, Response, pong};
use cartwheel_riak::index;
use cartwheel_riak::props::{Held, Owner};
use http::request::Parts;

/// As the recorded node was: with Riak's defaults, and the types that the recording uses.
pub struct Toy {
    keys: HashMap<Key, Siblings>,
    cluster: Cluster,
    defaults: Rules,
    writes: u64,
}

const ME: NodeId = NodeId(1);

impl Default for Toy {
    fn default() -> Self {
        let members: Vec<NodeId> = (1..=3).map(NodeId).collect();
        let ring = Ring::new(&members, 8, 3).expect("a ring");
        let defaults = Config { policy: Policy::OneValue, ..Config::new(ME, ring.clone()) }.rules();
        let mut cluster = Cluster::founded(&members, ring, 3, &BTreeMap::new());
        let types = [
            ("plain", Props::default()),
            ("counters", Props { datatype: Some(Datatype::Counter), ..Props::default() }),
            ("sets", Props { datatype: Some(Datatype::Set), ..Props::default() }),
            ("maps", Props { datatype: Some(Datatype::Map), ..Props::default() }),
            ("hlls", Props { datatype: Some(Datatype::Hll), ..Props::default() }),
            ("gsets", Props { datatype: Some(Datatype::Gset), ..Props::default() }),
            ("write_once", Props { write_once: Some(true), ..Props::default() }),
        ];
        for (name, props) in types {
            cluster.create_type(ME, name.into(), props).expect("makes sense");
            cluster.activate_type(name.as_bytes()).expect("was created");
        }
        Self { keys: HashMap::new(), cluster, defaults, writes: 0 }
    }
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
            Ok(Call::DataType(call)) => self.data_type(&call, body),
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
            Ok(Call::List(list)) => match self.look(list.listing()) {
                _ if list.coming() == Coming::Nothing => list.nothing(),
                Ok(entries) => list.whole(list.names(entries.iter())),
                Err(error) => list.refusal(&error).unwrap_or_else(|| list.whole(list.error(&error))),
            },
            Ok(Call::Index(index)) => match self.look(index.listing()) {
                Ok(entries) => index.whole(&entries),
                Err(error) => index.failed(&error),
            },
            Err(refusal) => Call::refuse(&refusal),
        }
    }

    /// What a listing finds.
    fn look(&self, listing: Listing) -> Result<Vec<Entry>, CoverageError> {
        if !self.cluster.has_type(listing.query.bucket_type()) {
            return Err(CoverageError::NoType);
        }
        if listing.timeout.is_some_and(|timeout| timeout.is_zero()) {
            return Err(CoverageError::Timeout);
        }
        let Listing { query, after, limit, .. } = listing;
        let partitions: Vec<Partition> = (0..8).map(Partition).collect();
        let scan = Scan { query, partitions: partitions.into(), after, limit: limit.unwrap_or(u32::MAX) };
        Ok(scan.of(self.keys.iter(), 8, index::entries).entries)
    }

    fn props(&mut self, call: &BucketProps, body: &str) -> Response {
        let set = match call.verb() {
            PropsVerb::Show => return call.shown(self.held(call.owner()).as_ref()),
            PropsVerb::Set => match call.props(body.as_bytes()) {
                Ok(props) => props,
                Err(refusal) => return Call::refuse(&refusal),
            },
            PropsVerb::Reset => Props::default(),
        };
        let changed = match (call.verb(), call.owner()) {
            (PropsVerb::Reset, owner) => {
                self.reset(owner);
                Ok(())
            }
            (_, owner) => self.set(owner, set),
        };
        match changed {
            Ok(()) => call.done(),
            Err(PlanError::Props(error)) => call.refused(&error),
            Err(PlanError::Type(error)) => call.type_refused(&error),
            Err(other) => panic!("{other}"),
        }
    }

    fn data_type(&mut self, call: &DataType, body: &str) -> Response {
        let held = self.held(&Owner::Bucket(call.bucket()));
        let admitted = match call.admit(held.as_ref().map(|held| &held.rules)) {
            Ok(admitted) => admitted,
            Err(response) => return *response,
        };
        let Some(key) = call.key(RequestId(u128::from(self.writes))).expect("short names") else {
            return call.not_found(&admitted);
        };
        match call.op(&admitted, &Bytes::copy_from_slice(body.as_bytes())) {
            Ok(op) => call.render(&admitted, &key, &self.run(&key, op)),
            Err(response) => *response,
        }
    }

    pub fn set(&mut self, owner: &Owner, props: Props) -> Result<(), PlanError> {
        match owner {
            Owner::Bucket(bucket) => {
                self.cluster.set_props(ME, bucket.clone(), props).map_err(PlanError::Props)
            }
            Owner::Type(name) => self.cluster.set_type_props(ME, name, props).map_err(PlanError::Type),
        }
    }

    pub fn reset(&mut self, owner: &Owner) {
        if let Owner::Bucket(bucket) = owner {
            self.cluster.reset_props(ME, bucket);
        }
    }

    pub fn held(&self, owner: &Owner) -> Option<Held> {
        let cluster = &self.cluster;
        let (props, rules) = match owner {
            Owner::Bucket(bucket) => {
                (cluster.props_with_type(bucket), cluster.rules_of(bucket, &self.defaults))
            }
            Owner::Type(name) => {
                let props = cluster.props_of_type(name).cloned().unwrap_or_default();
                (props, cluster.rules_of_type(name, &self.defaults))
            }
        };
        let claimant = "riak@127.0.0.1".to_owned();
        let held = Held { props, rules, is_active: true, claimant, riak_defaults: true };
        cluster.has_type(owner.bucket_type()).then_some(held)
    }

    pub fn run(&mut self, key: &Key, op: ClientOp) -> Result<Answer, ClientError> {
        if !self.cluster.has_type(key.bucket_type()) {
            return Err(ClientError::NoType);
        }
        let siblings = self.keys.entry(key.clone()).or_default();
        let mut dot = None;
        if let ClientOp::Update { op, context, .. } = op {
            self.writes += 1;
            let mutation = Written::Changed(Arc::new(Mutation { op, context }));
            let change = coordinated(siblings, mutation, self.writes)?;
            *siblings = change.siblings;
            return Ok(Answer::new(siblings, Policy::KeepSiblings, change.dot, vec![ME]));
        }
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

/// What a store makes of a change.
fn coordinated(siblings: &Siblings, value: Written, write: u64) -> Result<Change, ClientError> {
    let record = Record { siblings: siblings.clone(), ..Record::default() };
    let (request, context) = (RequestId(u128::from(write)), Context::EMPTY);
    let update = Update::Coordinate {
        write: Arc::new(Write { request, context, value, written_at: WallTime(1_780_000_000_000_000) }),
        made: None,
        // Beside the one that counts the plain writes.
        mint: Actor { node: ME, store: StoreId(2), boot: 1, mint: write },
        continuous_since: 1,
        past_entries_max: 50,
        owed: None,
        policy: Policy::KeepSiblings,
        flaw: None,
    };
    match update.apply(Some(&record)) {
        Ok((_, change)) => Ok(change),
        Err(Refused::Mutation(refusal)) => Err(ClientError::Refused(refusal)),
        Err(refused) => panic!("{refused:?}"),
    }
}
