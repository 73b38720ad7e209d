//! A database of its own for each test, and records written into it without the mechanics.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use domain::operation::visibility::Visibility;
use domain::rule::{Rule, RuleContext};
use domain::search::folded;
use domain::{Fault, Kind};
use rapport_store::filter::Condition;
use serde_json::Value as Json;
use sql::ids::{RecordId, TeamId, TenantId, UserId};
use sql::schema::{record_values, search_texts};
use sql::{DatabaseConnection, Json as Document, Timestamp, on_either};
use std::ops::{Deref, DerefMut};
use std::path::Path;

pub(crate) struct Database {
    connection: Option<DatabaseConnection>,
    temporary: Option<(String, String)>,
}

/// An empty database with the present schema.
pub(crate) fn database() -> Database {
    let mut database = bare_database();
    database.migrate(|_| true);
    database
}

/// A database without a schema.
pub(crate) fn bare_database() -> Database {
    let choice = std::env::var("RAPPORT_TEST_DATABASE").unwrap_or_else(|_| "sqlite".to_owned());
    let (connection, temporary) = match choice.as_str() {
        "sqlite" => (
            DatabaseConnection::Sqlite(SqliteConnection::establish(":memory:").unwrap()),
            None,
        ),
        "postgres" => {
            let (server, url, name) = new_on_postgres();
            let connection = PgConnection::establish(&url).unwrap();
            (DatabaseConnection::Postgres(connection), Some((server, name)))
        }
        other => panic!("RAPPORT_TEST_DATABASE must be sqlite or postgres, not {other}"),
    };
    Database {
        connection: Some(connection),
        temporary,
    }
}

impl Database {
    /// Runs the migrations whose names are wanted.
    pub(crate) fn migrate(&mut self, is_wanted: impl Fn(&str) -> bool) {
        let dialect = if self.is_sqlite() {
            "up.sqlite.sql"
        } else {
            "up.postgres.sql"
        };
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
        let mut migrations: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| is_wanted(path.file_name().unwrap().to_str().unwrap()))
            .collect();
        migrations.sort();
        for file in migrations
            .iter()
            .flat_map(|folder| [folder.join("up.sql"), folder.join(dialect)])
        {
            if file.exists() {
                self.batch_execute(&std::fs::read_to_string(file).unwrap()).unwrap();
            }
        }
        if self.is_sqlite() {
            self.batch_execute("PRAGMA foreign_keys = ON").unwrap();
        }
    }
}

impl Deref for Database {
    type Target = DatabaseConnection;
    fn deref(&self) -> &DatabaseConnection {
        self.connection.as_ref().unwrap()
    }
}

impl DerefMut for Database {
    fn deref_mut(&mut self) -> &mut DatabaseConnection {
        self.connection.as_mut().unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.connection = None;
        if let Some((server, name)) = &self.temporary {
            remove(server, name);
        }
    }
}

/// A database of its own on the server: the URLs of the server's first one and of the new one, and its name.
fn new_on_postgres() -> (String, String, String) {
    let url = std::env::var("RAPPORT_TEST_POSTGRES_URL")
        .expect("RAPPORT_TEST_POSTGRES_URL must name a server: run under scripts/postgres");
    let name = format!("filters_{}", RecordId::new().0.simple());
    let mut server = PgConnection::establish(&url).unwrap();
    server.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
    let (server, _) = url.rsplit_once('/').unwrap();
    let own = format!("{server}/{name}");
    (url, own, name)
}

