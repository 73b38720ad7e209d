//! From a kind known at run time to its record type.

/// Repeats an expression once per kind of record, with `R` as the record's type.
///
/// ```ignore
/// with_record!(kind, |R| R::find(connection, tenant, id, false).map(|found| found.is_some()))
/// ```
macro_rules! with_record {
    ($kind:expr, |$R:ident| $body:expr) => {
        with_record!($kind, |$R| $body,
            Customer: ::domain::sales::products::Product,
            Relationship: ::domain::sales::products::Product,
            Product: ::domain::sales::products::Product,
            Pipeline: ::domain::sales::products::Product,
            Stage: ::domain::sales::products::Product,
            Opportunity: ::domain::sales::products::Product,
            User: ::domain::sales::products::Product,
            Team: ::domain::sales::products::Product,
            ServiceAccount: ::domain::sales::products::Product,
        )
    };
    ($kind:expr, |$R:ident| $body:expr, $($variant:ident: $type:ty,)+) => {
        match $kind {
            $(::domain::Kind::$variant => {
                type $R = $type;
                $body
            })+
        }
    };
}

pub(crate) use with_record;
