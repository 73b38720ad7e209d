//! Waiting for something, and doing many things at once.

use futures_util::future::join_all;
use std::time::{Duration, Instant};

/// Asks again and again until there is a result. Ten seconds without one is a failure.
pub(crate) async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(result) = ask().await {
            return result;
        }
        assert!(Instant::now() < deadline, "{what} did not happen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Does the same thing many times at once, each with its number.
pub(crate) async fn at_once<F: Future>(times: usize, work: impl FnMut(usize) -> F) -> Vec<F::Output> {
    join_all((0..times).map(work)).await
}
