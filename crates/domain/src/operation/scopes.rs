//! Scopes: what a token permits, as in OAuth 2 (RFC 6749 section 3.3).

use crate::kind::Kind;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// One permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// `customers:read` and its like: to see records of a kind.
    Read(Kind),
    /// `customers:write` and its like: to create, change, delete and restore records of a kind.
    Write(Kind),
    /// `changes:read`: to follow the change feed, which shows every record of the tenant.
    ReadChanges,
    /// `purge`: to remove records for good.
    Purge,
    /// `admin`: to set up the tenant, its credentials and keys.
    Admin,
}

impl Scope {
    /// Every scope there is.
    pub fn all() -> impl Iterator<Item = Self> {
        let of_kinds = Kind::ALL
            .iter()
            .flat_map(|kind| [Self::Read(*kind), Self::Write(*kind)]);
        of_kinds.chain([Self::ReadChanges, Self::Purge, Self::Admin])
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(kind) => write!(f, "{}:read", kind.plural()),
            Self::Write(kind) => write!(f, "{}:write", kind.plural()),
            Self::ReadChanges => f.write_str("changes:read"),
            Self::Purge => f.write_str("purge"),
            Self::Admin => f.write_str("admin"),
        }
    }
}

/// A text that is no scope of this service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not a scope of this service")]
pub struct UnknownScope;

impl FromStr for Scope {
    type Err = UnknownScope;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let of_kind = |plural: &str| Kind::from_plural(plural).ok_or(UnknownScope);
        match (text, text.split_once(':')) {
            ("changes:read", _) => Ok(Self::ReadChanges),
            ("purge", _) => Ok(Self::Purge),
            ("admin", _) => Ok(Self::Admin),
            (_, Some((plural, "read"))) => of_kind(plural).map(Self::Read),
            (_, Some((plural, "write"))) => of_kind(plural).map(Self::Write),
            _ => Err(UnknownScope),
        }
    }
}

/// A set of permissions; as text, scopes parted by spaces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// Whether a permission is among them. None stands for another: `write` does not include `read`.
    pub fn allow(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// Whether every permission of another set is among them.
    pub fn allow_all(&self, others: &Self) -> bool {
        others.0.is_subset(&self.0)
    }

    /// The permissions in both sets: what is left of a role when a token asks for less.
    #[must_use]
    pub fn limited_to(&self, others: &Self) -> Self {
        Self(self.0.intersection(&others.0).copied().collect())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every permission, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = Scope> + '_ {
        self.0.iter().copied()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.0.iter().enumerate() {
            let gap = if index == 0 { "" } else { " " };
            write!(f, "{gap}{scope}")?;
        }
        Ok(())
    }
}

impl FromStr for Scopes {
    type Err = UnknownScope;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split(' ')
            .filter(|scope| !scope.is_empty())
            .map(str::parse)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_scope_reads_back_and_is_a_scope_token() {
        let texts: BTreeSet<_> = Scope::all().map(|scope| scope.to_string()).collect();
        assert_eq!(texts.len(), Scope::all().count(), "no two scopes share a text");
        for scope in Scope::all() {
            let text = scope.to_string();
            assert_eq!(text.parse(), Ok(scope));
            // RFC 6749 section 3.3: no spaces, quotes or backslashes
            assert!(
                text.bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte == b':')
            );
        }
    }

    #[test]
    fn what_is_no_scope_is_refused() {
        for text in [
            "customers",
            "customers:",
            "customers:delete",
            "customer:read",
            "changes:write",
            "Admin",
            ":read",
        ] {
            assert_eq!(text.parse::<Scope>(), Err(UnknownScope), "{text}");
            assert_eq!(format!("admin {text}").parse::<Scopes>(), Err(UnknownScope), "{text}");
        }
    }

    proptest! {
        #[test]
        fn sets_read_back(chosen in prop::collection::vec(any::<prop::sample::Index>(), 0..30)) {
            let all: Vec<_> = Scope::all().collect();
            let scopes: Scopes = chosen.iter().map(|index| *index.get(&all)).collect();
            prop_assert_eq!(scopes.to_string().parse(), Ok(scopes.clone()));
            let everything: Scopes = Scope::all().collect();
            prop_assert!(everything.allow_all(&scopes));
            prop_assert_eq!(everything.limited_to(&scopes), scopes);
        }
    }
}
