//! Roles: what users and service accounts may do, and on whose records.

use super::scopes::{Scope, Scopes};
use crate::kind::Kind;

sql::text_enum! {
    /// A bundle of scopes; see [`Role::scopes`].
    pub enum Role {
        /// Sets up the tenant; may do everything.
        Admin = "admin",
        /// Leads people who sell and serve.
        Manager = "manager",
        /// Sells and serves.
        Agent = "agent",
        /// Looks.
        Reader = "reader",
        /// A program that keeps another system in step.
        Integration = "integration",
    }
}

sql::text_enum! {
    /// Whose records are seen and changed, of the kinds that have an owner.
    pub enum RecordRule {
        /// Those it owns.
        Own = "own",
        /// Those it owns and those of its team.
        Team = "team",
        /// All of the tenant.
        All = "all",
    }
}

impl Role {
    /// What the role may do: `r` read, `w` read and write.
    ///
    /// | scopes | admin | manager | agent | reader | integration |
    /// | --- | --- | --- | --- | --- | --- |
    /// | customers, relationships, notes, documents, interactions, opportunities, tickets, tasks, appointments | w | w | w | r | w |
    /// | products, pipelines, stages, segments | w | w | r | r | w |
    /// | `business_hours`, `sla_policies` | w | w | r | r | r |
    /// | teams, `custom_fields` | w | w | r | r | r |
    /// | users | w | r | r | r | r |
    /// | `service_accounts` | w | - | - | - | - |
    /// | `changes:read` | yes | yes | - | - | yes |
    /// | `purge`, `admin` | yes | - | - | - | - |
    ///
    /// Who writes users gives roles, so only an admin does. The change feed shows the records of everyone, so roles
    /// that a record rule may narrow do not read it.
    pub fn scopes(self) -> Scopes {
        Scope::all().filter(|scope| self.may(*scope)).collect()
    }

    fn may(self, scope: Scope) -> bool {
        match scope {
            Scope::Read(kind) => self == Self::Admin || kind != Kind::ServiceAccount,
            Scope::Write(kind) => self.may_write(kind),
            Scope::ReadChanges => matches!(self, Self::Admin | Self::Manager | Self::Integration),
            Scope::Purge | Scope::Admin => self == Self::Admin,
        }
    }

    fn may_write(self, kind: Kind) -> bool {
        match kind {
            Kind::Customer
            | Kind::Relationship
            | Kind::Note
            | Kind::Document
            | Kind::Interaction
            | Kind::Opportunity
            | Kind::Ticket
            | Kind::Task
            | Kind::Appointment => self != Self::Reader,
            Kind::Product | Kind::Pipeline | Kind::Stage | Kind::Segment => {
                matches!(self, Self::Admin | Self::Manager | Self::Integration)
            }
            Kind::Team | Kind::CustomField | Kind::BusinessHours | Kind::SlaPolicy => {
                matches!(self, Self::Admin | Self::Manager)
            }
            Kind::User | Kind::ServiceAccount => self == Self::Admin,
        }
    }

    /// Whose records the role works on where nothing else is said.
    pub const fn record_rule(self) -> RecordRule {
        match self {
            Self::Agent => RecordRule::Team,
            Self::Admin | Self::Manager | Self::Reader | Self::Integration => RecordRule::All,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_admin_may_do_everything_and_no_other_role_may_make_admins() {
        assert!(Scope::all().all(|scope| Role::Admin.scopes().allow(scope)));
        for role in Role::ALL.iter().filter(|role| **role != Role::Admin) {
            assert!(Role::Admin.scopes().allow_all(&role.scopes()));
            assert!(!role.scopes().allow(Scope::Write(Kind::User)), "{role}");
            assert!(!role.scopes().allow(Scope::Write(Kind::ServiceAccount)), "{role}");
        }
    }

    #[test]
    fn who_writes_a_kind_reads_it_and_a_reader_writes_nothing() {
        for role in Role::ALL {
            let scopes = role.scopes();
            for kind in Kind::ALL {
                assert!(
                    !scopes.allow(Scope::Write(*kind)) || scopes.allow(Scope::Read(*kind)),
                    "{role} {kind}"
                );
            }
        }
        assert!(
            Role::Reader
                .scopes()
                .iter()
                .all(|scope| matches!(scope, Scope::Read(_)))
        );
    }

    #[test]
    fn roles_narrowed_by_default_do_not_follow_the_feed() {
        for role in Role::ALL {
            let narrowed = role.record_rule() != RecordRule::All;
            assert!(!narrowed || !role.scopes().allow(Scope::ReadChanges), "{role}");
        }
    }
}
