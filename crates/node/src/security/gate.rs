//! Before the API: who asks, and whether it may.
//!
//! Passwords are checked with a hash that takes long on purpose ([`Checks`] says whose turn it is). Who has been let in
//! is remembered, by a code that only this process can make: a client that sends its password with each request pays
//! once.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cartwheel_riak::http::Refusal;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use ring::hmac;

use super::checks::Checks;
use super::password::PasswordHash;
use super::policy::{Method, Permission, Policy, Scope};
use super::read;
use super::shared::Shared;
use crate::reload::Reloaded;
use crate::runtime::random;
use crate::tls::Proof;

/// Passwords remembered.
const REMEMBERED_MAX: usize = 1024;

/// Where a request comes from.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub address: IpAddr,
    pub proof: Proof,
}

/// Why somebody is turned away: what it is told, and what is logged.
#[derive(Debug)]
pub(crate) struct Denial {
    pub refusal: Refusal,
    pub reason: String,
}

/// Why somebody could not prove who it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unproven {
    /// It is not who it says, or may not come from where it comes; for the log.
    Wrong(String),
    /// Too many passwords wait for their check: this one was not looked at.
    Crowded,
}

/// Who asks.
#[derive(Debug)]
pub(crate) enum Visitor {
    /// Nobody is asked who it is: security is off.
    Anybody,
    /// A user, and what it may do.
    User { name: String, policy: Arc<Policy> },
}

/// What holds where a file and the cluster say this.
struct Met {
    file: Arc<Policy>,
    shared: Arc<Policy>,
    both: Arc<Policy>,
}

/// What is asked of those who come.
pub(crate) struct Gate {
    /// What this node's file says: it comes first.
    file: Option<Arc<Reloaded<Policy>>>,
    /// What the cluster says.
    shared: Shared,
    /// The two together, as they were met last.
    met: Mutex<Option<Met>>,
    checks: Checks,
    code: hmac::Key,
    remembered: Mutex<BTreeSet<Vec<u8>>>,
    /// What a password of nobody is compared with, so that a name that is not known takes as long as one that is.
    nobody: PasswordHash,
}

