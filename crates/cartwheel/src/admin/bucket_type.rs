//! `cartwheel admin bucket-type`.

use std::process::ExitCode;

use cartwheel_node::{TypeReport, TypeRequest};
use serde_json::{Map, Value};

use super::erlang::term;
use crate::cluster::client::{Client, Failure};
use crate::output::say;

#[derive(clap::Subcommand)]
pub enum Command {
    /// All types, and which of them clients find.
    List,
    /// One type: how it stands, and its properties.
    Status {
        /// The type.
        name: String,
    },
    /// Create a type. Clients find it once it is activated; until then it can be created anew.
    Create {
        /// The type.
        name: String,
        /// Its properties: '{"props":{"n_val":2}}'. Without them it has the defaults.
        props: Option<String>,
    },
    /// Let clients find a type. This is for ever.
    Activate {
        /// The type.
        name: String,
    },
    /// Change properties of an active type; those that are not named stay.
    Update {
        /// The type.
        name: String,
        /// '{"props":{"n_val":2}}'.
        props: String,
    },
}

pub async fn run(command: Command, client: &Client) -> Result<ExitCode, Failure> {
    match command {
        Command::List => {
            let types: Vec<TypeReport> = client.get("types").await?;
            types.iter().for_each(|found| say(&format!("{} ({})", found.name, standing(found))));
            Ok(ExitCode::SUCCESS)
        }
        Command::Status { name } => status(&name, client).await,
        Command::Create { name, props } => {
            let text = props.unwrap_or_else(|| r#"{"props":{}}"#.to_owned());
            let Some(props) = read("create", &name, &text) else { return Ok(ExitCode::FAILURE) };
            let request = TypeRequest { name: name.clone(), props };
            match client.try_post("types/create", &request).await? {
                Ok(()) => done(&format!("{name} created")),
                Err(why) => refused(&format!("Error creating bucket type {name}:\n{why}")),
            }
        }
        Command::Activate { name } => {
            let request = TypeRequest { name: name.clone(), props: Map::new() };
            match client.try_post("types/activate", &request).await? {
                Ok(()) => done(&format!("{name} has been activated")),
                Err(why) => refused(&format!("Error activating bucket type {name}:\n{why}")),
            }
        }
        Command::Update { name, props } => {
            let Some(props) = read("update", &name, &props) else { return Ok(ExitCode::FAILURE) };
            let request = TypeRequest { name: name.clone(), props };
            match client.try_post("types/update", &request).await? {
                Ok(()) => done(&format!("{name} updated")),
                Err(why) => refused(&format!("Error updating bucket type {name}:\n{why}")),
            }
        }
    }
}

async fn status(name: &str, client: &Client) -> Result<ExitCode, Failure> {
    let types: Vec<TypeReport> = client.get("types").await?;
    let Some(found) = types.iter().find(|found| found.name == name) else {
        return refused(&format!("{name} is not an existing bucket type"));
    };
    let stands = if found.active { "is active" } else { "has been created and may be activated" };
    say(&format!("{name} {stands}\n"));
    for (property, value) in found.props.iter().rev() {
        say(&format!("{property}: {}", term(value)));
    }
    Ok(ExitCode::SUCCESS)
}

fn standing(found: &TypeReport) -> &'static str {
    if found.active { "active" } else { "not active" }
}

/// The properties in what an operator typed; says what is wrong with it.
fn read(verb: &str, name: &str, text: &str) -> Option<Map<String, Value>> {
    let wrong = match serde_json::from_str(text) {
        Ok(Value::Object(mut fields)) => match fields.remove("props") {
            Some(Value::Object(props)) => return Some(props),
            _ => "no props field found in json",
        },
        _ => "invalid json",
    };
    say(&format!("Cannot {verb} bucket type {name}: {wrong}"));
    None
}

fn done(what: &str) -> Result<ExitCode, Failure> {
    say(&what);
    Ok(ExitCode::SUCCESS)
}

/// Riak's console says this on standard output, too.
fn refused(why: &str) -> Result<ExitCode, Failure> {
    say(&why);
    Ok(ExitCode::FAILURE)
}
