//! The endpoints that every resource has: where they are, what answers them, and what the document says of them.

use super::components::{Components, Form, reference, schema_name};
use super::parameters::{self, header, parameter};
use super::{batch_operations, member_names, rule_schemas, samples};
use crate::endpoint::Endpoint;
use crate::{batch, list, resource};
use actix_web::http::Method;
use actix_web::web;
use domain::operation::scopes::Scope as Permission;
use domain::{Kind, Record};
use serde_json::{Value, json};
use store::Stored;

/// The endpoints of the resource of a kind of record.
pub(crate) fn generic_endpoints<R: Stored>() -> Vec<Endpoint> {
    let at = |method, path: &str, handler, description| {
        let path = format!("/v1/{}{path}", R::KIND.plural());
        Endpoint::generic(R::KIND, method, path, handler, description)
    };
    let by = "/by/{system}/{external_id}";
    vec![
        at(Method::GET, "", || web::to(list::get::<R>), list::<R>),
        at(Method::POST, "", || web::to(resource::create::<R>), create::<R>),
        at(Method::POST, "/search", || web::to(list::search::<R>), search::<R>),
        at(
            Method::POST,
            "/batch",
            || web::to(batch::post::<R>),
            batch_operations::batch::<R>,
        ),
        at(Method::GET, by, || web::to(resource::get_by::<R>), get_by::<R>),
        at(Method::PUT, by, || web::to(resource::upsert::<R>), upsert::<R>),
        at(Method::GET, "/{id}", || web::to(resource::get::<R>), get::<R>),
        at(Method::PATCH, "/{id}", || web::to(resource::patch::<R>), patch::<R>),
        at(Method::DELETE, "/{id}", || web::to(resource::delete::<R>), delete::<R>),
        at(
            Method::POST,
            "/{id}/restore",
            || web::to(resource::restore::<R>),
            restore::<R>,
        ),
    ]
}

/// Words in place of a name with underscores.
pub(super) fn words(name: &str) -> String {
    name.replace('_', " ")
}

/// The tag of a resource.
pub(super) fn tag(kind: Kind) -> String {
    let words = words(kind.plural());
    let (first, rest) = words.split_at(1);
    first.to_uppercase() + rest
}

/// What a resource holds.
pub(super) const fn about(kind: Kind) -> &'static str {
    match kind {
        Kind::Customer => "Persons and organisations that one deals with, from first notice on.",
        Kind::Relationship => "Ties between two customers, each with a role and a direction.",
        Kind::Note => "What people write down about a record of any kind.",
        Kind::Document => "Files that belong to records of any kind, with every version of their content.",
        Kind::Interaction => "Every contact with a customer: calls, e-mails, meetings, visits, chats, posts.",
        Kind::CustomField => "Fields that the tenant adds to its records. Their values stand in `custom`.",
        Kind::Product => "What is sold.",
        Kind::Pipeline => "Ordered ways of selling, each with stages of its own.",
        Kind::Stage => "The steps of the pipelines. The last ones close an opportunity as won or lost.",
        Kind::Opportunity => "Possible sales, from the first talk to won or lost.",
        Kind::Ticket => "Matters that customers bring, from the question to the complaint.",
        Kind::SlaPolicy => "By when which tickets are to be answered and solved.",
        Kind::BusinessHours => "When a team is at work: opening hours and holidays in a time zone.",
        Kind::Task => "What somebody is to do, by when. A task that recurs opens the next one when it is completed.",
        Kind::Appointment => "When people meet, where, and who takes part; once or again and again.",
        Kind::Segment => "Sets of customers, chosen by hand or by a rule.",
        Kind::User => "The people of the company, who log in and own records.",
        Kind::Team => "Groups of users, which share records and may stand below one another.",
        Kind::ServiceAccount => "The programs that log in with a client secret.",
    }
}

