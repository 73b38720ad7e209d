//! The operators of the rule language and which of them each type of field takes.

use crate::registry::FieldType;

sql::text_enum! {
    /// How a field is compared. Each type of field takes some of these.
    pub enum Operator {
        /// Equal; on a list: one of its values is equal.
        Eq = "eq",
        /// Has a value, and another one.
        Ne = "ne",
        /// Greater, later, after in the order of characters.
        Gt = "gt",
        /// Greater or equal.
        Gte = "gte",
        /// Less.
        Lt = "lt",
        /// Less or equal.
        Lte = "lte",
        /// From the first to the second value, both included.
        Between = "between",
        /// Equal to one of the values.
        In = "in",
        /// Has a value that is none of these.
        NotIn = "not_in",
        /// Contains this text, in whatever case.
        Contains = "contains",
        /// Starts with this text, in whatever case.
        StartsWith = "starts_with",
        /// Ends with this text, in whatever case.
        EndsWith = "ends_with",
        /// Contains each of these words, in whatever case and order.
        Search = "search",
        /// A list that has one of the values.
        HasAny = "has_any",
        /// A list that has all of the values.
        HasAll = "has_all",
        /// A list that has none of the values.
        HasNone = "has_none",
        /// Has a value.
        Exists = "exists",
        /// Has no value.
        Missing = "missing",
        /// The day comes round again within this duration from today, such as `P7D`.
        AnniversaryWithin = "anniversary_within",
        /// Within this duration up to now, such as `P30D`.
        Last = "last",
        /// Within this duration from now, such as `P30D`, or in the next day, week, month, quarter or year.
        Next = "next",
        /// In the present day, week, month, quarter or year of the tenant's time zone.
        This = "this",
        /// In the day, week, month, quarter or year before the present one.
        Previous = "previous",
    }
}

/// The form of an operator's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One value of the field's type.
    One,
    /// Two values of the field's type.
    Pair,
    /// One or more values of the field's type.
    Many,
    /// A text.
    Text,
    /// `true`, `false` or nothing.
    Flag,
    /// An ISO 8601 duration.
    Duration,
    /// An ISO 8601 duration or a calendar unit.
    DurationOrUnit,
    /// A calendar unit: day, week, month, quarter or year.
    Unit,
}

impl Operator {
    /// The form of its value.
    pub const fn shape(self) -> Shape {
        match self {
            Self::Eq | Self::Ne | Self::Gt | Self::Gte | Self::Lt | Self::Lte => Shape::One,
            Self::Between => Shape::Pair,
            Self::In | Self::NotIn | Self::HasAny | Self::HasAll | Self::HasNone => Shape::Many,
            Self::Contains | Self::StartsWith | Self::EndsWith | Self::Search => Shape::Text,
            Self::Exists | Self::Missing => Shape::Flag,
            Self::AnniversaryWithin | Self::Last => Shape::Duration,
            Self::Next => Shape::DurationOrUnit,
            Self::This | Self::Previous => Shape::Unit,
        }
    }
}

impl FieldType {
    /// The operators that fields of this type take.
    pub const fn operators(self) -> &'static [Operator] {
        use Operator::{
            AnniversaryWithin, Between, Contains, EndsWith, Eq, Exists, Gt, Gte, HasAll, HasAny, HasNone, In, Last, Lt,
            Lte, Missing, Ne, Next, NotIn, Previous, Search, StartsWith, This,
        };
        match self {
            Self::Text => &[
                Eq, Ne, In, NotIn, Contains, StartsWith, EndsWith, Search, Gt, Gte, Lt, Lte, Between, Exists, Missing,
            ],
            Self::Id | Self::Choice(_) => &[Eq, Ne, In, NotIn, Exists, Missing],
            Self::Integer | Self::Decimal => &[Eq, Ne, Gt, Gte, Lt, Lte, Between, In, NotIn, Exists, Missing],
            Self::Money => &[Eq, Ne, Gt, Gte, Lt, Lte, Between, Exists, Missing],
            Self::Date => &[
                Eq,
                Ne,
                Gt,
                Gte,
                Lt,
                Lte,
                Between,
                In,
                NotIn,
                Exists,
                Missing,
                Last,
                Next,
                This,
                Previous,
                AnniversaryWithin,
            ],
            Self::Instant => &[
                Eq, Ne, Gt, Gte, Lt, Lte, Between, In, NotIn, Exists, Missing, Last, Next, This, Previous,
            ],
            Self::Bool => &[Eq, Ne, Exists, Missing],
            Self::List => &[
                Eq, In, HasAny, HasAll, HasNone, Contains, StartsWith, EndsWith, Search, Exists, Missing,
            ],
        }
    }

    /// Whether its values have an order: what `gt` and its like, `min` and `max` need.
    pub const fn ordered(self) -> bool {
        matches!(
            self,
            Self::Text | Self::Integer | Self::Decimal | Self::Money | Self::Date | Self::Instant
        )
    }
}
