//! Before the API: who asks, and whether it may.
//!
//! Passwords are checked with a hash that takes long on purpose ([`Checks`] says whose turn it is). Who has been let in
//! is remembered, by a code that only this process can make: a client that sends its password with each request pays
//! once.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

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

/// A user who has come in, on a connection that lives long: by what, so that it can be asked again whether that still lets it in.
#[derive(Debug)]
pub(crate) struct Entrance {
    name: String,
    /// The hash that its password fitted, if it was asked for one.
    password: Option<PasswordHash>,
    /// By what it was let in, or has been found to be still good. It is not kept alive for that.
    looked_at: Weak<Policy>,
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
    /// What a password is compared with where there is nothing to compare it with, so that names that are known cannot be
    /// told from others by how long it takes.
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
    pub async fn log_in(&self, origin: &Origin, name: &str, password: &str) -> Result<Entrance, Unproven> {
        // Where users are not told apart any more, it has proven nothing, should they be again.
        let Some(policy) = self.present() else { return Ok(Entrance::by_nothing(name)) };
        let name = self.prove(&policy, origin, name.to_owned(), password.to_owned()).await?;
        Ok(Entrance::by(&policy, origin, name))
    }

    /// A user who has come in earlier, with what it may do now. What users are is compared again only when it has changed.
    ///
    /// # Errors
    ///
    /// It could not come in any more by what it has proven: why not, for the log.
    pub fn visitor(&self, origin: &Origin, entrance: &mut Entrance) -> Result<Visitor, String> {
        let Some(policy) = self.present() else { return Ok(Visitor::Anybody) };
        // The address of one that is not there any more is not used again while this points to it.
        if !std::ptr::eq(entrance.looked_at.as_ptr(), Arc::as_ptr(&policy)) {
            entrance.still_holds(&policy, origin)?;
            entrance.looked_at = Arc::downgrade(&policy);
        }
        Ok(Visitor::User { name: entrance.name.clone(), policy })
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
        let address = origin.address;
        match to_compare(policy, origin, &name) {
            Ok(None) => Ok(name),
            Ok(Some(hash)) => match self.check(address, &name, &password, hash).await? {
                true => Ok(name),
                false => Err(format!("wrong password of user {name:?}").into()),
            },
            Err(reason) => {
                self.check(address, &name, &password, &self.stand_in(policy, &name)).await?;
                Err(reason.into())
            }
        }
    }

