//! The other nodes: those that the configuration names, those that the cluster's state tells of, and a few that have
//! called and are not known yet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use cartwheel_core::id::NodeId;
use cartwheel_core::membership::{Contact, MemberStatus};
use cartwheel_core::message::Message;
use tokio::task::JoinHandle;

use crate::config::Settings;
use crate::contact::Addresses;
use crate::endpoint::Endpoint;
use crate::handshake::{Caller, Credentials};
use crate::listener::STRANGERS_MAX;
use crate::peer::{self, Peer};
use crate::sabotage::Sabotage;

/// Whom the cluster knows: what the listening side goes by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roster(Arc<RwLock<BTreeSet<NodeId>>>);

impl Roster {
    pub fn knows(&self, node: NodeId) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains(&node)
    }

    fn add(&self, node: NodeId) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(node);
    }
}

/// One other node, and the task that talks to it for as long as this is kept.
struct Link {
    peer: Arc<Peer>,
    task: JoinHandle<()>,
    /// When it became a link; strangers that came first go first.
    order: u64,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) struct Peers {
    me: NodeId,
    my_name: String,
    links: BTreeMap<NodeId, Link>,
    roster: Roster,
    credentials: Arc<Credentials>,
    queue_max: usize,
    /// Where the configuration has them.
    configured: BTreeMap<NodeId, Endpoint>,
    links_made: u64,
    sabotage: Option<Sabotage>,
}

impl Peers {
    /// Those that the configuration names.
    pub fn of(settings: &Settings, credentials: Arc<Credentials>) -> Self {
        let file = &settings.file;
        let mut peers = Self {
            me: settings.core.node,
            my_name: file.node.clone(),
            links: BTreeMap::new(),
            roster: Roster::default(),
            credentials,
            queue_max: file.peer_queue_max as usize,
            configured: file.members.iter().map(|member| (member.id(), member.peer.clone())).collect(),
            links_made: 0,
            sabotage: settings.sabotage,
        };
        for member in file.members.iter().filter(|member| member.name != file.node) {
            peers.link(&member.name, Addresses { peer: member.peer.clone(), http: None, https: None });
            peers.roster.add(NodeId::from_name(&member.name));
        }
        peers
    }

    pub fn roster(&self) -> Roster {
        self.roster.clone()
    }

    /// `node` is reached like this from now on, as it says itself.
    pub fn on_contact(&mut self, node: NodeId, contact: &Contact) {
        if node == self.me {
            return;
        }
        if NodeId::from_name(&contact.name) != node {
            return tracing::warn!(%node, name = contact.name, "a node under a name that is not its own; not called");
        }
        match Addresses::parse(&contact.address) {
            Some(addresses) => self.link(&contact.name, addresses),
            None => tracing::warn!(
                node = contact.name,
                address = contact.address,
                "an address that this release does not know; not called"
            ),
        }
        self.roster.add(node);
    }

    /// A node has called, and said where it is reached. That is how a newcomer is answered, and one that has moved.
    pub fn on_caller(&mut self, caller: &Caller) {
        if let Some(addresses) = Addresses::parse(&caller.address) {
            self.link(&caller.name, addresses);
            self.call_again(NodeId::from_name(&caller.name));
            self.forget_strangers();
        }
    }

    fn link(&mut self, name: &str, Addresses { peer: address, .. }: Addresses) {
        let node = NodeId::from_name(name);
        if let Some(link) = self.links.get(&node) {
            return link.peer.move_to(address);
        }
        let mut peer = Peer::new(name.to_owned(), address, self.queue_max);
        peer.sabotage = self.sabotage;
        peer.configured = self.configured.get(&node).cloned();
        let peer = Arc::new(peer);
        let task = tokio::spawn(peer::run(Arc::clone(&peer), Arc::clone(&self.credentials)));
        self.links_made += 1;
        self.links.insert(node, Link { peer, task, order: self.links_made });
    }

