//! Typed ids. Each is a UUID version 7, made by the application, so order by id is order in time.

/// Declares id types over [`uuid::Uuid`].
///
/// ```text
/// id! {
///     /// Names one ticket.
///     TicketId
/// }
/// ```
macro_rules! id {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize, utoipa::ToSchema,
            diesel::expression::AsExpression, diesel::deserialize::FromSqlRow,
        )]
        #[diesel(sql_type = $crate::types::Identifier)]
        #[serde(transparent)]
        #[schema(value_type = String, format = Uuid)]
        pub struct $name(pub uuid::Uuid);

        impl $name {
            /// A new id, later than every id made before it by this process.
            pub fn new() -> Self {
                Self(uuid::Uuid::now_v7())
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl From<uuid::Uuid> for $name {
            fn from(uuid: uuid::Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for uuid::Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        identifier_column!($name);
    )+};
}

/// Stores a newtype over [`uuid::Uuid`] in an identifier column on both databases.
macro_rules! identifier_column {
    ($name:ident) => {
        impl diesel::serialize::ToSql<$crate::types::Identifier, diesel::pg::Pg> for $name {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, diesel::pg::Pg>,
            ) -> diesel::serialize::Result {
                std::io::Write::write_all(out, self.0.as_bytes())?;
                Ok(diesel::serialize::IsNull::No)
            }
        }

        impl diesel::deserialize::FromSql<$crate::types::Identifier, diesel::pg::Pg> for $name {
            fn from_sql(value: diesel::pg::PgValue<'_>) -> diesel::deserialize::Result<Self> {
                Ok(Self(uuid::Uuid::from_slice(value.as_bytes())?))
            }
        }

        impl diesel::serialize::ToSql<$crate::types::Identifier, diesel::sqlite::Sqlite> for $name {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, diesel::sqlite::Sqlite>,
            ) -> diesel::serialize::Result {
                out.set_value(self.0.as_bytes().as_slice());
                Ok(diesel::serialize::IsNull::No)
            }
        }

        impl diesel::deserialize::FromSql<$crate::types::Identifier, diesel::sqlite::Sqlite> for $name {
            fn from_sql(mut value: diesel::sqlite::SqliteValue<'_, '_, '_>) -> diesel::deserialize::Result<Self> {
                Ok(Self(uuid::Uuid::from_slice(value.read_blob())?))
            }
        }

        $crate::on_multi_backend!($name as $crate::types::Identifier);
    };
}

id! {
    /// Names a tenant: one company's data, invisible to every other.
    TenantId,
    /// Names a record of any kind, where the kind stands beside it.
    RecordId,
    /// Names who acts: a user or a service account.
    PrincipalId,
    /// Names a person who logs in.
    UserId,
    /// Names a group of users.
    TeamId,
    /// Names a program that logs in.
    ServiceAccountId,
    /// Names a person or organisation that is a customer.
    CustomerId,
    /// Names a relationship between two customers.
    RelationshipId,
    /// Names a product.
    ProductId,
    /// Names a sales pipeline.
    PipelineId,
    /// Names a stage of a pipeline.
    StageId,
    /// Names an opportunity.
    OpportunityId,
    /// Names a segment of customers.
    SegmentId,
    /// Names an interaction.
    InteractionId,
    /// Names business hours.
    BusinessHoursId,
    /// Names a policy of service levels.
    SlaPolicyId,
    /// Names a ticket.
    TicketId,
    /// Names a task.
    TaskId,
    /// Names a calendar's secret address.
    CalendarFeedId,
    /// Names a document.
    DocumentId,
    /// Names an object of the store of documents: the content of one version.
    ObjectId,
    /// Names an event of the log.
    EventId,
    /// Names one use of something that may be used once: a token, a session.
    TokenId,
}
