//! Macros that teach a Rust type to be a column on both databases.

/// Adds the shared backend to a type that can already be read and written on each database.
///
/// ```text
/// on_multi_backend!(Timestamp as Instant);
/// ```
#[macro_export]
macro_rules! on_multi_backend {
    ($type:ty as $marker:ty) => {
        impl ::diesel::serialize::ToSql<$marker, $crate::MultiBackend> for $type {
            fn to_sql<'b>(
                &'b self,
                out: &mut ::diesel::serialize::Output<'b, '_, $crate::MultiBackend>,
            ) -> ::diesel::serialize::Result {
                out.set_value((<$marker>::default(), self));
                Ok(::diesel::serialize::IsNull::No)
            }
        }

        impl ::diesel::deserialize::FromSql<$marker, $crate::MultiBackend> for $type {
            fn from_sql(value: $crate::MultiRawValue<'_>) -> ::diesel::deserialize::Result<Self> {
                value.from_sql::<$type, $marker>()
            }
        }
    };
}

/// Stores a type in a text column on both databases, by its `as_str` and `FromStr`.
/// The type derives `AsExpression` and `FromSqlRow` for `diesel::sql_types::Text`.
///
/// ```text
/// text_column!(Currency);
/// ```
#[macro_export]
macro_rules! text_column {
    ($type:ty) => {
        impl ::diesel::serialize::ToSql<::diesel::sql_types::Text, ::diesel::pg::Pg> for $type {
            fn to_sql<'b>(
                &'b self,
                out: &mut ::diesel::serialize::Output<'b, '_, ::diesel::pg::Pg>,
            ) -> ::diesel::serialize::Result {
                ::std::io::Write::write_all(out, self.as_str().as_bytes())?;
                Ok(::diesel::serialize::IsNull::No)
            }
        }

        impl ::diesel::serialize::ToSql<::diesel::sql_types::Text, ::diesel::sqlite::Sqlite> for $type {
            fn to_sql<'b>(
                &'b self,
                out: &mut ::diesel::serialize::Output<'b, '_, ::diesel::sqlite::Sqlite>,
            ) -> ::diesel::serialize::Result {
                out.set_value(self.as_str());
                Ok(::diesel::serialize::IsNull::No)
            }
        }

        impl ::diesel::deserialize::FromSql<::diesel::sql_types::Text, ::diesel::pg::Pg> for $type {
            fn from_sql(value: ::diesel::pg::PgValue<'_>) -> ::diesel::deserialize::Result<Self> {
                Ok(::std::str::from_utf8(value.as_bytes())?.parse()?)
            }
        }

        impl ::diesel::deserialize::FromSql<::diesel::sql_types::Text, ::diesel::sqlite::Sqlite> for $type {
            fn from_sql(mut value: ::diesel::sqlite::SqliteValue<'_, '_, '_>) -> ::diesel::deserialize::Result<Self> {
                Ok(value.read_text().parse()?)
            }
        }

        $crate::on_multi_backend!($type as ::diesel::sql_types::Text);
    };
}

/// Declares an enum whose variants are stored, sent and received as lower snake case text.
///
/// ```text
/// text_enum! {
///     /// What ends a sale.
///     pub enum Outcome { #[default] Open = "open", Won = "won", Lost = "lost" }
/// }
/// ```
#[macro_export]
macro_rules! text_enum {
    (
        $(#[$meta:meta])*
        $visibility:vis enum $name:ident {
            $($(#[$variant_meta:meta])* $variant:ident = $text:literal),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            ::serde::Serialize, ::serde::Deserialize, ::utoipa::ToSchema,
            ::diesel::expression::AsExpression, ::diesel::deserialize::FromSqlRow,
        )]
        #[diesel(sql_type = ::diesel::sql_types::Text)]
        $visibility enum $name {
            $($(#[$variant_meta])* #[serde(rename = $text)] #[schema(rename = $text)] $variant),+
        }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// Every value as text, in the order of declaration.
            pub const TEXTS: &'static [&'static str] = &[$($text),+];

            /// The text that is stored and sent.
            pub const fn as_str(&self) -> &'static str {
                match self {
                    $(Self::$variant => $text),+
                }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(format!("must be one of {}", Self::TEXTS.join(", "))),
                }
            }
        }

        $crate::text_column!($name);
    };
}
