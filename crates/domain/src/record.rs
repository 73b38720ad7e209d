//! What every record has, and the traits by which the mechanics handle all kinds of record alike.

use crate::custom_values::{Catalogue, CustomValues};
use crate::fault::{Fault, Refusal, faultless};
use crate::kind::Kind;
use crate::validation::faults_of;
use diesel::prelude::Queryable;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sql::Timestamp;
use sql::ids::{PrincipalId, RecordId, TeamId, TenantId, UserId};
use utoipa::ToSchema;
use validator::Validate;

/// What the service keeps about every record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, Queryable)]
pub struct Meta {
    /// The tenant it belongs to; never shown.
    #[serde(skip)]
    pub tenant_id: TenantId,
    /// Names the record for good.
    #[schema(value_type = uuid::Uuid)]
    pub id: RecordId,
    /// Counts its changes, from 1; also its `ETag`.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The user or service account that created it.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub created_by: Option<PrincipalId>,
    /// The user or service account that last changed it.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub updated_by: Option<PrincipalId>,
    /// When it was deleted; a deleted record is not shown.
    #[serde(skip)]
    pub deleted_at: Option<Timestamp>,
}

impl Meta {
    /// The meta part of a new record.
    pub fn new(tenant_id: TenantId, now: Timestamp, by: Option<PrincipalId>) -> Self {
        Self {
            tenant_id,
            id: RecordId::new(),
            version: 1,
            created_at: now,
            updated_at: now,
            created_by: by,
            updated_by: by,
            deleted_at: None,
        }
    }

    /// The meta part after one more change.
    #[must_use]
    pub fn changed(&self, now: Timestamp, by: Option<PrincipalId>) -> Self {
        Self {
            version: self.version + 1,
            updated_at: now,
            updated_by: by,
            ..self.clone()
        }
    }
}

/// An id that another system knows a record by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ExternalId {
    /// The other system.
    #[validate(length(min = 1, max = 64))]
    #[schema(min_length = 1, max_length = 64, examples("erp"))]
    pub system: String,
    /// The id there; unique within the system and the kind of record.
    #[validate(length(min = 1, max = 255))]
    #[schema(min_length = 1, max_length = 255, examples("C-10042"))]
    pub id: String,
}

/// What a client may set on every record.
#[derive(Debug, Clone, Copy)]
pub struct Common<'a> {
    /// Ids of other systems.
    pub external_ids: &'a [ExternalId],
    /// Free words to find it by.
    pub tags: &'a [String],
    /// The user who is responsible.
    pub owner_id: Option<UserId>,
    /// The team that is responsible.
    pub team_id: Option<TeamId>,
    /// The values of custom fields.
    pub custom: &'a CustomValues,
}

/// What the custom values of a record are held against.
#[derive(Debug, Clone, Copy)]
pub struct CustomCheck<'a> {
    /// The custom fields of the tenant.
    pub catalogue: &'a Catalogue,
    /// The kind of record.
    pub kind: Kind,
    /// What the record held before, if it was there.
    pub before: Option<&'a CustomValues>,
}

impl CustomCheck<'_> {
    fn check(self, values: &mut CustomValues, faults: &mut Vec<Fault>) {
        self.catalogue.check(self.kind, self.before, values, faults);
    }
}

