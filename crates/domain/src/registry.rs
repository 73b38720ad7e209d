//! The fields of each kind of record, declared once: filters, sorting, rules, references, exports
//! and the API document all read this registry.

use crate::kind::Kind;

/// Everything the mechanics must know about one kind of record.
#[derive(Debug)]
pub struct Registry {
    /// The kind described.
    pub kind: Kind,
    /// The plural, as in URLs and scopes.
    pub plural: &'static str,
    /// The table that holds the records.
    pub table: &'static str,
    /// Own fields, beside [`COMMON_FIELDS`].
    pub fields: &'static [Field],
    /// Relations to other kinds, beside [`COMMON_RELATIONS`].
    pub relations: &'static [Relation],
    /// Whether record rules (own, team) narrow who may see a record.
    pub owned: bool,
}

impl Registry {
    /// The field with this name, own or common.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.all_fields().find(|field| field.name == name)
    }

    /// The field kept in this column.
    pub fn field_in(&self, column: &str) -> Option<&'static Field> {
        self.all_fields()
            .find(|field| matches!(field.source, Source::Column(name) if name == column))
    }

    /// The relation with this name, own or common.
    pub fn relation(&self, name: &str) -> Option<&'static Relation> {
        self.all_relations().find(|relation| relation.name == name)
    }

    /// Every field, the common ones first.
    pub fn all_fields(&self) -> impl Iterator<Item = &'static Field> + use<> {
        let common = if self.is_of_events() { &[] } else { COMMON_FIELDS };
        common.iter().chain(self.fields)
    }

    /// Every relation, the common ones first.
    pub fn all_relations(&self) -> impl Iterator<Item = &'static Relation> + use<> {
        let common = if self.is_of_events() { &[] } else { COMMON_RELATIONS };
        common.iter().chain(self.relations)
    }

    /// Whether it describes the events about records of its kind. Events have nothing in common with records.
    pub fn is_of_events(&self) -> bool {
        self.table == EVENTS
    }
}

/// The table of events.
pub const EVENTS: &str = "events";

/// A field that can be asked for in filters and rules.
#[derive(Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a property of its own, named by its builder"
)]
pub struct Field {
    /// The name in JSON, in filters and in rules.
    pub name: &'static str,
    /// What its values are.
    pub field_type: FieldType,
    /// Where the value is kept.
    pub source: Source,
    /// Whether a list may be sorted by it.
    pub sortable: bool,
    /// Whether an equality or range filter on it alone is answered from an index.
    pub indexed: bool,
    /// Whether its values are kept in lower case for finding, so that what is asked for must be lowered first.
    pub folded: bool,
    /// Whether a record may lack it. Lists sort records that lack it last.
    pub optional: bool,
    /// The kind of record that its id names.
    pub references: Option<Kind>,
}

/// What the values of a field are, which decides its operators and how a value is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    /// Text, compared exactly; `contains` and its like ignore case.
    Text,
    /// A UUID.
    Id,
    /// A whole number.
    Integer,
    /// A number with at most four decimals, kept in parts of [`crate::custom_values::NUMBER_SCALE`].
    Decimal,
    /// An amount in one currency.
    Money,
    /// A calendar day.
    Date,
    /// An instant.
    Instant,
    /// True or false.
    Bool,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// Several texts; `eq` holds when one of them is equal.
    List,
}

/// Where the value of a field is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A column of the record's table.
    Column(&'static str),
    /// Two columns: minor units and currency.
    Money {
        /// The column of minor units.
        minor: &'static str,
        /// The column of the ISO 4217 code.
        currency: &'static str,
    },
    /// A scalar inside a JSON column, by the names on the way to it.
    Json {
        /// The JSON column.
        column: &'static str,
        /// The name of the member.
        member: &'static str,
    },
    /// Rows of `record_values` under the field's name.
    Values,
    /// A column of a table that has one row at most for a record. It is kept by the service and not a part of the
    /// record, so that it changes without a new version.
    Beside {
        /// The table.
        table: &'static str,
        /// The column that names the record.
        record: &'static str,
        /// The column with the value.
        column: &'static str,
    },
    /// A column of the row of `custom_values` that has the field's name. Amounts have another one for the currency.
    Custom {
        /// The kind of record.
        kind: Kind,
        /// The column with the value.
        column: &'static str,
    },
    /// What an event tells of a field of its subject.
    Change {
        /// The end of the change.
        side: Side,
        /// The field that changed.
        of: &'static Field,
    },
}

/// An end of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// What was before.
    Before,
    /// What is after.
    After,
}

impl Side {
    /// Its name in the changes of an event.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
        }
    }
}

/// A relation from one kind of record to another.
#[derive(Debug, PartialEq, Eq)]
pub struct Relation {
    /// The name in `include`, in one-hop filters and in related rules.
    pub name: &'static str,
    /// The kind at the other end.
    pub target: Kind,
    /// How the two are tied.
    pub link: Link,
}

