//! The same messages on turmoil: a host for each place, one UDP socket on each, latencies of 1 to 10 ms.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use turmoil::net::UdpSocket;

use crate::measure::Run;
use crate::workload::{Clients, Crowd, MESSAGES_PER_OPERATION, Message, Node};

const PORT: u16 = 1;

fn ip(place: usize) -> IpAddr {
    let [_, _, high, low] = (place as u32 + 1).to_be_bytes();
    Ipv4Addr::new(10, 0, high, low).into()
}

fn place(address: SocketAddr) -> usize {
    let IpAddr::V4(ip) = address.ip() else { unreachable!("all are IPv4") };
    let [_, _, high, low] = ip.octets();
    usize::from(high) * 256 + usize::from(low) - 1
}

async fn bind() -> std::io::Result<UdpSocket> {
    UdpSocket::bind((Ipv4Addr::UNSPECIFIED, PORT)).await
}

async fn send(socket: &UdpSocket, to: usize, message: Message) -> std::io::Result<()> {
    socket.send_to(&message.to_bytes(), SocketAddr::new(ip(to), PORT)).await.map(drop)
}

async fn hear(socket: &UdpSocket) -> std::io::Result<(usize, Message)> {
    let mut bytes = [0; 8];
    let (_, from) = socket.recv_from(&mut bytes).await?;
    Ok((place(from), Message::from_bytes(bytes)))
}

async fn be_node(crowd: Crowd, place: usize) -> turmoil::Result {
    let socket = bind().await?;
    let mut node = Node::new(crowd, place);
    loop {
        let (from, message) = hear(&socket).await?;
        for (to, message) in node.hears(from, message).into_iter().flatten() {
            send(&socket, to, message).await?;
        }
    }
}

async fn be_clients(crowd: Crowd, operations: u64) -> turmoil::Result {
    let socket = bind().await?;
    let mut clients = Clients::new(crowd, operations);
    for (to, message) in clients.begin() {
        send(&socket, to, message).await?;
    }
    while !clients.are_done() {
        let (_, message) = hear(&socket).await?;
        if let Some((to, message)) = clients.hear(message) {
            send(&socket, to, message).await?;
        }
    }
    Ok(())
}

pub fn run(crowd: Crowd, operations: u64, seed: u64) -> Run {
    let mut world = turmoil::Builder::new()
        .rng_seed(seed)
        .simulation_duration(Duration::MAX)
        .min_message_latency(Duration::from_millis(1))
        .max_message_latency(Duration::from_millis(10))
        .udp_capacity(crowd.clients * 2)
        .build();
    for place in 0..crowd.nodes {
        world.host(ip(place), move || be_node(crowd, place));
    }
    world.client(ip(crowd.clients_place()), be_clients(crowd, operations));
    world.run().expect("no message is lost");
    let simulated_ns = world.elapsed().as_nanos() as u64;
    Run { messages: operations * MESSAGES_PER_OPERATION, events: None, simulated_ns }
}
