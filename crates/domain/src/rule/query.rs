//! Filters and sorting in the query string, read into the same tree as rules of JSON.
//!
//! `filter[status]=open`, `filter[created_at][gte]=2026-01-01`, `filter[customer.country][in]=ID,MY`. Several
//! filters must all hold. Operators with several values take them separated by commas; a backslash takes the next
//! character as it is (`a\,b`). Windows stand as operators: `filter[created_at][last]=P30D`,
//! `filter[closed_on][this]=quarter`.

use super::field::resolve;
use super::literal::Raw;
use super::order::{MOST_KEYS, SortKey};
use super::parse::Parser;
use super::{MOST_NODES, Operator, Rule, RuleContext};
use crate::fault::Fault;
use crate::kind::Kind;
use crate::registry::Registry;

/// Reads the filters among query parameters. None when there are none.
pub fn filters<N: AsRef<str>, V: AsRef<str>>(
    pairs: impl IntoIterator<Item = (N, V)>,
    kind: Kind,
    context: &RuleContext,
) -> Result<Option<Rule>, Vec<Fault>> {
    filters_for(pairs, kind.registry(), context)
}

/// Like [`filters`], for a registry that stands alone.
pub fn filters_for<N: AsRef<str>, V: AsRef<str>>(
    pairs: impl IntoIterator<Item = (N, V)>,
    registry: &'static Registry,
    context: &RuleContext,
) -> Result<Option<Rule>, Vec<Fault>> {
    let mut parser = Parser::new(context);
    let mut rules = Vec::new();
    for (count, (name, value)) in pairs.into_iter().enumerate() {
        let (name, value) = (name.as_ref(), value.as_ref());
        if count == MOST_NODES {
            let message = format!("there may be at most {MOST_NODES} filters");
            return Err(vec![Fault::new(format!("?{name}"), "too_many", message)]);
        }
        rules.extend(filter(&mut parser, name, value, registry));
    }
    if !parser.faults.is_empty() {
        return Err(parser.faults);
    }
    Ok(if rules.len() > 1 {
        Some(Rule::All(rules))
    } else {
        rules.pop()
    })
}

fn filter(parser: &mut Parser<'_>, name: &str, value: &str, registry: &'static Registry) -> Option<Rule> {
    let pointer = format!("?{name}");
    let Some((path, operator)) = path_and_operator(name) else {
        return parser.fault(pointer, "malformed", "must be filter[field] or filter[field][operator]");
    };
    let Some(target) = resolve(path, registry, parser.context) else {
        return parser.fault(
            pointer,
            "unknown_field",
            format!("is not a field of {}", registry.plural),
        );
    };
    let Ok(operator) = operator.map_or(Ok(Operator::Eq), str::parse) else {
        let message = format!("the operator must be one of {}", Operator::TEXTS.join(", "));
        return parser.fault(pointer, "unknown_operator", message);
    };
    let value = Some(Raw::Text(value));
    parser
        .reader()
        .test(target, operator, value, registry, [&pointer, &pointer])
}

/// `filter[a]` is `a`, `filter[a][b]` is `a` and `b`.
fn path_and_operator(name: &str) -> Option<(&str, Option<&str>)> {
    let inner = name.strip_prefix("filter[")?.strip_suffix(']')?;
    let parts = inner.split_once("][");
    let (path, operator) = parts.map_or((inner, None), |(path, operator)| (path, Some(operator)));
    let plain = |part: &str| !part.is_empty() && !part.contains(['[', ']']);
    (plain(path) && operator.is_none_or(plain)).then_some((path, operator))
}

/// Reads `sort=-created_at,name`: descending by `-`. The id follows as the last key, so that every order is total.
pub fn sort(text: &str, kind: Kind, context: &RuleContext) -> Result<Vec<SortKey>, Vec<Fault>> {
    sort_keys(
        text.split(',').filter(|name| !name.is_empty()),
        kind.registry(),
        context,
        "?sort",
    )
}

/// Like [`sort`], from separate names, with faults at a pointer of the caller's.
pub fn sort_keys<'a>(
    names: impl IntoIterator<Item = &'a str>,
    registry: &'static Registry,
    context: &RuleContext,
    pointer: &str,
) -> Result<Vec<SortKey>, Vec<Fault>> {
    let mut keys: Vec<SortKey> = Vec::new();
    let mut faults = Vec::new();
    for name in names {
        let (descending, name) = name.strip_prefix('-').map_or((false, name), |name| (true, name));
        match context.field(registry, name).filter(|field| field.sortable) {
            Some(field) if keys.iter().any(|key| key.field == field) => {
                faults.push(Fault::new(pointer, "duplicate", "names a field twice"));
            }
            Some(field) => keys.push(SortKey { field, descending }),
            None => {
                let sortable: Vec<_> = registry
                    .all_fields()
                    .filter(|field| field.sortable)
                    .map(|field| field.name)
                    .collect();
                let message = format!("can be of {}", sortable.join(", "));
                faults.push(Fault::new(pointer, "not_sortable", message));
            }
        }
    }
    if keys.len() > MOST_KEYS {
        faults.push(Fault::new(
            pointer,
            "too_many",
            format!("may have at most {MOST_KEYS} fields"),
        ));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    // The id goes the way of the key before it, as it does in the indexes.
    let descending = keys.last().is_some_and(|key| key.descending);
    if let Some(id) = registry
        .field("id")
        .filter(|id| keys.iter().all(|key| key.field != *id))
    {
        keys.push(SortKey { field: id, descending });
    }
    Ok(keys)
}