impl Gate {
    /// Reads the file with users, if there is one.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn open(file: Option<&Path>) -> Result<Self, String> {
        let open = |path: &Path| Reloaded::open("users and grants", vec![path.to_owned()], read);
        Ok(Self {
            file: file.map(open).transpose()?,
            shared: Shared::default(),
            met: Mutex::default(),
            checks: Checks::new(),
            code: hmac::Key::new(hmac::HMAC_SHA256, &random::<32>()),
            remembered: Mutex::default(),
            nobody: PasswordHash::of_nobody(),
        })
    }

    /// What is to be looked at again and again.
    pub fn watched(&self) -> Option<Arc<Reloaded<Policy>>> {
        self.file.clone()
    }

    /// Where to write what the cluster says.
    pub fn shared(&self) -> Shared {
        self.shared.clone()
    }

    /// What holds now.
    pub fn policy(&self) -> Arc<Policy> {
        let shared = self.shared.present();
        let Some(file) = self.file.as_ref().map(|file| file.present()) else { return shared };
        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(met) = met.as_ref()
            && Arc::ptr_eq(&met.file, &file)
            && Arc::ptr_eq(&met.shared, &shared)
        {
            return Arc::clone(&met.both);
        }
        let both = Arc::new(file.before(&shared));
        *met = Some(Met { file, shared, both: Arc::clone(&both) });
        both
    }

    /// Finds out who sends a request with these headers.
    ///
    /// # Errors
    ///
    /// It does not say, or does not prove it.
    pub async fn admit(&self, origin: &Origin, headers: &HeaderMap) -> Result<Visitor, Denial> {
        let Some(policy) = self.present() else { return Ok(Visitor::Anybody) };
        if origin.proof == Proof::Plain {
            let reason = "security is on, and this connection has no TLS".to_owned();
            return Err(Denial { refusal: Refusal::Insecure, reason });
        }
        match self.identify(&policy, origin, headers).await {
            Ok(name) => Ok(Visitor::User { name, policy }),
            Err(Unproven::Wrong(reason)) => Err(Denial { refusal: Refusal::Unauthenticated, reason }),
            Err(Unproven::Crowded) => Err(Denial { refusal: Refusal::Crowded, reason: CROWDED.to_owned() }),
        }
    }

    /// Whether users are told apart.
    pub fn is_on(&self) -> bool {
        self.present().is_some()
    }

    fn present(&self) -> Option<Arc<Policy>> {
        Some(self.policy()).filter(|policy| policy.enabled == Some(true))
    }

    /// Whether `name` may come in, with `password` or what the connection has proven.
    ///
    /// # Errors
    ///
    /// Why not.
    pub async fn log_in(&self, origin: &Origin, name: &str, password: &str) -> Result<(), Unproven> {
        match self.present() {
            Some(policy) => self.prove(&policy, origin, name.to_owned(), password.to_owned()).await.map(drop),
            None => Ok(()),
        }
    }

    /// A user who has come in earlier, with what it may do now.
    pub fn visitor(&self, name: &str) -> Visitor {
        match self.present() {
            Some(policy) => Visitor::User { name: name.to_owned(), policy },
            None => Visitor::Anybody,
        }
    }

    async fn identify(
        &self,
        policy: &Policy,
        origin: &Origin,
        headers: &HeaderMap,
    ) -> Result<String, Unproven> {
        let (name, password) = match headers.get(AUTHORIZATION) {
            Some(header) => basic(header.as_bytes()).ok_or("credentials that are not HTTP Basic")?,
            // A certificate says who its owner is.
            None => match origin.proof.common_name() {
                Some(name) => (name.to_owned(), String::new()),
                None => return Err("no credentials".into()),
            },
        };
        self.prove(policy, origin, name, password).await
    }

    async fn prove(
        &self,
        policy: &Policy,
        origin: &Origin,
        name: String,
        password: String,
    ) -> Result<String, Unproven> {
        let Origin { address, proof } = origin;
        let Some(user) = policy.users.get(&name) else {
            self.check(*address, &name, &password, &self.nobody).await?;
            return Err(format!("unknown user {name:?}").into());
        };
        match policy.method(&name, *address) {
            None => Err(format!("no source lets user {name:?} in from {address}").into()),
            Some(Method::Trust) => Ok(name),
            Some(Method::Certificate) => match proof.common_name() {
                Some(proven) if proven == name => Ok(name),
                Some(other) => Err(format!("a certificate for {other:?}, shown by user {name:?}").into()),
                None => Err(format!("no certificate, which user {name:?} needs here").into()),
            },
            Some(Method::Password) => {
                let hash = user.password.as_ref().ok_or_else(|| format!("user {name:?} has no password"))?;
                if self.check(*address, &name, &password, hash).await? {
                    Ok(name)
                } else {
                    Err(format!("wrong password of user {name:?}").into())
                }
            }
        }
    }

    async fn check(
        &self,
        address: IpAddr,
        name: &str,
        password: &str,
        hash: &PasswordHash,
    ) -> Result<bool, Unproven> {
        let text = format!("{name}\0{password}\0{hash}");
        let code = hmac::sign(&self.code, text.as_bytes()).as_ref().to_vec();
        if self.remembered().contains(&code) {
            return Ok(true);
        }
        let in_line = self.checks.stand_in_line(address).ok_or(Unproven::Crowded)?;
        let Some(turn) = self.checks.turn(&in_line).await else { return Ok(false) };
        // The connections of one client come together: the first has paid for all.
        if self.remembered().contains(&code) {
            return Ok(true);
        }
        let (hash, password) = (hash.clone(), password.to_owned());
        // Whoever hangs up meanwhile has the machine work on: the turn is over when the work is.
        let work = move || {
            let _held = (turn, in_line);
            hash.is_of(&password)
        };
        let right = crate::runtime::blocking(work).await.unwrap_or(false);
        if right {
            let mut remembered = self.remembered();
            if remembered.len() >= REMEMBERED_MAX {
                remembered.clear();
            }
            remembered.insert(code);
        }
        Ok(right)
    }

    fn remembered(&self) -> std::sync::MutexGuard<'_, BTreeSet<Vec<u8>>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the log says of somebody whose password was not looked at.
