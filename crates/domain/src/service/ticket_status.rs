//! How a ticket stands, and how it may go on from there.

use crate::fault::Refusal;

sql::text_enum! {
    /// How a ticket stands; see [`TicketStatus::next`].
    pub enum TicketStatus {
        /// Nobody has looked at it.
        New = "new",
        /// It is being worked on.
        Open = "open",
        /// One waits for the customer.
        Pending = "pending",
        /// One waits for somebody else.
        OnHold = "on_hold",
        /// It is solved, unless the customer objects.
        Solved = "solved",
        /// It is over.
        Closed = "closed",
    }
}

impl TicketStatus {
    /// Whether one waits for others, so that no clock runs.
    pub const fn waits(self) -> bool {
        matches!(self, Self::Pending | Self::OnHold)
    }

    /// Whether the work is done.
    pub const fn is_done(self) -> bool {
        matches!(self, Self::Solved | Self::Closed)
    }

    /// What may follow. What is done is opened again by reopening only, and nothing becomes new again.
    ///
    /// | from | to |
    /// | --- | --- |
    /// | new | open, pending, `on_hold`, solved |
    /// | open | pending, `on_hold`, solved |
    /// | pending | open, `on_hold`, solved |
    /// | `on_hold` | open, pending, solved |
    /// | solved | closed; open by reopening |
    /// | closed | open by reopening |
    pub const fn next(self) -> &'static [Self] {
        match self {
            Self::New => &[Self::Open, Self::Pending, Self::OnHold, Self::Solved],
            Self::Open => &[Self::Pending, Self::OnHold, Self::Solved],
            Self::Pending => &[Self::Open, Self::OnHold, Self::Solved],
            Self::OnHold => &[Self::Open, Self::Pending, Self::Solved],
            Self::Solved => &[Self::Closed],
            Self::Closed => &[],
        }
    }

    /// Moves on; staying is always allowed.
    pub fn moved_to(self, to: Self) -> Result<Self, Refusal> {
        if self == to || self.next().contains(&to) {
            return Ok(to);
        }
        let legal: Vec<_> = self.next().iter().map(Self::as_str).collect();
        let message = match self {
            Self::Closed => "a closed ticket stays closed; reopen it to open it again".to_owned(),
            Self::Solved => "solved may be followed by closed only; reopen it to open it again".to_owned(),
            _ => format!("{self} may be followed by {} only", legal.join(", ")),
        };
        Err(Refusal::fault("/status", "illegal_transition", message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_illegal_step_names_the_legal_ones() {
        let Err(Refusal::Invalid(faults)) = TicketStatus::Open.moved_to(TicketStatus::Closed) else {
            panic!("an open ticket was closed without being solved");
        };
        assert_eq!(
            (faults[0].pointer.as_str(), faults[0].code.as_str()),
            ("/status", "illegal_transition")
        );
        assert_eq!(
            faults[0].message,
            "open may be followed by pending, on_hold, solved only"
        );
    }

    proptest! {
        #[test]
        fn no_path_closes_what_is_not_solved_or_comes_back_without_reopening(wishes in prop::collection::vec(0..6_usize, 0..40)) {
            let mut path = vec![TicketStatus::New];
            for wish in wishes {
                if let Ok(next) = path[path.len() - 1].moved_to(TicketStatus::ALL[wish]) {
                    path.push(next);
                }
            }
            for step in path.windows(2).filter(|step| step[0] != step[1]) {
                prop_assert!(step[1] != TicketStatus::New);
                prop_assert!(step[1] != TicketStatus::Closed || step[0] == TicketStatus::Solved);
                prop_assert!(!step[0].is_done() || step[1].is_done());
            }
        }
    }
}