    /// What no password fits, at the cost of some user's: of the same one whenever this name is tried. Hashes may differ in what
    /// they cost, so one cost for all who are not known would tell them apart, too.
    fn stand_in(&self, policy: &Policy, name: &str) -> PasswordHash {
        let lot = hmac::sign(&self.code, name.as_bytes());
        let lot = lot.as_ref().first_chunk().map_or(0, |bytes| usize::from_le_bytes(*bytes));
        let hashes = || policy.users.values().filter_map(|user| user.password.as_ref());
        let drawn = lot.checked_rem(hashes().count()).and_then(|lot| hashes().nth(lot));
        drawn.map_or_else(|| self.nobody.clone(), |hash| self.nobody.at_the_cost_of(hash))
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

impl Entrance {
    /// That of a user who has just proven its name.
    fn by(policy: &Arc<Policy>, origin: &Origin, name: String) -> Self {
        let by_password = policy.method(&name, origin.address) == Some(Method::Password);
        let user = policy.users.get(&name).filter(|_| by_password);
        let password = user.and_then(|user| user.password.clone());
        Self { name, password, looked_at: Arc::downgrade(policy) }
    }

    fn by_nothing(name: &str) -> Self {
        Self { name: name.to_owned(), password: None, looked_at: Weak::new() }
    }

    fn still_holds(&self, policy: &Policy, origin: &Origin) -> Result<(), String> {
        let Self { name, password, .. } = self;
        let user = policy.users.get(name).ok_or_else(|| format!("user {name:?} is not there any more"))?;
        let address = origin.address;
        match policy.method(name, address) {
            None => Err(format!("no source lets user {name:?} in from {address} any more")),
            Some(Method::Trust) => Ok(()),
            Some(Method::Certificate) if origin.proof.common_name() == Some(name) => Ok(()),
            Some(Method::Certificate) => {
                Err(format!("user {name:?} needs a certificate by now, and has shown none of its own"))
            }
            Some(Method::Password) if password.is_some() && *password == user.password => Ok(()),
            Some(Method::Password) => {
                Err(format!("user {name:?} has another password by now than it came in with"))
            }
        }
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

/// What a password of `name` must fit; nothing, where it has proven its name without.
///
/// # Errors
///
/// No password lets it in: why not, for the log.
fn to_compare<'a>(
    policy: &'a Policy,
    origin: &Origin,
    name: &str,
) -> Result<Option<&'a PasswordHash>, String> {
    let user = policy.users.get(name).ok_or_else(|| format!("unknown user {name:?}"))?;
    let Origin { address, proof } = origin;
    match policy.method(name, *address) {
        None => Err(format!("no source lets user {name:?} in from {address}")),
        Some(Method::Trust) => Ok(None),
        Some(Method::Certificate) => match proof.common_name() {
            Some(proven) if proven == name => Ok(None),
            Some(other) => Err(format!("a certificate for {other:?}, shown by user {name:?}")),
            None => Err(format!("no certificate, which user {name:?} needs here")),
        },
        Some(Method::Password) => {
            user.password.as_ref().map(Some).ok_or_else(|| format!("user {name:?} has no password"))
        }
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
    use super::super::policy::Who;
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
    async fn whoever_is_not_let_in_waits_for_a_hash_whatever_was_wrong() {
        let gate = gate();
        let here = from([127, 0, 0, 1], Proof::Nobody);
        let elsewhere = from([10, 0, 0, 1], Proof::Nobody);
        let no_password = changed(&gate, |policy| policy.sources.retain(|source| source.who == Who::All));
        for (gate, origin, credentials, what) in [
            (&gate, &here, "alice:bread", "a wrong password"),
            (&gate, &here, "mallory:milk", "an unknown user"),
            (&gate, &here, "bob:milk", "no certificate"),
            (&gate, &from([127, 0, 0, 1], certificate("alice")), "bob:milk", "another's certificate"),
            (&gate, &elsewhere, "alice:milk", "no source"),
            (&no_password, &here, "bob:milk", "no password"),
        ] {
            let busy = gate.checks.all_turns().await;
            let asked = tokio::time::timeout(std::time::Duration::from_millis(20), async {
                ask(gate, origin, Some(credentials)).await
            });
            assert!(asked.await.is_err(), "{what} takes no hash");
            drop(busy);
            assert!(ask(gate, origin, Some(credentials)).await.is_err(), "{what}");
        }
    }

    #[test]
    fn nobodys_hash_costs_what_some_users_does() {
        let gate = gate();
        let hashes = [1_000, 5_000].map(|iterations| {
            let hash: PasswordHash = hash_password("x")
                .to_string()
                .replace("i=600000", &format!("i={iterations}"))
                .parse()
                .expect("a hash");
            hash
        });
        let users = changed(&gate, |policy| {
            for (name, hash) in ["alice", "bob"].iter().zip(hashes) {
                policy.users.get_mut(*name).expect("there").password = Some(hash);
            }
        });
        let policy = users.policy();
        let cost = |name: &str| users.stand_in(&policy, name).iterations();
        let costs: BTreeSet<u32> = (0..100).map(|number| cost(&format!("user{number}"))).collect();
        assert_eq!(costs, BTreeSet::from([1_000, 5_000]));
        assert_eq!(cost("mallory"), cost("mallory"), "asked twice, it does not give itself away");
        let nobody = changed(&users, |policy| policy.users.clear());
        assert_eq!(nobody.stand_in(&nobody.policy(), "mallory").iterations(), 600_000);
    }

    /// What of the users holds, changed.
    fn changed(gate: &Gate, change: impl FnOnce(&mut Policy)) -> Gate {
        let mut policy = Policy::clone(&gate.policy());
        change(&mut policy);
        let after = Gate::open(None).expect("no file");
        after.shared.replace(policy);
        after
    }

    #[tokio::test]
    async fn who_has_come_in_stays_in_only_as_long_as_it_could_come_in_again() {
        let gate = gate();
        let here = from([127, 0, 0, 1], Proof::Nobody);
        let shown = from([127, 0, 0, 1], certificate("bob"));
        let mut alice = gate.log_in(&here, "alice", "milk").await.expect("let in");
        let mut bob = gate.log_in(&shown, "bob", "").await.expect("let in");
        assert!(gate.visitor(&here, &mut alice).is_ok());

        let same = changed(&gate, |policy| policy.grants.clear());
        let alice_now = same.visitor(&here, &mut alice).expect("nothing of hers has changed");
        assert!(
            alice_now.may(Permission::Get, &Scope::Type(b"default".to_vec())).is_err(),
            "but what she may"
        );
        assert!(same.visitor(&shown, &mut bob).is_ok());

        let milk_again = hash_password("milk");
        let other_password = changed(&gate, |policy| {
            policy.users.get_mut("alice").expect("there").password = Some(milk_again);
        });
        let reason = other_password.visitor(&here, &mut alice).expect_err("it was altered");
        assert!(reason.contains("\"alice\" has another password"), "{reason}");
        assert!(other_password.visitor(&here, &mut alice).is_err(), "and is asked again until the end");
        assert!(other_password.visitor(&shown, &mut bob).is_ok());

        let no_user = changed(&gate, |policy| drop(policy.users.remove("alice")));
        let reason = no_user.visitor(&here, &mut alice).expect_err("deleted");
        assert_eq!(reason, "user \"alice\" is not there any more");

        let no_source = changed(&gate, |policy| policy.sources.retain(|source| source.who != Who::All));
        let reason = no_source.visitor(&here, &mut alice).expect_err("deleted");
        assert_eq!(reason, "no source lets user \"alice\" in from 127.0.0.1 any more");
        assert!(no_source.visitor(&shown, &mut bob).is_ok(), "he has one of his own");

        let by_password = changed(&gate, |policy| policy.sources.retain(|source| source.who == Who::All));
        assert!(by_password.visitor(&shown, &mut bob).is_err(), "a certificate is no password");
        assert!(gate.visitor(&here, &mut alice).is_ok() && gate.visitor(&shown, &mut bob).is_ok());
        let off = changed(&gate, |policy| policy.enabled = Some(false));
        let mut anybody = off.log_in(&here, "alice", "").await.expect("nobody is asked");
        assert!(matches!(off.visitor(&here, &mut anybody), Ok(Visitor::Anybody)));
        assert!(gate.visitor(&here, &mut anybody).is_err(), "it has proven nothing");
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
