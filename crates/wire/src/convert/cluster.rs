pub(super) mod metadata;
pub(super) mod props;

use std::collections::BTreeMap;

use cartwheel_core::id::{NodeId, StoreId};
use cartwheel_core::membership::{
    Change, Cluster, Contact, Departure, LastBoot, Member, MemberStatus, Progress, Register, Share,
};
use cartwheel_core::ring::{Partition, Phase, Ring, RingEpoch, RingVersion};

use super::{all, chosen, code, nodes, of_code, out_of_range, required, small};
use crate::error::DecodeError;
use crate::limits::{ADDRESS_BYTES_MAX, LIVES_MAX, NAME_BYTES_MAX, PARTITIONS_MAX};
use crate::schema::Nothing;
use crate::schema::cluster as schema;

/// Codes count from 1, in this order, for ever.
const STATUSES: [MemberStatus; 5] = [
    MemberStatus::Joining,
    MemberStatus::Member,
    MemberStatus::Leaving,
    MemberStatus::Left,
    MemberStatus::Removed,
];
const PHASES: [Phase; 2] = [Phase::Copying, Phase::Switching];
const DEPARTURES: [Departure; 2] = [Departure::Alive, Departure::Dead];

const _: () = assert!(PARTITIONS_MAX == Ring::PARTITIONS_MAX as usize, "the limit is the ring's");

impl From<&Cluster> for schema::Cluster {
    fn from(cluster: &Cluster) -> Self {
        Self {
            members: Some(cluster.members.iter().map(member_of).collect()),
            ring: Some((&cluster.ring).into()),
            staged: Some((&cluster.staged).into()),
            n: cluster.n.into(),
            founding: cluster.founding,
            fence: cluster.fence,
            props: (!cluster.props.is_empty()).then(|| cluster.props.iter().map(props::written).collect()),
            types: (!cluster.types.is_empty())
                .then(|| cluster.types.iter().map(props::written_type).collect()),
            metadata: (!cluster.metadata.is_empty())
                .then(|| cluster.metadata.iter().map(metadata::written).collect()),
        }
    }
}

impl TryFrom<schema::Cluster> for Cluster {
    type Error = DecodeError;
    fn try_from(cluster: schema::Cluster) -> Result<Self, DecodeError> {
        let members = all("members", required("cluster.members", cluster.members)?)?;
        let n = small("cluster.n", cluster.n)?;
        Ok(Self {
            members: members.into_iter().map(member).collect::<Result<_, _>>()?,
            ring: required("cluster.ring", cluster.ring)?.try_into()?,
            staged: required("cluster.staged", cluster.staged)?.try_into()?,
            n,
            founding: cluster.founding,
            fence: cluster.fence,
            props: props::all_read(cluster.props, n)?,
            types: props::all_types_read(cluster.types, n)?,
            metadata: metadata::all_read(cluster.metadata)?,
        })
    }
}

fn lost(lost: &schema::Lost) -> Register<bool> {
    Register { count: lost.count, by: NodeId(lost.by), value: lost.is_lost }
}

fn member_of((node, member): (&NodeId, &Member)) -> schema::Member {
    let Register { count, by, value: Contact { name, address } } = member.contact.clone();
    let contact = schema::Contact { count, by: by.0, name, address };
    let Register { count, by, value } = &member.share;
    let share = schema::WrittenShare { count: *count, by: by.0, share: Some(value.into()) };
    let received = member.progress.received.iter().map(|partition| partition.0).collect();
    let progress = schema::Progress { seen: Some(member.progress.seen.into()), received };
    let boots = member.boots.iter().map(|(store, LastBoot { number, lives })| schema::Boot {
        store: store.0,
        number: *number,
        lives: lives.iter().copied().collect(),
    });
    schema::Member {
        node: node.0,
        status: code(&STATUSES, member.status),
        contact: Some(contact),
        share: Some(share),
        progress: Some(progress),
        boots: Some(boots.collect()),
        lost: Some(schema::Lost {
            count: member.lost.count,
            by: member.lost.by.0,
            is_lost: member.lost.value,
        }),
    }
}

fn member(member: schema::Member) -> Result<(NodeId, Member), DecodeError> {
    let contact = required("member.contact", member.contact)?;
    let name = short("bytes of a member's name", NAME_BYTES_MAX, contact.name)?;
    let address = short("bytes of a member's address", ADDRESS_BYTES_MAX, contact.address)?;
    let share = required("member.share", member.share)?;
    let boots = all("stores of a member", required("member.boots", member.boots)?)?;
    let value = Contact { name, address };
    Ok((
        NodeId(member.node),
        Member {
            status: of_code("member status", &STATUSES, member.status)?,
            contact: Register { count: contact.count, by: NodeId(contact.by), value },
            share: Register {
                count: share.count,
                by: NodeId(share.by),
                value: required("member.share.share", share.share)?.try_into()?,
            },
            progress: required("member.progress", member.progress)?.try_into()?,
            boots: boots.into_iter().map(boot).collect::<Result<_, _>>()?,
            lost: member.lost.as_ref().map(lost).unwrap_or_default(),
        },
    ))
}

fn boot(schema::Boot { store, number, lives }: schema::Boot) -> Result<(StoreId, LastBoot), DecodeError> {
    if lives.len() > LIVES_MAX {
        return Err(DecodeError::TooMany { what: "boots of one number", max: LIVES_MAX });
    }
    Ok((StoreId(store), LastBoot { number, lives: lives.into_iter().collect() }))
}