pub(super) fn one_of(kind: Kind) -> String {
    let article = if kind.as_str().starts_with(['a', 'e', 'i', 'o']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {}", words(kind.as_str()))
}

/// What an operation is called and what it needs.
fn operation(kind: Kind, id: &str, summary: &str, description: &str, scope: Permission) -> Value {
    json!({
        "tags": [tag(kind)],
        "operationId": id,
        "summary": summary,
        "description": description,
        "security": security(&[scope]),
        "parameters": [],
        "responses": {},
    })
}

/// The ways to show that one has some scopes.
pub(super) fn security(scopes: &[Permission]) -> Value {
    let scopes: Vec<_> = scopes.iter().map(ToString::to_string).collect();
    json!([{ "bearer": [] }, { "oauth2": scopes }])
}

fn reads(kind: Kind) -> Permission {
    Permission::Read(kind)
}

pub(super) fn json_content(schema: &Value, example: Option<Value>) -> Value {
    let mut content = json!({ "application/json": { "schema": schema } });
    if let Some(example) = example {
        content["application/json"]["example"] = example;
    }
    content
}

fn list<R: Record>(components: &mut Components) -> Value {
    let (kind, registry) = (R::KIND, R::KIND.registry());
    let id = format!("list_{}", kind.plural());
    let mut operation = operation(kind, &id, &format!("List {}", words(kind.plural())), LIST, reads(kind));
    let mut all = ["Q", "Limit", "Cursor", "Total"].map(parameter).to_vec();
    all.push(parameters::sort(registry));
    all.push(parameters::fields(member_names::<R>()));
    all.push(parameters::include(registry, components));
    all.extend(parameters::filters(registry));
    operation["parameters"] = all.into();
    operation["responses"]["200"] = page::<R>(components);
    operation["responses"]["200"]["headers"]["Link"] = header("Link");
    operation
}

/// The list of the records that belong to one of another kind, at a path of its own below that one's.
pub(crate) fn list_within<R: Record>(components: &mut Components, whole: Kind) -> Value {
    let many = words(R::KIND.plural());
    let mut operation = list::<R>(components);
    operation["tags"] = json!([tag(whole)]);
    operation["security"] = security(&[reads(whole), reads(R::KIND)]);
    operation["operationId"] = json!(format!("list_{whole}_{}", R::KIND.plural()));
    operation["summary"] = json!(format!("List the {many} of {}", one_of(whole)));
    operation["description"] = json!(format!("Otherwise as the list of all {many}."));
    if let Some(parameters) = operation["parameters"].as_array_mut() {
        parameters.insert(0, parameter("Id"));
    }
    operation
}

const LIST: &str = "Filters stand in the query, one a field: `filter[field]=value` or `filter[field][operator]=value`, \
    and all must hold. A field of a related record is one hop away: `filter[owner.name]=Ada`.\n\n\
    Operators, beside `eq` which needs no name: `ne`, `gt`, `gte`, `lt`, `lte`; `between`, `in`, `not_in` with values \
    parted by commas (`\\,` is a comma); `contains`, `starts_with`, `ends_with`, `search` of texts; `has_any`, \
    `has_all`, `has_none` of lists; `exists`, `missing`; `last`, `next` with a duration such as `P30D`, `this`, \
    `previous` with `day`, `week`, `month`, `quarter` or `year`, `anniversary_within` of days and instants.\n\n\
    Only the usual filters are listed below; each field takes the operators that fit its type. Conditions that are \
    nested or look at related records go to the search.";

fn search<R: Record>(components: &mut Components) -> Value {
    let kind = R::KIND;
    let id = format!("search_{}", kind.plural());
    let summary = format!("Search {}", words(kind.plural()));
    let description = "Like the list, with a rule tree in place of filters.";
    let mut operation = operation(kind, &id, &summary, description, reads(kind));
    let body = rule_schemas::search_body::<R>(components);
    let example = rule_schemas::search_example();
    operation["requestBody"] = json!({ "content": json_content(&body, Some(example)) });
    operation["responses"]["200"] = page::<R>(components);
    operation
}

fn page<R: Record>(components: &mut Components) -> Value {
    let item = shown::<R>(components);
    let name = format!("{}Page", schema_name(R::KIND));
    let page = reference(&components.of::<list::PageInfo>(Form::Sent));
    let schema = components.add(
        name,
        json!({
            "type": "object",
            "description": format!("Some {}, and where to go on.", words(R::KIND.plural())),
            "properties": {
                "data": { "type": "array", "items": item, "description": "The records, in order." },
                "page": page,
            },
            "required": ["data", "page"],
        }),
    );
    let record = samples::record::<R>(components);
    let example = json!({ "data": [record], "page": { "next_cursor": null, "has_more": false } });
    json!({ "description": "A page of the list", "content": json_content(&schema, Some(example)), "headers": {} })
}

/// A record as a whole, or what `fields` leaves of it.
fn shown<R: Record>(components: &mut Components) -> Value {
    let whole = components.record::<R>();
    let mut part = components.schema(&whole).clone();
    if let Some(members) = part.as_object_mut() {
        members.shift_remove("required");
        let description = format!(
            "{}, trimmed by `fields` to the members that were asked for.",
            capital(&one_of(R::KIND))
        );
        members.insert("description".to_owned(), description.into());
    }
    let part = components.add(format!("{whole}Part"), part);
    json!({ "anyOf": [reference(&whole), part] })
}

pub(super) fn capital(text: &str) -> String {
    let (first, rest) = text.split_at(1);
    first.to_uppercase() + rest
}

fn get<R: Record>(components: &mut Components) -> Value {
    let kind = R::KIND;
    let summary = format!("Get {}", one_of(kind));
    read_one::<R>(components, &format!("get_{kind}"), &summary, &["Id"])
}

fn get_by<R: Record>(components: &mut Components) -> Value {
    let kind = R::KIND;
    let summary = format!("Get {} by an external id", one_of(kind));
    let id = format!("get_{kind}_by_external_id");
    read_one::<R>(components, &id, &summary, &["System", "ExternalId"])
}

fn read_one<R: Record>(components: &mut Components, id: &str, summary: &str, path: &[&str]) -> Value {
    let kind = R::KIND;
    let description = "The answer carries the version as `ETag`; with it in `If-None-Match`, what you have already is not \
        sent again.";
    let mut operation = operation(kind, id, summary, description, reads(kind));
    let mut all: Vec<Value> = path.iter().copied().chain(["IfNoneMatch"]).map(parameter).collect();
    all.push(parameters::fields(member_names::<R>()));
    all.push(parameters::include(kind.registry(), components));
    operation["parameters"] = all.into();
    let schema = shown::<R>(components);
    let example = samples::record::<R>(components);
    operation["responses"] = json!({
        "200": {
            "description": capital(&one_of(kind)),
            "content": json_content(&schema, Some(example)),
            "headers": { "ETag": header("ETag") },
        },
        "304": { "description": "It is still the version named", "headers": { "ETag": header("ETag") } },
    });
    operation
}

pub(super) fn writes<R: Record>(id: &str, summary: &str, description: &str, path: &[&str], query: Vec<Value>) -> Value {
    let mut operation = operation(R::KIND, id, summary, description, Permission::Write(R::KIND));
    let path = path.iter().copied().map(parameter);
    let query = query.into_iter().chain(allow_duplicates::<R>(id));
    let common = ["DryRun", "IdempotencyKey"].map(parameter);
    operation["parameters"] = path.chain(query).chain(common).collect();
    operation
}

/// Whether what creates a record does so though there seems to be the same already.
fn allow_duplicates<R: Record>(id: &str) -> Option<Value> {
    let creates = ["create_", "upsert_", "batch_"].iter().any(|verb| id.starts_with(verb));
    (R::REFUSES_DUPLICATES && creates).then(|| {
        json!({
            "name": "allow_duplicates", "in": "query",
            "description": "Create a record also when there seems to be the same already; otherwise that answers 409 \
                with the code `duplicate` and the candidates.",
            "schema": { "type": "boolean", "default": false },
        })
    })
}

fn record_answer<R: Record>(components: &mut Components, description: &str) -> Value {
    let schema = reference(&components.record::<R>());
    let example = samples::record::<R>(components);
    json!({
        "description": description,
        "content": json_content(&schema, Some(example)),
        "headers": { "ETag": header("ETag"), "Idempotency-Replayed": header("IdempotencyReplayed") },
    })
}

fn created<R: Record>(components: &mut Components) -> Value {
    let mut answer = record_answer::<R>(components, "Created");
    answer["headers"]["Location"] = header("Location");
    answer
}

fn create<R: Record>(components: &mut Components) -> Value {
    let kind = R::KIND;
    let summary = format!("Create {}", one_of(kind));
    let description = "References take an id or `by/{system}/{external_id}`. Every fault of the body is told at once.";
    let mut operation = writes::<R>(&format!("create_{kind}"), &summary, description, &[], Vec::new());
    let fields = components.of::<R::Fields>(Form::Set);
    let example = samples::settable(components, &fields);
    operation["requestBody"] = json!({ "required": true, "content": json_content(&reference(&fields), Some(example)) });
    operation["responses"]["201"] = created::<R>(components);
    operation
}

/// A merge patch, in the media type of its own and in plain JSON.
fn patch_body<R: Record>(components: &mut Components, example: &Value) -> Value {
    let schema = reference(&components.of::<R::Fields>(Form::Patch));
    let content = json!({ "schema": schema, "example": example });
    json!({ "required": true, "content": { "application/merge-patch+json": content, "application/json": content } })
}

fn patch<R: Record>(components: &mut Components) -> Value {
    let kind = R::KIND;
    let summary = format!("Change {}", one_of(kind));
    let description = "A merge patch (RFC 7396): what is left out stays, `null` clears. A patch that changes nothing \
        keeps the version and raises no event.";
    let id = format!("update_{kind}");
    let mut operation = writes::<R>(&id, &summary, description, &["Id", "IfMatch"], Vec::new());
    operation["requestBody"] = patch_body::<R>(components, &json!({ "tags": ["key-account"], "owner_id": null }));
    operation["responses"]["200"] = record_answer::<R>(components, "The record as it is now");
    operation
}

fn upsert<R: Record>(components: &mut Components) -> Value {
    let kind = R::KIND;
    let summary = format!("Create or change {} by an external id", one_of(kind));
    let description = "Creates the record when none has this external id, otherwise merges the body into it: what is \
        left out stays. A new record needs every member that the create does. The external id of the path joins \
        `external_ids` by itself. A second call with the same body changes nothing.";
    let mode = json!({
        "name": "mode", "in": "query", "description": "Whether it may create, change, or both.",
        "schema": { "type": "string", "enum": ["upsert", "create_only", "update_only"], "default": "upsert" },
    });
    let id = format!("upsert_{kind}");
    let path = ["System", "ExternalId", "IfMatch"];
    let mut operation = writes::<R>(&id, &summary, description, &path, vec![mode]);
    let fields = components.of::<R::Fields>(Form::Set);
    let example = samples::settable(components, &fields);
    operation["requestBody"] = patch_body::<R>(components, &example);
    operation["responses"]["200"] =
        record_answer::<R>(components, "There already; changed, if the body says anything new");
    operation["responses"]["201"] = created::<R>(components);
    operation
}

fn delete<R: Record>(_: &mut Components) -> Value {
    let kind = R::KIND;
    let summary = format!("Delete {}", one_of(kind));
    let description = "The record is no longer shown and can be restored. With `purge=true`, which needs the scope \
        `purge`, it is removed for good.";
    let purge = json!({
        "name": "purge", "in": "query", "description": "Removes it for good.",
        "schema": { "type": "boolean", "default": false },
    });
    let id = format!("delete_{kind}");
    let mut operation = writes::<R>(&id, &summary, description, &["Id", "IfMatch"], vec![purge]);
    operation["responses"]["204"] = json!({
        "description": "Deleted",
        "headers": { "Idempotency-Replayed": header("IdempotencyReplayed") },
    });
    operation
}

fn restore<R: Record>(components: &mut Components) -> Value {
    let kind = R::KIND;
    let summary = format!("Restore {}", one_of(kind));
    let id = format!("restore_{kind}");
    let mut operation = writes::<R>(&id, &summary, "Undoes a deletion.", &["Id"], Vec::new());
    operation["responses"]["200"] = record_answer::<R>(components, "The record, shown again");
    operation
}
