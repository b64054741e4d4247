//! Many small pieces of work, on all cores.

use std::thread;

/// Fewer than this for each core are not worth a thread.
const ENOUGH: usize = 64;

/// How many threads can run at once.
pub(super) fn cores() -> usize {
    thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Does something with consecutive shares of `all`, one for each core that is worth it, and gives the results in order.
/// The first share is the caller's own, and the only one where there is little to do.
pub(super) fn shared<T: Sync, R: Send>(all: &[T], work: impl Fn(&[T]) -> R + Sync) -> Vec<R> {
    let shares = if all.len() < 2 * ENOUGH { 1 } else { cores().min(all.len() / ENOUGH) };
    if shares == 1 {
        return vec![work(all)];
    }
    let mut shares = all.chunks(all.len().div_ceil(shares));
    let mine = shares.next().unwrap_or_default();
    thread::scope(|scope| {
        let work = &work;
        let others: Vec<_> = shares.map(|share| scope.spawn(move || work(share))).collect();
        let mut results = vec![work(mine)];
        for other in others {
            results.push(other.join().expect("invariant: the work does not panic"));
        }
        results
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_done_once_and_in_order() {
        for number in [0, 1, 127, 128, 1000, 1001] {
            let all: Vec<_> = (0..number).collect();
            assert_eq!(shared(&all, <[i32]>::to_vec).concat(), all);
        }
    }
}
