//! Lists and searches: filters, sort, cursor, page, count.

use crate::access::Reading;
use crate::limits::{MAX_PAGE, PAGE};
use crate::problem::Problem;
use crate::projection::{Projected, Projection};
use actix_web::http::header::{ContentType, LINK};
use actix_web::{HttpRequest, HttpResponse};
use domain::fault::Fault;
use domain::rule::{Position, Rule, query as rule_query};
use domain::search::Search;
use domain::{Record, RuleContext};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::filter::Page;
use store::{Error, Stored, Transaction, records};
use utoipa::ToSchema;

/// The body of a search: everything that a list takes as parameters, with a rule tree instead of filters.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = Search)]
pub(crate) struct SearchBody {
    /// The rule that records must meet.
    #[schema(value_type = Option<Object>)]
    pub rule: Option<Value>,
    /// Words and fragments to be found in names, addresses and numbers.
    #[schema(min_length = 1, max_length = 200)]
    pub q: Option<String>,
    /// Fields to sort by; a leading `-` turns the order round.
    #[schema(max_items = 3)]
    pub sort: Option<Vec<String>>,
    /// Records on the page.
    #[schema(minimum = 1, maximum = 500, default = 50)]
    pub limit: Option<i64>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// `exact` counts all that match.
    #[schema(pattern = "^exact$")]
    pub total: Option<String>,
    /// Members to send.
    pub fields: Option<Vec<String>>,
    /// Related records to embed.
    pub include: Option<Vec<String>>,
}

/// Where a list goes on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PageInfo {
    /// Send it as `cursor` to get the next page; null on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
    /// Whether there is a next page.
    has_more: bool,
    /// How many match in all, where `total=exact` asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0)]
    total: Option<i64>,
}

impl PageInfo {
    /// The next page begins at a cursor; none on the last.
    pub(crate) const fn new(next_cursor: Option<String>) -> Self {
        Self {
            has_more: next_cursor.is_some(),
            next_cursor,
            total: None,
        }
    }
}

/// A page of records, written as far as these. As trees of values they would take longer to write than to find.
struct Listed {
    text: Vec<u8>,
    /// Where the page ends, if there is a next one.
    end: Option<Position>,
}