/// How two kinds are tied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// This record names one of the other kind in a column of its own.
    One {
        /// The column of this kind's table; also the name of the field.
        column: &'static str,
    },
    /// Records of the other kind name this one.
    Many {
        /// The column of the other kind's table.
        column: &'static str,
    },
}

impl Field {
    /// A field kept in the column of the same name.
    pub const fn new(name: &'static str, field_type: FieldType) -> Self {
        Self {
            name,
            field_type,
            source: Source::Column(name),
            sortable: false,
            indexed: false,
            folded: false,
            optional: true,
            references: None,
        }
    }

    /// Text in the column of the same name.
    pub const fn text(name: &'static str) -> Self {
        Self::new(name, FieldType::Text)
    }

    /// One of some texts, in the column of the same name.
    pub const fn choice(name: &'static str, values: &'static [&'static str]) -> Self {
        Self::new(name, FieldType::Choice(values))
    }

    /// The id of another record, in the column of the same name.
    pub const fn reference(name: &'static str, to: Kind) -> Self {
        Self {
            references: Some(to),
            indexed: true,
            ..Self::new(name, FieldType::Id)
        }
    }

    /// Several texts: a JSON array in the record, rows in `record_values` for finding.
    pub const fn list(name: &'static str) -> Self {
        Self {
            source: Source::Values,
            indexed: true,
            optional: false,
            ..Self::new(name, FieldType::List)
        }
    }

    /// An amount in two columns, `<name>_minor` and `<name>_currency`.
    pub const fn money(name: &'static str, minor: &'static str, currency: &'static str) -> Self {
        Self {
            source: Source::Money { minor, currency },
            ..Self::new(name, FieldType::Money)
        }
    }

    /// A scalar member of a JSON column. The field is named by both: `organisation.industry`.
    pub const fn json(name: &'static str, column: &'static str, member: &'static str, field_type: FieldType) -> Self {
        Self {
            source: Source::Json { column, member },
            ..Self::new(name, field_type)
        }
    }

    /// A value that the service keeps in a table of its own, in the column of the field's name.
    pub const fn beside(name: &'static str, table: &'static str, record: &'static str, field_type: FieldType) -> Self {
        Self {
            source: Source::Beside {
                table,
                record,
                column: name,
            },
            ..Self::new(name, field_type)
        }
    }

    /// Lists may be sorted by it.
    #[must_use]
    pub const fn sortable(self) -> Self {
        Self { sortable: true, ..self }
    }

    /// Every record has it: the column is `NOT NULL`.
    #[must_use]
    pub const fn required(self) -> Self {
        Self {
            optional: false,
            ..self
        }
    }

    /// An index leads with it.
    #[must_use]
    pub const fn indexed(self) -> Self {
        Self { indexed: true, ..self }
    }

    /// It is kept in a column of another name.
    #[must_use]
    pub const fn in_column(self, column: &'static str) -> Self {
        Self {
            source: Source::Column(column),
            ..self
        }
    }

    /// Its values are found in any case.
    #[must_use]
    pub const fn folded(self) -> Self {
        Self { folded: true, ..self }
    }

    /// Whether events tell of its changes under its own name. What the service keeps of every record is not told, nor
    /// are lists, which are parts of other members, and what is kept beside the records.
    pub fn is_told(&self) -> bool {
        matches!(
            self.source,
            Source::Column(_) | Source::Json { .. } | Source::Money { .. } | Source::Custom { .. }
        ) && self.field_type != FieldType::List
            && !UNTOLD.contains(&self.name)
    }
}

/// The members of every record whose changes events do not tell.
pub const UNTOLD: &[&str] = &["id", "version", "created_at", "updated_at", "created_by", "updated_by"];

impl Relation {
    /// A relation to the one record that a column names.
    pub const fn one(name: &'static str, target: Kind, column: &'static str) -> Self {
        Self {
            name,
            target,
            link: Link::One { column },
        }
    }

    /// A relation to the records whose column names this one.
    pub const fn many(name: &'static str, target: Kind, column: &'static str) -> Self {
        Self {
            name,
            target,
            link: Link::Many { column },
        }
    }
}

/// What every record has.
pub const COMMON_FIELDS: &[Field] = &[
    Field::new("id", FieldType::Id).required().sortable().indexed(),
    Field::new("version", FieldType::Integer).required(),
    Field::new("created_at", FieldType::Instant)
        .required()
        .sortable()
        .indexed(),
    Field::new("updated_at", FieldType::Instant)
        .required()
        .sortable()
        .indexed(),
    Field::new("created_by", FieldType::Id),
    Field::new("updated_by", FieldType::Id),
    Field::reference("owner_id", Kind::User),
    Field::reference("team_id", Kind::Team),
    Field::list("tags"),
];

/// What every record may be tied to.
pub const COMMON_RELATIONS: &[Relation] = &[
    Relation::one("owner", Kind::User, "owner_id"),
    Relation::one("team", Kind::Team, "team_id"),
    Relation::many("notes", Kind::Note, "subject_id"),
    Relation::many("documents", Kind::Document, "subject_id"),
];
