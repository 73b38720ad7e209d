//! How work gets a connection: it waits in a queue, and the threads that have a connection take from it.

use crate::Error;
use crate::pool::{PATIENCE, Pool};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// Connections whose work is done off the async threads. A thread that has done with one piece of work goes on with the
/// next that waits: to give the connection back, and have the async threads start the next, would take as long as a query.
#[derive(Clone)]
pub(crate) struct Connections {
    pool: Pool,
    queue: Arc<Mutex<Queue>>,
    patience: Duration,
}

/// Work to be done with a connection. It answers by itself, and does not panic.
type Work = Box<dyn FnOnce(&Pool) + Send>;

struct Queue {
    /// Threads that may yet begin to work.
    free: u32,
    waiting: VecDeque<(Ticket, Work)>,
    last: Ticket,
}

/// By which work that waits is found.
type Ticket = u64;

impl Connections {
    /// Work on the connections of a pool, as many as it may have.
    pub(crate) fn new(pool: Pool) -> Self {
        let queue = Queue {
            free: pool.max_size(),
            waiting: VecDeque::new(),
            last: 0,
        };
        Self {
            pool,
            queue: Arc::new(Mutex::new(queue)),
            patience: PATIENCE,
        }
    }

    /// Runs work that asks the database. What nobody waits for any more is not begun.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Pool) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (sender, mut answer) = oneshot::channel();
        let begin = move |pool: &Pool| {
            if !sender.is_closed() {
                let done = catch_unwind(AssertUnwindSafe(|| work(pool)));
                let panicked = |_| Err(Error::Internal("work on the database panicked".to_owned()));
                drop(sender.send(done.unwrap_or_else(panicked)));
            }
        };
        let Some(ticket) = self.add(Box::new(begin)) else {
            return told(answer.await);
        };
        let place = Place {
            connections: self,
            ticket,
        };
        match tokio::time::timeout(self.patience, &mut answer).await {
            Ok(answer) => told(answer),
            Err(_) if place.leave() => Err(Error::Overloaded),
            Err(_) => told(answer.await),
        }
    }

    /// Begins work, or has it wait.
    fn add(&self, work: Work) -> Option<Ticket> {
        let mut queue = self.queue();
        if let Some(free) = queue.free.checked_sub(1) {
            queue.free = free;
            drop(queue);
            let worker = Worker {
                connections: self.clone(),
                left: false,
            };
            tokio::task::spawn_blocking(move || worker.run(work));
            return None;
        }
        queue.last += 1;
        let ticket = queue.last;
        queue.waiting.push_back((ticket, work));
        Some(ticket)
    }

    /// Takes back work that waits, and tells whether it still did.
    fn withdraw(&self, ticket: Ticket) -> bool {
        let mut queue = self.queue();
        let place = queue.waiting.binary_search_by_key(&ticket, |(waiting, _)| *waiting);
        let withdrawn = place.ok().and_then(|place| queue.waiting.remove(place));
        // It may take long to free, so others need not wait for that.
        drop(queue);
        withdrawn.is_some()
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the queue. It is left when nobody waits any more.
struct Place<'a> {
    connections: &'a Connections,
    ticket: Ticket,
}

impl Place<'_> {
    /// Takes the work back, and tells whether it still waited.
    fn leave(&self) -> bool {
        self.connections.withdraw(self.ticket)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}

/// A thread that works on a connection.
struct Worker {
    connections: Connections,
    /// Whether it has left the queue.
    left: bool,
}

impl Worker {
    /// Does a first piece of work, and then what waits.
    fn run(mut self, first: Work) {
        let mut next = Some(first);
        while let Some(work) = next {
            work(&self.connections.pool);
            next = self.next();
        }
    }

    /// The next work that waits. Where there is none the thread leaves in the same moment, so that no work can come to wait
    /// in between.
    fn next(&mut self) -> Option<Work> {
        let mut queue = self.connections.queue();
        let next = queue.waiting.pop_front();
        if next.is_none() {
            queue.free += 1;
            drop(queue);
            self.left = true;
        }
        next.map(|(_, work)| work)
    }
}

/// One that never began, because its thread ended before, makes room for another. What waits is then found by the next
/// work that comes, or refused.
impl Drop for Worker {
    fn drop(&mut self) {
        if !self.left {
            self.connections.queue().free += 1;
        }
    }
}

