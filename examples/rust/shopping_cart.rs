//! A shopping cart that two devices change at the same time, without talking to each other. See examples/README.md.
//!
//!     cargo run -p cartwheel-client --example shopping-cart -- [--set] [HOST:PORT ...]

#![allow(clippy::print_stdout, reason = "it is a program to look at")]

use std::collections::BTreeSet;

use cartwheel_client::{Bucket, Client, Content, Context, Error, Object};

type Cart = BTreeSet<String>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let (options, mut nodes): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|arg| arg.starts_with('-'));
    if nodes.is_empty() {
        nodes = vec!["127.0.0.1:8087".to_owned(), "127.0.0.1:8097".to_owned()];
    }
    // Each device has a client of its own, which asks a node of its own.
    let phone = Client::connect([nodes[0].clone()]).await?;
    let laptop = Client::connect([nodes[nodes.len() - 1].clone()]).await?;
    match options.iter().any(|option| option == "--set") {
        false => with_siblings(&phone.bucket("carts"), &laptop.bucket("carts")).await,
        true => {
            let sets =
                [phone.bucket_type("sets").bucket("carts"), laptop.bucket_type("sets").bucket("carts")];
            with_a_set(&sets[0], &sets[1]).await
        }
    }
}

/// The cart is a value that means nothing to the store: whoever reads it makes one cart of what others have written.
async fn with_siblings(phone: &Bucket, laptop: &Bucket) -> Result<(), Error> {
    phone.delete("alice").await?;
    // Milk and bread are in the cart, and both devices see them.
    write(phone, &Cart::from(["milk".to_owned(), "bread".to_owned()]), None).await?;
    let (on_phone, on_laptop) = (phone.get("alice").await?, laptop.get("alice").await?);
    show("both devices see", &on_phone)?;

    // At the same time, the phone adds eggs, and the laptop takes the milk out and adds tea. Each writes in place of what it
    // saw: neither has seen the other's.
    let mut cart = merged(&on_phone)?;
    cart.insert("eggs".to_owned());
    write(phone, &cart, on_phone.context).await?;
    let mut cart = merged(&on_laptop)?;
    cart.remove("milk");
    cart.insert("tea".to_owned());
    write(laptop, &cart, on_laptop.context).await?;

    // Both writes were accepted, and neither is lost.
    let conflict = phone.get("alice").await?;
    show("siblings", &conflict)?;

    // Whoever reads next makes one cart of them, and writes it in place of all that it saw. An item that was added is never lost.
    // One that was taken out may come back: the union cannot know that milk was ever there. A set knows: --set.
    write(phone, &merged(&conflict)?, conflict.context).await?;
    show("merged", &laptop.get("alice").await?)
}

async fn write(carts: &Bucket, cart: &Cart, seen: Option<Context>) -> Result<(), Error> {
    carts.put_json("alice", cart)?.context(seen).await?;
    Ok(())
}

/// The union of all versions.
fn merged(object: &Object) -> Result<Cart, Error> {
    Ok(object.parse_json::<Cart>()?.into_iter().flatten().collect())
}

fn show(what: &str, object: &Object) -> Result<(), Error> {
    let carts: Result<Vec<Cart>, Error> = object.values().map(Content::parse_json).collect();
    for cart in carts? {
        println!("{what:18} {}", cart.into_iter().collect::<Vec<_>>().join(", "));
    }
    Ok(())
}

/// The cart is a set that the store merges itself.
async fn with_a_set(phone: &Bucket, laptop: &Bucket) -> Result<(), Error> {
    phone.delete("alice").await?;
    let (mut on_phone, mut on_laptop) = (phone.set("alice"), laptop.set("alice"));
    on_phone.add("milk").add("bread").store().await?;
    show_set("both devices see", on_laptop.fetch().await?);

    // The same again: the phone adds eggs, and the laptop, which has seen the milk, takes it out and adds tea.
    on_phone.add("eggs").store().await?;
    on_laptop.remove("milk").add("tea").store().await?;

    // No siblings, and the milk stays out.
    show_set("merged", on_phone.fetch().await?);
    Ok(())
}

fn show_set(what: &str, cart: Option<&BTreeSet<bytes::Bytes>>) {
    let items: Vec<_> = cart.into_iter().flatten().map(|item| String::from_utf8_lossy(item)).collect();
    println!("{what:18} {}", items.join(", "));
}