/// The part of a record that a client may set.
pub trait Fields:
    Clone + PartialEq + Serialize + DeserializeOwned + Validate + ToSchema + Send + Sync + 'static
{
    /// Members that a patch replaces as a whole, because their parts mean nothing by themselves.
    const REPLACED_WHOLE: &'static [&'static str] = &[];

    /// What every record has.
    fn common(&self) -> Common<'_>;

    /// The ids of other systems, to add one.
    fn external_ids_mut(&mut self) -> &mut Vec<ExternalId>;

    /// The owner, to set a default.
    fn owner_id_mut(&mut self) -> &mut Option<UserId>;

    /// The values of custom fields, to bring them to their one form.
    fn custom_mut(&mut self) -> &mut CustomValues;

    /// Brings values to their one form (lower-case e-mail addresses, …), before they are validated, and tells of those that
    /// have none. What is as it was before is in its form.
    fn normalise(&mut self, _before: Option<&Self>, _faults: &mut Vec<Fault>) {}

    /// Adds the faults that no attribute on a single field can express.
    fn add_faults(&self, _faults: &mut Vec<Fault>) {}

    /// Brings the values to their one form and tells every fault of them, but for those of custom fields.
    fn checked(self) -> Result<Self, Refusal> {
        self.checked_with(None, None)
    }

    /// Brings the values to their one form and tells every fault of them. `before` is what the record had, if it was there.
    fn checked_with(mut self, before: Option<&Self>, custom: Option<CustomCheck<'_>>) -> Result<Self, Refusal> {
        let mut faults = Vec::new();
        self.normalise(before, &mut faults);
        if let Err(errors) = self.validate() {
            faults.extend(faults_of(&errors, ""));
        }
        crate::validation::check_common(self.common(), &mut faults);
        self.add_faults(&mut faults);
        if let Some(custom) = custom {
            custom.check(self.custom_mut(), &mut faults);
        }
        faultless(faults).map(|()| self)
    }
}

/// The settable part of a new record without faults, but for those of custom values: what these must be stands in the store.
#[derive(Debug, Clone)]
pub struct Checked<F>(F);

impl<F: Fields> Checked<F> {
    /// Brings the values to their one form and tells every fault of them, but for those of custom fields.
    pub fn of(fields: F) -> Result<Self, Refusal> {
        fields.checked().map(Self)
    }

    /// The same with custom values that are checked, too.
    pub fn with_custom_checked(mut self, custom: Option<CustomCheck<'_>>) -> Result<F, Refusal> {
        let mut faults = Vec::new();
        if let Some(custom) = custom {
            custom.check(self.0.custom_mut(), &mut faults);
        }
        faultless(faults).map(|()| self.0)
    }

    /// The fields, to be changed and checked again.
    pub fn into_fields(self) -> F {
        self.0
    }
}

/// An id inside a record that names another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Where it stands in the settable part, as a JSON Pointer.
    pub pointer: String,
    /// What it names.
    pub kind: Kind,
    /// The id.
    pub id: RecordId,
}

/// Names a record of any kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, Queryable)]
#[serde(deny_unknown_fields, expecting = "an object of type and id")]
pub struct RecordLink {
    /// The kind of record.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Which one.
    #[schema(value_type = uuid::Uuid)]
    pub id: RecordId,
}

impl RecordLink {
    /// The same, to be checked: there must be such a record.
    pub const fn reference(self, pointer: String) -> Reference {
        Reference {
            pointer,
            kind: self.kind,
            id: self.id,
        }
    }
}

/// As filters of lists name it: `opportunity:01a2…`.
impl std::fmt::Display for RecordLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.kind, self.id)
    }
}

/// One kind of record.
pub trait Record: Clone + Serialize + ToSchema + Send + Sync + 'static {
    /// What a client may set.
    type Fields: Fields;

    /// The kind.
    const KIND: Kind;

    /// Whether a new one is refused when there seems to be the same already.
    const REFUSES_DUPLICATES: bool = false;

    /// What the service keeps.
    fn meta(&self) -> &Meta;

    /// What the service keeps, to be changed by the mechanics.
    fn meta_mut(&mut self) -> &mut Meta;

    /// What a client set.
    fn fields(&self) -> &Self::Fields;

    /// What a client set, to be changed by decisions that concern records of every kind.
    fn fields_mut(&mut self) -> &mut Self::Fields;

    /// What the record is called in lists of mixed kinds.
    fn title(&self) -> &str;

    /// The texts that `q` searches: names, addresses, numbers.
    fn search_texts(&self) -> Vec<&str> {
        vec![self.title()]
    }

    /// The values of its multi-valued fields beside tags, by field name.
    fn values(&self) -> Vec<(&'static str, Vec<String>)> {
        Vec::new()
    }

    /// The ids of other records in its settable part, beside owner and team.
    fn references(&self) -> Vec<Reference> {
        Vec::new()
    }
}

