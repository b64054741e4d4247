//! Which thread of a connection reads: the threads take turns, and whoever reads a message also answers it.
//!
//! One thread has the turn. It reads a message, answers it, and reads the next one: so a client that asks one thing after
//! another is served without any change of threads. Only before it does what may take long it [passes](Turn::pass) the turn: to a
//! thread that waits for it, else to a new one, unless there are [`MOST`] already. Then nobody reads until one of them is done,
//! and the client's further messages wait in its socket.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// So many threads serve one connection at the most.
pub(super) const MOST: usize = 4;

/// Lets another thread read, before what may take long.
pub(super) type Pass<'p> = dyn FnMut() + 'p;

#[derive(Debug)]
struct State {
    /// Whether somebody has the turn.
    taken: bool,
    /// How many wait for it.
    waiting: usize,
    threads: usize,
    /// Whether there is nothing more to read.
    ended: bool,
}

/// The threads of one connection.
#[derive(Debug)]
pub(super) struct Crew {
    state: Mutex<State>,
    free: Condvar,
}

/// Whether a thread has the turn.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    crew: &'a Crew,
    held: bool,
}

impl Crew {
    /// One thread, which has not begun yet.
    pub(super) fn new() -> Self {
        let state = State { taken: false, waiting: 0, threads: 1, ended: false };
        Self { state: Mutex::new(state), free: Condvar::new() }
    }

    /// Waits for the turn; `None` when there is nothing more to read.
    pub(super) fn turn(&self) -> Option<Turn<'_>> {
        let mut state = self.state();
        state.waiting += 1;
        while state.taken && !state.ended {
            state = self.free.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.waiting -= 1;
        if state.ended {
            return None;
        }
        state.taken = true;
        Some(Turn { crew: self, held: true })
    }

    /// Says that there is nothing more to read.
    pub(super) fn end(&self) {
        self.state().ended = true;
        self.free.notify_all();
    }

    /// Whether there is nothing more to read.
    pub(super) fn is_ended(&self) -> bool {
        self.state().ended
    }

    /// Says that a thread that was wanted could not be had.
    pub(super) fn lacks_one(&self) {
        self.state().threads -= 1;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing is half done where a thread could end.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// Whether it was not passed on yet.
    pub(super) fn is_held(&self) -> bool {
        self.held
    }

    /// Lets another thread read. Whether there is to be one more thread for it.
    pub(super) fn pass(&mut self) -> bool {
        if !self.held {
            return false;
        }
        self.held = false;
        let mut state = self.crew.state();
        state.taken = false;
        let is_short = state.waiting == 0 && state.threads < MOST && !state.ended;
        state.threads += usize::from(is_short);
        if state.waiting > 0 {
            self.crew.free.notify_one();
        }
        is_short
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.held {
            self.crew.state().taken = false;
            self.crew.free.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thread_has_the_turn_and_a_new_one_is_wanted_only_where_none_waits() {
        let crew = Crew::new();
        for threads in 2..=MOST {
            let mut turn = crew.turn().unwrap();
            assert!(turn.pass(), "the {threads}th is wanted");
            assert!(!turn.pass() && !turn.is_held(), "it is passed once");
        }
        assert!(!crew.turn().unwrap().pass(), "there are as many as there may be");
        crew.lacks_one();
        assert!(crew.turn().unwrap().pass());
        drop(crew.turn().unwrap());
        drop(crew.turn().unwrap());
        crew.end();
        assert!(crew.turn().is_none());
    }
}