fn remove(server: &str, name: &str) {
    let dropped = PgConnection::establish(server)
        .map(|mut server| server.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")));
    drop(dropped);
}

/// Where a store can make a database of its own, which goes when this is dropped.
pub(crate) struct Place {
    pub(crate) url: String,
    postgres: Option<(String, String)>,
}

impl Place {
    pub(crate) fn new() -> Self {
        if std::env::var("RAPPORT_TEST_DATABASE").is_ok_and(|choice| choice == "postgres") {
            let (server, url, name) = new_on_postgres();
            return Self {
                url,
                postgres: Some((server, name)),
            };
        }
        let file = std::env::temp_dir().join(format!("filters_{}.db", RecordId::new().0.simple()));
        Self {
            url: format!("sqlite://{}", file.display()),
            postgres: None,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some((server, name)) = &self.postgres {
            remove(server, name);
        }
        if let Some(file) = self.url.strip_prefix("sqlite://") {
            for end in ["", "-wal", "-shm"] {
                drop(std::fs::remove_file(format!("{file}{end}")));
            }
        }
    }
}

/// A tenant, whose records the tests write and ask for.
#[derive(Clone, Copy)]
pub(crate) struct Tenant {
    pub(crate) id: TenantId,
}

pub(crate) fn instant(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// Saturday the 21st of November 2026, in Berlin, in euros.
pub(crate) fn context() -> RuleContext {
    RuleContext {
        now: instant("2026-11-21T12:00:00Z"),
        zone: chrono_tz::Europe::Berlin,
        currency: "EUR".parse().unwrap(),
        custom: std::sync::Arc::default(),
    }
}

pub(crate) fn rule(kind: Kind, json: &Json) -> Rule {
    let parsed: Result<Rule, Vec<Fault>> = Rule::parse(json, kind, &context());
    parsed.unwrap_or_else(|faults| panic!("{json}: {faults:?}"))
}

/// The tables by the names of their columns: inserts what is given and what every record must have.
macro_rules! insert {
    ($connection:expr, $table:ident, $tenant:expr, $id:expr, $created:expr, $($column:ident = $value:expr),* $(,)?) => {
        diesel::insert_into(sql::schema::$table::table)
            .values((
                (
                    sql::schema::$table::tenant_id.eq($tenant.id),
                    sql::schema::$table::id.eq($id),
                    sql::schema::$table::version.eq(1_i64),
                    sql::schema::$table::created_at.eq($created),
                    sql::schema::$table::updated_at.eq($created),
                    sql::schema::$table::external_ids.eq(Document::new(Vec::<String>::new())),
                ),
                $(sql::schema::$table::$column.eq($value)),*
            ))
            .execute(&mut **$connection)
            .unwrap()
    };
}

/// A product; what is not said is missing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Product {
    pub(crate) name: String,
    pub(crate) sku: Option<String>,
    pub(crate) category: Option<String>,
    pub(crate) price: Option<(i64, String)>,
    pub(crate) tags: Vec<String>,
    pub(crate) active: bool,
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) owner: Option<UserId>,
}

/// A customer; what is not said is missing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Customer {
    pub(crate) name: String,
    pub(crate) lifecycle: Option<&'static str>,
    pub(crate) birth_date: Option<chrono::NaiveDate>,
    pub(crate) countries: Vec<String>,
    pub(crate) emails: Vec<String>,
    pub(crate) organisation: Option<Json>,
    pub(crate) owner: Option<UserId>,
    pub(crate) team: Option<TeamId>,
}

/// An opportunity; what is not said is missing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Opportunity {
    pub(crate) customer: Option<RecordId>,
    pub(crate) amount: Option<(i64, &'static str)>,
    pub(crate) probability: Option<i32>,
    pub(crate) status: Option<&'static str>,
    pub(crate) expected_close_on: Option<chrono::NaiveDate>,
    pub(crate) closed_on: Option<chrono::NaiveDate>,
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) owner: Option<UserId>,
}

impl Tenant {
    pub(crate) fn new(database: &mut Database) -> Self {
        use sql::schema::tenants::dsl::*;
        let tenant = TenantId::new();
        diesel::insert_into(tenants)
            .values((
                id.eq(tenant),
                name.eq(tenant.to_string()),
                currency.eq("EUR"),
                time_zone.eq("Europe/Berlin"),
                require_if_match.eq(false),
                created_at.eq(context().now),
            ))
            .execute(&mut **database)
            .unwrap();
        Self { id: tenant }
    }

    pub(crate) fn product(self, database: &mut Database, product: &Product) -> RecordId {
        let id = RecordId::new();
        let (minor, currency) = product.price.clone().unzip();
        insert!(
            database,
            products,
            self,
            id,
            product.created_at.unwrap_or(context().now),
            tags = Document::new(product.tags.clone()),
            name = &product.name,
            sku = product.sku.as_deref(),
            category = product.category.as_deref(),
            unit_price_minor = minor,
            unit_price_currency = currency,
            active = product.active,
            owner_id = product.owner
        );
        self.values(database, Kind::Product, id, "tags", &product.tags);
        let texts = [
            Some(product.name.as_str()),
            product.sku.as_deref(),
            product.category.as_deref(),
        ];
        self.search_text(database, Kind::Product, id, &folded(texts.into_iter().flatten()));
        id
    }

    pub(crate) fn customer(self, database: &mut Database, customer: &Customer) -> RecordId {
        let id = RecordId::new();
        let none = || Document::new(Vec::<String>::new());
        let empty = || Document::new(serde_json::json!({}));
        insert!(
            database,
            customers,
            self,
            id,
            context().now,
            tags = none(),
            kind = "organisation",
            name = &customer.name,
            lifecycle = customer.lifecycle.unwrap_or("lead"),
            emails = none(),
            phones = none(),
            addresses = none(),
            handles = none(),
            birth_date = customer.birth_date,
            demographics = empty(),
            interests = none(),
            preferences = empty(),
            organisation = customer.organisation.clone().map_or_else(empty, Document::new),
            lifecycle_since = context().now,
            owner_id = customer.owner,
            team_id = customer.team
        );
        self.values(database, Kind::Customer, id, "country", &customer.countries);
        self.values(database, Kind::Customer, id, "emails", &customer.emails);
        self.search_text(database, Kind::Customer, id, &folded([customer.name.as_str()]));
        id
    }