    /// Of those that the cluster does not know, the latest few are enough.
    fn forget_strangers(&mut self) {
        let strangers = || self.links.iter().filter(|(node, _)| !self.roster.knows(**node));
        if strangers().count() > STRANGERS_MAX {
            let first = strangers().min_by_key(|(_, link)| link.order).map(|(node, _)| *node);
            first.map(|node| self.links.remove(&node));
        }
    }

    /// `node` has another status. One that has gone is not called any more, unless it calls and has to be told.
    pub fn on_status(&self, node: NodeId, status: MemberStatus) {
        if let Some(link) = self.links.get(&node).filter(|_| status.is_gone()) {
            link.peer.dismiss();
        }
    }

    /// Says something to `node`, if it is known where that is.
    pub fn send(&self, node: NodeId, message: Message) {
        if let Some(link) = self.links.get(&node) {
            link.peer.send(message);
        }
    }

    /// `node` does not answer.
    pub fn reconnect(&self, node: NodeId) {
        if let Some(link) = self.links.get(&node) {
            link.peer.reconnect();
        }
    }

    /// `node` has called, or is heard again.
    pub fn call_again(&self, node: NodeId) {
        if let Some(link) = self.links.get(&node) {
            link.peer.call_again();
        }
    }

    /// What people call `node`.
    pub fn name(&self, node: NodeId) -> String {
        match self.links.get(&node) {
            _ if node == self.me => self.my_name.clone(),
            Some(link) => link.peer.name.clone(),
            None => node.to_string(),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Peer> {
        self.links.values().map(|link| &*link.peer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ConfigFile, Member};
    use crate::tls::PeerSide;

    fn peers() -> Peers {
        let address = |port: u16| ([127, 0, 0, 1], port).into();
        let members = vec![Member::new("n1".into(), address(2)), Member::new("n2".into(), address(3))];
        let mut file = ConfigFile::new("shop".into(), "n1".into(), address(1), address(2), members);
        file.n = 2;
        let settings = Settings::new(file).expect("valid");
        let credentials = Credentials {
            cluster: String::new(),
            node: String::new(),
            shape: String::new(),
            address: String::new(),
            tls: PeerSide::default(),
        };
        Peers::of(&settings, Arc::new(credentials))
    }

    fn caller(name: &str) -> Caller {
        Caller { name: name.to_owned(), address: "peer=127.0.0.1:9".to_owned() }
    }

    #[tokio::test]
    async fn strangers_are_bounded_and_do_not_push_out_those_that_are_known() {
        let mut peers = peers();
        let newcomer = NodeId::from_name("n4");
        peers.on_caller(&caller("n4"));
        let contact = Contact { name: "n4".into(), address: "peer=127.0.0.1:8".into() };
        peers.on_contact(newcomer, &contact);
        for stranger in 0..3 * STRANGERS_MAX {
            peers.on_caller(&caller(&format!("stranger-{stranger}")));
        }
        assert_eq!(peers.links.len(), 2 + STRANGERS_MAX);
        assert_eq!(peers.name(newcomer), "n4");
        assert_eq!(peers.name(NodeId::from_name("n2")), "n2");
        assert_eq!(peers.name(NodeId::from_name("n1")), "n1");
    }

    #[tokio::test]
    async fn whoever_calls_is_called_back_at_once() {
        let mut peers = peers();
        peers.on_caller(&caller("n2"));
        let peer = &peers.links[&NodeId::from_name("n2")].peer;
        assert_eq!(peer.pause(peer::BACKOFF_MAX).await, peer::BACKOFF_MIN);
    }

    #[tokio::test]
    async fn a_name_that_is_not_the_nodes_own_is_not_called() {
        let mut peers = peers();
        let contact = Contact { name: "n2".into(), address: "peer=127.0.0.1:8".into() };
        peers.on_contact(NodeId(7), &contact);
        assert_eq!(peers.links.len(), 1);
        assert_eq!(peers.links[&NodeId::from_name("n2")].peer.address().port(), 3);
        peers.on_contact(NodeId::from_name("n2"), &contact);
        assert_eq!(peers.links[&NodeId::from_name("n2")].peer.address().port(), 8);
    }
}
