//! How many writes share a commit on SQLite: the decision alone, without a thread or a database.
//! See `docs/decisions/0002-group-commit.md`.

use std::time::Duration;

/// How long a commit may be put off to take in more writes.
const PUT_OFF: Duration = Duration::from_millis(25);
/// The commits whose times are remembered.
const LATELY: usize = 9;

/// Decides when a group of writes is committed, and learns from each commit what the next will take.
#[derive(Debug)]
pub(crate) struct GroupCommit {
    /// Writes in a group at most.
    most: usize,
    /// What the latest commits took, in a ring.
    took: [Duration; LATELY],
    oldest: usize,
    /// The median of them: a disk stalls now and then, and that says nothing of its other commits.
    commit_time: Duration,
}

impl GroupCommit {
    pub(crate) const fn new(most: usize) -> Self {
        Self {
            most,
            took: [Duration::ZERO; LATELY],
            oldest: 0,
            commit_time: Duration::ZERO,
        }
    }

    /// Whether a group that has run `jobs` writes in `elapsed` takes in another one, while `waiting` are queued.
    ///
    /// Clients whose writes are committed together are answered together and ask again together, and until they do the
    /// writer would idle. So the group ends with about half of what is there, and the other half keeps the writer busy;
    /// but only if its run was long enough to be worth the additional commit.
    pub(crate) fn takes_in_more(&self, jobs: usize, waiting: usize, elapsed: Duration) -> bool {
        let half = (jobs / 2..=jobs).contains(&waiting);
        let worth_a_commit = elapsed >= self.commit_time;
        jobs < self.most && elapsed < PUT_OFF && !(half && worth_a_commit)
    }

    /// Notes what a commit took.
    pub(crate) fn committed(&mut self, took: Duration) {
        if let Some(oldest) = self.took.get_mut(self.oldest) {
            *oldest = took;
        }
        self.oldest = (self.oldest + 1) % LATELY;
        let mut sorted = self.took;
        let (_, median, _) = sorted.select_nth_unstable(LATELY / 2);
        self.commit_time = *median;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// As on a disk whose commits take so long.
    fn after_commits_of(took: Duration) -> GroupCommit {
        let mut group = GroupCommit::new(512);
        for _ in 0..100 {
            group.committed(took);
        }
        group
    }

    #[test]
    fn half_of_the_writes_are_left_to_the_next_group_when_they_take_longer_than_a_commit() {
        let group = after_commits_of(millis(1));
        assert!(group.takes_in_more(20, 44, millis(2)), "less than half");
        assert!(!group.takes_in_more(32, 32, millis(3)), "half");
        assert!(group.takes_in_more(50, 14, millis(5)), "too few would be left");
    }

    #[test]
    fn all_writes_share_a_commit_that_takes_longer_than_half_of_them() {
        let group = after_commits_of(millis(10));
        for jobs in 1..64 {
            assert!(group.takes_in_more(jobs, 64 - jobs, millis(3)), "{jobs}");
        }
    }

    #[test]
    fn a_group_ends_at_its_most_writes_and_after_its_longest_time_however_slow_the_disk() {
        let group = after_commits_of(millis(500));
        assert!(group.takes_in_more(511, 4_000, millis(24)));
        assert!(!group.takes_in_more(512, 4_000, millis(24)));
        assert!(!group.takes_in_more(511, 4_000, PUT_OFF));
    }

    #[test]
    fn a_stall_of_the_disk_does_not_make_its_commits_slow() {
        let mut group = after_commits_of(millis(1));
        for _ in 0..4 {
            group.committed(millis(100));
            assert!(!group.takes_in_more(32, 32, millis(3)));
        }
        group.committed(millis(100));
        assert!(group.takes_in_more(32, 32, millis(3)), "it has become slow");
    }
}
