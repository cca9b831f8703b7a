//! Making bucket types, which only operators can: over HTTP, as `cartwheel admin bucket-type` does it.

use std::net::SocketAddr;

use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::props::Props;
use crate::quorum::Quorum;

pub(super) async fn create(http: SocketAddr, name: &str, props: &Props) -> Result<(), String> {
    post(http, "create", &json!({ "name": name, "props": in_json(props) })).await?;
    post(http, "activate", &json!({ "name": name })).await
}

/// One request on a connection of its own.
async fn post(http: SocketAddr, what: &str, body: &Value) -> Result<(), String> {
    let body = body.to_string();
    let head = format!(
        "POST /cartwheel/types/{what} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let answer = async {
        let mut stream = TcpStream::connect(http).await?;
        stream.write_all((head + &body).as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = answer.await.map_err(|error| error.to_string())?;
    match answer.as_bytes() {
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'1', b' ', b'2', ..] => Ok(()),
        _ => Err(answer.rsplit("\r\n\r\n").next().unwrap_or_default().to_owned()),
    }
}

fn in_json(props: &Props) -> Map<String, Value> {
    let number = |number: Option<u8>| number.map(Value::from);
    let switch = |on: Option<bool>| on.map(Value::from);
    let quorum = |quorum: Option<Quorum>| {
        quorum.map(|quorum| match quorum {
            Quorum::Default => json!("default"),
            Quorum::One => json!("one"),
            Quorum::Majority => json!("quorum"),
            Quorum::All => json!("all"),
            Quorum::Count(count) => json!(count),
        })
    };
    let all = [
        ("n_val", number(props.n_val)),
        ("allow_mult", switch(props.allow_mult)),
        ("last_write_wins", switch(props.last_write_wins)),
        ("r", quorum(props.r)),
        ("pr", quorum(props.pr)),
        ("w", quorum(props.w)),
        ("pw", quorum(props.pw)),
        ("dw", quorum(props.dw)),
        ("rw", quorum(props.rw)),
        ("basic_quorum", switch(props.basic_quorum)),
        ("notfound_ok", switch(props.notfound_ok)),
        ("datatype", props.datatype.clone().map(Value::from)),
        ("write_once", switch(props.write_once)),
        ("hll_precision", number(props.hll_precision)),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}