/// A part of a record as columns of its table, of which a change writes those that differ: each index on the others is then
/// left alone.
pub trait Columns {
    /// What Diesel sets.
    type Changed;

    /// What differs from before.
    fn changed(&self, before: &Self) -> Self::Changed;

    /// How many members differ from before.
    fn count_changed(&self, before: &Self) -> usize;
}

/// Lets a small part be written as a whole when any of it differs.
#[macro_export]
macro_rules! written_whole {
    ($part:ident) => {
        impl $crate::record::Columns for $part {
            type Changed = Option<Self>;
            fn changed(&self, before: &Self) -> Option<Self> {
                (self != before).then(|| self.clone())
            }
            fn count_changed(&self, before: &Self) -> usize {
                usize::from(self != before)
            }
        }
    };
}

/// Declares the settable part of a record: adds what every record has, and every derive. A type is taken apart into
/// `Name<Inner>`, because the derives must see an `Option` as such. `=> embed` says that a type has columns of its own.
///
/// ```text
/// settable! {
///     /// What a client may set on a product.
///     pub struct ProductFields in products {
///         /// What it is called.
///         #[validate(length(min = 1, max = 200))]
///         pub name: String,
///     }
/// }
/// ```
#[macro_export]
macro_rules! settable {
    (
        $(#[$meta:meta])*
        pub struct $name:ident in $table:ident {
            $($(#[$field_meta:meta])* pub $field:ident: $type:ident $(<$inner:ty>)? $(=> $embed:ident)?),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(
            Debug, Clone, PartialEq, ::serde::Serialize, ::serde::Deserialize, ::utoipa::ToSchema, ::validator::Validate,
            ::diesel::prelude::Queryable, ::diesel::prelude::Selectable, ::diesel::prelude::Insertable,
        )]
        #[diesel(table_name = ::sql::schema::$table, treat_none_as_default_value = false)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// The ids that other systems know it by.
            #[serde(default)]
            #[schema(value_type = HashSet<$crate::record::ExternalId>, max_items = 50)]
            pub external_ids: ::sql::Json<Vec<$crate::record::ExternalId>>,
            /// Free words to find it by.
            #[serde(default)]
            #[schema(value_type = HashSet<$crate::validation::Word>, max_items = 100)]
            pub tags: ::sql::Json<Vec<String>>,
            /// The user who is responsible for it; by default the user who creates it.
            #[serde(default)]
            #[schema(value_type = Option<uuid::Uuid>)]
            pub owner_id: Option<::sql::ids::UserId>,
            /// The team that is responsible for it.
            #[serde(default)]
            #[schema(value_type = Option<uuid::Uuid>)]
            pub team_id: Option<::sql::ids::TeamId>,
            /// The values of the fields that the tenant added, by their keys.
            #[serde(default)]
            #[schema(value_type = HashMap<String, $crate::custom_values::CustomValue>)]
            pub custom: ::sql::Json<$crate::custom_values::CustomValues>,
            $($(#[$field_meta])* $(#[diesel($embed)])? pub $field: $type $(<$inner>)?),+
        }

        const _: () = {
            #[derive(::diesel::prelude::AsChangeset)]
            #[diesel(table_name = ::sql::schema::$table)]
            pub struct Changed {
                external_ids: Option<::sql::Json<Vec<$crate::record::ExternalId>>>,
                tags: Option<::sql::Json<Vec<String>>>,
                owner_id: Option<Option<::sql::ids::UserId>>,
                team_id: Option<Option<::sql::ids::TeamId>>,
                custom: Option<::sql::Json<$crate::custom_values::CustomValues>>,
                $($(#[diesel($embed)])? $field: Option<$type $(<$inner>)?>),+
            }

            impl $crate::record::Columns for $name {
                type Changed = Changed;

                fn changed(&self, before: &Self) -> Changed {
                    Changed {
                        external_ids: (self.external_ids != before.external_ids).then(|| self.external_ids.clone()),
                        tags: (self.tags != before.tags).then(|| self.tags.clone()),
                        owner_id: (self.owner_id != before.owner_id).then_some(self.owner_id),
                        team_id: (self.team_id != before.team_id).then_some(self.team_id),
                        custom: (self.custom != before.custom).then(|| self.custom.clone()),
                        $($field: (self.$field != before.$field).then(|| self.$field.clone())),+
                    }
                }

                fn count_changed(&self, before: &Self) -> usize {
                    let common = [
                        self.external_ids != before.external_ids,
                        self.tags != before.tags,
                        self.owner_id != before.owner_id,
                        self.team_id != before.team_id,
                        self.custom != before.custom,
                    ];
                    let own = [$(self.$field != before.$field),+];
                    common.into_iter().chain(own).filter(|differs| *differs).count()
                }
            }
        };

        impl $name {
            fn common_part(&self) -> $crate::record::Common<'_> {
                $crate::record::Common {
                    external_ids: &self.external_ids,
                    tags: &self.tags,
                    owner_id: self.owner_id,
                    team_id: self.team_id,
                    custom: &self.custom,
                }
            }
        }
    };
}

/// Declares the columns `subject_type` and `subject_id` of a table, by which its rows belong to a record of any kind.
///
/// ```text
/// record_link_columns! {
///     /// The record that a note is about.
///     pub struct NoteSubject in notes
/// }
/// ```
#[macro_export]
macro_rules! record_link_columns {
    ($(#[$meta:meta])* pub struct $name:ident in $table:ident) => {
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, ::serde::Serialize, ::serde::Deserialize,
            ::diesel::prelude::Queryable, ::diesel::prelude::Selectable,
            ::diesel::prelude::Insertable, ::diesel::prelude::AsChangeset,
        )]
        #[diesel(table_name = ::sql::schema::$table, treat_none_as_default_value = false)]
        #[serde(deny_unknown_fields, expecting = "an object of type and id")]
        pub struct $name {
            /// The kind of record.
            #[serde(rename = "type")]
            #[diesel(column_name = subject_type)]
            pub kind: $crate::Kind,
            /// Which one.
            #[diesel(column_name = subject_id)]
            pub id: ::sql::ids::RecordId,
        }

        impl $name {
            /// As a link.
            pub const fn link(self) -> $crate::record::RecordLink {
                $crate::record::RecordLink {
                    kind: self.kind,
                    id: self.id,
                }
            }
        }
    };
}

/// The accessors of the part that every record has, for use inside `impl Fields`.
#[macro_export]
macro_rules! common_fields {
    () => {
        fn common(&self) -> $crate::record::Common<'_> {
            self.common_part()
        }
        fn external_ids_mut(&mut self) -> &mut Vec<$crate::record::ExternalId> {
            &mut self.external_ids
        }
        fn owner_id_mut(&mut self) -> &mut Option<::sql::ids::UserId> {
            &mut self.owner_id
        }
        fn custom_mut(&mut self) -> &mut $crate::custom_values::CustomValues {
            &mut self.custom
        }
    };
}

/// The accessors of a record made of `meta` and `fields`, for use inside `impl Record`.
#[macro_export]
macro_rules! record_parts {
    ($fields:ty) => {
        type Fields = $fields;
        fn meta(&self) -> &$crate::record::Meta {
            &self.meta
        }
        fn meta_mut(&mut self) -> &mut $crate::record::Meta {
            &mut self.meta
        }
        fn fields(&self) -> &$fields {
            &self.fields
        }
        fn fields_mut(&mut self) -> &mut $fields {
            &mut self.fields
        }
    };
}
