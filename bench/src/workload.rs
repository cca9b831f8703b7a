//! What the bare loop, madsim and turmoil are given to do: the six messages of a write to three replicas, and nothing else.
//!
//! A client asks a node; that node tells the next two; both answer it; it answers the client, who asks the next node at
//! once. Nobody decides, keeps or checks anything, so what is measured is what the world around it costs.

/// Messages of one operation.
pub const MESSAGES_PER_OPERATION: u64 = 6;

/// How many there are. Each client has one operation under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crowd {
    pub nodes: usize,
    pub clients: usize,
}

impl Crowd {
    /// Where all clients are: behind the last node.
    pub const fn clients_place(self) -> usize {
        self.nodes
    }
}

/// One message, about the operation that `client` has under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Message {
    pub says: Says,
    pub client: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Says {
    Ask,
    Write,
    Written,
    Answer,
}

impl Message {
    /// As it goes through a socket.
    pub fn to_bytes(self) -> [u8; 8] {
        let [a, b, c, d] = self.client.to_le_bytes();
        [self.says as u8, 0, 0, 0, a, b, c, d]
    }

    pub fn from_bytes([says, _, _, _, a, b, c, d]: [u8; 8]) -> Self {
        let says = match says {
            0 => Says::Ask,
            1 => Says::Write,
            2 => Says::Written,
            _ => Says::Answer,
        };
        Self { says, client: u32::from_le_bytes([a, b, c, d]) }
    }
}

/// What is to be sent, and where to.
pub type Sends = [Option<(usize, Message)>; 2];

/// One node.
#[derive(Debug)]
pub struct Node {
    crowd: Crowd,
    place: usize,
    /// Whether one of the two has answered already, for each client.
    answered: Vec<bool>,
}

impl Node {
    pub fn new(crowd: Crowd, place: usize) -> Self {
        Self { crowd, place, answered: vec![false; crowd.clients] }
    }

    pub fn hears(&mut self, from: usize, Message { says, client }: Message) -> Sends {
        let tell = |place, says| Some((place, Message { says, client }));
        match says {
            Says::Ask => [1, 2].map(|next| tell((self.place + next) % self.crowd.nodes, Says::Write)),
            Says::Write => [tell(from, Says::Written), None],
            Says::Written => {
                let answered = &mut self.answered[client as usize];
                *answered = !*answered;
                let is_done = !*answered;
                [is_done.then_some(tell(self.crowd.clients_place(), Says::Answer)).flatten(), None]
            }
            Says::Answer => unreachable!("clients are answered"),
        }
    }
}

/// All clients.
#[derive(Debug)]
pub struct Clients {
    crowd: Crowd,
    /// Operations that nobody has begun.
    left: u64,
    under_way: u64,
    next_node: usize,
}

impl Clients {
    pub const fn new(crowd: Crowd, operations: u64) -> Self {
        Self { crowd, left: operations, under_way: 0, next_node: 0 }
    }

    /// The first operation of each client.
    pub fn begin(&mut self) -> Vec<(usize, Message)> {
        (0..self.crowd.clients as u32).filter_map(|client| self.ask(client)).collect()
    }

    /// A client has its answer.
    pub fn hear(&mut self, message: Message) -> Option<(usize, Message)> {
        assert_eq!(message.says, Says::Answer);
        self.under_way -= 1;
        self.ask(message.client)
    }

    pub const fn are_done(&self) -> bool {
        self.left == 0 && self.under_way == 0
    }

    fn ask(&mut self, client: u32) -> Option<(usize, Message)> {
        self.left = self.left.checked_sub(1)?;
        self.under_way += 1;
        self.next_node = (self.next_node + 1) % self.crowd.nodes;
        Some((self.next_node, Message { says: Says::Ask, client }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_survive_a_socket() {
        for says in [Says::Ask, Says::Write, Says::Written, Says::Answer] {
            let message = Message { says, client: 70_000 };
            assert_eq!(Message::from_bytes(message.to_bytes()), message);
        }
    }
}