pub(crate) const CROWDED: &str = "too many passwords wait for their check";

impl From<String> for Unproven {
    fn from(reason: String) -> Self {
        Self::Wrong(reason)
    }
}

impl From<&str> for Unproven {
    fn from(reason: &str) -> Self {
        Self::Wrong(reason.to_owned())
    }
}

impl Visitor {
    /// Whether it may do this here.
    ///
    /// # Errors
    ///
    /// It may not.
    pub fn may(&self, permission: Permission, scope: &Scope) -> Result<(), Denial> {
        let Self::User { name, policy } = self else { return Ok(()) };
        if policy.allows(name, permission, scope) {
            return Ok(());
        }
        let place = scope.to_string();
        let place = if place.is_empty() { place } else { format!(" on {place}") };
        let permission = permission.name();
        let reason = format!("Permission denied: User '{name}' does not have '{permission}'{place}");
        Err(Denial { refusal: Refusal::Forbidden(reason.clone()), reason })
    }
}

/// Name and password of an `Authorization` header.
fn basic(header: &[u8]) -> Option<(String, String)> {
    let text = std::str::from_utf8(header).ok()?;
    let (scheme, credentials) = text.split_once(' ')?;
    let credentials =
        STANDARD.decode(credentials.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let credentials = String::from_utf8(credentials).ok()?;
    credentials.split_once(':').map(|(name, password)| (name.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::hash_password;
    use super::*;
    use http::StatusCode;

    const USERS: &str = r#"
        enabled = true
        [[user]]
        name = "alice"
        # milk
        password = "HASH"
        [[user]]
        name = "bob"
        [[source]]
        users = ["all"]
        cidr = "127.0.0.0/8"
        method = "password"
        [[source]]
        users = ["bob"]
        cidr = "127.0.0.0/8"
        method = "certificate"
        [[grant]]
        to = ["alice"]
        permissions = ["riak_kv.get"]
        type = "default"
    "#;

    fn gate() -> Gate {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("security.toml");
        let hash = hash_password("milk").to_string();
        std::fs::write(&path, USERS.replace("HASH", &hash)).expect("written");
        Gate::open(Some(&path)).expect("valid")
    }

    fn from(address: [u8; 4], proof: Proof) -> Origin {
        Origin { address: address.into(), proof }
    }

    fn certificate(name: &str) -> Proof {
        Proof::Certificate { common_name: Some(name.to_owned()), names: Vec::new() }
    }

    async fn ask(gate: &Gate, origin: &Origin, credentials: Option<&str>) -> Result<String, (u16, String)> {
        let mut headers = HeaderMap::new();
        if let Some(credentials) = credentials {
            let value = format!("Basic {}", STANDARD.encode(credentials));
            headers.insert(AUTHORIZATION, value.parse().expect("a header"));
        }
        match gate.admit(origin, &headers).await {
            Ok(Visitor::User { name, .. }) => Ok(name),
            Ok(Visitor::Anybody) => Ok(String::new()),
            Err(Denial { refusal, reason }) => Err((refusal.status().as_u16(), reason)),
        }
    }

    #[tokio::test]
    async fn who_proves_its_name_is_let_in_and_everybody_else_is_told_apart_in_the_log() {
        let gate = gate();
        let here = from([127, 0, 0, 1], Proof::Nobody);
        assert_eq!(ask(&gate, &here, Some("alice:milk")).await, Ok("alice".to_owned()));
        assert_eq!(ask(&gate, &here, Some("alice:milk")).await, Ok("alice".to_owned()), "remembered");
        let shown = from([127, 0, 0, 1], certificate("bob"));
        assert_eq!(ask(&gate, &shown, None).await, Ok("bob".to_owned()));
        assert_eq!(ask(&gate, &shown, Some("bob:")).await, Ok("bob".to_owned()));
        for (origin, credentials, status, reason) in [
            (&from([127, 0, 0, 1], Proof::Plain), Some("alice:milk"), 426, "no TLS"),
            (&here, None, 401, "no credentials"),
            (&here, Some("alice"), 401, "not HTTP Basic"),
            (&here, Some("alice:mi:lk"), 401, "wrong password of user \"alice\""),
            (&here, Some("mallory:milk"), 401, "unknown user \"mallory\""),
            (&here, Some("bob:milk"), 401, "no certificate, which user \"bob\" needs here"),
            (&shown, Some("alice:"), 401, "wrong password"),
            (
                &from([127, 0, 0, 1], certificate("alice")),
                Some("bob:"),
                401,
                "a certificate for \"alice\", shown by",
            ),
            (
                &from([10, 0, 0, 1], Proof::Nobody),
                Some("alice:milk"),
                401,
                "no source lets user \"alice\" in from 10.0.0.1",
            ),
        ] {
            let (told, logged) = ask(&gate, origin, credentials).await.expect_err(reason);
            assert_eq!(told, status, "{logged}");
            assert!(logged.contains(reason), "{logged:?} should say {reason:?}");
            assert!(!logged.contains("milk") && !logged.contains("mi:lk"), "{logged}");
        }
    }

    /// Whoever comes from elsewhere, or has been let in before, does not wait behind those who guess.
    #[tokio::test(flavor = "multi_thread")]
    async fn guesses_by_the_hundred_keep_nobody_else_out() {
        let gate = Arc::new(gate());
        let here = from([127, 0, 0, 1], Proof::Nobody);
        let elsewhere = from([127, 0, 0, 2], Proof::Nobody);
        assert_eq!(ask(&gate, &here, Some("alice:milk")).await, Ok("alice".to_owned()));
        let mut guesses = tokio::task::JoinSet::new();
        for number in 0..300 {
            let (gate, here) = (Arc::clone(&gate), here.clone());
            guesses.spawn(async move { ask(&gate, &here, Some(&format!("alice:{number}"))).await });
        }
        assert_eq!(ask(&gate, &here, Some("alice:milk")).await, Ok("alice".to_owned()), "remembered");
        assert_eq!(ask(&gate, &elsewhere, Some("alice:milk")).await, Ok("alice".to_owned()));
        // Those that are looked at take long: the first that was not is waited for.
        loop {
            let guess = guesses.join_next().await.expect("some are not looked at").expect("no panic");
            match guess.expect_err("a guess") {
                (503, reason) => break assert_eq!(reason, CROWDED),
                (status, reason) => {
                    assert_eq!((status, reason.as_str()), (401, "wrong password of user \"alice\""));
                }
            }
        }
    }

    #[tokio::test]
    async fn without_a_grant_nothing_is_allowed_and_the_text_is_riaks() {
        let gate = gate();
        let policy = gate.policy();
        let alice = Visitor::User { name: "alice".to_owned(), policy };
        let carts = Scope::Bucket(cartwheel_core::membership::Bucket {
            bucket_type: b"default".to_vec(),
            name: b"carts".to_vec(),
        });
        assert!(alice.may(Permission::Get, &carts).is_ok());
        let denial = alice.may(Permission::Delete, &carts).expect_err("no grant");
        assert_eq!(denial.refusal.status(), StatusCode::FORBIDDEN);
        let text = "Permission denied: User 'alice' does not have 'riak_kv.delete' on default/carts";
        assert_eq!(denial.refusal.to_string(), text);
        let denial = alice.may(Permission::Admin, &Scope::Any).expect_err("no grant");
        assert_eq!(denial.reason, "Permission denied: User 'alice' does not have 'cartwheel.admin'");
    }
}
