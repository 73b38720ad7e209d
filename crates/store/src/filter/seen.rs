//! The values that a rule saw, to explain its verdict: the same figures that it compares, selected.

use super::check::currency_of;
use super::compile::{Compiler, Scope};
use super::expression;
use super::fragment::{Alias, Fragment};
use diesel::expression::{AppearsOnTable, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Bool, Date, Double, Nullable, Text};
use domain::operation::visibility::Visibility;
use domain::registry::{Field, FieldType, Registry};
use domain::rule::{Function, Holds, Logged, Related, Value};
use sql::Timestamp;
use sql::ids::TenantId;
use sql::types::{Identifier, Instant};
use std::marker::PhantomData;

/// A value that can be selected with a record.
#[derive(Debug, Clone)]
pub struct Figure<S> {
    fragment: Fragment,
    sql_type: PhantomData<S>,
}

expression!(Figure<Nullable<BigInt>>, Nullable<BigInt>);
expression!(Figure<Nullable<Double>>, Nullable<Double>);
expression!(Figure<Nullable<Text>>, Nullable<Text>);
expression!(Figure<Nullable<Bool>>, Nullable<Bool>);
expression!(Figure<Nullable<Date>>, Nullable<Date>);
expression!(Figure<Nullable<Instant>>, Nullable<Instant>);
expression!(Figure<Nullable<Identifier>>, Nullable<Identifier>);

/// A value that a rule saw, by its type.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Seen {
    Integer(Figure<Nullable<BigInt>>),
    Mean(Figure<Nullable<Double>>),
    Text(Figure<Nullable<Text>>),
    Bool(Figure<Nullable<Bool>>),
    Date(Figure<Nullable<Date>>),
    Instant(Figure<Nullable<Instant>>),
    Id(Figure<Nullable<Identifier>>),
}

impl Seen {
    fn of(fragment: Fragment, field_type: FieldType) -> Self {
        macro_rules! figure {
            () => {
                Figure {
                    fragment,
                    sql_type: PhantomData,
                }
            };
        }
        match field_type {
            FieldType::Integer | FieldType::Decimal | FieldType::Money => Self::Integer(figure!()),
            FieldType::Text | FieldType::Choice(_) | FieldType::List => Self::Text(figure!()),
            FieldType::Bool => Self::Bool(figure!()),
            FieldType::Date => Self::Date(figure!()),
            FieldType::Instant => Self::Instant(figure!()),
            FieldType::Id => Self::Id(figure!()),
        }
    }
}

/// Whose records are looked at.
#[derive(Debug, Clone, Copy)]
pub struct Looking {
    /// The kind of record that the rule is about.
    pub registry: &'static Registry,
    /// The tenant.
    pub tenant: TenantId,
    /// What the caller may see.
    pub visibility: Visibility,
    /// The instant of the past that is asked about.
    pub as_of: Option<Timestamp>,
}

impl Looking {
    /// Whole numbers come as `bigint`, whatever the width of their column.
    fn select(self, field_type: FieldType, write: impl FnOnce(&mut Compiler<'_>, Scope)) -> Fragment {
        let is_whole = matches!(field_type, FieldType::Integer | FieldType::Decimal | FieldType::Money);
        let mut fragment = Fragment::default();
        fragment.varies();
        if is_whole {
            fragment.raw("CAST(");
        }
        let scope = Scope {
            registry: self.registry,
            alias: Alias::Table(self.registry.table),
            strict: false,
        };
        let compiler = Compiler::new(&mut fragment, self.registry, self.tenant, self.visibility);
        let mut compiler = compiler.at(self.as_of);
        write(&mut compiler, scope);
        if is_whole {
            fragment.raw(" AS bigint)");
        }
        fragment
    }

    /// The value of a field of the record itself.
    pub fn field(self, field: &Field) -> Seen {
        let fragment = self.select(field.field_type, |compiler, scope| compiler.operand(scope.alias, field));
        Seen::of(fragment, field.field_type)
    }

    /// The figure over related records that is compared; with a quantifier, how many of them pass.
    pub fn related(self, related: &Related) -> Seen {
        let (function, currency) = match &related.holds {
            Holds::Quantifier(_) => (Function::Count, None),
            Holds::Aggregate { function, check } => (*function, currency_of(check)),
        };
        let field_type = match function {
            Function::Count | Function::CountDistinct(_) => FieldType::Integer,
            other => other.field().map_or(FieldType::Integer, |field| field.field_type),
        };
        let mean = matches!(function, Function::Average(..));
        let selected = if mean { FieldType::Text } else { field_type };
        let fragment = self.select(selected, |compiler, scope| {
            compiler.figure_of(scope, related, function, currency, |compiler, alias| {
                compiler.figure_value(alias, function);
            });
        });
        if mean {
            return Seen::Mean(Figure {
                fragment,
                sql_type: PhantomData,
            });
        }
        Seen::of(fragment, field_type)
    }

    /// How many events of the record pass.
    pub fn logged(self, logged: &Logged) -> Seen {
        let fragment = self.select(FieldType::Integer, |compiler, scope| {
            compiler.logged_count(scope, logged);
        });
        Seen::of(fragment, FieldType::Integer)
    }
}

/// The currency that amounts of a figure are in.
pub fn currency_seen(related: &Related) -> Option<String> {
    match &related.holds {
        Holds::Aggregate { check, .. } => match currency_of(check) {
            Some(Value::Text(code)) => Some(code),
            _ => None,
        },
        Holds::Quantifier(_) => None,
    }
}
