//! Golden interaction scripts: text in, text out, reviewed as diffs.
//!
//! A script is a list of blocks: commands, a line `----`, and everything that happened because of them. Lines that
//! begin with `#` tell the story. `UPDATE_SCRIPTS=1 cargo test` writes what happens now into the files.
//!
//! ```text
//! nodes 5                     a cluster of five; the key's homes are n1 n2 n3, then n4 n5 stand in
//! put n1 milk [after CALL]    n1 coordinates a write, with the context of an earlier call's answer
//! delete n1 after CALL        the same with a tombstone
//! get n2 r=2                  n2 coordinates a read
//! cut n2 / join n2            n2 hears and says nothing / takes part again
//! hold n2 / sync n2           n2's disk applies and does not sync / syncs
//! silence n1 / restart n1     nothing that n1 says leaves it / its memory is gone, its disk is not
//! wipe n2                     n2's disk forgets everything
//! pass 300ms                  time passes
//! disks                       what every disk holds
//! newcomer n6                 a node that is no founder makes itself known
//! stage n1 n6 join            an operator at n1 stages a change of n6: join, leave, remove, replace-dead=n7
//! commit n1                   and commits what is staged
//! cluster n1                  what n1 takes the cluster to be
//! ```

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use cartwheel_core::id::NodeId;
use cartwheel_core::membership::{Change, Departure, Share};
use cartwheel_core::version::{Context, Value};
use cartwheel_core::{AdminOp, ClientOp, Quorum, WriteOptions};

use crate::lab::Lab;

/// Runs one script file and compares, or updates it.
pub fn check(path: &Path) {
    let text = std::fs::read_to_string(path).expect("a script can be read");
    let happened = run(&text);
    if std::env::var_os("UPDATE_SCRIPTS").is_some() {
        std::fs::write(path, happened).expect("a script can be written");
    } else {
        assert!(
            text == happened,
            "{} tells another story now (UPDATE_SCRIPTS=1 writes it):\n{happened}",
            path.display()
        );
    }
}

fn run(script: &str) -> String {
    let mut table = Table { lab: None, calls: Vec::new() };
    let mut out = String::new();
    for block in script.split("\n\n") {
        let commands: Vec<&str> = block.lines().take_while(|line| *line != "----").collect();
        let mut happened = String::new();
        for command in commands.iter().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            happened += &table.execute(command);
        }
        out += &commands.join("\n");
        if commands.iter().any(|line| !line.starts_with('#')) {
            write!(out, "\n----\n{happened}").unwrap();
        }
        out = out.trim_end().to_string() + "\n\n";
    }
    out.trim_end().to_string() + "\n"
}

struct Table {
    lab: Option<Lab>,
    calls: Vec<cartwheel_core::id::CallId>,
}

impl Table {
    fn execute(&mut self, command: &str) -> String {
        let words: Vec<&str> = command.split_whitespace().collect();
        if let ["nodes", count] = words[..] {
            self.lab = Some(Lab::new(count.parse().expect("a number of nodes")));
            return String::new();
        }
        let lab = self.lab.as_mut().expect("a script begins with `nodes`");
        let node =
            |at: usize| words[at].strip_prefix('n').and_then(|n| n.parse().ok()).expect("a node, as n1");
        let mut shown = String::new();
        match words[..] {
            ["put", _, value] => self.calls.push(lab.put(node(1), leak(value), Context::EMPTY)),
            ["put", _, value, "after", call] => {
                let context = context(lab, &self.calls, call);
                self.calls.push(lab.put(node(1), leak(value), context));
            }
            ["delete", _, "after", call] => {
                let context = context(lab, &self.calls, call);
                let options = WriteOptions::default();
                let delete = ClientOp::Put { context, value: Value::Tombstone, options };
                self.calls.push(lab.ask(node(1), 1_000 + self.calls.len() as u128, delete));
            }
            ["get", _, r] => {
                let r = r.strip_prefix("r=").and_then(|r| r.parse().ok()).expect("r=NUMBER");
                self.calls.push(lab.get(node(1), Quorum::Count(r)));
            }
            ["cut", _] => drop(lab.cut.insert(node(1))),
            ["join", _] => drop(lab.cut.remove(&node(1))),
            ["hold", _] => drop(lab.unsynced.insert(node(1), Vec::new())),
            ["sync", _] => lab.sync(node(1)),
            ["silence", _] => drop(lab.silent.insert(node(1))),
            ["restart", _] => {
                lab.silent.remove(&node(1));
                lab.unsynced.remove(&node(1));
                lab.restart(node(1));
            }
            ["wipe", _] => lab.wipe(node(1)),
            ["pass", time] => {
                let ms = time.strip_suffix("ms").and_then(|ms| ms.parse().ok()).expect("a time, as 300ms");
                lab.pass(Duration::from_millis(ms));
            }
            ["newcomer", _] => lab.newcomer(node(1)),
            ["stage", _, _, change] => {
                lab.administer(
                    node(1),
                    AdminOp::Stage { node: NodeId(node(2)), change: self::change(change) },
                );
            }
            ["commit", _] => lab.administer(node(1), AdminOp::Commit { shown: None }),
            ["cluster", _] => shown = lab.show_cluster(node(1)),
            ["disks"] => shown = lab.show_disks(),
            _ => panic!("no such command: {command}"),
        }
        lab.log.drain(..).map(|line| line + "\n").collect::<String>() + &shown
    }
}

fn change(change: &str) -> Change {
    match change.split_once('=') {
        None if change == "join" => Change::Join(Share::default()),
        None if change == "leave" => Change::Leave,
        None if change == "remove" => Change::Remove,
        Some(("replace-dead", with)) => Change::Replace {
            with: NodeId(with.trim_start_matches('n').parse().expect("a node, as n6")),
            departure: Departure::Dead,
        },
        _ => panic!("no such change: {change}"),
    }
}

fn context(lab: &Lab, calls: &[cartwheel_core::id::CallId], call: &str) -> Context {
    let number: usize = call.parse().expect("the number of a call");
    lab.reply(calls[number - 1]).expect("it was answered").as_ref().expect("it succeeded").context()
}

fn leak(value: &str) -> &'static str {
    Box::leak(value.to_string().into_boxed_str())
}