fn short(what: &'static str, max: usize, text: String) -> Result<String, DecodeError> {
    if text.len() <= max { Ok(text) } else { Err(DecodeError::TooMany { what, max }) }
}

impl From<&Share> for schema::Share {
    fn from(Share { weight, zone }: &Share) -> Self {
        Self { weight: (*weight).into(), zone: zone.clone() }
    }
}

impl TryFrom<schema::Share> for Share {
    type Error = DecodeError;
    fn try_from(share: schema::Share) -> Result<Self, DecodeError> {
        let weight = u16::try_from(share.weight).map_err(|_| out_of_range("weight", share.weight))?;
        Ok(Self { weight, zone: short("bytes of a zone", NAME_BYTES_MAX, share.zone)? })
    }
}

impl From<RingVersion> for schema::RingVersion {
    fn from(RingVersion { epoch, fingerprint }: RingVersion) -> Self {
        Self { epoch: epoch.0, fingerprint }
    }
}

impl TryFrom<schema::Progress> for Progress {
    type Error = DecodeError;
    fn try_from(progress: schema::Progress) -> Result<Self, DecodeError> {
        let schema::RingVersion { epoch, fingerprint } = required("progress.seen", progress.seen)?;
        partitions(&progress.received)?;
        Ok(Self {
            seen: RingVersion { epoch: RingEpoch(epoch), fingerprint },
            received: progress.received.into_iter().map(Partition).collect(),
        })
    }
}

fn partitions<T>(list: &[T]) -> Result<(), DecodeError> {
    let max = PARTITIONS_MAX;
    if list.len() <= max { Ok(()) } else { Err(DecodeError::TooMany { what: "partitions", max }) }
}

impl From<&Ring> for schema::Ring {
    fn from(ring: &Ring) -> Self {
        let place: BTreeMap<NodeId, u32> = ring.members().iter().copied().zip(0..).collect();
        let places =
            |owners: &[NodeId]| owners.iter().filter_map(|owner| place.get(owner)).copied().collect();
        let next = ring.phase().zip(ring.next_owners());
        Self {
            epoch: ring.epoch().0,
            nodes: ring.members().iter().map(|node| node.0).collect(),
            owners: places(ring.owners()),
            next: next.map(|(phase, owners)| schema::NextOwners {
                phase: code(&PHASES, phase),
                owners: places(owners),
            }),
        }
    }
}

impl TryFrom<schema::Ring> for Ring {
    type Error = DecodeError;
    fn try_from(ring: schema::Ring) -> Result<Self, DecodeError> {
        let nodes = nodes(ring.nodes)?;
        let owners = owners(&nodes, &ring.owners)?;
        let next = ring.next.map(|next| {
            Ok::<_, DecodeError>((
                of_code("phase", &PHASES, next.phase)?,
                self::owners(&nodes, &next.owners)?,
            ))
        });
        let refused = |_| DecodeError::OutOfRange { field: "ring.owners", got: ring.owners.len() as u64 };
        Self::from_parts(RingEpoch(ring.epoch), owners, next.transpose()?).map_err(refused)
    }
}

fn owners(nodes: &[NodeId], places: &[u32]) -> Result<Vec<NodeId>, DecodeError> {
    partitions(places)?;
    let owner = |&place: &u32| {
        let node = usize::try_from(place).ok().and_then(|place| nodes.get(place));
        node.copied().ok_or_else(|| out_of_range("owner", place))
    };
    places.iter().map(owner).collect()
}

impl From<&Register<BTreeMap<NodeId, Change>>> for schema::Staged {
    fn from(Register { count, by, value }: &Register<BTreeMap<NodeId, Change>>) -> Self {
        let change = |(node, change): (&NodeId, &Change)| schema::StagedChange {
            node: node.0,
            change: Some(change.into()),
        };
        Self { count: *count, by: by.0, changes: Some(value.iter().map(change).collect()) }
    }
}

impl TryFrom<schema::Staged> for Register<BTreeMap<NodeId, Change>> {
    type Error = DecodeError;
    fn try_from(staged: schema::Staged) -> Result<Self, DecodeError> {
        let changes = all("staged changes", required("staged.changes", staged.changes)?)?;
        let change = |staged: schema::StagedChange| {
            Ok((NodeId(staged.node), chosen("staged.change", staged.change)?.try_into()?))
        };
        let value = changes.into_iter().map(change).collect::<Result<_, DecodeError>>()?;
        Ok(Self { count: staged.count, by: NodeId(staged.by), value })
    }
}

impl From<&Change> for schema::Change {
    fn from(change: &Change) -> Self {
        match change {
            Change::Join(share) => Self::Join(share.into()),
            Change::Reshare(share) => Self::Reshare(share.into()),
            Change::Leave => Self::Leave(Nothing {}),
            Change::Replace { with, departure } => {
                Self::Replace(schema::Replace { with: with.0, departure: code(&DEPARTURES, *departure) })
            }
            Change::Remove => Self::Remove(Nothing {}),
        }
    }
}

impl TryFrom<schema::Change> for Change {
    type Error = DecodeError;
    fn try_from(change: schema::Change) -> Result<Self, DecodeError> {
        Ok(match change {
            schema::Change::Join(share) => Self::Join(share.try_into()?),
            schema::Change::Reshare(share) => Self::Reshare(share.try_into()?),
            schema::Change::Leave(Nothing {}) => Self::Leave,
            schema::Change::Replace(schema::Replace { with, departure }) => {
                Self::Replace { with: NodeId(with), departure: of_code("departure", &DEPARTURES, departure)? }
            }
            schema::Change::Remove(Nothing {}) => Self::Remove,
        })
    }
}
