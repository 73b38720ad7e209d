//! The lifecycle of a customer: a small state machine from first notice to the end and back.

use crate::fault::Refusal;

sql::text_enum! {
    /// Where a customer stands in its lifecycle.
    pub enum Lifecycle {
        /// Initiation: known, nothing more.
        Lead = "lead",
        /// Initiation: has shown interest and fits.
        Prospect = "prospect",
        /// Maintenance: has bought.
        Customer = "customer",
        /// Maintenance: buys again and again.
        Loyal = "loyal",
        /// Termination: has bought once, and not for long.
        Dormant = "dormant",
        /// Termination: has said no, or gone.
        Lost = "lost",
    }
}

/// The three phases that the stages belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Not a customer yet.
    Initiation,
    /// A customer.
    Maintenance,
    /// No longer, or never, a customer.
    Termination,
}

impl Lifecycle {
    /// The phase of the stage.
    pub const fn phase(self) -> Phase {
        match self {
            Self::Lead | Self::Prospect => Phase::Initiation,
            Self::Customer | Self::Loyal => Phase::Maintenance,
            Self::Dormant | Self::Lost => Phase::Termination,
        }
    }

    /// The stages that may follow.
    ///
    /// | from | to | because |
    /// | --- | --- | --- |
    /// | lead | prospect, customer, lost | qualifies; buys at once; says no |
    /// | prospect | lead, customer, lost | turns out unready; buys; says no |
    /// | customer | loyal, dormant, lost | buys again; stops buying; leaves |
    /// | loyal | customer, dormant, lost | buys less; stops buying; leaves |
    /// | dormant | customer, lost | reactivated by a purchase; leaves |
    /// | lost | lead, prospect, customer | approached again; interested again; won back by a purchase |
    ///
    /// So loyalty is earned by a customer and not by who has just come back, only who has bought can be dormant,
    /// and who has bought never becomes a lead without having been lost. A record may be created in any stage,
    /// as its history may have happened elsewhere.
    pub const fn next(self) -> &'static [Self] {
        match self {
            Self::Lead => &[Self::Prospect, Self::Customer, Self::Lost],
            Self::Prospect => &[Self::Lead, Self::Customer, Self::Lost],
            Self::Customer => &[Self::Loyal, Self::Dormant, Self::Lost],
            Self::Loyal => &[Self::Customer, Self::Dormant, Self::Lost],
            Self::Dormant => &[Self::Customer, Self::Lost],
            Self::Lost => &[Self::Lead, Self::Prospect, Self::Customer],
        }
    }

    /// Moves to another stage; staying is always allowed.
    pub fn moved_to(self, to: Self) -> Result<Self, Refusal> {
        if self == to || self.next().contains(&to) {
            return Ok(to);
        }
        let legal: Vec<_> = self.next().iter().map(Self::as_str).collect();
        let message = format!("{self} may be followed by {} only", legal.join(", "));
        Err(Refusal::fault("/lifecycle", "illegal_transition", message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_stage_can_be_left_and_reached() {
        for stage in Lifecycle::ALL {
            assert!(!stage.next().is_empty());
            assert!(!stage.next().contains(stage), "staying is no move");
            assert!(Lifecycle::ALL.iter().any(|from| from.next().contains(stage)));
        }
    }

    #[test]
    fn an_illegal_jump_names_the_legal_ones() {
        let Err(Refusal::Invalid(faults)) = Lifecycle::Lead.moved_to(Lifecycle::Loyal) else {
            panic!("a lead became loyal");
        };
        assert_eq!(faults[0].pointer, "/lifecycle");
        assert_eq!(faults[0].code, "illegal_transition");
        assert_eq!(
            faults[0].message,
            "lead may be followed by prospect, customer, lost only"
        );
    }

    proptest! {
        /// Whatever is asked for, the path walked obeys the rules in words.
        #[test]
        fn no_path_breaks_the_rules(start in 0..6_usize, wishes in prop::collection::vec(0..6_usize, 0..40)) {
            let mut path = vec![Lifecycle::ALL[start]];
            for wish in wishes {
                let now = path[path.len() - 1];
                if let Ok(next) = now.moved_to(Lifecycle::ALL[wish]) {
                    path.push(next);
                } else {
                    prop_assert!(!now.next().contains(&Lifecycle::ALL[wish]));
                }
            }
            for step in path.windows(2).filter(|step| step[0] != step[1]) {
                if step[1] == Lifecycle::Loyal {
                    prop_assert_eq!(step[0], Lifecycle::Customer);
                }
                if step[1] == Lifecycle::Dormant {
                    prop_assert_eq!(step[0].phase(), Phase::Maintenance);
                }
                if step[1].phase() == Phase::Initiation {
                    prop_assert!(step[0].phase() == Phase::Initiation || step[0] == Lifecycle::Lost);
                }
            }
        }
    }
}