/// The answer, or that there is none: the threads that serve are ending.
fn told<T>(answer: Result<Result<T, Error>, oneshot::error::RecvError>) -> Result<T, Error> {
    answer.unwrap_or_else(|_| Err(Error::Unavailable("the service is ending".to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::{ConnectionManager, Location, Purpose};
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    /// A folder with a database, which goes when this is dropped.
    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            let folder = format!("connections_{}", uuid::Uuid::now_v7().simple());
            let folder = std::env::temp_dir().join(folder);
            std::fs::create_dir(&folder).unwrap();
            Self(folder)
        }

        fn connections(&self, size: u32) -> Connections {
            let manager = ConnectionManager {
                location: Location::Sqlite(self.0.join("test.db")),
                purpose: Purpose::Read,
                prepared_statements: true,
            };
            Connections::new(manager.pool(size, None).unwrap())
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            drop(std::fs::remove_dir_all(&self.0));
        }
    }

    /// Holds a connection until something is sent.
    fn hold(connections: &Connections) -> (mpsc::Sender<()>, tokio::task::JoinHandle<Result<bool, Error>>) {
        let (release, held) = mpsc::channel();
        let connections = connections.clone();
        let work = async move { connections.run(move |_| Ok(held.recv().is_ok())).await };
        (release, tokio::spawn(work))
    }

    #[tokio::test]
    async fn all_work_is_done_by_no_more_threads_than_there_are_connections() {
        let folder = Folder::new();
        let connections = folder.connections(2);
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let work = (0..100).map(|number| {
            let (connections, now, most) = (connections.clone(), Arc::clone(&now), Arc::clone(&most));
            tokio::spawn(async move {
                let work = move |pool: &Pool| {
                    let _connection = pool.get().unwrap();
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::yield_now();
                    now.fetch_sub(1, Ordering::SeqCst);
                    Ok(number)
                };
                connections.run(work).await.unwrap()
            })
        });
        for (number, answer) in work.collect::<Vec<_>>().into_iter().enumerate() {
            assert_eq!(answer.await.unwrap(), number);
        }
        assert!(most.load(Ordering::SeqCst) <= 2);
    }

    /// Has work wait for a connection that is held, until somebody gives up, and shows that it is never begun.
    async fn give_up(connections: &Connections, after: Duration) -> Option<Result<usize, Error>> {
        let (release, held) = hold(connections);
        tokio::task::yield_now().await;
        let begun = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&begun);
        let work = connections.run(move |_| Ok(count.fetch_add(1, Ordering::SeqCst)));
        let answer = tokio::time::timeout(after, work).await.ok();
        assert!(connections.queue().waiting.is_empty());
        release.send(()).unwrap();
        assert!(held.await.unwrap().unwrap());
        assert_eq!(connections.run(|_| Ok(7)).await.unwrap(), 7);
        assert_eq!(begun.load(Ordering::SeqCst), 0);
        answer
    }

    #[tokio::test]
    async fn work_that_waits_too_long_is_refused_and_not_begun() {
        let folder = Folder::new();
        let connections = Connections {
            patience: Duration::from_millis(20),
            ..folder.connections(1)
        };
        let refused = give_up(&connections, PATIENCE).await;
        assert!(matches!(refused, Some(Err(Error::Overloaded))), "{refused:?}");
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_any_more_is_not_begun() {
        let folder = Folder::new();
        let answer = give_up(&folder.connections(1), Duration::from_millis(5)).await;
        assert!(answer.is_none(), "{answer:?}");
    }

    #[tokio::test]
    async fn work_that_panics_is_told_and_harms_no_other() {
        let folder = Folder::new();
        let connections = folder.connections(1);
        let (release, held) = hold(&connections);
        tokio::task::yield_now().await;
        let waiting = connections.clone();
        let panics = tokio::spawn(async move { waiting.run::<()>(|_| panic!("as the test wants")).await });
        tokio::task::yield_now().await;
        release.send(()).unwrap();
        assert!(held.await.unwrap().unwrap());
        assert!(matches!(panics.await.unwrap(), Err(Error::Internal(_))));
        assert_eq!(connections.run(|_| Ok(7)).await.unwrap(), 7);
    }
}
