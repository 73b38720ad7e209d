//! The API document.

use domain::Record;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

/// The names of a record's members, in order.
pub(crate) fn member_names<R: Record>() -> Vec<String> {
    let mut schemas = vec![(String::new(), R::schema())];
    R::schemas(&mut schemas);
    let (_, root) = schemas.swap_remove(0);
    let mut names = Vec::new();
    collect(&root, &schemas, &mut names);
    names
}

fn collect(schema: &RefOr<Schema>, all: &[(String, RefOr<Schema>)], names: &mut Vec<String>) {
    match schema {
        RefOr::T(Schema::Object(object)) => names.extend(object.properties.keys().cloned()),
        RefOr::T(Schema::AllOf(parts)) => parts.items.iter().for_each(|part| collect(part, all, names)),
        RefOr::Ref(reference) => {
            let target = all
                .iter()
                .find(|(name, _)| reference.ref_location.ends_with(&format!("/{name}")));
            if let Some((_, target)) = target {
                collect(target, all, names);
            }
        }
        RefOr::T(_) => {}
    }
}

/// A node of a rule.
#[derive(utoipa::ToSchema)]
pub struct RuleNode {}
