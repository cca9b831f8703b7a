//! Who may stay when there is no room: connections, by how much they are worth keeping.
//!
//! A connection that has not been heard yet (no handshake, no request) costs a stranger nothing, so it must not keep
//! others out: when there is no room it is shown out, the oldest first. After those go connections that are idle,
//! between two requests. One that is busy is never shown out; when all are, the next waits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// How much a connection is worth keeping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing that makes sense has come from it.
    Unheard,
    /// It has been served, and asks nothing now.
    Idle,
    /// It is being served.
    Busy,
}

/// Where connections of one kind come in.
#[derive(Debug)]
pub(crate) struct Doors {
    /// All of them.
    max: usize,
    /// Of them, those that have not been heard.
    unheard_max: usize,
    inside: Mutex<Inside>,
    /// Somebody has gone.
    freed: Notify,
}

#[derive(Debug, Default)]
struct Inside {
    guests: BTreeMap<u64, Guest>,
    /// Who may be shown out, the first to go first. Those who have been are not there any more.
    unheard: BTreeSet<u64>,
    /// By when they became idle.
    idle: BTreeMap<u64, u64>,
    next: u64,
}

#[derive(Debug)]
struct Guest {
    standing: Standing,
    /// Where it is among the idle, if it is.
    idle_since: u64,
    leave: Arc<Notify>,
}

/// One connection's place. Dropped, it is free.
#[derive(Debug)]
pub(crate) struct Place {
    doors: Arc<Doors>,
    id: u64,
    leave: Arc<Notify>,
}

impl Doors {
    pub fn new(max: usize, unheard_max: usize) -> Arc<Self> {
        Arc::new(Self { max, unheard_max, inside: Mutex::default(), freed: Notify::new() })
    }

    /// A place, as soon as there is one.
    pub async fn enter(self: &Arc<Self>) -> Place {
        loop {
            if let Some((id, leave)) = self.try_enter() {
                return Place { doors: Arc::clone(self), id, leave };
            }
            // One that has gone meanwhile has left a note.
            self.freed.notified().await;
        }
    }

    fn try_enter(&self) -> Option<(u64, Arc<Notify>)> {
        let mut inside = self.lock();
        while inside.unheard.len() >= self.unheard_max {
            inside.show_one_out();
        }
        if inside.guests.len() >= self.max {
            inside.show_one_out();
            return None;
        }
        Some(inside.let_in())
    }

    /// Waits until nobody is inside.
    pub async fn wait_until_empty(&self) {
        while !self.lock().guests.is_empty() {
            self.freed.notified().await;
        }
        // Others may wait for the same.
        self.freed.notify_one();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn let_in(&mut self) -> (u64, Arc<Notify>) {
        let id = self.turn();
        let leave = Arc::new(Notify::new());
        let guest = Guest { standing: Standing::Unheard, idle_since: 0, leave: Arc::clone(&leave) };
        self.guests.insert(id, guest);
        self.unheard.insert(id);
        (id, leave)
    }

    fn turn(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn show_one_out(&mut self) {
        let unheard = self.unheard.pop_first();
        let one = unheard.or_else(|| self.idle.pop_first().map(|(_, id)| id));
        if let Some(guest) = one.and_then(|id| self.guests.get(&id)) {
            guest.leave.notify_one();
        }
    }

    /// Who has been shown out goes, whatever it becomes meanwhile.
    fn stand(&mut self, id: u64, standing: Standing) {
        let turn = self.turn();
        let Some(guest) = self.guests.get_mut(&id) else { return };
        let may_be_shown_out = match guest.standing {
            Standing::Unheard => self.unheard.remove(&id),
            Standing::Idle => self.idle.remove(&guest.idle_since).is_some(),
            Standing::Busy => true,
        };
        guest.standing = standing;
        match standing {
            _ if !may_be_shown_out => {}
            // As old as it is: a stranger gains nothing by asking for what it may not have.
            Standing::Unheard => drop(self.unheard.insert(id)),
            Standing::Idle => {
                guest.idle_since = turn;
                self.idle.insert(turn, id);
            }
            Standing::Busy => {}
        }
    }

    fn remove(&mut self, id: u64) {
        self.stand(id, Standing::Busy);
        self.guests.remove(&id);
    }
}

impl Place {
    pub fn stand(&self, standing: Standing) {
        self.doors.lock().stand(self.id, standing);
    }

    pub fn standing(&self) -> Standing {
        self.doors.lock().guests.get(&self.id).map_or(Standing::Unheard, |guest| guest.standing)
    }

    /// Comes when this connection has to go, because others need the room. Safe to cancel.
    pub async fn told_to_leave(&self) {
        self.leave.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.doors.lock().remove(self.id);
        self.doors.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;

    /// Whether somebody has been told to go.
    async fn must_go(place: &Place) -> bool {
        timeout(Duration::from_millis(1), place.told_to_leave()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_not_been_heard_goes_first_then_who_is_idle_and_never_who_is_busy() {
        let doors = Doors::new(4, 4);
        let (busy, idle, old, young) =
            (doors.enter().await, doors.enter().await, doors.enter().await, doors.enter().await);
        busy.stand(Standing::Busy);
        idle.stand(Standing::Busy);
        idle.stand(Standing::Idle);
        let mut gone = Vec::new();
        for (place, name) in [(&old, "old"), (&young, "young"), (&idle, "idle")] {
            assert!(doors.try_enter().is_none());
            assert!(must_go(place).await, "{name} is next");
            gone.push(name);
        }
        assert!(doors.try_enter().is_none());
        assert!(!must_go(&busy).await);
        drop(old);
        let newcomer = doors.enter().await;
        assert!(!must_go(&newcomer).await);
    }

    #[tokio::test(start_paused = true)]
    async fn strangers_have_little_room_and_leave_the_rest_to_those_who_were_heard() {
        let doors = Doors::new(100, 3);
        let known = doors.enter().await;
        known.stand(Standing::Busy);
        let strangers = [doors.enter().await, doors.enter().await, doors.enter().await];
        let fourth = doors.enter().await;
        assert!(must_go(&strangers[0]).await, "the oldest has to go at once");
        for place in [&known, &strangers[1], &strangers[2], &fourth] {
            assert!(!must_go(place).await);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_who_waits_enters_when_somebody_goes_and_the_end_is_seen() {
        let doors = Doors::new(1, 1);
        let first = doors.enter().await;
        first.stand(Standing::Busy);
        let waiting = tokio::spawn({
            let doors = Arc::clone(&doors);
            async move { doors.enter().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(first);
        let second = waiting.await.expect("no panic");
        assert!(timeout(Duration::from_secs(1), doors.wait_until_empty()).await.is_err());
        drop(second);
        doors.wait_until_empty().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_stranger_that_asked_in_vain_is_as_old_as_it_was() {
        let doors = Doors::new(2, 2);
        let (old, young) = (doors.enter().await, doors.enter().await);
        old.stand(Standing::Busy);
        old.stand(Standing::Unheard);
        assert!(doors.try_enter().is_none());
        assert!(must_go(&old).await);
        drop(young);
    }
}
