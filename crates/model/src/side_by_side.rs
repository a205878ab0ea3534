//! Models on threads of their own.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Does `work` for each item on at most that many threads, results in the order of items; `None` where a thread ended.
///
/// Not on rayon's workers: a model holds the lock of a shared absorption while rayon works on its columns, and a
/// worker that waits there could take up another model and wait for itself.
pub fn side_by_side<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<Option<R>> {
    let threads = threads.min(items.len());
    if threads < 2 {
        return items.iter().map(|it| Some(work(it))).collect();
    }
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        while let Some((at, item)) = {
            let at = next.fetch_add(1, Ordering::Relaxed);
            items.get(at).map(|it| (at, it))
        } {
            done.push((at, work(item)));
        }
        done
    };
    let mut results: Vec<Option<R>> = items.iter().map(|_| None).collect();
    let done: Vec<(usize, R)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().filter_map(|it| it.join().ok()).flatten().collect()
    });
    for (at, result) in done {
        results[at] = Some(result);
    }
    results
}
