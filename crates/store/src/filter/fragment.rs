//! SQL under construction: words, names and bound values, in the two dialects where they differ.

use diesel::backend::Backend;
use diesel::pg::Pg;
use diesel::prelude::QueryResult;
use diesel::query_builder::AstPass;
use diesel::sql_types::{BigInt, Bool, Date, Text};
use diesel::sqlite::Sqlite;
use domain::rule::Value;
use sql::MultiBackend;
use sql::types::{Identifier, Instant};

/// The name that a column is qualified by.
#[derive(Debug, Clone, Copy)]
pub(super) enum Alias {
    /// The table of the query that the condition stands in.
    Table(&'static str),
    /// A table of a sub-select.
    Numbered(usize),
}

#[derive(Debug, Clone)]
enum Piece {
    Raw(&'static str),
    Name(&'static str),
    Alias(usize),
    Bind(Value),
    Either { postgres: Fragment, sqlite: Fragment },
}

#[derive(Debug, Clone, Default)]
pub(super) struct Fragment {
    pieces: Vec<Piece>,
    aliases: usize,
    varied: bool,
}

impl Fragment {
    pub(super) fn raw(&mut self, sql: &'static str) -> &mut Self {
        self.pieces.push(Piece::Raw(sql));
        self
    }

    pub(super) fn name(&mut self, name: &'static str) -> &mut Self {
        self.pieces.push(Piece::Name(name));
        self
    }

    /// Amounts are bound by their minor units.
    pub(super) fn bind(&mut self, value: Value) -> &mut Self {
        let value = match value {
            Value::Money(money) => Value::Integer(money.minor()),
            other => other,
        };
        self.pieces.push(Piece::Bind(value));
        self
    }

    /// Words that the two databases have differently.
    pub(super) fn dialect(&mut self, postgres: &'static str, sqlite: &'static str) -> &mut Self {
        self.either(|one| _ = one.raw(postgres), |other| _ = other.raw(sqlite))
    }

    /// What the two databases have differently.
    pub(super) fn either(&mut self, postgres: impl FnOnce(&mut Self), sqlite: impl FnOnce(&mut Self)) -> &mut Self {
        let (mut one, mut other) = (Self::default(), Self::default());
        postgres(&mut one);
        sqlite(&mut other);
        self.pieces.push(Piece::Either {
            postgres: one,
            sqlite: other,
        });
        self
    }

    pub(super) fn alias(&mut self, alias: Alias) -> &mut Self {
        self.pieces.push(match alias {
            Alias::Table(name) => Piece::Name(name),
            Alias::Numbered(number) => Piece::Alias(number),
        });
        self
    }

    pub(super) fn column(&mut self, alias: Alias, column: &'static str) -> &mut Self {
        self.alias(alias).raw(".").name(column)
    }

    /// Words that another fragment has ready. Its aliases must not be used again at the same place.
    pub(super) fn append(&mut self, other: Self) -> &mut Self {
        self.aliases = self.aliases.max(other.aliases);
        self.varied |= other.varied;
        self.pieces.extend(other.pieces);
        self
    }

    /// An empty fragment whose aliases may stand beside those of this one.
    pub(super) fn beside(&self) -> Self {
        Self {
            aliases: self.aliases,
            ..Self::default()
        }
    }

    /// What another fragment has used up will not be used again here.
    pub(super) fn leave_aliases_to(&mut self, other: &Self) {
        self.aliases = self.aliases.max(other.aliases);
    }

    /// The alias that is given out next.
    pub(super) const fn next_alias(&self) -> Alias {
        Alias::Numbered(self.aliases + 1)
    }

    pub(super) const fn new_alias(&mut self) -> Alias {
        self.aliases += 1;
        Alias::Numbered(self.aliases)
    }

    /// The text of the query depends on more than a few constants: a cache of statements would grow without end.
    pub(super) const fn varies(&mut self) {
        self.varied = true;
    }

    /// Whatever was said, few queries have this text.
    pub(super) const fn is_kept(&mut self) {
        self.varied = false;
    }

    pub(super) fn walk<'b, DB: Dialect>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if self.varied {
            out.unsafe_to_cache_prepared();
        }
        for piece in &self.pieces {
            match piece {
                Piece::Raw(sql) => out.push_sql(sql),
                Piece::Name(name) => out.push_identifier(name)?,
                Piece::Alias(number) => out.push_identifier(&format!("t{number}"))?,
                Piece::Bind(value) => DB::bind(value, &mut out)?,
                Piece::Either { postgres, sqlite } => {
                    let branch = if out.backend().is_sqlite() { sqlite } else { postgres };
                    branch.walk(out.reborrow())?;
                }
            }
        }
        Ok(())
    }
}

/// A database that queries are written for: one of the two, or whichever a connection turns out to lead to.
pub(super) trait Dialect: Backend {
    /// Which of the two it is.
    fn is_sqlite(&self) -> bool;

    /// Binds a value.
    fn bind<'b>(value: &'b Value, out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()>;
}

macro_rules! dialect {
    ($backend:ty, |$self:ident| $is_sqlite:expr) => {
        impl Dialect for $backend {
            fn is_sqlite(&$self) -> bool {
                $is_sqlite
            }

            fn bind<'b>(value: &'b Value, out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()> {
                match value {
                    Value::Text(text) => out.push_bind_param::<Text, _>(text),
                    Value::Integer(integer) => out.push_bind_param::<BigInt, _>(integer),
                    Value::Id(id) => out.push_bind_param::<Identifier, _>(id),
                    Value::Instant(instant) => out.push_bind_param::<Instant, _>(instant),
                    Value::Date(date) => out.push_bind_param::<Date, _>(date),
                    Value::Bool(bool) => out.push_bind_param::<Bool, _>(bool),
                    Value::Money(_) => Err(diesel::result::Error::QueryBuilderError(
                        "an amount is bound by its minor units".into(),
                    )),
                }
            }
        }
    };
}

dialect!(MultiBackend, |self| matches!(self, Self::Sqlite(_)));
dialect!(Sqlite, |self| true);
dialect!(Pg, |self| false);
