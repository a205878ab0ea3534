//! Turns a panic of a decoder on damaged bytes into an error, so that no user sees a backtrace.

use std::{
    cell::Cell,
    panic::{self, AssertUnwindSafe},
    sync::Once,
};

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs a decoder; a panic becomes `Err` with its message.
///
/// The decoders of arrow and parquet index into damaged bytes in places and panic. The closure's state
/// is dropped with the error, so nothing half-changed is ever looked at.
pub(crate) fn guarded<T, E: From<String>>(work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    silence_once();
    let before = QUIET.replace(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(work));
    QUIET.set(before);
    outcome.unwrap_or_else(|payload| {
        let text = payload
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| payload.downcast_ref::<&str>().map(|it| (*it).to_owned()))
            .unwrap_or_else(|| "the decoder gave up".to_owned());
        Err(E::from(text))
    })
}

/// The hook prints nothing on threads inside [`guarded`] and is the former one elsewhere.
fn silence_once() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let former = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                former(info);
            }
        }));
    });
}