    /// An opportunity in a pipeline and stage of its own.
    pub(crate) fn opportunity(self, database: &mut Database, opportunity: &Opportunity) -> RecordId {
        let [pipeline, stage, id] = [RecordId::new(), RecordId::new(), RecordId::new()];
        let now = opportunity.created_at.unwrap_or(context().now);
        let none = || Document::new(Vec::<String>::new());
        insert!(
            database,
            pipelines,
            self,
            pipeline,
            now,
            tags = none(),
            name = "Pipeline",
            active = true
        );
        insert!(
            database,
            stages,
            self,
            stage,
            now,
            tags = none(),
            pipeline_id = pipeline,
            name = "Stage",
            position = 1,
            kind = "open",
            probability = 50
        );
        let (minor, currency) = opportunity.amount.unzip();
        insert!(
            database,
            opportunities,
            self,
            id,
            now,
            tags = none(),
            name = "Deal",
            customer_id = opportunity.customer,
            pipeline_id = pipeline,
            stage_id = stage,
            amount_minor = minor,
            amount_currency = currency,
            probability = opportunity.probability,
            expected_close_on = opportunity.expected_close_on,
            closed_on = opportunity.closed_on,
            lines = none(),
            contacts = none(),
            competitors = none(),
            status = opportunity.status.unwrap_or("open"),
            stage_entered_at = now,
            owner_id = opportunity.owner
        );
        id
    }

    pub(crate) fn team(self, database: &mut Database) -> TeamId {
        let id = TeamId::new();
        insert!(
            database,
            teams,
            self,
            id,
            context().now,
            tags = Document::new(Vec::<String>::new()),
            name = "Team"
        );
        id
    }

    pub(crate) fn user(self, database: &mut Database, name: &str, team: Option<TeamId>) -> UserId {
        let id = UserId::new();
        insert!(
            database,
            users,
            self,
            id,
            context().now,
            tags = Document::new(Vec::<String>::new()),
            name = name,
            role = "agent",
            record_rule = "all",
            active = true,
            team_id = team
        );
        id
    }

    fn values(self, database: &mut Database, kind: Kind, id: RecordId, field: &str, values: &[String]) {
        for value in values {
            diesel::insert_into(record_values::table)
                .values((
                    record_values::tenant_id.eq(self.id),
                    record_values::kind.eq(kind),
                    record_values::field.eq(field),
                    record_values::value.eq(value),
                    record_values::record_id.eq(id),
                ))
                .execute(&mut **database)
                .unwrap();
        }
    }

    /// Writes the text that a record is found by, which it must not have yet.
    pub(crate) fn search_text(self, database: &mut Database, kind: Kind, id: RecordId, text: &str) {
        let row = (
            search_texts::tenant_id.eq(self.id),
            search_texts::kind.eq(kind),
            search_texts::record_id.eq(id),
            search_texts::text.eq(text),
        );
        on_either!(&mut **database, |c| diesel::insert_into(search_texts::table)
            .values(row)
            .execute(c))
        .unwrap();
        if let DatabaseConnection::Sqlite(sqlite) = &mut **database {
            rapport_store::lookups::index_search_texts(sqlite).unwrap();
        }
    }

    pub(crate) fn condition(self, kind: Kind) -> Condition {
        Condition::new(kind.registry(), self.id, Visibility::All)
    }

    /// The records of a kind that pass a rule, in order of creation.
    pub(crate) fn matching(self, database: &mut Database, kind: Kind, json: &Json) -> Vec<RecordId> {
        let rule = rule(kind, json);
        select(database, kind, self.condition(kind).with_rule(Some(&rule)))
    }
}

/// The ids of the records that pass a condition, in order of creation.
pub(crate) fn select(database: &mut Database, kind: Kind, condition: Condition) -> Vec<RecordId> {
    macro_rules! ids {
        ($table:ident) => {{
            use sql::schema::$table::dsl::*;
            $table
                .filter(condition)
                .order(id)
                .select(id)
                .load(&mut **database)
                .unwrap()
        }};
    }
    match kind {
        Kind::Product => ids!(products),
        Kind::Customer => ids!(customers),
        Kind::Opportunity => ids!(opportunities),
        Kind::User => ids!(users),
        Kind::Team => ids!(teams),
        other => panic!("no test asks for a {other}"),
    }
}

/// Marks a record as deleted.
pub(crate) fn delete(database: &mut Database, kind: Kind, record: RecordId) {
    let table = kind.registry().table;
    let deleted = format!("UPDATE {table} SET deleted_at = created_at WHERE id = ");
    let query = diesel::sql_query(deleted);
    let query = match &mut **database {
        DatabaseConnection::Postgres(connection) => query
            .sql("$1")
            .bind::<sql::types::Identifier, _>(record)
            .execute(connection),
        DatabaseConnection::Sqlite(connection) => query
            .sql("?")
            .bind::<sql::types::Identifier, _>(record)
            .execute(connection),
    };
    assert_eq!(query.unwrap(), 1);
}