impl Listed {
    fn of<R: Stored>(tx: &mut Transaction<'_>, page: &Page, projection: &Projection) -> Result<Self, Error> {
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let expected = usize::try_from(PAGE).unwrap_or_default().min(limit);
        let mut records = Projected::after(br#"{"data":"#, projection, expected);
        let mut found = 0;
        // One more than asked tells whether there is a next page.
        let and_one = Page {
            limit: page.limit + 1,
            ..page.clone()
        };
        records::each::<R>(tx, &and_one, |record| {
            found += 1;
            if found > limit { Ok(()) } else { records.add(&record) }
        })?;
        let end = (found > limit).then(|| page.position_of(R::KIND.registry(), &records.last()?));
        Ok(Self {
            end: end.transpose()?,
            text: records.finished(tx)?,
        })
    }

    fn finished(mut self, page: &PageInfo) -> Result<Vec<u8>, Error> {
        self.text.extend_from_slice(br#","page":"#);
        serde_json::to_writer(&mut self.text, page)?;
        self.text.push(b'}');
        Ok(self.text)
    }
}

/// What a list or a search asks for.
struct Request {
    page: Page,
    bound_to: String,
    count: bool,
    projection: Projection,
}

/// `GET /v1/{resource}`.
pub(crate) async fn get<R: Stored>(request: HttpRequest, reading: Reading<R>) -> Result<HttpResponse, Problem> {
    list(request, reading, None).await
}

/// The same list of the records that pass a rule of the service's own, at a path of its own.
pub(crate) async fn get_among<R: Stored>(
    request: HttpRequest,
    reading: Reading<R>,
    among: Rule,
) -> Result<HttpResponse, Problem> {
    list(request, reading, Some(among)).await
}

async fn list<R: Stored>(
    request: HttpRequest,
    mut reading: Reading<R>,
    among: Option<Rule>,
) -> Result<HttpResponse, Problem> {
    let context = reading.rule_context().await?;
    let filters = reading.query.take_prefixed("filter[");
    let rule = rule_query::filters(filters.iter().map(|(name, value)| (name, value)), R::KIND, &context);
    let rule = rule.unwrap_or_else(|faults| {
        reading.query.add_faults(faults);
        None
    });
    let body = SearchBody {
        rule: None,
        q: reading.query.take("q"),
        sort: reading.query.take_list("sort"),
        limit: reading.query.take_number("limit", 1..=MAX_PAGE),
        cursor: reading.query.take("cursor"),
        total: reading.query.take("total"),
        fields: reading.query.take_list("fields"),
        include: reading.query.take_list("include"),
    };
    let rule = match among {
        Some(among) => Some(Rule::All(std::iter::once(among).chain(rule).collect())),
        None => rule,
    };
    // A cursor belongs to its path and its filters.
    let filters: Vec<String> = filters
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let bound_to = format!("{}?{}", request.path(), filters.join("&"));
    let wanted = read::<R>(&mut reading, rule, &context, &bound_to, body)?;
    answer(reading, wanted, Some(&request)).await
}

/// `POST /v1/{resource}/search`.
pub(crate) async fn search<R: Stored>(mut reading: Reading<R>) -> Result<HttpResponse, Problem> {
    std::mem::take(&mut reading.query).finish()?;
    let context = reading.rule_context().await?;
    let body = match std::mem::take(&mut reading.body) {
        Value::Null => SearchBody::default(),
        body => domain::input::parse_body(&body).map_err(Problem::invalid)?,
    };
    let rule = body.rule.as_ref().map(|rule| Rule::parse(rule, R::KIND, &context));
    let rule = rule.transpose().unwrap_or_else(|faults| {
        let faults = faults.into_iter().map(|fault| fault.under("/rule"));
        reading.query.add_faults(faults.collect());
        None
    });
    let filters = body
        .rule
        .as_ref()
        .map(crate::strict_json::canonical)
        .unwrap_or_default();
    if body.limit.is_some_and(|limit| !(1..=MAX_PAGE).contains(&limit)) {
        let message = format!("must be from 1 to {MAX_PAGE}");
        reading.query.fault("limit", "out_of_range", message);
    }
    let wanted = read::<R>(&mut reading, rule, &context, &filters, body).map_err(in_body)?;
    answer(reading, wanted, None).await
}

/// What a search asks for stands in its body, not in the query as that of a list.
fn in_body(problem: Problem) -> Problem {
    if problem.errors().is_empty() {
        return problem;
    }
    let faults = problem.errors().iter().map(|fault| {
        let pointer = fault.pointer.strip_prefix('?').map(|name| format!("/{name}"));
        let pointer = pointer.unwrap_or_else(|| fault.pointer.clone());
        Fault {
            pointer,
            ..fault.clone()
        }
    });
    Problem::invalid(faults.collect())
}

fn read<R: Record>(
    reading: &mut Reading<R>,
    rule: Option<Rule>,
    context: &RuleContext,
    filters: &str,
    body: SearchBody,
) -> Result<Request, Problem> {
    let sort_names = body.sort.unwrap_or_default();
    let query = &mut reading.query;
    let sort = if sort_names.is_empty() {
        Ok(Vec::new())
    } else {
        let names = sort_names.iter().map(String::as_str);
        rule_query::sort_keys(names, R::KIND.registry(), context, "?sort")
    };
    let sort = sort.unwrap_or_else(|faults| {
        query.add_faults(faults);
        Vec::new()
    });
    let q = body.q.as_deref().and_then(|text| {
        Search::parse(text, "?q")
            .map_err(|fault| query.add_faults(vec![fault]))
            .ok()
    });
    let count = match body.total.as_deref() {
        None => false,
        Some("exact") => true,
        Some(_) => {
            query.fault("total", "invalid_choice", "must be exact");
            false
        }
    };
    let projection = Projection::of::<R>(body.fields, &body.include.unwrap_or_default(), &reading.caller, query)?;
    std::mem::take(query).finish()?;
    let bound_to = bound_to::<R>(reading, &sort_names.join(","), filters, body.q.as_deref());
    let after = body
        .cursor
        .map(|cursor| reading.state.cursor_key.open::<Position>(&bound_to, "cursor", &cursor))
        .transpose()?;
    let page = Page {
        rule,
        q,
        sort,
        after,
        limit: body.limit.unwrap_or(PAGE),
        kept: false,
    };
    Ok(Request {
        page,
        bound_to,
        count,
        projection,
    })
}

/// What a cursor belongs to: it is of no use with another tenant, resource, sort or filter.
fn bound_to<R: Record>(reading: &Reading<R>, sort: &str, filters: &str, q: Option<&str>) -> String {
    let tenant = reading.caller.scope.tenant.id;
    [
        tenant.to_string().as_str(),
        R::KIND.plural(),
        sort,
        filters,
        q.unwrap_or_default(),
    ]
    .join("\n")
}

async fn answer<R: Stored>(
    reading: Reading<R>,
    wanted: Request,
    request: Option<&HttpRequest>,
) -> Result<HttpResponse, Problem> {
    let Request {
        page,
        bound_to,
        count,
        projection,
    } = wanted;
    let key = reading.state.cursor_key.clone();
    let (listed, total) = reading
        .run(move |tx| {
            let total = count.then(|| records::count::<R>(tx, &page)).transpose()?;
            Ok((Listed::of::<R>(tx, &page, &projection)?, total))
        })
        .await?;
    let cursor = listed.end.as_ref().map(|end| key.seal(&bound_to, end)).transpose()?;
    let page = PageInfo {
        total,
        ..PageInfo::new(cursor.clone())
    };
    let mut response = HttpResponse::Ok();
    response.content_type(ContentType::json());
    if let (Some(cursor), Some(request)) = (&cursor, request) {
        response.insert_header((LINK, format!("<{}>; rel=\"next\"", next_url(request, cursor))));
    }
    Ok(response.body(listed.finished(&page)?))
}

/// The same list, one page on (RFC 8288).
fn next_url(request: &HttpRequest, cursor: &str) -> String {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(request.query_string()).unwrap_or_default();
    let rest = pairs.into_iter().filter(|(name, _)| name != "cursor");
    let query = serde_urlencoded::to_string(
        rest.chain([("cursor".to_owned(), cursor.to_owned())])
            .collect::<Vec<_>>(),
    );
    format!("{}?{}", request.path(), query.unwrap_or_default())
}
